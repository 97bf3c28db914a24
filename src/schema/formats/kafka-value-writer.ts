// ksqlDB's KAFKA format on the hot path: the single key column as Kafka's own serializer writes it.
import type { ByteWriter } from '../../core/bytes.js';
import type { Value } from '../../core/data-type.js';
import { refuseBytes, refuseNull, type ColumnValueWriter } from './column-value-writer.js';
import type { WireField } from './format.js';
import { int64 } from './integer-text.js';
import { putKafka } from './kafka-format.js';
import { decodeUtf8 } from './utf8.js';

export class KafkaValueWriter implements ColumnValueWriter {
  readonly out: ByteWriter;
  readonly field: WireField;
  start = 0;
  endPos = 0;

  constructor(out: ByteWriter, field: WireField) {
    this.out = out;
    this.field = field;
  }

  begin(): void {
    this.start = this.out.length;
  }
  finish(): void {
    this.endPos = this.out.length;
  }
  columnStart(): number {
    return this.start;
  }
  columnEnd(): number {
    return this.endPos;
  }
  copyFrom(from: ColumnValueWriter, columns: readonly number[]): void {
    this.begin();
    this.out.copy(from.out.buffer, from.columnStart(columns[0]!), from.columnEnd(columns[0]!));
    this.finish();
  }

  null(): void {
    refuseNull(this.field);
  }
  boolean(value: boolean): void {
    putKafka(this.out, this.field.type, value);
  }
  integer(value: number): void {
    putKafka(this.out, this.field.type, value);
  }
  int64(high: number, low: number): void {
    putKafka(this.out, this.field.type, int64(high, low));
  }
  double(value: number): void {
    putKafka(this.out, this.field.type, value);
  }
  decimal(source: Buffer, start: number, end: number): void {
    putKafka(this.out, this.field.type, source.toString('latin1', start, end));
  }
  utf8(source: Buffer, start: number, end: number): void {
    if (decodeUtf8(source, start, end) === undefined) refuseBytes(this.field, source, start, end);
    this.out.copy(source, start, end);
  }
  string(value: string): void {
    putKafka(this.out, this.field.type, value);
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.out.copy(source, start, end);
  }
  micros(value: number): void {
    putKafka(this.out, this.field.type, value);
  }
  microsWide(high: number, low: number): void {
    putKafka(this.out, this.field.type, int64(high, low));
  }
  value(value: Value): void {
    if (value === null) refuseNull(this.field);
    else putKafka(this.out, this.field.type, value);
  }
}
