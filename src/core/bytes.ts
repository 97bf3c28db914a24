// A buffer that grows and the place where the next byte goes, and compact binary forms of our own in it (batches of the log, rows of the
// change feed): numbers in as few bytes as they need, read back by ByteReader. Hot: one object per stream of bytes, none per value; the
// writers of formats reserve room once per value and then store bytes through `buffer` and `length` themselves. Whoever calls `reserve`
// must take `buffer` afresh afterwards.

export class ByteWriter {
  /** It owns its memory, so that it can be transferred to another thread. */
  buffer: Buffer<ArrayBuffer>;
  length = 0;

  constructor(initialBytes = 1024) {
    this.buffer = standalone(initialBytes);
  }

  /** Room for `more` bytes behind `length`. */
  reserve(more: number): void {
    if (this.length + more > this.buffer.length) this.#grow(this.length + more);
  }

  #grow(needed: number): void {
    const grown = standalone(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  /** Starts again; a buffer that one large content has blown up is let go. */
  reset(keepBytesMax = 4 * 1024 * 1024): void {
    this.length = 0;
    if (this.buffer.length > keepBytesMax) this.buffer = standalone(keepBytesMax >> 2);
  }

  /** A view, valid until the next write. */
  written(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  u8(value: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** A whole number from 0 to 2^53-1: seven bits a byte, lowest first, high bit set where more follow. */
  varint(value: number): void {
    if (this.length + 8 > this.buffer.length) this.reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
  }

  /** 64 bits, upper and lower half, as such a number. */
  varint64(high: number, low: number): void {
    this.reserve(10);
    const buffer = this.buffer;
    let lowBits = low >>> 0;
    let highBits = high >>> 0;
    let p = this.length;
    while (highBits !== 0 || lowBits > 0x7f) {
      buffer[p++] = (lowBits & 0x7f) | 0x80;
      lowBits = ((lowBits >>> 7) | (highBits << 25)) >>> 0;
      highBits >>>= 7;
    }
    buffer[p++] = lowBits;
    this.length = p;
  }

  /** Any integer: the sign and six bits in the first byte, then seven a byte. */
  signed(value: number | bigint): void {
    if (typeof value === 'bigint') return this.#signedBig(value);
    const negative = value < 0 ? 1 : 0;
    const magnitude = negative === 1 ? -value : value;
    if (magnitude < 64) return this.u8((magnitude << 1) | negative);
    this.u8(((magnitude % 64) << 1) | negative | 0x80);
    this.varint(Math.floor(magnitude / 64));
  }

  #signedBig(value: bigint): void {
    const negative = value < 0n ? 1 : 0;
    let rest = negative === 1 ? -value : value;
    let byte = Number((rest & 63n) << 1n) | negative;
    rest >>= 6n;
    while (rest > 0n) {
      this.u8(byte | 0x80);
      byte = Number(rest & 0x7fn);
      rest >>= 7n;
    }
    this.u8(byte);
  }

  double(value: number): void {
    this.reserve(8);
    this.buffer.writeDoubleLE(value, this.length);
    this.length += 8;
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.buffer.set(source, this.length);
    this.length += source.length;
  }

  /** A range of another buffer. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const buffer = this.buffer;
    let p = this.length;
    // A call of Buffer.copy costs about as much as a loop over 60 bytes.
    if (end - start > 60) {
      buffer.set(source.subarray(start, end), p);
      p += end - start;
    } else {
      for (let i = start; i < end; i++) buffer[p++] = source[i]!;
    }
    this.length = p;
  }

  /** Text that is known to be ASCII. */
  ascii(text: string): void {
    this.reserve(text.length);
    const buffer = this.buffer;
    let p = this.length;
    for (let i = 0; i < text.length; i++) buffer[p++] = text.charCodeAt(i);
    this.length = p;
  }

  /** A copy of what was written since `start`, which is then forgotten. */
  takeFrom(start: number): Buffer {
    const taken = Buffer.allocUnsafe(this.length - start);
    this.buffer.copy(taken, 0, start, this.length);
    this.length = start;
    return taken;
  }

  /** Length, then UTF-8. */
  string(value: string): void {
    const units = value.length;
    this.reserve(units * 3 + 8);
    const buffer = this.buffer;
    if (units < 24) {
      // Short plain text, the usual case of names and codes: a loop is cheaper than a call into the runtime.
      const start = this.length + 1;
      let i = 0;
      for (; i < units; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        buffer[start + i] = code;
      }
      if (i === units) {
        buffer[this.length] = units;
        this.length = start + units;
        return;
      }
    }
    // The length in bytes is known only afterwards: the text is written where it lies if it is as long as it looks.
    const guess = lengthOfVarint(units);
    const written = buffer.write(value, this.length + guess, 'utf8');
    const needed = lengthOfVarint(written);
    if (needed !== guess) buffer.copyWithin(this.length + needed, this.length + guess, this.length + guess + written);
    this.varint(written);
    this.length += written;
  }
}

/** A buffer that owns its memory. */
export function standalone(size: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(size);
}

function lengthOfVarint(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Reads what ByteWriter wrote. It trusts its input, which comes from our own files, or (headers) from a broker that has looked at it. */
export class ByteReader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.buffer.length;
  }

  u8(): number {
    return this.buffer[this.at++]!;
  }

  varint(): number {
    let byte = this.buffer[this.at++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let factor = 128;
    do {
      byte = this.buffer[this.at++]!;
      value += (byte & 0x7f) * factor;
      factor *= 128;
    } while (byte > 0x7f);
    return value;
  }

  /** A number where it is exact, else a bigint. */
  signed(): number | bigint {
    const start = this.at;
    const first = this.buffer[this.at++]!;
    let magnitude = (first & 0x7f) >> 1;
    if (first > 0x7f) {
      let factor = 64;
      let byte: number;
      do {
        byte = this.buffer[this.at++]!;
        magnitude += (byte & 0x7f) * factor;
        factor *= 128;
      } while (byte > 0x7f);
      // Six bits and six times seven are 48, with a seventh byte 55: from there on the sum may have been rounded.
      if (magnitude > Number.MAX_SAFE_INTEGER) return this.#signedBig(start);
    }
    return (first & 1) === 1 ? -magnitude : magnitude;
  }

  #signedBig(start: number): bigint {
    this.at = start;
    const first = this.buffer[this.at++]!;
    let magnitude = BigInt((first & 0x7f) >> 1);
    let shift = 6n;
    let byte: number;
    do {
      byte = this.buffer[this.at++]!;
      magnitude |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    } while (byte > 0x7f);
    return (first & 1) === 1 ? -magnitude : magnitude;
  }

  double(): number {
    const value = this.buffer.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  /** A view on the next `length` bytes. */
  view(length: number): Buffer {
    const from = this.at;
    this.at = from + length;
    return this.buffer.subarray(from, this.at);
  }

  string(): string {
    const length = this.varint();
    const from = this.at;
    this.at = from + length;
    return this.buffer.toString('utf8', from, this.at);
  }
}
