// What a topic holds, read page by page beside its writers: the law is that the pages of a reading give the newest state of each key, in one
// order, whatever comes to the topic between two pages (a key that is behind by then is left out, one that is ahead is as it is now),
// whatever retention has taken of the topic, however many other readings are begun, and how large its records are.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HeldRowsRequest } from '../../../src/connect/held-rows.js';
import type { Row, RowSchema } from '../../../src/core/data-type.js';
import { AppError } from '../../../src/core/errors.js';
import { TopicRows, type TopicForm } from '../../../src/engine/topic-rows.js';
import type { ClaimedForm } from '../../../src/projector/captured-definitions.js';
import { createRecordDecoder } from '../../../src/projector/record-decoder.js';
import type { TapRecord } from '../../../src/stream/event-log.js';

const schema: RowSchema = {
  columns: [
    { name: 'id', type: { kind: 'INTEGER' } },
    { name: 'v', type: { kind: 'STRING' } },
  ],
  keyColumns: [0],
};
const flat: ClaimedForm = {
  schema,
  properties: { keyFormat: 'JSON', valueFormat: 'JSON' },
  captured: { keyShape: 'object', deletedField: false, envelope: undefined, schemas: undefined },
};
const envelope: ClaimedForm = { ...flat, captured: { ...flat.captured, envelope: { connector: 'mysql' } } };

class FakeLog {
  readonly partitions: TapRecord[][] = [[], [], []];
  readonly first = [0, 0, 0];
  readonly next = [0, 0, 0];
  /** Bytes of one answer. */
  largest = 0;

  put(id: number | string, value: string | null): void {
    const partition = typeof id === 'number' ? id % 3 : 0;
    const key = Buffer.from(JSON.stringify({ id }));
    this.partitions[partition]!.push({
      topic: 't',
      partition,
      offset: this.next[partition]!++,
      timestampMs: 0,
      key,
      value: value === null ? null : Buffer.from(value),
      headers: {},
    });
    // As a marker takes a place.
    this.next[partition]!++;
  }

  partitionEnds(topic: string): Promise<readonly number[]> {
    if (topic !== 't') return Promise.reject(new AppError('unknown-topic', topic));
    return Promise.resolve([...this.next]);
  }

  async readTopic(_: string, partition: number, offset: number, limit: number): Promise<readonly TapRecord[]> {
    await Promise.resolve();
    const from = Math.max(offset, this.first[partition]!);
    const found = this.partitions[partition]!.filter((record) => record.offset >= from).slice(0, limit);
    const bytes = found.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    this.largest = Math.max(this.largest, bytes);
    return found;
  }
}

function opened(log = new FakeLog()) {
  const told: object[] = [];
  const rows = new TopicRows({
    log,
    decoderOf: (form) => createRecordDecoder({ ...form, sourceKind: 'table' }, () => undefined as never),
    logger: { warn: (_: string, fields: object) => told.push(fields) } as never,
  });
  return { log, told, rows };
}

const asked = (more: Partial<HeldRowsRequest> = {}): HeldRowsRequest => ({
  connector: 'c',
  table: 'd.t',
  after: null,
  limit: 4,
  isOpen: false,
  ...more,
});
const of = (form: ClaimedForm): TopicForm => ({ topic: 't', form });

interface Change {
  readonly id: number;
  readonly v: string | null;
}
const changes = fc.array(
  fc.record({
    id: fc.integer({ min: -9, max: 15 }).map(Math.abs),
    v: fc.option(fc.constantFrom('x', 'y', 'é'), { nil: null }),
  }),
  { maxLength: 60 },
);

it.each([flat, envelope])('the newest state of each key, whatever comes between', async (form) => {
  const isEnvelope = form === envelope;
  const value = (id: number, v: string | null) =>
    isEnvelope
      ? JSON.stringify({ before: null, after: v === null ? null : { id, v }, op: v === null ? 'd' : 'c' })
      : v === null
        ? null
        : JSON.stringify({ id, v });
  await fc.assert(
    fc.asyncProperty(
      changes,
      fc.array(changes, { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat({ max: 9 }),
      async (before, between, limit, others) => {
        const { log, rows } = opened();
        const state = new Map<number, string>();
        const apply = ({ id, v }: Change) => {
          log.put(id, value(id, v));
          if (v === null) state.delete(id);
          else state.set(id, v);
        };
        before.forEach(apply);
        const order = (id: number) => `[${id}]`;
        let after: Row | null = null;
        for (let round = 0; ; round++) {
          const page = await rows.page(asked({ after, limit }), of(form));
          const expected = [...state]
            .filter(([id]) => after === null || order(id) > order(after[0] as number))
            .toSorted(([a], [b]) => (order(a) < order(b) ? -1 : 1))
            .slice(0, limit);
          // A delete of flat rows asks for the key alone.
          expect(page!.rows).toEqual(expected.map(([id, v]) => [id, isEnvelope ? v : null]));
          if (page!.rows.length < limit) break;
          after = [page!.rows.at(-1)![0]!];
          (between[round] ?? []).forEach(apply);
          for (let i = 0; i < others; i++) await rows.page(asked({ table: `d.t${i}`, limit: 1 }), of(form));
        }
        rows.close();
      },
    ),
    { numRuns: 60 },
  );
});

it('what retention has left, read by few bytes at a time', async () => {
  const { log, rows } = opened();
  for (let i = 0; i < 900; i++)
    log.put(i, JSON.stringify({ before: null, after: { id: i, v: 'x'.repeat(40_000) }, op: 'c' }));
  log.first[0] = 300;
  const page = await rows.page(asked({ limit: 1000 }), of(envelope));
  expect(page!.rows).toHaveLength(900 - 150);
  // The first page does not know yet how large they are.
  expect(log.largest).toBeLessThanOrEqual(100 * 40_200);
  rows.close();
});

it('keys of other columns stay, and are told; values of others leave the key', async () => {
  const { log, rows, told } = opened();
  log.put('old', JSON.stringify({ before: null, after: { id: 'old' }, op: 'c' }));
  log.put(3, '{"before":null,"after":{"id":3,"v":');
  log.put(4, JSON.stringify({ before: null, after: { id: 4, v: 'four' }, op: 'c' }));
  const page = await rows.page(asked(), of(envelope));
  expect(page!.rows).toEqual([
    [3, null],
    [4, 'four'],
  ]);
  expect(told).toEqual([{ topic: 't', staying: 1, knownByKey: 1 }]);
  rows.close();
});

it('an append that is open is asked for again in the same order, from the topic', async () => {
  const { log, rows } = opened();
  for (let i = 0; i < 9; i++) log.put(i, JSON.stringify({ id: i, v: 'x' }));
  expect(rows.isReading(asked({ isOpen: true }))).toBe(false);
  const first = await rows.page(asked(), of(flat));
  expect(rows.isReading(asked({ after: [first!.rows.at(-1)![0]!] }))).toBe(true);
  expect([rows.isReading(asked()), rows.isReading(asked({ isOpen: true }))]).toEqual([false, true]);
  expect(await rows.page(asked({ isOpen: true }), of(flat))).toEqual(first);
  rows.close();
  expect(rows.isReading(asked({ after: [3] }))).toBe(false);
});

it('fails with its topic, and what is not known is null', async () => {
  const { rows } = opened();
  expect(await rows.page(asked(), undefined)).toBeNull();
  const gone = { topic: 'gone', form: flat };
  await expect(rows.page(asked(), gone)).rejects.toMatchObject({ code: 'unknown-topic' });
  expect(rows.isReading(asked({ after: [1] }))).toBe(false);
  rows.close();
});
