import { expect, it } from 'vitest';
import type { Append } from '../../../src/core/append.js';
import { SourceCounts } from '../../../src/engine/source-counts.js';

const append = (producer: string, count: number): Append => ({
  seq: 1,
  producer,
  position: null,
  commitTimeUs: 0,
  records: { count } as Append['records'],
});

it('counts what connectors sent, and neither our own appends nor those that only move a position', () => {
  const counts = new SourceCounts();
  counts.add([append('c-a', 3), append('c-a', 0), append('local', 5)]);
  counts.add([append('c-a', 1), append('c-b', 2)]);
  const samples = counts.samples((producer) => (producer.startsWith('c-') ? producer.slice(2) : undefined));
  expect(samples.map(({ name, labels, value }) => [name, labels['connector'], value])).toEqual([
    ['writethrough_events_total', 'a', 4],
    ['writethrough_transactions_total', 'a', 2],
    ['writethrough_events_total', 'b', 2],
    ['writethrough_transactions_total', 'b', 1],
  ]);
});
