// Avro's binary primitives, read from a range of a buffer.
import { integerValue } from '../../core/data-type.js';
import { BinaryInput } from './binary-input.js';

export class AvroInput extends BinaryInput {
  constructor() {
    super('Avro');
  }

  byte(): number {
    return this.bytes[this.pass(1)]!;
  }

  boolean(): boolean {
    const value = this.byte();
    if (value > 1) this.fail('a boolean is neither 0 nor 1');
    return value === 1;
  }

  /** int or long. */
  long(): number | bigint {
    const bytes = this.bytes;
    const end = this.end;
    let p = this.at;
    let low = 0;
    let byte = 0x80;
    for (let shift = 0; shift < 28; shift += 7) {
      if (p >= end) this.fail('it ends too early');
      byte = bytes[p++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = p;
        return (low >>> 1) ^ -(low & 1);
      }
    }
    let middle = 0;
    for (let shift = 0; byte >= 0x80 && shift < 28; shift += 7) {
      if (p >= end) this.fail('it ends too early');
      byte = bytes[p++]!;
      middle |= (byte & 0x7f) << shift;
    }
    let high = 0;
    for (let shift = 0; byte >= 0x80; shift += 7) {
      if (p >= end) this.fail('it ends too early');
      byte = bytes[p++]!;
      high |= (byte & 0x7f) << shift;
      if (shift > 7 || high > 0xff) this.fail('a long has more than 64 bits');
    }
    this.at = p;
    // Below 2^53 the zigzag is undone without a bigint.
    if (high === 0 && middle < 0x2000000) {
      const zigzag = middle * 0x10000000 + low;
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    const zigzag = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
    return integerValue((zigzag >> 1n) ^ -(zigzag & 1n));
  }

  /** A long that must be small: lengths, counts, branches. */
  small(): number {
    const value = this.long();
    if (typeof value !== 'number') this.fail('a length is out of bounds');
    return value;
  }

  /** The length of bytes or text, checked; `at` is behind them, where they began is returned. */
  block(): number {
    const length = this.small();
    if (length < 0) this.fail('a length is negative');
    return this.pass(length);
  }

  /**
   * The number of items in the next block of an array or map, 0 at the end. A negative count carries the block's size, which
   * only matters to those who skip.
   */
  items(): number {
    let count = this.small();
    if (count < 0) {
      count = -count;
      this.long();
    }
    // Items without bytes (null) could come in any number; nothing real has them.
    if (count > this.end - this.at) this.fail('a block has more items than bytes');
    return count;
  }
}
