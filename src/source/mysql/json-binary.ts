// MySQL's binary JSON to text, character for character as the server prints the column in a SELECT: separators ", " and ": ",
// keys in stored order, numbers with the server's own text. So the stream gives the bytes that the snapshot gets from the server.
import type { AppError } from '../../core/errors.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import { putAscii, putInteger } from '../../schema/formats/integer-text.js';
import { printDouble } from './double-text.js';
import { packedDecimalText } from './decimal.js';
import { unconvertible } from './unconvertible.js';
import { wire } from './wire-type.js';

const kind = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

// The text under construction; not the shared scratch buffer, because decimals inside a document are written there.
let target = Buffer.allocUnsafe(1 << 14);

/** The value's text goes to the writer as UTF-8. An empty value is what a failed conversion stores; the server prints it as null. */
export function writeBinaryJson(source: Buffer, start: number, end: number, to: ValueWriter, where: string): void {
  const writer = new JsonWriter(source, end, where);
  if (start === end) writer.text('null');
  else writer.value(source[start]!, start + 1);
  to.utf8(target, 0, writer.out);
}

/** Offsets of members count from the byte behind the type byte of the object or array that holds them. */
class JsonWriter {
  readonly #source: Buffer;
  readonly #end: number;
  readonly #where: string;
  out = 0;

  constructor(source: Buffer, end: number, where: string) {
    this.#source = source;
    this.#end = end;
    this.#where = where;
  }

  #room(size: number): void {
    if (this.out + size <= target.length) return;
    const larger = Buffer.allocUnsafe((this.out + size) * 2);
    target.copy(larger, 0, 0, this.out);
    target = larger;
  }

  /** ASCII. */
  text(text: string): void {
    this.#room(text.length);
    this.out = putAscii(target, this.out, text);
  }

  #integer(value: number): void {
    this.#room(16);
    this.out = putInteger(target, this.out, value);
  }

  value(type: number, at: number): void {
    const source = this.#source;
    if (at > this.#end) throw this.#broken();
    switch (type) {
      case kind.smallObject:
        return this.#container(at, true, 2);
      case kind.largeObject:
        return this.#container(at, true, 4);
      case kind.smallArray:
        return this.#container(at, false, 2);
      case kind.largeArray:
        return this.#container(at, false, 4);
      case kind.literal: {
        const literal = ['null', 'true', 'false'][source[at]!];
        if (!literal) throw this.#broken();
        return this.text(literal);
      }
      case kind.int16:
        return this.#integer(source.readInt16LE(at));
      case kind.uint16:
        return this.#integer(source.readUInt16LE(at));
      case kind.int32:
        return this.#integer(source.readInt32LE(at));
      case kind.uint32:
        return this.#integer(source.readUInt32LE(at));
      case kind.int64:
        return this.text(String(source.readBigInt64LE(at)));
      case kind.uint64:
        return this.text(String(source.readBigUInt64LE(at)));
      case kind.double:
        return this.text(printDouble(source.readDoubleLE(at), true));
      case kind.string: {
        const [length, from] = this.#length(at);
        return this.#string(from, from + length);
      }
      case kind.opaque: {
        const [length, from] = this.#length(at + 1);
        return this.#opaque(source[at]!, from, from + length);
      }
      default:
        throw this.#broken();
    }
  }

  #container(at: number, isObject: boolean, width: 2 | 4): void {
    const source = this.#source;
    const count = numberAt(source, at, width);
    const keys = at + width * 2;
    const values = isObject ? keys + count * (width + 2) : keys;
    this.text(isObject ? '{' : '[');
    for (let i = 0; i < count; i++) {
      if (i > 0) this.text(', ');
      if (isObject) {
        const entry = keys + i * (width + 2);
        const from = at + numberAt(source, entry, width);
        this.#string(from, from + source.readUInt16LE(entry + width));
        this.text(': ');
      }
      const entry = values + i * (width + 1);
      const type = source[entry]!;
      // Small values lie in the entry itself; in large containers those of four bytes too.
      const inline = type === kind.literal || type === kind.int16 || type === kind.uint16;
      const inlineWide = width === 4 && (type === kind.int32 || type === kind.uint32);
      this.value(type, inline || inlineWide ? entry + 1 : at + numberAt(source, entry + 1, width));
    }
    this.text(isObject ? '}' : ']');
  }

  /** A length in groups of seven bits, low first; returns it with the offset behind it. */
  #length(at: number): [number, number] {
    let length = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.#source[at + i]!;
      length += (byte & 0x7f) * 2 ** (7 * i);
      if ((byte & 0x80) === 0) return [length, at + i + 1];
    }
    throw this.#broken();
  }

  #string(start: number, end: number): void {
    if (end > this.#end) throw this.#broken();
    const source = this.#source;
    this.#room((end - start) * 6 + 2);
    let p = this.out;
    target[p++] = 0x22;
    for (let at = start; at < end; at++) {
      const byte = source[at]!;
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) target[p++] = byte;
      else p = putAscii(target, p, escape(byte));
    }
    target[p++] = 0x22;
    this.out = p;
  }

  #opaque(type: number, start: number, end: number): void {
    const source = this.#source;
    if (end > this.#end) throw this.#broken();
    switch (type) {
      case wire.newdecimal:
        return this.text(decimalText(source, start));
      case wire.date:
        return this.text(`"${dateText(source.readBigInt64LE(start))}"`);
      case wire.time:
        return this.text(`"${timeText(source.readBigInt64LE(start))}"`);
      case wire.datetime:
      case wire.timestamp: {
        const packed = source.readBigInt64LE(start);
        return this.text(
          `"${dateText(packed)} ${clockText(Number((packed >> 24n) & 0x1ffffn), Number(packed & 0xffffffn))}"`,
        );
      }
      default:
        // The server breaks base64 into lines, and the line break is escaped like any other.
        return this.text(
          `"base64:type${type}:${source.toString('base64', start, end).replaceAll(/.{76}(?=.)/g, '$&\\n')}"`,
        );
    }
  }

  #broken(): AppError {
    return unconvertible(
      this.#where,
      'its binary JSON is damaged',
      this.#source,
      Math.max(0, this.#end - 64),
      this.#end,
    );
  }
}

