import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearestName } from '../../../src/core/nearest-name.js';

describe('nearestName', () => {
  it('finds the name that a slip of the finger meant', () => {
    expect(nearestName('custmer', ['orders', 'customer', 'totals'])).toBe('customer');
    expect(nearestName('ordesr', ['orders', 'customer'])).toBe('orders');
    expect(nearestName('ORDERS', ['orders'])).toBe('orders');
  });

  it('says nothing when no name is near', () => {
    expect(nearestName('invoices', ['orders', 'customer'])).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });

  it('is 0 exactly for equal words, symmetric, and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('gives the limit when the distance reaches it, else the same as without', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 6 }), (a, b, limit) => {
        expect(Math.min(editDistance(a, b, limit), limit)).toBe(Math.min(editDistance(a, b), limit));
      }),
    );
  });
});
