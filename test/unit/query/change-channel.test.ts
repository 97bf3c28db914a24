import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Place } from '../../../src/core/version.js';
import { ChangeChannel, type PrintedChange } from '../../../src/query/change-channel.js';

function change(seq: number, index: number, length: number): PrintedChange {
  return { seq, index, item: { id: `${seq}.${index}`, op: 'c', json: 'x'.repeat(length) } };
}

it('hands its changes out in pages of any size, each once and in order', () => {
  const lengths = fc.array(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }), { maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 1_000 }), (commits, characters) => {
      const all = commits.flatMap((changes, seq) => changes.map((length, index) => change(seq + 1, index, length)));
      const head: Place = { seq: commits.length, index: Number.POSITIVE_INFINITY };
      const channel = new ChangeChannel({ seq: 0, index: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY);
      channel.extend(all, head);
      const told: PrintedChange[] = [];
      let place: Place = { seq: 0, index: Number.POSITIVE_INFINITY };
      while (place.seq !== head.seq || place.index !== head.index) {
        const page = channel.after(place, characters)!;
        const length = page.changes.reduce((sum, { item }) => sum + item.json.length, 0);
        // All but the last one fit.
        expect(length - (page.changes.at(-1)?.item.json.length ?? 0)).toBeLessThan(characters);
        told.push(...page.changes);
        place = page.next;
      }
      expect(told).toEqual(all);
    }),
  );
});

it('a place ahead of it stays where it is', () => {
  const channel = new ChangeChannel({ seq: 3, index: Number.POSITIVE_INFINITY });
  expect(channel.after({ seq: 7, index: 2 }, 10)).toEqual({ changes: [], next: { seq: 7, index: 2 } });
  expect(channel.after({ seq: 2, index: 2 }, 10)).toBeUndefined();
});
