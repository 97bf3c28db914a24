// Partial updates (binlog_row_value_options = PARTIAL_JSON) as the updates that they stand for: the new image gives of some JSON documents
// only what has changed, and the old image has the whole.
import { AppError } from '../../core/errors.js';
import { eventType } from './binlog-event.js';
import { applyJsonDiffs } from './json-diff.js';
import { firstImage, type RowsTable } from './rows-event.js';

/** The options of a new image: bit 0 says that a bit per JSON column of the table follows. */
const partialJson = 1;

export function wholeRows(event: Buffer, table: RowsTable): Buffer {
  const { decoder } = table;
  const { columnCount, jsonColumns } = decoder;
  const source = Buffer.from(event);
  source[4] = eventType.updateRows;
  const { at: first } = firstImage(source, table);
  const parts: Buffer[] = [source.subarray(0, first)];
  for (let at = first; at < source.length;) {
    const old = at;
    at = decoder.skipRow(source, old);
    parts.push(source.subarray(old, at));
    const options = source[at++]!;
    if (options > partialJson) throw broken(table, `its images have the unknown options ${options}`);
    const bits = at;
    if (options === partialJson) at += (jsonColumns.length + 7) >> 3;
    const isPartial = (column: number): boolean => {
      const place = options === partialJson ? jsonColumns.indexOf(column) : -1;
      return place >= 0 && (source[bits + (place >> 3)]! & (1 << (place & 7))) !== 0;
    };
    const image = at;
    at += (columnCount + 7) >> 3;
    parts.push(source.subarray(image, at));
    for (let column = 0; column < columnCount; column++) {
      if ((source[image + (column >> 3)]! & (1 << (column & 7))) !== 0) continue;
      const value = at;
      at = decoder.skipColumn(source, at, column);
      if (!isPartial(column)) {
        parts.push(source.subarray(value, at));
        continue;
      }
      const before = decoder.valueAt(source, old, column);
      if (before < 0) throw broken(table, 'it changes a document that is NULL');
      const document = source.subarray(before + 4, decoder.skipColumn(source, before, column));
      const whole = applyJsonDiffs(document, source.subarray(value + 4, at));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(whole.length);
      parts.push(length, whole);
    }
    if (at > source.length) throw broken(table, 'it ends within a row');
  }
  const rewritten = Buffer.concat(parts);
  rewritten.writeUInt32LE(rewritten.length, 9);
  return rewritten;
}

function broken({ open }: RowsTable, why: string): AppError {
  return new AppError('corrupt-binlog', `a partial update of ${open.name} cannot be read: ${why}`);
}
