// DECIMAL between its three forms: the unscaled integer of core (number within 2^53, else bigint), number text with exactly the
// column's scale, and Avro's big-endian two's complement bytes. Nothing here rounds: what does not fit is undefined.
import { integerValue } from '../../core/data-type.js';

/** Text with exactly `scale` digits behind the point. */
export function decimalText(unscaled: number | bigint, scale: number): string {
  if (scale === 0) return unscaled === 0 ? '0' : unscaled.toString();
  const negative = unscaled < 0;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const numberText = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** The unscaled integer of any decimal number text; undefined when it is none or needs more digits than the type has. */
export function parseDecimal(text: string, precision: number, scale: number): number | bigint | undefined {
  const match = numberText.exec(text);
  if (!match) return undefined;
  const whole = match[2]!;
  const fraction = match[3] ?? '';
  if (whole.length + fraction.length === 0) return undefined;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  if (digits === '0') return 0;
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  // value = digits * 10^shift, in units of the column's scale
  const shift = exponent - fraction.length + scale;
  if (digits.length + shift > precision) return undefined;
  let kept = digits;
  if (shift > 0) kept += '0'.repeat(shift);
  else if (shift < 0) {
    if (!/^0*$/.test(digits.slice(Math.max(0, digits.length + shift)))) return undefined;
    kept = digits.slice(0, Math.max(0, digits.length + shift));
    // Only zeros are cut off, and the text is not all zeros, so something is left unless the value is below the scale.
    if (digits.length + shift <= 0) return undefined;
  }
  return integerValue(BigInt(match[1] === '-' ? `-${kept}` : kept));
}

/** The unscaled integer under another scale, undefined when digits would be lost or the precision is too small. */
export function rescale(unscaled: bigint, from: number, precision: number, scale: number): number | bigint | undefined {
  let value = unscaled;
  if (scale > from) value *= 10n ** BigInt(scale - from);
  else if (scale < from) {
    const unit = 10n ** BigInt(from - scale);
    if (value % unit !== 0n) return undefined;
    value /= unit;
  }
  return fitsPrecision(value, precision) ? integerValue(value) : undefined;
}

/** |value| < 10^precision */
export function fitsPrecision(unscaled: number | bigint, precision: number): boolean {
  if (typeof unscaled === 'number' && precision <= 15) return Math.abs(unscaled) < 10 ** precision;
  const digits = (unscaled < 0 ? -unscaled : unscaled).toString();
  return digits === '0' || digits.length <= precision;
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
