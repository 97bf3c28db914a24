// DECIMAL values: v * 10^scale as an unscaled integer, a number within 2^53, else a bigint. Text, scales and digits, in one place for
// formats (which never round), SQL (which rounds half up) and whoever prints. Rounding is Java's HALF_UP: halves away from zero.
import { bounds } from './bounds.js';
import { integerValue, type Value } from './data-type.js';
import { AppError } from './errors.js';

const powers: bigint[] = [1n];
/** Types have fewer digits, and so has nearly all that is computed of two of them. */
const keptMax = 2 * bounds.decimalPrecision.value;
/** Texts may say any exponent, and callers cut what they do not need of it: a power beyond is nobody's. */
const exponentMax = 100_000;

export function powerOfTen(n: number): bigint {
  if (n <= keptMax) {
    for (let i = powers.length; i <= n; i++) powers.push(powers[i - 1]! * 10n);
    return powers[n]!;
  }
  if (n <= exponentMax) return 10n ** BigInt(n);
  throw new AppError('value-too-large', `a number with the factor 10^${n}`);
}

/** The integer behind an INTEGER, BIGINT or DECIMAL value. */
export function big(value: Value): bigint {
  return typeof value === 'bigint' ? value : BigInt(value as number);
}

/** `-12.50` for (-1250, 2): exactly `scale` digits behind the point. */
export function decimalText(unscaled: number | bigint, scale: number): string {
  if (scale === 0) return unscaled === 0 ? '0' : unscaled.toString();
  const negative = unscaled < 0;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The number +-digits * 10^-scale, where scale may be negative. */
export interface DecimalDigits {
  readonly negative: boolean;
  /** No leading zeros; `0` for any zero. */
  readonly digits: string;
  readonly scale: number;
}

const numberText = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** The digits of a number's text, whatever its exponent; undefined when it is no number. */
export function scanDecimal(text: string): DecimalDigits | undefined {
  const match = numberText.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole.length + fraction.length === 0) return undefined;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  return { negative: sign === '-', digits, scale: fraction.length - Number(exponent) };
}

/** numerator / denominator to the nearest integer. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const quotient = (2n * n + d) / (2n * d);
  return negative ? -quotient : quotient;
}

/** The same number at another scale; digits that fall away are rounded. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * powerOfTen(to - from);
  return divideHalfUp(unscaled, powerOfTen(from - to));
}

/** The same number as a DECIMAL(precision, scale); undefined when digits would be lost. */
export function rescaleExactly(
  unscaled: bigint,
  from: number,
  precision: number,
  scale: number,
): number | bigint | undefined {
  let value = unscaled;
  if (scale > from) value *= powerOfTen(scale - from);
  else if (scale < from) {
    const unit = powerOfTen(from - scale);
    if (value % unit !== 0n) return undefined;
    value /= unit;
  }
  return fitsPrecision(value, precision) ? integerValue(value) : undefined;
}

/** |unscaled| < 10^precision */
export function fitsPrecision(unscaled: number | bigint, precision: number): boolean {
  if (typeof unscaled === 'number' && precision <= 15) return Math.abs(unscaled) < 10 ** precision;
  const magnitude = unscaled < 0 ? -unscaled : unscaled;
  return magnitude < powerOfTen(precision);
}
