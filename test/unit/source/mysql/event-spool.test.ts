// Held events come back as they were, whether they fit into the memory or not.
import { describe, expect, it } from 'vitest';
import { EventSpool } from '../../../../src/source/mysql/event-spool.js';

describe('held events', () => {
  it.each([
    ['few', [19, 25, 1000]],
    ['many', Array.from({ length: 3000 }, (_, i) => 19 + ((i * 37) % 500))],
    ['large', [100, 300_000, 19, 70_000, 900_000, 64]],
    ['none', []],
  ])('%s of them are read in order, as often as it is asked for', (_, lengths) => {
    const events = lengths.map((length, i) => Buffer.alloc(length, i % 251));
    const spool = new EventSpool();
    for (const event of events) spool.add(event);
    for (let time = 0; time < 2; time++) {
      const source = spool.read();
      const read: Buffer[] = [];
      for (let event = source.next(); event !== undefined; event = source.next()) read.push(event);
      expect(read.map(({ length }) => length)).toEqual(lengths);
      expect(Buffer.concat(read).equals(Buffer.concat(events))).toBe(true);
    }
    spool.close();
  });
});
