// What ksqlDB does with decimals that core/decimal.ts does not decide: rounding to whole numbers, and values that do not fit.
import { decimalText, powerOfTen, scanDecimal } from '../../core/decimal.js';
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
  if (unscaled >= limit || unscaled <= -limit) throw overflow(precision, scale, decimalText(unscaled, scale));
  return integerValue(unscaled);
}

function overflow(precision: number, scale: number, text: string): AppError {
  return new AppError(
    'unconvertible-value',
    `Numeric field overflow: A field with precision ${precision} and scale ${scale} must round to an absolute value less than 10^${precision - scale}. Got ${shortened(text)}`,
  );
}

/** For messages: a text of a row may be long. */
export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}... (${text.length} characters)`;
}

/** Digits, fraction and exponent of a number's text as an unscaled integer with its scale; null when it is no number. */
export function parseDecimal(text: string): { readonly unscaled: bigint; readonly scale: number } | null {
  const scanned = scanDecimal(text);
  if (scanned === undefined || Math.abs(scanned.scale) > exponentMax + text.length) return null;
  const { negative, digits, scale } = scanned;
  const unscaled = negative ? -BigInt(digits) : BigInt(digits);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * powerOfTen(-scale), scale: 0 };
}

/**
 * The value of a DECIMAL(precision, scale) from a number's text, rounded half up; null when it is no number. Only as many digits as the
 * type has become a number: the first of those that fall away says how they round.
 */
export function decimalFromText(text: string, precision: number, scale: number): number | bigint | null {
  const scanned = scanDecimal(text);
  if (scanned === undefined) return null;
  const { negative, digits } = scanned;
  if (digits === '0') return 0;
  // Digits in front of the place where the type's last one stands.
  const kept = digits.length - scanned.scale + scale;
  if (kept > precision) throw overflow(precision, scale, text);
  if (kept < 0) return 0;
  const whole = kept === 0 ? 0n : BigInt(digits.slice(0, kept).padEnd(kept, '0'));
  const magnitude = kept < digits.length && digits[kept]! >= '5' ? whole + 1n : whole;
  return fitDecimal(negative ? -magnitude : magnitude, precision, scale);
}
