// Text functions. Lengths and positions count UTF-16 units, as ksqlDB (Java) does; positions start at 1.
import { BYTES, INTEGER, STRING, type Value } from '../../core/data-type.js';
import { scalar, type ScalarFunction } from './function.js';

function onText(name: string, description: string, body: (text: string) => Value): ScalarFunction {
  return scalar(name, description, [
    {
      params: [STRING],
      result: typeof body('') === 'number' ? INTEGER : STRING,
      body: (text) => (text === null ? null : body(text as string)),
    },
  ]);
}

const lower = (text: string): string => text.toLowerCase();
const upper = (text: string): string => text.toUpperCase();

/** Where a 1-based position, counted from the end when negative, lies in a text of that length. */
function startAt(position: number, length: number): number {
  return position < 0 ? Math.max(length + position, 0) : Math.max(Math.min(position - 1, length), 0);
}

function substring(text: Value, position: Value, length: Value): Value {
  if (text === null || position === null || length === null) return null;
  const whole = text as string | Buffer;
  const start = startAt(position as number, whole.length);
  const end = Math.min(start + Math.max(length as number, 0), whole.length);
  return typeof whole === 'string' ? whole.slice(start, end) : whole.subarray(start, end);
}
const substringToEnd = (text: Value, position: Value): Value => substring(text, position, 2 ** 31 - 1);

function concat(...parts: Value[]): Value {
  let text = '';
  for (const part of parts) if (part !== null) text += part as string;
  return text;
}

export const stringFunctions: readonly ScalarFunction[] = [
  onText('LCASE', 'lower case', lower),
  onText('LOWER', 'lower case', lower),
  onText('UCASE', 'upper case', upper),
  onText('UPPER', 'upper case', upper),
  // oxlint-disable-next-line no-control-regex -- Java's trim takes everything up to the blank, control characters included
  onText('TRIM', 'without blanks at both ends', (text) => text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '')),
  onText('INITCAP', 'the first letter of each word in upper case, the others in lower case', (text) =>
    text.toLowerCase().replace(/(^|\s)(\S)/g, (_, gap: string, letter: string) => gap + letter.toUpperCase()),
  ),
  scalar('LEN', 'length of a text or of bytes', [
    { params: [STRING], result: INTEGER, body: (text) => (text === null ? null : (text as string).length) },
    { params: [BYTES], result: INTEGER, body: (bytes) => (bytes === null ? null : (bytes as Buffer).length) },
  ]),
  scalar('CONCAT', 'texts joined, NULLs left out', [
    { params: [STRING, STRING], variadic: true, result: STRING, body: concat },
    {
      params: [BYTES, BYTES],
      variadic: true,
      result: BYTES,
      body: (...parts) => Buffer.concat(parts.filter((part) => part !== null) as Buffer[]),
    },
  ]),
  scalar('SUBSTRING', 'part of a text from a position (1 = first, -1 = last), to its end or of a length', [
    { params: [STRING, INTEGER], result: STRING, body: substringToEnd },
    { params: [STRING, INTEGER, INTEGER], result: STRING, body: substring },
    { params: [BYTES, INTEGER], result: BYTES, body: substringToEnd },
    { params: [BYTES, INTEGER, INTEGER], result: BYTES, body: substring },
  ]),
  scalar('REPLACE', 'every occurrence of a text replaced by another', [
    {
      params: [STRING, STRING, STRING],
      result: STRING,
      body: (text, from, to) =>
        text === null || from === null || to === null
          ? null
          : (text as string).replaceAll(from as string, () => to as string),
    },
  ]),
  // The operator: unlike CONCAT it gives NULL when a side is NULL.
  scalar('||', 'texts joined', [
    {
      params: [STRING, STRING],
      result: STRING,
      body: (a, b) => (a === null || b === null ? null : (a as string) + (b as string)),
    },
  ]),
];
