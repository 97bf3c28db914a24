// Avro's binary primitives into a ByteWriter: zigzag varints, length-prefixed bytes, little-endian doubles.
import { integerValue } from '../../core/data-type.js';
import type { ByteWriter } from '../../core/bytes.js';
import { toTwosComplement } from './decimal.js';

/** int or long; any safe integer. */
export function writeLong(out: ByteWriter, value: number): void {
  if (value >= -0x40000000 && value < 0x40000000) {
    out.reserve(5);
    const bytes = out.buffer;
    let n = (value << 1) ^ (value >> 31);
    let p = out.length;
    while ((n & ~0x7f) !== 0) {
      bytes[p++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    bytes[p++] = n;
    out.length = p;
    return;
  }
  const high = Math.floor(value / 0x100000000);
  writeLong64(out, high, value - high * 0x100000000);
}

/** high * 2^32 + low; low unsigned, high signed. */
export function writeLong64(out: ByteWriter, high: number, low: number): void {
  const sign = high >> 31;
  out.varint64(((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign);
}

export function writeBigLong(out: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number') writeLong(out, value);
  else writeLong64(out, Number(BigInt.asIntN(64, value) >> 32n), Number(BigInt.asUintN(32, value)));
}

export function writeBytes(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  writeLong(out, end - start);
  out.copy(source, start, end);
}

/** A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD. */
export function writeText(out: ByteWriter, text: string): void {
  const length = Buffer.byteLength(text);
  writeLong(out, length);
  out.reserve(length);
  out.length += out.buffer.write(text, out.length, 'utf8');
}

/** The unscaled integer as bytes with logical type decimal. */
export function writeDecimal(out: ByteWriter, unscaled: number | bigint): void {
  if (typeof unscaled === 'number' && unscaled >= -0x800000 && unscaled < 0x800000) {
    writeSmallDecimal(out, unscaled);
    return;
  }
  const bytes = toTwosComplement(BigInt(unscaled));
  writeBytes(out, bytes, 0, bytes.length);
}

/** Up to three bytes, which hold most amounts, without a bigint. */
function writeSmallDecimal(out: ByteWriter, unscaled: number): void {
  const length = unscaled >= -0x80 && unscaled < 0x80 ? 1 : unscaled >= -0x8000 && unscaled < 0x8000 ? 2 : 3;
  out.reserve(4);
  const bytes = out.buffer;
  let p = out.length;
  bytes[p++] = length << 1;
  for (let shift = 8 * (length - 1); shift >= 0; shift -= 8) bytes[p++] = (unscaled >> shift) & 0xff;
  out.length = p;
}

/** The unscaled integer of canonical decimal text in ASCII. */
export function unscaledOf(source: Uint8Array, start: number, end: number): number | bigint {
  const negative = source[start] === 45;
  const from = negative ? start + 1 : start;
  if (end - from <= 16) {
    let value = 0;
    for (let i = from; i < end; i++) {
      const c = source[i]!;
      if (c !== 46) value = value * 10 + (c - 48);
    }
    // 16 characters are up to 16 digits without a point; the sum is exact only within 2^53.
    if (value <= Number.MAX_SAFE_INTEGER) return negative && value !== 0 ? -value : value;
  }
  const digits = Buffer.from(source.subarray(start, end)).toString('latin1').replace('.', '');
  return integerValue(BigInt(digits));
}
