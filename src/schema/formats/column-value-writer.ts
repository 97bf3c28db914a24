// A ValueWriter that a row encoder can restart per row and that remembers where each column's bytes lie, so that a key is taken
// from the value's bytes instead of being encoded again. One implementation per format.
import { AppError } from '../../core/errors.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { ByteWriter } from '../../core/bytes.js';
import type { WireField } from './format.js';
import { excerpt } from './utf8.js';

export interface ColumnValueWriter extends ValueWriter {
  readonly out: ByteWriter;
  /** Begins a record at the place where `out` stands. */
  begin(): void;
  /** Writes what stands behind the last column. */
  finish(): void;
  /** The bytes of column `i` of the record just written, without names and separators. */
  columnStart(i: number): number;
  columnEnd(i: number): number;
  /**
   * Writes a whole record from the bytes of columns that a writer of the same format has written: the field j gets the column
   * `columns[j]` of `from`.
   */
  copyFrom(from: ColumnValueWriter, columns: readonly number[]): void;
}

/** Bytes that are no UTF-8 in a STRING column: refused, since a replaced character would be a wrong value in silence. */
export function refuseBytes(field: WireField, source: Uint8Array, start: number, end: number): never {
  throw new AppError('unconvertible-value', `column ${field.name} holds bytes that are not valid UTF-8`, {
    detail: `bytes ${excerpt(source, start, end)}`,
  });
}

/** A NULL where the wire has no form for it. */
export function refuseNull(field: WireField): never {
  throw new AppError('unconvertible-value', `key column ${field.name} is NULL, and the key has no form for it`, {
    hint: 'choose other key columns, or the JSON format for the key',
  });
}
