// Where key and value have different formats, the key columns of a row are written twice: into the value, and by a second writer
// in the key's format into a scratch buffer, from which the key is put together in key order.
import type { ValueWriter } from '../../core/row-encoder.js';
import type { ColumnValueWriter } from './column-value-writer.js';

export class TeeValueWriter implements ValueWriter {
  readonly value: ColumnValueWriter;
  readonly key: ColumnValueWriter;
  /** Per column of the table: 1 where it belongs to the key. */
  readonly isKey: Uint8Array;
  column = 0;

  constructor(value: ColumnValueWriter, key: ColumnValueWriter, isKey: Uint8Array) {
    this.value = value;
    this.key = key;
    this.isKey = isKey;
  }

  begin(): void {
    this.column = 0;
    this.key.out.length = 0;
    this.value.begin();
    this.key.begin();
  }

  null(): void {
    this.value.null();
    if (this.isKey[this.column++] === 1) this.key.null();
  }
  boolean(value: boolean): void {
    this.value.boolean(value);
    if (this.isKey[this.column++] === 1) this.key.boolean(value);
  }
  integer(value: number): void {
    this.value.integer(value);
    if (this.isKey[this.column++] === 1) this.key.integer(value);
  }
  int64(high: number, low: number): void {
    this.value.int64(high, low);
    if (this.isKey[this.column++] === 1) this.key.int64(high, low);
  }
  double(value: number): void {
    this.value.double(value);
    if (this.isKey[this.column++] === 1) this.key.double(value);
  }
  decimal(source: Buffer, start: number, end: number): void {
    this.value.decimal(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.decimal(source, start, end);
  }
  utf8(source: Buffer, start: number, end: number): void {
    this.value.utf8(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.utf8(source, start, end);
  }
  string(value: string): void {
    this.value.string(value);
    if (this.isKey[this.column++] === 1) this.key.string(value);
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.value.bytes(source, start, end);
    if (this.isKey[this.column++] === 1) this.key.bytes(source, start, end);
  }
  micros(value: number): void {
    this.value.micros(value);
    if (this.isKey[this.column++] === 1) this.key.micros(value);
  }
  microsWide(high: number, low: number): void {
    this.value.microsWide(high, low);
    if (this.isKey[this.column++] === 1) this.key.microsWide(high, low);
  }
}
