// Rows of a result, as they lie in its packets, onto an encoder.
import type { RowEncoder } from '../../core/row-encoder.js';
import { textLength, type RawRows } from './raw-rows.js';
import type { TextReader } from './text-reader.js';
import { inRow } from './unconvertible.js';

/** `table`: for messages. Throws unconvertible-value. */
export function writeRow(
  rows: RawRows,
  row: number,
  readers: readonly TextReader[],
  encoder: RowEncoder,
  table: string,
): void {
  const source = rows.buffer(row);
  let at = rows.start(row);
  try {
    const to = encoder.beginRow('r');
    for (const reader of readers) {
      const { length, next } = textLength(source, at);
      if (length < 0) to.null();
      else reader(source, next, next + length, to);
      at = next + Math.max(0, length);
    }
    encoder.endRow();
  } catch (error) {
    throw inRow(error, () => `row ${row + 1} of a page of ${table}`);
  }
}
