// Numbers and times as pure functions; both readers against the servers are in test/e2e/mysql-types.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printDouble } from '../../../../src/source/mysql/double-text.js';
import { shortestFloat } from '../../../../src/source/mysql/float.js';
import { KeyText } from '../../../../src/source/key-text.js';
import { writeDigits, reserve } from '../../../../src/source/mysql/scratch.js';

describe('values', () => {
  it('a FLOAT reads back as the same 32 bits, and no shorter text does', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const found = shortestFloat(value);
        expect(Math.fround(found)).toBe(value);
        const length = (x: number) => x.toExponential().replace('-', '').split('e')[0]!.length;
        for (let digits = 1; digits < 9; digits++) {
          const shorter = Number(value.toPrecision(digits));
          if (Math.fround(shorter) !== value) continue;
          expect(length(found)).toBeLessThanOrEqual(length(shorter));
          break;
        }
      }),
      { seed: 4 },
    );
    expect(shortestFloat(Math.fround(1.1))).toBe(1.1);
    expect(Object.is(shortestFloat(-0), -0)).toBe(true);
  });

  it('a double prints as text that reads back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(printDouble(value, true))).toBe(value);
      }),
      { seed: 5 },
    );
    expect([1e14, 1e15, 123456789012345.6, 1e-15, 1e-16, -0, 1.5e300].map((value) => printDouble(value, true))).toEqual(
      ['100000000000000.0', '1e15', '123456789012345.6', '0.000000000000001', '1e-16', '-0.0', '1.5e300'],
    );
  });

  it('whole numbers are written digit by digit', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const end = writeDigits(reserve(32), 0, value);
        expect(reserve(32).toString('latin1', 0, end)).toBe(String(value));
      }),
      { seed: 7 },
    );
  });

  it('the text of a key is the same from both readers and different for different keys', () => {
    const text = (write: (key: KeyText) => void) => {
      const key = new KeyText();
      write(key);
      return key.take();
    };
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const halves = text((key) => key.int64(Number(value >> 32n), Number(value & 0xffffffffn)));
        expect(halves).toBe(`${String(value).length}:${value}`);
      }),
      { seed: 8 },
    );
    const pair = (a: string, b: string) => text((key) => (key.string(a), key.string(b)));
    expect(pair('a', 'bc')).not.toBe(pair('ab', 'c'));
  });
});