/** Counts, sizes and offsets: two bytes each in a small container, four in a large one. */
function numberAt(source: Buffer, at: number, width: 2 | 4): number {
  return width === 2 ? source.readUInt16LE(at) : source.readUInt32LE(at);
}

function escape(byte: number): string {
  switch (byte) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    case 8:
      return '\\b';
    case 9:
      return '\\t';
    case 10:
      return '\\n';
    case 12:
      return '\\f';
    case 13:
      return '\\r';
    default:
      return `\\u00${byte.toString(16).padStart(2, '0')}`;
  }
}

/** Precision, scale, then the packed digits. */
function decimalText(source: Buffer, start: number): string {
  return packedDecimalText(source[start]!, source[start + 1]!, source, start + 2);
}

const pad = (value: number, width: number) => String(value).padStart(width, '0');

function dateText(packed: bigint): string {
  const yearMonth = Number((packed >> 46n) & 0x1ffffn);
  return `${pad(Math.trunc(yearMonth / 13), 4)}-${pad(yearMonth % 13, 2)}-${pad(Number((packed >> 41n) & 31n), 2)}`;
}

function clockText(hms: number, micros: number): string {
  return `${pad((hms >> 12) & 0x3ff, 2)}:${pad((hms >> 6) & 63, 2)}:${pad(hms & 63, 2)}.${pad(micros, 6)}`;
}

function timeText(packed: bigint): string {
  const magnitude = packed < 0n ? -packed : packed;
  return (packed < 0n ? '-' : '') + clockText(Number((magnitude >> 24n) & 0x3fffffn), Number(magnitude & 0xffffffn));
}
