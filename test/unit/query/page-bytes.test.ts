// Pages count bytes: however long rows are, and in whatever way they are read, what is held at once is a page and one row at most, and all
// pages together are all rows.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import { silentLogger } from '../../../src/core/logger.js';
import { PageWriter, etagOf } from '../../../src/query/page-writer.js';
import { PulledRows } from '../../../src/query/pulled-rows.js';
import { runReadTask, type ReadTask } from '../../../src/query/read-task.js';
import { limitsDefault } from '../../../src/query/subscription-limits.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import { alwaysCurrent } from '../../support/ages.js';
import { TestEngine } from '../../support/engine.js';

const longest = 40_000;
/** Short ones, long ones, and some of characters that are two bytes each. */
const names = Array.from({ length: 200 }, (_, i) =>
  i % 3 === 0 ? `n${i}` : (i % 3 === 1 ? 'x' : 'é').repeat((i * 7919) % longest),
);

let engine: TestEngine;
let subscriptions: Subscriptions;
beforeAll(async () => {
  engine = await new TestEngine().open();
  subscriptions = new Subscriptions(engine.reader, alwaysCurrent, silentLogger);
  engine.onCommitted = () => subscriptions.wake();
  await engine.capture('people');
  await engine.write(names.map((name, id) => ({ table: 'people', key: id, row: { id, name } })));
});
afterAll(() => engine.remove());

it('a snapshot of a change stream comes in pages of bounded size, whole and in order', async () => {
  const seen: unknown[] = [];
  const signal = new AbortController().signal;
  for await (const items of subscriptions.subscribe({ table: 'people', snapshot: true, signal })) {
    const bytes = items.reduce((sum, { json }) => sum + json.length, 0);
    expect(bytes).toBeLessThan(limitsDefault.snapshotBytes * 1.5 + longest);
    for (const { op, json } of items) if (op === 'r') seen.push((JSON.parse(json) as { after: unknown }).after);
    if (items.some(({ op }) => op === 'caught-up')) break;
  }
  expect(seen).toEqual(names.map((name, id) => ({ id, name })));
});

it('the rows of a push query do, too', async () => {
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const steps of subscriptions.rows({ table: 'people', snapshot: true, signal: stop.signal })) {
    const bytes = steps.reduce((sum, { after }) => sum + (after![1] as string).length, 0);
    expect(bytes).toBeLessThan(limitsDefault.snapshotBytes + longest);
    for (const { after } of steps) seen.push(after![1]);
    if (seen.length === names.length) break;
  }
  expect(seen).toEqual(names);
});

it('a scan gives all rows, however its pages are bounded', () => {
  let read = 0;
  engine.session((session) => {
    for (const bytesMax of [undefined, 1, bounds.pageBytes.value]) {
      const rows = [...session.scan({ table: 'people', bytesMax })].map(({ row }) => row[1]);
      expect(rows).toEqual(names);
    }
    for (const { row } of session.scan({ table: 'people' })) read += (row[1] as string).length;
  });
  expect(read).toBe(names.reduce((sum, name) => sum + name.length, 0));
  expect(read).toBeGreaterThan(8 * bounds.pageBytes.value);
});

const limits = { resultBytesMax: 1e9, deadlineMs: 10_000 };
const readAll: ReadTask = { kind: 'read', reads: [{ table: 'people' }], numbers: 'strings', staleOk: false };

it('an answer of a reader is pages of bytes, which are asked for before they are made, and its ETag is of them', () => {
  const taken: number[] = [];
  const answer = runReadTask(engine.reader, { ...readAll, single: true }, limits, (bytes) => taken.push(bytes));
  if (answer.kind !== 'read') return expect.fail('it is a read');
  const text = Buffer.concat(answer.pages.map(({ bytes }) => bytes)).toString();
  expect(JSON.parse(text)).toEqual({ rows: names.map((name, id) => ({ id, name })) });
  expect(taken.length).toBeGreaterThan(4);
  expect(answer.pages.every(({ bytes }, i) => bytes.length <= taken[i]!)).toBe(true);
  expect(Math.max(...taken)).toBeLessThanOrEqual(bounds.pageBytes.value);
});

it('the bound of an answer is one of bytes, for reads and pulls', () => {
  const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
  const characters = names.reduce((sum, name) => sum + name.length, 0);
  expect(bytes).toBeGreaterThan(characters * 1.3);
  const pull: ReadTask = { kind: 'pull', sql: 'SELECT name FROM people;', strict: false, variables: {} };
  for (const task of [readAll, pull]) {
    const within = (resultBytesMax: number) => () => runReadTask(engine.reader, task, { ...limits, resultBytesMax });
    expect(within(bytes)).toThrow(expect.objectContaining({ code: 'result-too-large' }));
    expect(within(bytes * 1.1)).not.toThrow();
  }
});

it('rows come out of pages as they went in, whatever their characters and lengths', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 9_000 }), { maxLength: 30 }), async (rows) => {
      const writer = new PageWriter(() => {});
      let bytes = 0;
      for (const row of rows) {
        bytes += writer.append(row);
        writer.mark();
      }
      const pages = writer.finish();

      expect(bytes).toBe(Buffer.byteLength(rows.join('')));
      expect(Buffer.concat(pages.map((page) => page.bytes)).toString()).toBe(rows.join(''));
      expect(etagOf(pages)).toMatch(/^"[\w-]{27}"$/);
      const got: string[] = [];
      for await (const batch of new PulledRows(pages, undefined).batches())
        got.push(...batch.map(({ values }) => values));
      expect(got).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});
