// INTEGER and BIGINT arithmetic with Java's results: 32 and 64 bits, wrapping, division towards zero. BIGINT values are
// numbers while they are safe and bigints beyond, never both forms of one value (core/data-type.ts); the fast path is the one
// of two numbers whose result is safe. Results are never -0, which would be a second form of 0.
import { integerValue } from '../../core/data-type.js';
import { EvaluationError } from './evaluator.js';

export type Int = number | bigint;

const maxSafe = Number.MAX_SAFE_INTEGER;

export function wrap64(value: bigint): Int {
  return integerValue(BigInt.asIntN(64, value));
}

// A safe result of the double operation is exact: 2^53 itself is representable, so what rounds cannot round below it.
export function addInt64(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= maxSafe && sum >= -maxSafe) return sum;
  }
  return wrap64(BigInt(a) + BigInt(b));
}

export function subtractInt64(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (difference <= maxSafe && difference >= -maxSafe) return difference;
  }
  return wrap64(BigInt(a) - BigInt(b));
}

export function multiplyInt64(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (product <= maxSafe && product >= -maxSafe) return product + 0;
  }
  return wrap64(BigInt(a) * BigInt(b));
}

export function divideInt64(a: Int, b: Int): Int {
  if (b === 0) throw divisionByZero();
  // The quotient of two doubles may round up to the next integer; that of a multiple of b is exact.
  if (typeof a === 'number' && typeof b === 'number') return (a - (a % b)) / b + 0;
  return wrap64(BigInt(a) / BigInt(b));
}

export function remainderInt64(a: Int, b: Int): Int {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return integerValue(BigInt(a) % BigInt(b));
}

export function negateInt64(a: Int): Int {
  return typeof a === 'number' ? 0 - a : wrap64(-a);
}

export function addInt32(a: number, b: number): number {
  return (a + b) | 0;
}

export function subtractInt32(a: number, b: number): number {
  return (a - b) | 0;
}

export function divideInt32(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  return (a / b) | 0;
}

export function remainderInt32(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  return (a % b) | 0;
}

export function divisionByZero(): EvaluationError {
  return new EvaluationError('division by zero');
}
