// Text functions. Lengths and positions count UTF-16 units, as ksqlDB (Java) does; positions start at 1.
import { BYTES, INTEGER, STRING, type Value } from '../../core/data-type.js';
import { assertValueSize, spend } from '../../core/evaluation-work.js';
import { findsText } from '../../core/text-search.js';
import { scalar, type ScalarFunction } from './function.js';

/** `steps`: for each character of the text. */
function onText(name: string, description: string, steps: number, body: (text: string) => string): ScalarFunction {
  return scalar(name, description, [
    {
      params: [STRING],
      result: STRING,
      body: (text) => {
        if (text === null) return null;
        spend((text as string).length * steps);
        const made = body(text as string);
        // Some letters have two in the other case.
        assertValueSize(made.length);
        return made;
      },
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
  willJoin(parts);
  let text = '';
  for (const part of parts) if (part !== null) text += part as string;
  return text;
}

/** Texts or bytes are about to become one value. */
function willJoin(parts: readonly Value[]): void {
  let size = 0;
  for (const part of parts) if (part !== null) size += (part as string | Buffer).length;
  assertValueSize(size);
  spend(size);
}

/** What Java's trim takes: everything up to the blank, control characters included. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (start < end && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}

function initcap(text: string): string {
  const small = text.toLowerCase();
  let made = '';
  let start = 0;
  let behindBlank = true;
  for (let i = 0; i < small.length; i++) {
    const code = small.charCodeAt(i);
    // Of most characters it is known what they are; what else is a blank says the language.
    const blank = code === 0x20 || ((code < 0x61 || code > 0x7a) && /\s/.test(small[i]!));
    if (behindBlank && !blank) {
      made += small.slice(start, i) + small[i]!.toUpperCase();
      start = i + 1;
    }
    behindBlank = blank;
  }
  return made + small.slice(start);
}

/** Steps that a replacement takes beside the characters. */
const replacementSteps = 32;

function replace(text: string, from: string, to: string): string {
  spend(text.length + from.length);
  if (from === '') {
    // In front of every character, and behind the last.
    const size = text.length + (text.length + 1) * to.length;
    assertValueSize(size);
    spend(size + text.length * replacementSteps);
    return text.replaceAll('', () => to);
  }
  const find = findsText(from);
  const parts: string[] = [];
  let size = text.length;
  let start = 0;
  for (let at = find(text, 0); at >= 0; at = find(text, start)) {
    spend(replacementSteps);
    size += to.length - from.length;
    parts.push(text.slice(start, at));
    start = at + from.length;
  }
  if (parts.length === 0) return text;
  assertValueSize(size);
  spend(size);
  parts.push(text.slice(start));
  return parts.join(to);
}

export const stringFunctions: readonly ScalarFunction[] = [
  onText('LCASE', 'lower case', 2, lower),
  onText('LOWER', 'lower case', 2, lower),
  onText('UCASE', 'upper case', 2, upper),
  onText('UPPER', 'upper case', 2, upper),
  onText('TRIM', 'without blanks at both ends', 1, trim),
  onText('INITCAP', 'the first letter of each word in upper case, the others in lower case', 16, initcap),
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
      body: (...parts) => {
        willJoin(parts);
        return Buffer.concat(parts.filter((part) => part !== null) as Buffer[]);
      },
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
        text === null || from === null || to === null ? null : replace(text as string, from as string, to as string),
    },
  ]),
  // The operator: unlike CONCAT it gives NULL when a side is NULL.
  scalar('||', 'texts joined', [
    {
      params: [STRING, STRING],
      result: STRING,
      body: (a, b) => {
        if (a === null || b === null) return null;
        willJoin([a!, b!]);
        return (a as string) + (b as string);
      },
    },
  ]),
];
