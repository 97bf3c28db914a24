// The two headers that every record of the log begins with: what happened to the row, and the record's place in its append.
import { AppError } from '../../core/errors.js';
import { opCode } from '../../core/record.js';
import type { CommitPart } from './commit-record.js';
import type { RecordReader } from './record-reader.js';

/** Op codes by letter. */
const opOfLetter = new Int8Array(128).fill(-1);
for (const [letter, code] of Object.entries(opCode)) opOfLetter[letter.charCodeAt(0)] = code;
/** The headers `op` and `order` come first and look like this (lengths are zig-zag varints): 4 'op' 2 <letter>, 10 'order' <length> <digits>. */
const opLetterAt = 4;
const orderKeyAt = 5;
const orderLengthAt = 11;

/** The op's code; -1: it is not there. */
export function readOp({ source, headersStart }: RecordReader): number {
  return opOfLetter[source[headersStart + opLetterAt]! & 127]!;
}

/** -1: it is not there. */
export function readOrder({ source, headersStart, headerCount }: RecordReader): number {
  if (headerCount < 2 || source[headersStart] !== 4 || source[headersStart + orderKeyAt] !== 10) return -1;
  const length = source[headersStart + orderLengthAt]! >> 1;
  let order = 0;
  for (let at = headersStart + orderLengthAt + 1, end = at + length; at < end; at++) {
    const digit = source[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    order = order * 10 + digit;
  }
  return length === 0 ? -1 : order;
}

export function notOurs({ topic, partition }: CommitPart, offset: number): AppError {
  return new AppError(
    'log-corrupt',
    `topic "${topic}", partition ${partition} holds at offset ${offset} not the record that the commit topic names`,
  );
}
