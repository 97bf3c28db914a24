// Arithmetic on unscaled decimals, with the rounding that SQL asks for. A DECIMAL value is v * 10^scale as number or bigint;
// the work is done in bigint and given back in the canonical form.
import { integerValue, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';

const powers: bigint[] = [1n];

export function powerOfTen(n: number): bigint {
  for (let i = powers.length; i <= n; i++) powers.push(powers[i - 1]! * 10n);
  return powers[n]!;
}

/** The integer behind a BIGINT or DECIMAL value. */
export function big(value: Value): bigint {
  return typeof value === 'bigint' ? value : BigInt(value as number);
}

/** value / divisor to the nearest, halves away from zero. */
export function divideHalfUp(value: bigint, divisor: bigint): bigint {
  const half = divisor / 2n;
  return value < 0n ? -((-value + half) / divisor) : (value + half) / divisor;
}

/** The same number at another scale; digits that fall away are rounded half up. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * powerOfTen(to - from);
  return divideHalfUp(unscaled, powerOfTen(from - to));
}

/** Towards negative infinity (`up` false) or positive infinity, at a scale that is not larger. */
export function roundToward(unscaled: bigint, scale: number, up: boolean): bigint {
  const unit = powerOfTen(scale);
  let whole = unscaled / unit;
  if (whole * unit !== unscaled && unscaled > 0n === up) whole += up ? 1n : -1n;
  return whole;
}

/** Checks that the value has at most `precision` digits. */
export function fitDecimal(unscaled: bigint, precision: number, scale: number): number | bigint {
  const limit = powerOfTen(precision);
  if (unscaled >= limit || unscaled <= -limit) {
    throw new AppError(
      'unconvertible-value',
      `Numeric field overflow: A field with precision ${precision} and scale ${scale} must round to an absolute value less than 10^${precision - scale}. Got ${decimalText(unscaled, scale)}`,
    );
  }
  return integerValue(unscaled);
}

/** `-12.50` for (-1250, 2). */
export function decimalText(value: Value, scale: number): string {
  const unscaled = big(value);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Digits, fraction and exponent of a number's text as an unscaled integer with its scale; null when it is no number. */
export function parseDecimal(text: string): { unscaled: bigint; scale: number } | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent] = match;
  if (whole === '' && fraction === '') return null;
  let unscaled = BigInt(whole + fraction);
  if (sign === '-') unscaled = -unscaled;
  const scale = fraction.length - Number(exponent ?? 0);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * powerOfTen(-scale), scale: 0 };
}

/** The value of a DECIMAL(precision, scale) from a number's text; null when it is no number. */
export function decimalFromText(text: string, precision: number, scale: number): number | bigint | null {
  const parsed = parseDecimal(text);
  return parsed === null ? null : fitDecimal(rescale(parsed.unscaled, parsed.scale, scale), precision, scale);
}
