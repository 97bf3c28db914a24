// The Avro side of the hottest path: the binary form of one flat record of nullable unions, behind the frame of its schema.
import { floorMillis, unitOf, units } from './micros.js';
import { unscaledOf, writeBytes, writeDecimal, writeLong, writeLong64, writeText, writeBigLong } from './avro-write.js';
import { AppError } from '../../core/errors.js';
import type { ByteWriter } from '../../core/bytes.js';
import type { Value } from '../../core/data-type.js';
import { writeAvro } from './avro-value.js';
import { refuseBytes, refuseNull, type ColumnValueWriter } from './column-value-writer.js';
import type { WireField } from './format.js';
import { int64 } from './integer-text.js';
import { sequenceLength } from './utf8.js';
import { zonedDigits, zonedText } from './zoned-text.js';

const timeMillisMaxUs = 0x7fff_ffff * 1000;

export class AvroValueWriter implements ColumnValueWriter {
  readonly out: ByteWriter;
  readonly fields: readonly WireField[];
  readonly frame: Buffer;
  readonly suffix: Buffer;
  /** 1: the branch of the union stands before the value. */
  readonly nullable: Uint8Array;
  readonly starts: Int32Array;
  /** Of TIME and TIMESTAMP. */
  readonly units: Uint8Array;
  column = 0;
  endPos = 0;

  /** `suffix`: ready bytes of fields behind the columns, such as `__deleted`. */
  constructor(out: ByteWriter, fields: readonly WireField[], frame: Buffer, suffix: Buffer = Buffer.alloc(0)) {
    this.out = out;
    this.fields = fields;
    this.frame = frame;
    this.suffix = suffix;
    this.nullable = Uint8Array.from(fields, (f) => (f.nullable ? 1 : 0));
    this.starts = new Int32Array(fields.length);
    this.units = Uint8Array.from(fields, ({ type }) => unitOf(type));
  }

  begin(): void {
    this.column = 0;
    this.out.copy(this.frame, 0, this.frame.length);
  }

  /** Writes the union's branch for a value that is not null. */
  open(): void {
    const i = this.column++;
    const out = this.out;
    if (this.nullable[i] === 1) {
      out.reserve(1);
      out.buffer[out.length++] = 2;
    }
    this.starts[i] = out.length;
  }

  null(): void {
    const i = this.column++;
    const out = this.out;
    if (this.nullable[i] === 0) refuseNull(this.fields[i]!);
    out.reserve(1);
    out.buffer[out.length++] = 0;
    this.starts[i] = out.length;
  }

  boolean(value: boolean): void {
    this.open();
    this.out.reserve(1);
    this.out.buffer[this.out.length++] = value ? 1 : 0;
  }

  integer(value: number): void {
    this.open();
    writeLong(this.out, value);
  }

  int64(high: number, low: number): void {
    this.open();
    writeLong64(this.out, high, low);
  }

  double(value: number): void {
    this.open();
    this.out.double(value);
  }

  decimal(source: Buffer, start: number, end: number): void {
    this.open();
    writeDecimal(this.out, unscaledOf(source, start, end));
  }

  utf8(source: Buffer, start: number, end: number): void {
    this.open();
    for (let i = start; i < end; i++) {
      if (source[i]! < 128) continue;
      const length = sequenceLength(source, i, end);
      if (length === 0) refuseBytes(this.fields[this.column - 1]!, source, start, end);
      i += length - 1;
    }
    writeBytes(this.out, source, start, end);
  }

  string(value: string): void {
    this.open();
    writeText(this.out, value);
  }

  bytes(source: Buffer, start: number, end: number): void {
    this.open();
    writeBytes(this.out, source, start, end);
  }

  micros(value: number): void {
    const unit = this.units[this.column]!;
    if (unit === units.zoned) return this.#zoned(value);
    const millis = unit === units.millis;
    // A TIME of MySQL reaches beyond what time-millis, an int, can hold.
    if (millis && Math.abs(value) > timeMillisMaxUs && this.fields[this.column]!.type.kind === 'TIME')
      throw new AppError(
        'unconvertible-value',
        `a value of column ${this.fields[this.column]!.name} is beyond time-millis`,
      );
    this.open();
    writeLong(this.out, millis ? Math.floor(value / 1000) : value);
  }

  microsWide(high: number, low: number): void {
    const unit = this.units[this.column]!;
    if (unit === units.zoned) return this.#zoned(int64(high, low));
    const millis = unit === units.millis;
    this.open();
    if (millis) writeBigLong(this.out, floorMillis(int64(high, low)));
    else writeLong64(this.out, high, low);
  }

  #zoned(micros: number | bigint): void {
    this.string(zonedText(micros, zonedDigits(this.fields[this.column]!.type)));
  }

  value(value: Value): void {
    if (value === null) return this.null();
    const { type } = this.fields[this.column]!;
    this.open();
    writeAvro(this.out, type, value);
  }

  finish(): void {
    this.endPos = this.out.length;
    this.out.copy(this.suffix, 0, this.suffix.length);
  }

  columnStart(i: number): number {
    return this.starts[i]!;
  }

  columnEnd(i: number): number {
    return i + 1 === this.starts.length ? this.endPos : this.starts[i + 1]! - this.nullable[i + 1]!;
  }

  /** `from` writes nullable unions for all its columns, so the branch stands one byte before each. */
  copyFrom(from: ColumnValueWriter, columns: readonly number[]): void {
    this.begin();
    for (let j = 0; j < columns.length; j++) {
      const start = from.columnStart(columns[j]!);
      const end = from.columnEnd(columns[j]!);
      if (from.out.buffer[start - 1] === 0) {
        this.null();
        continue;
      }
      this.open();
      this.out.reserve(end - start);
      this.out.copy(from.out.buffer, start, end);
    }
    this.finish();
  }
}
