import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BIGINT, INTEGER, integerValue } from '../../../src/core/data-type.js';
import { compileExpression } from '../../../src/dataflow/expression/compile.js';
import type { ArithmeticOp } from '../../../src/sql/plan.js';
import { arithmetic, col } from '../../support/plans.js';

const edges64 = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 3037000500n];
const int64 = fc.oneof(
  fc.constantFrom(...edges64),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.bigInt({ min: 2n ** 53n - 20n, max: 2n ** 53n + 20n }),
);
const int32 = fc.oneof(fc.integer(), fc.integer({ min: -9, max: 9 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
const operators = ['+', '-', '*', '/', '%'] as const;

function exact(op: ArithmeticOp, a: bigint, b: bigint): bigint | null {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? null : a / b;
    case '%':
      return b === 0n ? null : a % b;
  }
}

describe('integer arithmetic', () => {
  it.each(operators)('BIGINT %s is that of 64-bit integers, in canonical form', (op) => {
    const errors: string[] = [];
    const evaluate = compileExpression(arithmetic(op, col(0, BIGINT), col(1, BIGINT)), {
      onError: (reason) => errors.push(reason),
    });
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        const result = exact(op, a, b);
        const wanted = result === null ? null : integerValue(BigInt.asIntN(64, result));
        errors.length = 0;
        // Object.is: 0 and -0 are two forms of one value.
        expect(evaluate([integerValue(a), integerValue(b)], 0)).toBe(wanted);
        expect(errors).toEqual(result === null ? ['division by zero'] : []);
      }),
    );
  });

  it.each(operators)('INTEGER %s is that of 32-bit integers', (op) => {
    const evaluate = compileExpression(arithmetic(op, col(0, INTEGER), col(1, INTEGER)), { onError: () => {} });
    fc.assert(
      fc.property(int32, int32, (a, b) => {
        const result = exact(op, BigInt(a), BigInt(b));
        expect(evaluate([a, b], 0)).toBe(result === null ? null : Number(BigInt.asIntN(32, result)));
      }),
    );
  });

  it('negates the smallest values to themselves, as Java does, and 0 to 0', () => {
    const options = { onError: () => {} };
    const negate = (type: typeof BIGINT | typeof INTEGER) =>
      compileExpression({ kind: 'negate', arg: col(0, type), type }, options);
    expect(negate(BIGINT)([-(2n ** 63n)], 0)).toBe(-(2n ** 63n));
    expect(negate(INTEGER)([-(2 ** 31)], 0)).toBe(-(2 ** 31));
    expect(negate(BIGINT)([0], 0)).toBe(0);
    expect(negate(BIGINT)([null], 0)).toBeNull();
  });
});
