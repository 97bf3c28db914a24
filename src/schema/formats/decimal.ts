// DECIMAL on the wire: number text, and Avro's big-endian two's complement bytes. Nothing here rounds: what does not fit is undefined.
import { scanDecimal } from '../../core/decimal.js';
import { integerValue } from '../../core/data-type.js';

/** The unscaled integer of any decimal number text; undefined when it is none or needs more digits than the type has. */
export function parseDecimal(text: string, precision: number, scale: number): number | bigint | undefined {
  const scanned = scanDecimal(text);
  if (scanned === undefined) return undefined;
  const { negative, digits } = scanned;
  if (digits === '0') return 0;
  // value = digits * 10^shift, in units of the column's scale
  const shift = scale - scanned.scale;
  const length = digits.length + shift;
  if (length > precision) return undefined;
  let kept = digits;
  if (shift > 0) kept += '0'.repeat(shift);
  else if (shift < 0) {
    // Only zeros may be cut off; as the text is not all zeros, a number that would lose all its digits is one too fine.
    if (length <= 0 || !/^0*$/.test(digits.slice(length))) return undefined;
    kept = digits.slice(0, length);
  }
  return integerValue(BigInt(negative ? `-${kept}` : kept));
}

/** Big-endian two's complement of any length to a bigint. */
export function fromTwosComplement(bytes: Buffer, start: number, end: number): bigint {
  if (start === end) return 0n;
  const unsigned = BigInt(`0x${bytes.toString('hex', start, end)}`);
  return bytes[start]! < 128 ? unsigned : unsigned - (1n << BigInt(8 * (end - start)));
}

/** The shortest big-endian two's complement, as Java's BigInteger.toByteArray. */
export function toTwosComplement(value: bigint): Buffer {
  const magnitude = value < 0n ? -value - 1n : value;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const length = Math.floor(bits / 8) + 1;
  const unsigned = BigInt.asUintN(8 * length, value);
  return Buffer.from(unsigned.toString(16).padStart(2 * length, '0'), 'hex');
}
