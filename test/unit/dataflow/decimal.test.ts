import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerValue, type DataType } from '../../../src/core/data-type.js';
import { compileExpression } from '../../../src/dataflow/expression/compile.js';
import { compareDecimal, decimalToDouble } from '../../../src/dataflow/expression/decimal.js';
import { arithmetic, col, compare, dbl } from '../../support/plans.js';

const decimal = (precision: number, scale: number): DataType => ({ kind: 'DECIMAL', precision, scale });
const unscaled = fc.oneof(
  fc.bigInt({ min: -999n, max: 999n }),
  fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
  fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n + 9n }),
);
const scales = fc.integer({ min: 0, max: 6 });
const ten = (n: number): bigint => 10n ** BigInt(n);

describe('decimal arithmetic', () => {
  it('adds, subtracts and multiplies without error, whatever the scales', () => {
    fc.assert(
      fc.property(unscaled, scales, unscaled, scales, (a, aScale, b, bScale) => {
        const evaluate = (op: '+' | '-' | '*', scale: number) =>
          compileExpression(
            arithmetic(op, col(0, decimal(38, aScale)), col(1, decimal(38, bScale)), decimal(60, scale)),
            {
              onError: (reason) => expect.fail(reason),
            },
          )([integerValue(a), integerValue(b)], 0);
        const scale = Math.max(aScale, bScale);
        const left = a * ten(scale - aScale);
        const right = b * ten(scale - bScale);
        expect(evaluate('+', scale)).toBe(integerValue(left + right));
        expect(evaluate('-', scale)).toBe(integerValue(left - right));
        expect(evaluate('*', aScale + bScale)).toBe(integerValue(a * b));
      }),
    );
  });

  it('divides to the nearest, halves away from zero', () => {
    fc.assert(
      fc.property(unscaled, unscaled, scales, (a, b, scale) => {
        fc.pre(b !== 0n);
        const type = decimal(38, 2);
        const evaluate = compileExpression(arithmetic('/', col(0, type), col(1, type), decimal(60, scale)), {
          onError: (reason) => expect.fail(reason),
        });
        const result = BigInt(evaluate([integerValue(a), integerValue(b)], 0) as number | bigint);
        // |a/b - result| <= 1/2 unit, in integers.
        const size = (n: bigint): bigint => (n < 0n ? -n : n);
        const distance = 2n * size(a * ten(scale) - result * b);
        expect(distance <= size(b)).toBe(true);
        if (distance === size(b)) expect(size(result * b) > size(a * ten(scale))).toBe(true);
      }),
    );
  });

  it('gives NULL and says why when the result has too many digits, or the divisor is 0', () => {
    const errors: string[] = [];
    const options = { onError: (reason: string) => errors.push(reason) };
    const small = decimal(3, 1);
    expect(compileExpression(arithmetic('+', col(0, small), col(1, small), small), options)([999, 1], 0)).toBeNull();
    expect(compileExpression(arithmetic('/', col(0, small), col(1, small), small), options)([999, 0], 0)).toBeNull();
    expect(compileExpression(arithmetic('%', col(0, small), col(1, small), small), options)([999, 0], 0)).toBeNull();
    expect(errors).toEqual([expect.stringMatching(/overflow/), 'division by zero', 'division by zero']);
  });

  it('takes the sign of the dividend for the remainder', () => {
    const type = decimal(4, 2);
    const remainder = compileExpression(arithmetic('%', col(0, type), col(1, type), type), { onError: () => {} });
    expect(remainder([1010, 200], 0)).toBe(10);
    expect(remainder([-1010, 200], 0)).toBe(-10);
    expect(remainder([-1000, 200], 0)).toBe(0);
  });

  it('compares by value, whatever the scales, and meets a DOUBLE as its nearest one', () => {
    fc.assert(
      fc.property(unscaled, scales, unscaled, scales, (a, aScale, b, bScale) => {
        const difference = a * ten(bScale) - b * ten(aScale);
        const wanted = difference < 0n ? -1 : difference > 0n ? 1 : 0;
        expect(compareDecimal(integerValue(a), aScale, integerValue(b), bScale)).toBe(wanted);
      }),
    );
    const equals = compileExpression(compare('=', col(0, decimal(4, 2)), dbl(1.1)), { onError: () => {} });
    expect(equals([110], 0)).toBe(true);
    expect(equals([111], 0)).toBe(false);
  });

  it('becomes the double that its text would be', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: 0, max: 30 }),
        (value, scale) => {
          expect(decimalToDouble(integerValue(value), scale)).toBe(Number(`${value}e-${scale}`));
        },
      ),
    );
  });
});
