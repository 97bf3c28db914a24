// The JSON side of the hottest path: each call writes `,"name":` from a precompiled prefix and then the value's text, straight
// into the chunk. A bare key is the same with empty prefixes.
import type { ByteWriter } from '../../core/bytes.js';
import type { Value } from '../../core/data-type.js';
import { refuseBytes, type ColumnValueWriter } from './column-value-writer.js';
import type { WireField } from './format.js';
import { int64, putInt64, putInteger } from './integer-text.js';
import { writeJson } from './json-value.js';
import { floorMillis, unitOf, units } from './micros.js';
import { doubleText, writeBase64, writeString, writeUtf8 } from './json-write.js';
import { zonedDigits, zonedText } from './zoned-text.js';

/** The longest number text and what else stands beside a value; reserved together with the prefix. */
const scalarRoom = 40;

export interface JsonFrame {
  /** Bytes before each field's value. */
  readonly prefixes: readonly Buffer[];
  readonly suffix: Buffer;
}

/** `{"a":` `,"b":` ... `}`; `extra` is ready text of further fields. */
export function objectFrame(names: readonly string[], extra = ''): JsonFrame {
  const prefixes = names.map((name, i) => Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`));
  return { prefixes, suffix: Buffer.from(`${names.length === 0 ? '{' : ''}${extra}}`) };
}

export const bareFrame: JsonFrame = { prefixes: [Buffer.alloc(0)], suffix: Buffer.alloc(0) };

export class JsonValueWriter implements ColumnValueWriter {
  readonly out: ByteWriter;
  readonly fields: readonly WireField[];
  readonly frame: JsonFrame;
  /** All prefixes one behind the other; field i's from prefixStart[i] to prefixStart[i + 1]. */
  readonly prefixBytes: Uint8Array;
  readonly prefixStart: Int32Array;
  readonly starts: Int32Array;
  /** Of TIME and TIMESTAMP. */
  readonly units: Uint8Array;
  column = 0;
  endPos = 0;

  constructor(out: ByteWriter, fields: readonly WireField[], frame: JsonFrame) {
    this.out = out;
    this.fields = fields;
    this.frame = frame;
    this.prefixBytes = Buffer.concat(frame.prefixes);
    this.prefixStart = new Int32Array(fields.length + 1);
    frame.prefixes.forEach((prefix, i) => (this.prefixStart[i + 1] = this.prefixStart[i]! + prefix.length));
    this.starts = new Int32Array(fields.length);
    this.units = Uint8Array.from(fields, ({ type }) => unitOf(type));
  }

  begin(): void {
    this.column = 0;
  }

  /** Reserves room, writes the prefix of the next column and returns the place for its value. */
  open(): number {
    const i = this.column++;
    const prefixStart = this.prefixStart;
    const from = prefixStart[i]!;
    const to = prefixStart[i + 1]!;
    const out = this.out;
    out.reserve(to - from + scalarRoom);
    const bytes = out.buffer;
    const prefix = this.prefixBytes;
    let p = out.length;
    for (let k = from; k < to; k++) bytes[p++] = prefix[k]!;
    this.starts[i] = p;
    return p;
  }

  null(): void {
    const p = this.open();
    const bytes = this.out.buffer;
    bytes[p] = 110;
    bytes[p + 1] = 117;
    bytes[p + 2] = 108;
    bytes[p + 3] = 108;
    this.out.length = p + 4;
  }

  boolean(value: boolean): void {
    this.out.length = this.open();
    this.out.ascii(value ? 'true' : 'false');
  }

  integer(value: number): void {
    const p = this.open();
    this.out.length = putInteger(this.out.buffer, p, value);
  }

  int64(high: number, low: number): void {
    const p = this.open();
    this.out.length = putInt64(this.out.buffer, p, high, low);
  }

  double(value: number): void {
    this.out.length = this.open();
    this.out.ascii(doubleText(value));
  }

  decimal(source: Buffer, start: number, end: number): void {
    this.out.length = this.open();
    this.out.copy(source, start, end);
  }

  utf8(source: Buffer, start: number, end: number): void {
    this.out.length = this.open();
    if (!writeUtf8(this.out, source, start, end)) refuseBytes(this.fields[this.column - 1]!, source, start, end);
  }

  string(value: string): void {
    this.out.length = this.open();
    writeString(this.out, value);
  }

  bytes(source: Buffer, start: number, end: number): void {
    this.out.length = this.open();
    writeBase64(this.out, source, start, end);
  }

  micros(value: number): void {
    const unit = this.units[this.column]!;
    if (unit === units.zoned) return this.#zoned(value);
    const millis = unit === units.millis;
    const p = this.open();
    this.out.length = putInteger(this.out.buffer, p, millis ? Math.floor(value / 1000) : value);
  }

  microsWide(high: number, low: number): void {
    const unit = this.units[this.column]!;
    if (unit === units.zoned) return this.#zoned(int64(high, low));
    const millis = unit === units.millis;
    const p = this.open();
    if (!millis) this.out.length = putInt64(this.out.buffer, p, high, low);
    else {
      this.out.length = p;
      this.out.ascii(floorMillis(int64(high, low)).toString());
    }
  }

  #zoned(micros: number | bigint): void {
    this.string(zonedText(micros, zonedDigits(this.fields[this.column]!.type)));
  }

  value(value: Value): void {
    const { type } = this.fields[this.column]!;
    this.out.length = this.open();
    writeJson(this.out, type, value);
  }

  finish(): void {
    const out = this.out;
    this.endPos = out.length;
    const suffix = this.frame.suffix;
    out.reserve(suffix.length);
    const bytes = out.buffer;
    let p = out.length;
    for (let k = 0; k < suffix.length; k++) bytes[p++] = suffix[k]!;
    out.length = p;
  }

  columnStart(i: number): number {
    return this.starts[i]!;
  }

  columnEnd(i: number): number {
    if (i + 1 === this.starts.length) return this.endPos;
    return this.starts[i + 1]! - (this.prefixStart[i + 2]! - this.prefixStart[i + 1]!);
  }

  copyFrom(from: ColumnValueWriter, columns: readonly number[]): void {
    this.begin();
    for (let j = 0; j < columns.length; j++) {
      this.out.length = this.open();
      // The source's bytes may be those of `out` itself, which `open` may have replaced by larger ones with the same content.
      this.out.copy(from.out.buffer, from.columnStart(columns[j]!), from.columnEnd(columns[j]!));
    }
    this.finish();
  }
}
