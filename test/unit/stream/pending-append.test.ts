import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import { cutOf, type PendingAppend } from '../../../src/stream/pending-append.js';

const none = new RecordSet({ buffers: [], topics: [], extents: new Int32Array(0), count: 0 });

it('a group is cut where every append of the first part has its position, as late as possible, or not at all', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), fc.nat(12), (joined, wanted) => {
      const group = [...joined, false].map((each): PendingAppend => ({
        producer: 'p',
        position: each ? null : 'p',
        joined: each,
        commitTimeUs: 1,
        records: none,
      }));
      const at = Math.min(wanted, group.length);
      const cut = cutOf(group, at);
      expect(cut).toBeLessThanOrEqual(at);
      if (cut > 0) expect(group[cut - 1]!.joined).toBe(false);
      expect(group.slice(cut, at).every((append) => append.joined)).toBe(true);
    }),
  );
});
