// DECIMAL arithmetic on unscaled integers: exact, with the scales aligned, rounded half up only where the result's scale is
// smaller than the exact one, and failing when the result has more digits than its precision. The fast paths stay in numbers
// while these are safe; core/decimal.ts has the general ones.
import { integerValue } from '../../core/data-type.js';
import { decimalText, divideHalfUp, powerOfTen } from '../../core/decimal.js';
import { fitDecimal as fitBig } from '../../sql/functions/decimal.js';
import { divisionByZero, type Int } from './integer.js';

export interface DecimalShape {
  readonly precision: number;
  readonly scale: number;
}

const maxSafe = Number.MAX_SAFE_INTEGER;
const safePowers: number[] = Array.from({ length: 16 }, (_, i) => Number(`1e${i}`));

/** value * 10^digits, exact. */
export function scaleUp(value: Int, digits: number): Int {
  if (digits === 0) return value;
  if (typeof value === 'number' && digits < 16) {
    const scaled = value * safePowers[digits]!;
    if (scaled <= maxSafe && scaled >= -maxSafe) return scaled + 0;
  }
  return integerValue(BigInt(value) * powerOfTen(digits));
}

/** From one scale to another, half up when digits go. */
export function rescale(value: Int, from: number, to: number): Int {
  if (to >= from) return scaleUp(value, to - from);
  return integerValue(divideHalfUp(BigInt(value), powerOfTen(from - to)));
}

/** The value, unless it has more digits than the type allows. */
export function fitDecimal(value: Int, shape: DecimalShape): Int {
  if (typeof value === 'number' && shape.precision >= 16) return value;
  if (typeof value === 'number' && value < safePowers[shape.precision]! && -value < safePowers[shape.precision]!)
    return value;
  return fitBig(BigInt(value), shape.precision, shape.scale);
}

function addExact(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= maxSafe && sum >= -maxSafe) return sum;
  }
  return integerValue(BigInt(a) + BigInt(b));
}

function negate(a: Int): Int {
  return typeof a === 'number' ? 0 - a : integerValue(-a);
}

/** a + b, or a - b with `sign` -1. */
export function addDecimal(
  a: Int,
  aScale: number,
  b: Int,
  bScale: number,
  result: DecimalShape,
  sign: 1 | -1 = 1,
): Int {
  const scale = aScale > bScale ? aScale : bScale;
  const right = scaleUp(b, scale - bScale);
  const sum = addExact(scaleUp(a, scale - aScale), sign === 1 ? right : negate(right));
  return fitDecimal(rescale(sum, scale, result.scale), result);
}

export function multiplyDecimal(a: Int, aScale: number, b: Int, bScale: number, result: DecimalShape): Int {
  let product: Int;
  if (typeof a === 'number' && typeof b === 'number' && Math.abs(a * b) <= maxSafe) product = a * b + 0;
  else product = integerValue(BigInt(a) * BigInt(b));
  return fitDecimal(rescale(product, aScale + bScale, result.scale), result);
}

/** Rounded half up; ksqlDB gives NULL where the quotient does not end within the result's scale. */
export function divideDecimal(a: Int, aScale: number, b: Int, bScale: number, result: DecimalShape): Int {
  if (b === 0) throw divisionByZero();
  const shift = result.scale + bScale - aScale;
  const numerator = shift > 0 ? BigInt(a) * powerOfTen(shift) : BigInt(a);
  const denominator = shift < 0 ? BigInt(b) * powerOfTen(-shift) : BigInt(b);
  return fitDecimal(integerValue(divideHalfUp(numerator, denominator)), result);
}

export function remainderDecimal(a: Int, aScale: number, b: Int, bScale: number, result: DecimalShape): Int {
  if (b === 0) throw divisionByZero();
  const scale = Math.max(aScale, bScale);
  const left = scaleUp(a, scale - aScale);
  const right = scaleUp(b, scale - bScale);
  const remainder =
    typeof left === 'number' && typeof right === 'number'
      ? (left % right) + 0
      : integerValue(BigInt(left) % BigInt(right));
  return fitDecimal(rescale(remainder, scale, result.scale), result);
}

/** Negative, 0 or positive; exact. */
export function compareDecimal(a: Int, aScale: number, b: Int, bScale: number): number {
  const left = aScale < bScale ? scaleUp(a, bScale - aScale) : a;
  const right = bScale < aScale ? scaleUp(b, aScale - bScale) : b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The nearest double. Two exact doubles divide to the nearest; beyond that the text decides. */
export function decimalToDouble(value: Int, scale: number): number {
  if (typeof value === 'number' && scale < 16) return value / safePowers[scale]!;
  return Number(decimalText(value, scale));
}
