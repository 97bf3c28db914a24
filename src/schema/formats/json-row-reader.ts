// Reads a row in place from the very bytes that our encoder writes for it: field order, no spaces. Anything else is not read here.
import type { Value } from '../../core/data-type.js';
import type { WireField } from './format.js';
import type { JsonFrame } from './json-value-writer.js';
import { readScalar, scalarCode, ScalarInput } from './json-scalars.js';

/** Fills `row` from the bytes at `start`; the place behind it, or -1 where they have another form. */
export type ReadJsonRow = (bytes: Buffer, start: number, end: number, row: Value[]) => number;

/** Undefined: nested types have no fast reader, and a record is read by one path alone. */
export function jsonRowReader(fields: readonly WireField[], frame: JsonFrame): ReadJsonRow | undefined {
  const prefixBytes = Buffer.concat(frame.prefixes);
  const prefixEnd = new Int32Array(fields.length);
  let length = 0;
  frame.prefixes.forEach((prefix, i) => (prefixEnd[i] = length += prefix.length));
  const suffix = frame.suffix;
  const codes = Uint8Array.from(fields, (f) => scalarCode(f.type));
  if (codes.includes(0)) return undefined;
  const columns = Int32Array.from(fields, (f) => f.column);
  const types = fields.map((f) => f.type);
  const cursor = new ScalarInput();
  // A schema stands in front of the first column, which is worth a call.
  const head = (prefixEnd[0] ?? 0) > longText ? frame.prefixes[0] : undefined;
  return (bytes, start, end, row) => {
    cursor.open(bytes, start, end);
    let p = start;
    let k = 0;
    if (head !== undefined) {
      if (!startsAt(bytes, p, head)) return -1;
      p += head.length;
      k = head.length;
    }
    for (let i = 0; i < codes.length; i++) {
      for (const to = prefixEnd[i]!; k < to; k++) if (bytes[p++] !== prefixBytes[k]) return -1;
      if (bytes[p] === 110) {
        if (bytes[p + 1] !== 117 || bytes[p + 2] !== 108 || bytes[p + 3] !== 108) return -1;
        p += 4;
        continue;
      }
      const value = readScalar(cursor, codes[i]!, types[i]!, p);
      if (value === undefined) return -1;
      p = cursor.next;
      row[columns[i]!] = value;
    }
    return p + suffix.length <= end && startsAt(bytes, p, suffix) ? p + suffix.length : -1;
  };
}

/** From here on a call into the runtime is cheaper than a loop. */
const longText = 60;

/** Whether these bytes stand there. */
export function startsAt(bytes: Buffer, at: number, expected: Buffer): boolean {
  const { length } = expected;
  if (length > longText)
    return at + length <= bytes.length && bytes.compare(expected, 0, length, at, at + length) === 0;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}
