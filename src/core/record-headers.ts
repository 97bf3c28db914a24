// Headers of a record, beside those that a log gives it itself: bytes as Kafka has them in a record, behind their number (one byte). They
// lie in a chunk behind the record's value, and cost nothing where there are none.
import { ByteReader } from './bytes.js';

/** The names of the headers that a log gives a record. */
export const logHeaders: readonly string[] = ['op', 'order', 'gtid', 'commit-time-us', 'seq'];

/** One byte says how many there are. */
export const headersMax = 255;

/** Names and values, each a length as a zig-zag varint and UTF-8; what has no value (a length below 0) is left out. */
export function readHeaders(source: Buffer, start: number, count: number): Record<string, string> {
  const headers: [string, string][] = [];
  const from = new ByteReader(source, start);
  const text = (): string | null => {
    const length = from.varint();
    // Odd is negative.
    return length % 2 === 1 ? null : from.view(length / 2).toString();
  };
  for (let left = count; left > 0; left--) {
    const name = text() ?? '';
    const value = text();
    if (value !== null) headers.push([name, value]);
  }
  return Object.fromEntries(headers);
}
