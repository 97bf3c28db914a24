import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import type { Append } from '../../../src/core/append.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import {
  openEmbeddedLog,
  type EmbeddedLog,
  type EmbeddedLogOptions,
} from '../../../src/stream/embedded/embedded-log.js';
import type { PendingAppend } from '../../../src/stream/pending-append.js';
import { keepHouse } from '../../support/keep-house.js';
import { buildChunk, filled, recordsOf, type FilledRecord, type TestRecord } from '../../support/chunk.js';

const databases: SqliteDatabase[] = [];
afterEach(() => {
  for (const database of databases.splice(0)) database.close();
});

function open(options: EmbeddedLogOptions = {}): { log: EmbeddedLog; database: SqliteDatabase } {
  const database = openDatabase(':memory:');
  databases.push(database);
  return {
    database,
    log: openEmbeddedLog(database, { compaction: { dirtyBytes: 0, dirtyRatio: 0 }, ...options }),
  };
}

function pending(
  position: string | null,
  records: readonly TestRecord[],
  more: Partial<PendingAppend> & { readonly records?: RecordSet } = {},
): PendingAppend & { readonly records: RecordSet } {
  const { data, topics, extents, recordCount } = buildChunk(records);
  return {
    producer: 'p',
    position,
    commitTimeUs: 5_000_000,
    records: new RecordSet({ buffers: [Buffer.from(data.buffer)], topics, extents, count: recordCount }),
    ...more,
  };
}

function readAll(log: EmbeddedLog, after = 0, topics?: ReadonlySet<string>): Append[] {
  const all: Append[] = [];
  for (let at = after; ; at = all.at(-1)!.seq) {
    const group = log.readGroup(at, topics);
    if (group.length === 0) return all;
    all.push(...group);
  }
}

