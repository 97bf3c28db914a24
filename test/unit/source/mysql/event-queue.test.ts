// Events come out as they went in, whatever is taken in between, and the bytes that wait are counted.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../../../src/source/mysql/event-queue.js';

it('gives the events in their order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ pushes: fc.nat({ max: 5_000 }), takes: fc.nat({ max: 6_000 }) }), { maxLength: 12 }),
      (turns) => {
        const queue = new EventQueue();
        const texts: string[] = [];
        let taken = 0;
        for (const { pushes, takes } of turns) {
          for (let i = 0; i < pushes; i++) {
            const text = `event ${texts.length}`;
            const buffer = Buffer.from(`<${text}>`);
            queue.push(buffer, 1, buffer.length - 1);
            texts.push(text);
          }
          const given = Array.from({ length: takes }, () => queue.next()?.toString());
          const expected = texts.slice(taken, taken + takes);
          taken += expected.length;
          expect(given.filter((text) => text !== undefined)).toEqual(expected);
          expect(given.indexOf(undefined)).toBe(expected.length === takes ? -1 : expected.length);
          const waiting = texts.slice(taken);
          expect(queue.length).toBe(waiting.length);
          expect(queue.bytes).toBe(waiting.reduce((sum, text) => sum + text.length, 0));
        }
        queue.clear();
        expect([queue.length, queue.bytes, queue.next()]).toEqual([0, 0, undefined]);
      },
    ),
    { numRuns: 20 },
  );
});
