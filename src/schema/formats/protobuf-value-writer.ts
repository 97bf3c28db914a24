// The Protobuf side of the hottest path: the fields of one flat message, each behind its tag, behind the frame of its schema. A NULL is not
// written. A field of a key that is never NULL knows no presence: its default is not written either, as Protobuf has it.
import { floorMillis, unitOf, units } from './micros.js';
import type { ByteWriter } from '../../core/bytes.js';
import { integerValue, type Value } from '../../core/data-type.js';
import { unscaledOf } from './avro-write.js';
import { refuseBytes, refuseNull, type ColumnValueWriter } from './column-value-writer.js';
import type { WireField } from './format.js';
import { int64 } from './integer-text.js';
import type { MessageShape } from './protobuf-shape.js';
import { fieldTag, isDefault, writeField } from './protobuf-value.js';
import {
  closeMessage,
  openMessage,
  writeDate,
  writeDecimal,
  writeDelimited,
  writeTimeOfDay,
  writeTimestamp,
  writeVarint,
} from './protobuf-write.js';
import { sequenceLength } from './utf8.js';
import { zonedDigits, zonedText } from './zoned-text.js';

/** What a column is beyond its bytes. */
const kinds = { plain: 0, date: 1, time: 2, timestamp: 3, zoned: 4 } as const;

/** Where a message begins: behind the frame of its schema, or as a field of another message, behind its own length. */
export type MessageStart = { readonly frame: Buffer } | 'length';

export class ProtobufValueWriter implements ColumnValueWriter {
  readonly out: ByteWriter;
  readonly fields: readonly WireField[];
  readonly shape: MessageShape;
  readonly suffix: Buffer;
  readonly frame: Buffer | undefined;
  readonly tags: Uint32Array;
  /** 1: the default is not written. */
  readonly implicit: Uint8Array;
  readonly kinds: Uint8Array;
  readonly millis: Uint8Array;
  /** Of DECIMAL. */
  readonly scales: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  column = 0;
  /** Behind its length. */
  start = 0;
  /** By how much the length has moved the columns. */
  shift = 0;

  /** `suffix`: ready bytes of fields behind the columns, such as `__deleted`. */
  constructor(
    out: ByteWriter,
    fields: readonly WireField[],
    shape: MessageShape,
    start: MessageStart,
    suffix: Buffer = Buffer.alloc(0),
  ) {
    this.out = out;
    this.fields = fields;
    this.shape = shape;
    this.suffix = suffix;
    this.frame = start === 'length' ? undefined : start.frame;
    this.tags = Uint32Array.from(fields, ({ type }, i) => fieldTag(shape.numbers[i]!, type));
    this.implicit = Uint8Array.from(fields, ({ type, nullable }) => (!nullable && hasDefault(type.kind) ? 1 : 0));
    this.kinds = Uint8Array.from(fields, ({ type }) => {
      if (type.kind === 'DATE') return kinds.date;
      if (type.kind === 'TIME') return kinds.time;
      if (type.kind !== 'TIMESTAMP') return kinds.plain;
      return type.zoned === undefined ? kinds.timestamp : kinds.zoned;
    });
    this.millis = Uint8Array.from(fields, ({ type }) => (unitOf(type) === units.millis ? 1 : 0));
    this.scales = Uint8Array.from(fields, ({ type }) => (type.kind === 'DECIMAL' ? type.scale : 0));
    this.starts = new Int32Array(fields.length);
    this.ends = new Int32Array(fields.length);
  }

  begin(): void {
    this.column = 0;
    const { frame } = this;
    if (frame === undefined) this.start = openMessage(this.out);
    else this.out.copy(frame, 0, frame.length);
  }

  /** Writes the tag of the next column. */
  open(): void {
    const i = this.column;
    const out = this.out;
    out.reserve(16);
    let tag = this.tags[i]!;
    const bytes = out.buffer;
    let p = out.length;
    while (tag > 0x7f) {
      bytes[p++] = (tag & 0x7f) | 0x80;
      tag >>>= 7;
    }
    bytes[p++] = tag;
    out.length = p;
    this.starts[i] = p;
  }

  close(): void {
    this.ends[this.column++] = this.out.length;
  }

  /** Passes the column over. */
  skip(): void {
    const i = this.column++;
    this.starts[i] = this.out.length;
    this.ends[i] = this.out.length;
  }

  null(): void {
    const field = this.fields[this.column]!;
    if (!field.nullable) refuseNull(field);
    this.skip();
  }

  boolean(value: boolean): void {
    if (!value && this.implicit[this.column] === 1) return this.skip();
    this.open();
    this.out.buffer[this.out.length++] = value ? 1 : 0;
    this.close();
  }

  integer(value: number): void {
    if (value === 0 && this.implicit[this.column] === 1) return this.skip();
    this.open();
    if (this.kinds[this.column] === kinds.date) writeDate(this.out, value);
    else writeVarint(this.out, value);
    this.close();
  }

