// The oracle: every finite double is an integer times 2^-1074, and bigints add without error.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../../src/core/data-type.js';
import { addExact, exactSum, subtractExact } from '../../../src/dataflow/operators/exact-sum.js';

const unit = 1074n;

function toUnits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const size = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -size : size;
}

/** Nearest, halves to even: Number(bigint) rounds so; the power of two is taken off first, with a sticky last bit. */
function fromUnits(units: bigint): number {
  const size = units < 0n ? -units : units;
  const sign = units < 0n ? -1 : 1;
  const excess = BigInt(Math.max(size.toString(2).length - 60, 0));
  const kept = size >> excess;
  const sticky = kept << excess === size ? 0n : 1n;
  // Below 2^60 nothing is cut off; a subnormal has fewer digits than a double takes and is exact.
  const mantissa = Number(excess === 0n ? size : (kept << 1n) | sticky);
  const exponent = Number(excess) - (excess === 0n ? 0 : 1) - Number(unit);
  // In two steps, so that no power of two leaves the range on the way.
  const half = Math.trunc(exponent / 2);
  return sign * mantissa * 2 ** half * 2 ** (exponent - half);
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0.1, 0.2, -0.3, 1e308, -1e308, 1.7e308, 5e-324, 2 ** 900, -(2 ** 899), 1, 2 ** 53, 2 ** -53, -1e16),
);

function sumOf(values: readonly number[]): { state: Value[]; sum: number } {
  const state: Value[] = [0, null];
  for (const value of values) addExact(state, 0, value);
  return { state, sum: exactSum(state, 0) };
}

describe('an exact sum of doubles', () => {
  it('is the sum without error, rounded once', () => {
    fc.assert(
      fc.property(fc.array(doubles, { maxLength: 30 }), (values) => {
        const wanted = fromUnits(values.map(toUnits).reduce((a, b) => a + b, 0n));
        expect(sumOf(values).sum + 0).toBe(wanted + 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves nothing behind when everything is taken back, in any order', () => {
    const special = fc.oneof(doubles, fc.constantFrom(NaN, Infinity, -Infinity));
    const orders = fc.array(special, { maxLength: 20 }).chain((values) =>
      fc.tuple(
        fc.constant(values),
        fc.shuffledSubarray(
          values.map((_, i) => i),
          { minLength: values.length },
        ),
      ),
    );
    fc.assert(
      fc.property(orders, ([values, order]) => {
        const { state } = sumOf(values);
        for (const i of order) subtractExact(state, 0, values[i]!);
        expect(state).toEqual([0, null]);
      }),
      { numRuns: 1000 },
    );
  });

  it('is what is left would sum up to', () => {
    fc.assert(
      fc.property(fc.array(doubles), fc.array(doubles, { maxLength: 20 }), (kept, gone) => {
        const { state } = sumOf([...kept, ...gone]);
        for (const value of gone) subtractExact(state, 0, value);
        expect(exactSum(state, 0)).toBe(sumOf(kept).sum);
      }),
    );
  });

  it('survives infinities, NaN and an overflow that is taken back', () => {
    const { state } = sumOf([1, Infinity]);
    expect(exactSum(state, 0)).toBe(Infinity);
    addExact(state, 0, -Infinity);
    expect(exactSum(state, 0)).toBeNaN();
    subtractExact(state, 0, Infinity);
    expect(exactSum(state, 0)).toBe(-Infinity);
    subtractExact(state, 0, -Infinity);
    expect(state).toEqual([1, null]);
    const overflow = sumOf([1.7e308, 1.7e308, 3]);
    expect(overflow.sum).toBe(Infinity);
    subtractExact(overflow.state, 0, 1.7e308);
    subtractExact(overflow.state, 0, 1.7e308);
    expect(overflow.state).toEqual([3, null]);
  });
});
