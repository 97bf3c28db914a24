// Protobuf's binary primitives, read from a range of a buffer: the end is that of the innermost message. Groups are passed over to a fixed
// depth only, so bad bytes do not fill the stack either.
import { integerValue } from '../../core/data-type.js';
import { BinaryInput } from './binary-input.js';
import { wire } from './protobuf-write.js';

/** As deep as Protobuf's own readers follow messages. */
const depthMax = 100;

export class ProtobufInput extends BinaryInput {
  /** Of the varint read last. */
  #high = 0;
  #low = 0;

  constructor() {
    super('Protobuf');
  }

  /** Sets the halves of a varint of up to ten bytes; bits beyond 64 are dropped, as Protobuf has it. */
  #varint(): void {
    const bytes = this.bytes;
    const end = this.end;
    let p = this.at;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (p >= end) this.fail('it ends too early');
      const byte = bytes[p++]!;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        this.at = p;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    this.fail('a number has more than ten bytes');
  }

  /** int64, and everything that is no longer. */
  int64(): number | bigint {
    // Most numbers have one byte or two.
    const first = this.at < this.end ? this.bytes[this.at]! : this.fail('it ends too early');
    if (first < 0x80) {
      this.at++;
      return first;
    }
    this.#varint();
    return joined(this.#high | 0, this.#low);
  }

  uint64(): number | bigint {
    this.#varint();
    return joined(this.#high, this.#low);
  }

  /** A longer number loses its upper half, as Protobuf has it. */
  int32(): number {
    const first = this.at < this.end ? this.bytes[this.at]! : this.fail('it ends too early');
    if (first < 0x80) {
      this.at++;
      return first;
    }
    this.#varint();
    return this.#low | 0;
  }

  uint32(): number {
    this.#varint();
    return this.#low;
  }

  sint32(): number {
    this.#varint();
    return (this.#low >>> 1) ^ -(this.#low & 1);
  }

  sint64(): number | bigint {
    this.#varint();
    const sign = -(this.#low & 1);
    const low = ((this.#low >>> 1) | (this.#high << 31)) ^ sign;
    return joined((this.#high >>> 1) ^ sign, low >>> 0);
  }

  boolean(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** Number and wire type of a field. */
  tag(): number {
    const first = this.bytes[this.at]!;
    if (first < 0x80) {
      this.at++;
      if (first < 8) this.fail('a field has the number 0');
      return first;
    }
    this.#varint();
    if (this.#high !== 0 || this.#low < 8) this.fail('a field has no number that there can be');
    return this.#low;
  }

  /** The length of bytes, text or a message, checked; `at` stands behind the length. */
  length(): number {
    const first = this.at < this.end ? this.bytes[this.at]! : this.fail('it ends too early');
    let length = first;
    if (first < 0x80) this.at++;
    else {
      this.#varint();
      if (this.#high !== 0) this.fail('a length is out of bounds');
      length = this.#low;
    }
    if (length > this.end - this.at) this.fail('it ends too early');
    return length;
  }

  /** Passes bytes with their length; where they began. */
  block(): number {
    return this.pass(this.length());
  }

  /** Into a message behind its length; what `leave` wants. */
  enter(): number {
    const length = this.length();
    const outer = this.end;
    this.end = this.at + length;
    return outer;
  }

  /** Out of a message that is read to its end. */
  leave(outer: number): void {
    if (this.at !== this.end) this.fail('a message does not end with its length');
    this.end = outer;
  }

  fixed32(): number {
    return this.bytes.readUInt32LE(this.pass(4));
  }

  sfixed32(): number {
    return this.bytes.readInt32LE(this.pass(4));
  }

  fixed64(): number | bigint {
    const from = this.pass(8);
    return joined(this.bytes.readUInt32LE(from + 4), this.bytes.readUInt32LE(from));
  }

  sfixed64(): number | bigint {
    const from = this.pass(8);
    return joined(this.bytes.readInt32LE(from + 4), this.bytes.readUInt32LE(from));
  }

  /** Passes over the value behind a tag. */
  skip(tag: number, depth = 0): void {
    switch (tag & 7) {
      case wire.varint:
        return this.#varint();
      case wire.fixed64:
        this.pass(8);
        return;
      case wire.bytes:
        this.block();
        return;
      case wire.fixed32:
        this.pass(4);
        return;
      case wire.group:
        if (depth >= depthMax) this.fail(`groups are nested deeper than ${depthMax}`);
        for (;;) {
          if (this.at >= this.end) this.fail('it ends too early');
          const inner = this.tag();
          if ((inner & 7) === wire.groupEnd) {
            if (inner >>> 3 !== tag >>> 3) this.fail('a group ends that did not begin');
            return;
          }
          this.skip(inner, depth + 1);
        }
      default:
        this.fail('a field has a wire type that there is not');
    }
  }
}

/** high * 2^32 + low; low unsigned. */
function joined(high: number, low: number): number | bigint {
  if (high >= -0x200000 && high < 0x200000) {
    const value = high * 0x100000000 + low;
    // -2^53 is no safe integer.
    if (Number.isSafeInteger(value)) return value;
  }
  return integerValue((BigInt(high) << 32n) | BigInt(low));
}
