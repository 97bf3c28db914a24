// JSON documents as one text each: members sorted, no blanks, and numbers by their exact decimal value, so that 1.0, 1 and 1e0 meet
// while no digit is rounded on the way.
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** Throws where the text is no JSON. */
export function canonicalJson(text: string): string {
  JSON.parse(text);
  const marked = text.replace(token, (found) => (found.startsWith('"') ? found : `{"\\u0000n":"${exact(found)}"}`));
  return print(JSON.parse(marked));
}

function exact(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

function print(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 1 && entries[0]![0] === '\u0000n') return entries[0]![1] as string;
  entries.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${print(item)}`).join(',')}}`;
}
