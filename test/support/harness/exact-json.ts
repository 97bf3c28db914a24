// JSON read without loss, for checks: numbers stay text, so that no digit of a BIGINT or DECIMAL is rounded on the way to the
// comparison. Written for the checker alone; it shares nothing with the program under test.
export interface ExactNumber {
  readonly number: string;
}

export type ExactJson =
  null | boolean | string | ExactNumber | readonly ExactJson[] | { readonly [name: string]: ExactJson };

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;

export function parseExact(text: string): ExactJson {
  const marked = text.replace(token, (found) => (found.startsWith('"') ? found : `{"\\u0000n":"${found}"}`));
  return JSON.parse(marked, (_name, value: unknown) => {
    if (typeof value === 'object' && value !== null && '\u0000n' in value) return { number: value['\u0000n'] };
    return value;
  }) as ExactJson;
}

export function isExactNumber(value: ExactJson | undefined): value is ExactNumber {
  return (
    typeof value === 'object' &&
    value !== null &&
    'number' in value &&
    typeof value.number === 'string' &&
    isOnly(value)
  );
}

function isOnly(value: object): boolean {
  return Object.keys(value).length === 1;
}

/** The text of a string or number, whichever of the two stands there. */
export function printScalar(value: ExactJson | undefined): string {
  if (isExactNumber(value)) return value.number;
  if (typeof value === 'string') return value;
  throw new Error(`${JSON.stringify(value)} is neither text nor number`);
}

/** One text per JSON value: names sorted, numbers by their value, no blanks. */
export function canonicalJson(text: string): string {
  return print(JSON.parse(text) as unknown);
}

function print(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${print(item)}`).join(',')}}`;
}
