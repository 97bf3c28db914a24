// What ksqlDB does with decimals that core/decimal.ts does not decide: rounding to whole numbers, and values that do not fit.
import { decimalText, powerOfTen, rescale, scanDecimal } from '../../core/decimal.js';
import { integerValue } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';

/** Beyond any DECIMAL and any double: no such power of ten is made of a text. */
const exponentMax = 9_999;

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

/** Digits, fraction and exponent of a number's text as an unscaled integer with its scale; null when it is no number. */
export function parseDecimal(text: string): { readonly unscaled: bigint; readonly scale: number } | null {
  const scanned = scanDecimal(text);
  if (scanned === undefined || Math.abs(scanned.scale) > exponentMax + text.length) return null;
  const { negative, digits, scale } = scanned;
  const unscaled = negative ? -BigInt(digits) : BigInt(digits);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * powerOfTen(-scale), scale: 0 };
}

/** The value of a DECIMAL(precision, scale) from a number's text; null when it is no number. */
export function decimalFromText(text: string, precision: number, scale: number): number | bigint | null {
  const parsed = parseDecimal(text);
  return parsed === null ? null : fitDecimal(rescale(parsed.unscaled, parsed.scale, scale), precision, scale);
}
