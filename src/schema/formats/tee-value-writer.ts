// Where key and value have different formats, the key columns of a row are written twice: into the value, and by a second writer
// in the key's format into a scratch buffer, from which the key is put together in key order.
import type { Value } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { ColumnValueWriter } from './column-value-writer.js';

export class TeeValueWriter implements ValueWriter {
  readonly row: ColumnValueWriter;
  readonly key: ColumnValueWriter;
  /** Per column of the table: 1 where it belongs to the key. */
  readonly isKey: Uint8Array;
  column = 0;

  constructor(row: ColumnValueWriter, key: ColumnValueWriter, isKey: Uint8Array) {
    this.row = row;
    this.key = key;
    this.isKey = isKey;
  }

  begin(): void {
    this.column = 0;
    this.key.out.length = 0;
    this.row.begin();
    this.key.begin();
  }

  null(): void {
    this.row.null();
    if (this.isKey[this.column++] === 1) this.key.null();
  }
  boolean(value: boolean): void {
    this.row.boolean(value);
    if (this.isKey[this.column++] === 1) this.key.boolean(value);
  }
  integer(value: number): void {
    this.row.integer(value);
    if (this.isKey[this.column++] === 1) this.key.integer(value);
  }
  int64(high: number, low: number): void {
    this.row.int64(high, low);
    if (this.isKey[this.column++] === 1) this.key.int64(high, low);
  }
  double(value: number): void {
    this.row.double(value);
    if (this.isKey[this.column++] === 1) this.key.double(value);
  }
  decimal(source: Buffer, start: number, end: number): void {
    this.row.decimal(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.decimal(source, start, end);
  }
  utf8(source: Buffer, start: number, end: number): void {
    this.row.utf8(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.utf8(source, start, end);
  }
  string(value: string): void {
    this.row.string(value);
    if (this.isKey[this.column++] === 1) this.key.string(value);
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.row.bytes(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.bytes(source, start, end);
  }
  micros(value: number): void {
    this.row.micros(value);
    if (this.isKey[this.column++] === 1) this.key.micros(value);
  }
  microsWide(high: number, low: number): void {
    this.row.microsWide(high, low);
    if (this.isKey[this.column++] === 1) this.key.microsWide(high, low);
  }
  value(value: Value): void {
    this.row.value(value);
    if (this.isKey[this.column++] === 1) this.key.value(value);
  }
}
