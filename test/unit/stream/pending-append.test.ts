import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import { halfOf, type PendingAppend } from '../../../src/stream/pending-append.js';

const none = new RecordSet({ buffers: [], topics: [], extents: new Int32Array(0), count: 0 });

it('a group is halved where every append of the first half has its position, or not at all', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), (joined) => {
      const group = [...joined, false].map((each): PendingAppend => ({
        producer: 'p',
        position: each ? null : 'p',
        joined: each,
        commitTimeUs: 1,
        records: none,
      }));
      const half = halfOf(group);
      expect(half).toBeGreaterThan(0);
      expect(group[half - 1]!.joined).toBe(false);
      if (half === group.length) expect(group.slice(0, -1).every((append) => append.joined)).toBe(true);
    }),
  );
});