  int64(high: number, low: number): void {
    if (high === 0 && low === 0 && this.implicit[this.column] === 1) return this.skip();
    this.open();
    this.out.varint64(high, low);
    this.close();
  }

  double(value: number): void {
    if (this.implicit[this.column] === 1 && Object.is(value, 0)) return this.skip();
    this.open();
    this.out.double(value);
    this.close();
  }

  decimal(source: Buffer, start: number, end: number): void {
    this.open();
    writeDecimal(this.out, unscaledOf(source, start, end), this.scales[this.column]!);
    this.close();
  }

  utf8(source: Buffer, start: number, end: number): void {
    if (start === end && this.implicit[this.column] === 1) return this.skip();
    for (let i = start; i < end; i++) {
      if (source[i]! < 128) continue;
      const length = sequenceLength(source, i, end);
      if (length === 0) refuseBytes(this.fields[this.column]!, source, start, end);
      i += length - 1;
    }
    this.open();
    writeDelimited(this.out, source, start, end);
    this.close();
  }

  string(value: string): void {
    if (value === '' && this.implicit[this.column] === 1) return this.skip();
    this.open();
    this.out.string(value);
    this.close();
  }

  bytes(source: Buffer, start: number, end: number): void {
    if (start === end && this.implicit[this.column] === 1) return this.skip();
    this.open();
    writeDelimited(this.out, source, start, end);
    this.close();
  }

  micros(value: number): void {
    const kind = this.kinds[this.column];
    if (kind === kinds.zoned) return this.#zoned(value);
    const micros = this.millis[this.column] === 1 ? Math.floor(value / 1000) * 1000 : value;
    // The start of a millisecond may lie just beyond what a number holds.
    if (!Number.isSafeInteger(micros)) return this.#wide(BigInt(value));
    this.open();
    if (kind === kinds.time) writeTimeOfDay(this.out, micros);
    else writeTimestamp(this.out, micros);
    this.close();
  }

  microsWide(high: number, low: number): void {
    if (this.kinds[this.column] === kinds.zoned) return this.#zoned(int64(high, low));
    this.#wide((BigInt(high) << 32n) | BigInt(low));
  }

  #wide(wide: bigint): void {
    const micros = this.millis[this.column] === 1 ? BigInt(floorMillis(wide)) * 1000n : wide;
    const kind = this.kinds[this.column];
    this.open();
    // A TIME of MySQL is below 2^53 µs by far.
    if (kind === kinds.time) writeTimeOfDay(this.out, Number(micros));
    else writeTimestamp(this.out, integerValue(micros));
    this.close();
  }

  #zoned(micros: number | bigint): void {
    this.string(zonedText(micros, zonedDigits(this.fields[this.column]!.type)));
  }

  value(value: Value): void {
    if (value === null) return this.null();
    const i = this.column;
    const { type, name } = this.fields[i]!;
    if (this.implicit[i] === 1 && isDefault(type, value)) return this.skip();
    // Of lists the tag stands before each item; nobody copies them into a key.
    this.starts[i] = this.out.length;
    writeField(this.out, this.shape.numbers[i]!, type, this.shape.nested[i], value, name);
    if (type.kind !== 'ARRAY' && type.kind !== 'MAP') this.starts[i] += tagLength(this.tags[i]!);
    this.close();
  }

  finish(): void {
    this.out.copy(this.suffix, 0, this.suffix.length);
    this.shift = this.frame === undefined ? closeMessage(this.out, this.start) : 0;
  }

  columnStart(i: number): number {
    return this.starts[i]! + this.shift;
  }

  columnEnd(i: number): number {
    return this.ends[i]! + this.shift;
  }

  /** A NULL has no bytes, and anything else has some; a default is all zeros. */
  copyFrom(from: ColumnValueWriter, columns: readonly number[]): void {
    this.begin();
    for (let j = 0; j < columns.length; j++) {
      const start = from.columnStart(columns[j]!);
      const end = from.columnEnd(columns[j]!);
      if (start === end) this.null();
      else if (this.implicit[j] === 1 && isZero(from.out.buffer, start, end)) this.skip();
      else {
        this.open();
        this.out.reserve(end - start);
        this.out.copy(from.out.buffer, start, end);
        this.close();
      }
    }
    this.finish();
  }
}

/** Messages tell whether they are there; scalars do not. */
function hasDefault(kind: WireField['type']['kind']): boolean {
  return ['BOOLEAN', 'INTEGER', 'BIGINT', 'DOUBLE', 'STRING', 'BYTES'].includes(kind);
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function tagLength(tag: number): number {
  return tag < 0x80 ? 1 : tag < 0x4000 ? 2 : tag < 0x200000 ? 3 : tag < 0x10000000 ? 4 : 5;
}
