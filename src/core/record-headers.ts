// Headers of a record, beside those that a log gives it itself: bytes as Kafka has them in a record, behind their number (one byte). They
// lie in a chunk behind the record's value, and cost nothing where there are none.

/** The names of the headers that a log gives a record. */
export const logHeaders: readonly string[] = ['op', 'order', 'gtid', 'commit-time-us', 'seq'];

/** One byte says how many there are. */
export const headersMax = 255;

/** Names and values, each a length as a zig-zag varint and UTF-8; what has no value (a length below 0) is left out. */
export function readHeaders(source: Buffer, start: number, count: number): Record<string, string> {
  const headers: Record<string, string> = {};
  let at = start;
  const text = (): string | null => {
    let length = 0;
    let byte: number;
    let shift = 0;
    do {
      byte = source[at++]!;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    // Odd is negative.
    if (length & 1) return null;
    const from = at;
    at += length >>> 1;
    return source.toString('utf8', from, at);
  };
  for (let left = count; left > 0; left--) {
    const name = text() ?? '';
    const value = text();
    if (value !== null) headers[name] = value;
  }
  return headers;
}
