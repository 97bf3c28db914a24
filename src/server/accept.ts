// Reads an Accept header as far as the APIs need it: which of the media types that an endpoint has does the client like best.

/** The types named, in order of preference, without parameters and in lower case. Types with q=0 are left out. */
export function acceptedTypes(accept: string): string[] {
  const ranked: { readonly type: string; readonly q: number }[] = [];
  for (const part of accept.split(',')) {
    const [type, ...parameters] = part.split(';');
    const name = type!.trim().toLowerCase();
    if (name === '') continue;
    const q = parameters.map((p) => /^\s*q\s*=\s*([\d.]+)\s*$/i.exec(p)?.[1]).find((text) => text !== undefined);
    const weight = q === undefined ? 1 : Number(q);
    if (weight > 0) ranked.push({ type: name, q: weight });
  }
  return ranked.sort((a, b) => b.q - a.q).map((entry) => entry.type);
}

/**
 * The first type of the client that `choices` (media type -> what it selects) has. A choice for the whole of a family stands
 * in it by its own name (`*` + `/*`).
 */
export function negotiate<T>(accept: string | undefined, absent: T, choices: ReadonlyMap<string, T>): T | undefined {
  if (accept === undefined || accept.trim() === '') return absent;
  for (const type of acceptedTypes(accept)) {
    const choice = choices.get(type);
    if (choice !== undefined) return choice;
  }
  return undefined;
}