describe('the embedded log', () => {
  it('after any mix of writes, rollbacks, compaction and retention holds what a list of appends would hold', () => {
    const record = fc.record({
      topic: fc.constantFrom('compacted', 'kept', 'short'),
      partition: fc.integer({ min: 0, max: 1 }),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      value: fc.option(fc.string({ maxLength: 5 }), { freq: 4 }),
    });
    const group = fc.array(fc.array(record, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), group }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), group }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('derive' as const), group }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const time = { now: 0 };
        const { log, database } = open({
          compaction: { dirtyBytes: 0, dirtyRatio: 0, tombstoneMs: 1e12 },
        });
        log.createTopicNow({ name: 'compacted', partitions: 2, cleanup: 'compact' });
        log.createTopicNow({ name: 'kept', partitions: 2, cleanup: 'delete' });
        log.createTopicNow({ name: 'short', partitions: 2, cleanup: 'delete', retentionMs: 1000 });
        const model: { seq: number; records: (FilledRecord & { offset: number })[] }[] = [];
        const next = new Map<string, number>();
        const offsetOf = ({ topic, partition = 0 }: TestRecord) => {
          const at = next.get(`${topic} ${partition}`) ?? 0;
          next.set(`${topic} ${partition}`, at + 1);
          return at;
        };
        let expired = 0;
        for (const now of steps) {
          time.now += 1000;
          if (now.kind === 'maintain') {
            keepHouse(log.chores, time.now);
            expired = time.now;
            continue;
          }
          const appends = now.group.map((records, i) => pending(String(i), records, { commitTimeUs: time.now * 1000 }));
          database.begin();
          if (now.kind === 'derive') log.writeDerived(appends.map((append) => ({ ...append, seq: model.length })));
          else log.write(appends);
          if (now.kind === 'rollback') {
            database.rollback();
            continue;
          }
          database.commit();
          for (const records of now.group) {
            const placed = records.map((each) => ({ ...filled(each), offset: offsetOf(each), timeMs: time.now }));
            if (now.kind === 'write') model.push({ seq: model.length + 1, records: placed });
            else
              for (const each of placed)
                if (each.topic === 'compacted') model.push({ seq: Number.NaN, records: [each] });
          }
        }
        keepHouse(log.chores, time.now);
        expired = time.now;
        const latest = new Map<string, number>();
        for (const { records } of model) {
          for (const { topic, partition, key, offset } of records)
            if (topic === 'compacted') latest.set(`${partition} ${key}`, offset);
        }
        const stays = (each: FilledRecord & { offset: number; timeMs?: number }) =>
          each.topic === 'compacted'
            ? latest.get(`${each.partition} ${each.key}`) === each.offset
            : each.topic === 'kept' || each.timeMs! >= expired - 1000;
        const expected = model.filter(({ seq }) => !Number.isNaN(seq));
        // The seqs of the model are those of appends alone.
        expected.forEach((append, i) => (append.seq = i + 1));
        const topics = new Set(['compacted', 'kept']);
        const read = readAll(log, 0, topics).map(({ seq, records }) => ({
          seq,
          records: recordsOf(records).map((each, i) => ({ ...each, offset: records.offset(i) })),
        }));
        const wanted = expected.map(({ seq, records }) => ({
          seq,
          records: records
            .filter((each) => topics.has(each.topic) && stays(each))
            .map(({ topic, partition, op, key, value, offset }) => ({ topic, partition, op, key, value, offset })),
        }));
        // Appends whose records have all gone may be left out.
        const bySeq = new Map(read.map((append) => [append.seq, append.records]));
        for (const { seq, records } of wanted) expect(bySeq.get(seq) ?? []).toEqual(records);
        expect(read.length).toBeLessThanOrEqual(wanted.length);
        expect(read.map(({ seq }) => seq)).toEqual(read.map(({ seq }) => seq).toSorted((x, y) => x - y));
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('goes on with the next seq and offset after a rollback, and knows the next ones at once', async () => {
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'delete' });
    database.begin();
    expect(log.write([pending('1', [{ topic: 't', key: 'a', value: 'v' }])])[0]).toMatchObject({ seq: 1 });
    database.rollback();
    expect(await log.headSeq()).toBe(0);
    expect(await log.producerPosition('p')).toBeNull();
    const [append] = database.transaction(() => log.write([pending('1', [{ topic: 't', key: 'a', value: 'v' }])]));
    expect([append!.seq, append!.records.offset(0)]).toEqual([1, 0]);
  });

  it('refuses records of a topic or partition that does not exist, and keeps nothing of the group', () => {
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'delete' });
    for (const bad of [
      { topic: 'nope', key: 'a', value: 'v' },
      { topic: 't', partition: 1, key: 'a', value: 'v' },
    ]) {
      expect(() => database.transaction(() => log.write([pending('1', [bad])]))).toThrow(
        expect.objectContaining({ error: expect.objectContaining({ code: 'unknown-topic' }) as unknown }),
      );
    }
    expect(readAll(log)).toEqual([]);
  });

  it('stores a long position once a producer, however many commits move it', async () => {
    const { log, database } = open();
    await log.createTopic({ name: 't', partitions: 1, cleanup: 'delete' });
    const set = Array.from(
      { length: 150 },
      (_, i) => `3e11fa47-71ca-11e1-9e33-${String(i).padStart(12, '0')}:1-9`,
    ).join();
    for (let i = 0; i < 200; i++) {
      const append = pending(`${set}${i}`, [{ topic: 't', key: 'k', value: String(i) }]);
      database.transaction(() => log.write([append, { ...append, producer: 'q', position: `short ${i}` }]));
    }
    const [bytes] = database.prepare('SELECT sum(length(appends)) FROM wt_commit').get()!;
    expect(Number(bytes)).toBeLessThan(200 * 100);
    expect(await log.producerPosition('p')).toBe(`${set}199`);
    expect(await log.producerPosition('q')).toBe('short 199');
    expect(
      readAll(log)
        .map(({ position }) => position)
        .slice(-2),
    ).toEqual([null, 'short 199']);
  });

  it('keeps a position that an append without one leaves as it is', async () => {
    const { log, database } = open();
    database.transaction(() => log.write([pending('1', []), pending(null, []), pending('2', []), pending(null, [])]));
    database.transaction(() => log.write([pending(null, [])]));
    expect(await log.producerPosition('p')).toBe('2');
    expect(readAll(log).map(({ position }) => position)).toEqual(['1', null, '2', null, null]);
  });

  it('keeps what queries derive in their topic, out of the appends', async () => {
    const { log, database } = open();
    log.createTopicNow({ name: 'sink', partitions: 1, cleanup: 'delete' });
    database.transaction(() => {
      log.write([pending('1', [])]);
      log.writeDerived([
        { seq: 1, commitTimeUs: 7_000_000, records: pending('', [{ topic: 'sink', key: 'k', value: 'v' }]).records },
      ]);
    });
    expect(readAll(log).map(({ records }) => records.count)).toEqual([0]);
    expect(await log.readTopic('sink', 0, 0, 10)).toMatchObject([
      { offset: 0, timestampMs: 7000, headers: { op: 'c', seq: '1' } },
    ]);
  });

  it('keeps timestamps that are not the commit time', () => {
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'delete' });
    const { records } = pending('1', [
      { topic: 't', key: 'a', value: 'v' },
      { topic: 't', key: 'b', value: 'v' },
    ]);
    const { buffers, topics, extents, count } = records;
    const own = new RecordSet({ buffers, topics, extents, count, timestamps: Float64Array.of(5000, 42) });
    database.transaction(() =>
      log.write([pending('1', [], { records: own }), pending('2', [{ topic: 't', key: 'c', value: 'v' }])]),
    );
    const [first, second] = readAll(log);
    expect(Array.from(first!.records.timestamps!)).toEqual([5000, 42]);
    expect(second!.records.timestamps).toBeUndefined();
  });

  it('splits what is too large for one batch and gives it back as one append', () => {
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'compact' });
    const records = Array.from({ length: 300 }, (_, i) => ({
      topic: 't',
      key: `k${i}`,
      value: String(i).repeat(20_000),
    }));
    database.transaction(() => log.write([pending('1', records), pending('2', records.slice(0, 3))]));
    const batches = () => Number(database.prepare('SELECT count(*) FROM wt_batch').get()![0]);
    expect(batches()).toBeGreaterThan(2);
    expect(readAll(log).map((append) => recordsOf(append.records))).toEqual([
      records.map(filled),
      records.slice(0, 3).map(filled),
    ]);
    keepHouse(log.chores);
    expect(readAll(log).map((append) => recordsOf(append.records))).toEqual([
      records.slice(3).map(filled),
      records.slice(0, 3).map(filled),
    ]);
  });

  it('lets tombstones go a while after what they delete', async () => {
    const time = { now: 1000 };
    const { log, database } = open({
      compaction: { dirtyBytes: 0, dirtyRatio: 0, tombstoneMs: 10_000 },
    });
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'compact' });
    const write = (key: string, value: string | null) =>
      database.transaction(() =>
        log.write([pending('1', [{ topic: 't', key, value }], { commitTimeUs: time.now * 1000 })]),
      );
    const keys = async () =>
      (await log.readTopic('t', 0, 0, 100)).map(({ key, value }) => `${String(key)}=${String(value)}`);
    write('a', '1');
    write('a', null);
    keepHouse(log.chores, time.now);
    expect(await keys()).toEqual(['a=null']);
    time.now += 20_000;
    write('b', '1');
    keepHouse(log.chores, time.now);
    expect(await keys()).toEqual(['b=1']);
    expect((await log.topics())[0]!.offsets).toEqual([{ first: 2, next: 3 }]);
  });

  it('is not compacted for the first time before half of it is replaced, by bytes or by number, where the rows are known', async () => {
    const record = fc.record({ key: fc.nat({ max: 12 }), size: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2_000 })) });
    let byBytes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 60 }), async (records) => {
        const rows = new Set<number>();
        const { log, database } = open({
          compaction: { dirtyBytes: 0, dirtyRatio: 0.5, rowsOf: (topic) => (topic === 't' ? rows.size : undefined) },
        });
        log.createTopicNow({ name: 't', partitions: 1, cleanup: 'compact' });
        let [bytes, replaced] = [0, 0];
        for (const [i, { key, size }] of records.entries()) {
          const value = 'x'.repeat(size);
          database.transaction(() => log.write([pending(String(i), [{ topic: 't', key: `k${key}`, value }])]));
          const [[, now] = ['t', 0]] = log.topicBytes();
          if (rows.has(key)) replaced += now - bytes;
          bytes = now;
          rows.add(key);
          keepHouse(log.chores);
          const left = (await log.readTopic('t', 0, 0, 1000)).length;
          const half = 2 * rows.size <= i + 1;
          if (!half && 2 * replaced < bytes) expect(left).toBe(i + 1);
          else {
            if (!half) byBytes++;
            expect(left).toBe(rows.size);
            return;
          }
        }
      }),
      { numRuns: 100 },
    );
    expect(byBytes).toBeGreaterThan(5);
  });

  it('is compacted for the first time without haste: of what is live one and a half times as much may wait under load', () => {
    let rows = 0;
    const { log, database } = open({
      compaction: { dirtyBytes: 0, dirtyRatio: 0.5, dirtyBytesMax: 100, rowsOf: () => rows },
    });
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'compact' });
    const compaction = log.chores.find(({ name }) => name === 'compaction')!;
    const debts: number[] = [];
    for (let round = 0; round < 6; round++) {
      for (let key = 0; key < 200; key++) {
        const record = { topic: 't', key: `k${key}`, value: 'x'.repeat(100) };
        database.transaction(() => log.write([pending('1', [record])]));
        rows = Math.max(rows, key + 1);
        compaction.debt(0);
      }
      debts.push(compaction.debt(0));
    }
    expect(debts[0]).toBe(0);
    // Due, and left to quiet moments.
    expect(debts[1]).toBeGreaterThan(0);
    expect(debts[1]).toBeLessThan(0.02);
    // Twice what is live waits: now it presses.
    expect(debts[2]).toBeGreaterThan(0.1);
    expect(debts[5]).toBeGreaterThan(debts[2]!);
  });

  it('does not give offsets twice when all records of a partition have gone', async () => {
    const time = { now: 1_000_000 };
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 1, cleanup: 'delete', retentionBytes: 0 });
    database.transaction(() => log.write([pending('1', [{ topic: 't', key: 'a', value: 'v' }])]));
    keepHouse(log.chores, time.now);
    expect((await log.topics())[0]!.offsets).toEqual([{ first: 1, next: 1 }]);
    database.begin();
    database.rollback();
    const [append] = database.transaction(() => log.write([pending('2', [{ topic: 't', key: 'a', value: 'v' }])]));
    expect(append!.records.offset(0)).toBe(1);
  });

  it('keeps a topic within its bytes, oldest appends first over all partitions', async () => {
    const { log, database } = open();
    log.createTopicNow({ name: 't', partitions: 2, cleanup: 'delete', retentionBytes: 50_000 });
    for (let i = 0; i < 200; i++) {
      database.transaction(() =>
        log.write([pending(String(i), [{ topic: 't', partition: i % 2, key: String(i), value: 'x'.repeat(1000) }])]),
      );
      if (i % 20 === 0) keepHouse(log.chores);
    }
    keepHouse(log.chores);
    const left = [...(await log.readTopic('t', 0, 0, 1000)), ...(await log.readTopic('t', 1, 0, 1000))].map(({ key }) =>
      Number(key),
    );
    expect(left.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: left.length }, (_, i) => 200 - left.length + i),
    );
    expect(left.length).toBeGreaterThan(40);
    expect(left.length).toBeLessThanOrEqual(50);
  });

  it('forgets commits of which nothing is left, but keeps controls and each producer’s newest', async () => {
    const { log, database } = open();
    const control = { kind: 'rebuild-swapped', table: 't', version: 2 } as const;
    for (let i = 0; i < 50; i++) {
      database.transaction(() =>
        log.write([pending(String(i), [], { producer: i === 7 ? 'rare' : 'p', ...(i === 20 ? { control } : {}) })]),
      );
    }
    keepHouse(log.chores);
    expect(readAll(log).map(({ position }) => position)).toEqual(['7', '20', '49']);
    expect(await log.headSeq()).toBe(50);
    expect(await log.producerPosition('rare')).toBe('7');
  });

  it('forgets the records of a deleted topic and lets its name be used again', async () => {
    const { log, database } = open();
    const spec = { name: 't', partitions: 1, cleanup: 'delete' } as const;
    log.createTopicNow(spec);
    database.transaction(() => log.write([pending('1', [{ topic: 't', key: 'old', value: 'v' }])]));
    await log.deleteTopic('t');
    log.createTopicNow(spec);
    database.transaction(() => log.write([pending('2', [{ topic: 't', key: 'new', value: 'v' }])]));
    keepHouse(log.chores);
    expect(database.prepare('SELECT count(*) FROM wt_batch').get()).toEqual([1]);
    expect(readAll(log).map((append) => recordsOf(append.records).map(({ key }) => key))).toEqual([['new']]);
    expect((await log.readTopic('t', 0, 0, 10))[0]!.offset).toBe(0);
  });
});
