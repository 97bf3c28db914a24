// Kafka's wire format in bytes: big-endian numbers, strings with their length in front, and the compact forms of the newer
// ("flexible") requests. Int64s are read as numbers: offsets, timestamps and producer ids stay far below 2^53.
import { ByteWriter } from '../../core/bytes.js';
import { AppError } from '../../core/errors.js';

export class WireWriter {
  readonly #to: ByteWriter;

  constructor(initialBytes = 512) {
    this.#to = new ByteWriter(initialBytes);
  }

  get length(): number {
    return this.#to.length;
  }

  /** A view, valid until the next write. */
  written(): Buffer {
    return this.#to.written();
  }

  #reserve(more: number): number {
    const at = this.#to.length;
    this.#to.reserve(more);
    this.#to.length = at + more;
    return at;
  }

  int8(value: number): this {
    const at = this.#reserve(1);
    this.#to.buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#reserve(2);
    this.#to.buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#reserve(4);
    this.#to.buffer.writeInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.#reserve(8);
    writeInt64(this.#to.buffer, value, at);
    return this;
  }

  bytes(source: Uint8Array): this {
    const at = this.#reserve(source.length);
    this.#to.buffer.set(source, at);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.int16(bytes);
    const at = this.#reserve(bytes);
    this.#to.buffer.write(value, at, 'utf8');
    return this;
  }

  uvarint(value: number): this {
    let rest = value;
    while (rest > 0x7f) {
      const at = this.#reserve(1);
      this.#to.buffer[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    const at = this.#reserve(1);
    this.#to.buffer[at] = rest;
    return this;
  }

  compactString(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.uvarint(bytes + 1);
    const at = this.#reserve(bytes);
    this.#to.buffer.write(value, at, 'utf8');
    return this;
  }

  /** Number of elements of a compact array. */
  compactCount(count: number): this {
    return this.uvarint(count + 1);
  }

  /** No tagged fields. */
  tags(): this {
    return this.uvarint(0);
  }
}

export class WireReader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  int8(): number {
    return this.buffer.readInt8(this.#take(1));
  }
  int16(): number {
    return this.buffer.readInt16BE(this.#take(2));
  }
  int32(): number {
    return this.buffer.readInt32BE(this.#take(4));
  }
  int64(): number {
    return readInt64(this.buffer, this.#take(8));
  }
  string(): string {
    const length = this.int16();
    const from = this.#take(length);
    return this.buffer.toString('utf8', from, this.at);
  }
  view(length: number): Buffer {
    const from = this.#take(length);
    return this.buffer.subarray(from, this.at);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#take(1)]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new AppError('log-corrupt', 'a Kafka broker sent a number of more bytes than there are');
  }

  compactString(): string | null {
    const length = this.uvarint() - 1;
    if (length < 0) return null;
    const from = this.#take(length);
    return this.buffer.toString('utf8', from, this.at);
  }

  compactBytes(): Buffer | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.view(length);
  }

  /** Elements of a compact array; a null array is an empty one. */
  compactCount(): number {
    return Math.max(0, this.uvarint() - 1);
  }

  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      const length = this.uvarint();
      this.#take(length);
    }
  }

  #take(bytes: number): number {
    const from = this.at;
    this.at = from + bytes;
    if (this.at > this.buffer.length) {
      throw new AppError('log-corrupt', 'a Kafka broker sent an answer that is shorter than it says');
    }
    return from;
  }
}

export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}

export function writeInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), at);
  // `>>> 0` is the value modulo 2^32, for negative ones too.
  buffer.writeUInt32BE(value >>> 0, at + 4);
}
