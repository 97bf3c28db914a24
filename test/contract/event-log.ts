// What every event log must do, whatever it stands on: the promises of src/stream/event-log.ts as tests. A harness opens the log
// over one storage, again and again where a test asks for a restart.
import { bounds } from '../../src/core/bounds.js';
import { logHeaders } from '../../src/core/record-headers.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Append } from '../../src/core/append.js';
import type { AppendProducer, EventLog, TopicSpec } from '../../src/stream/event-log.js';
import {
  appendChunk,
  buildChunk,
  filled,
  kept,
  recordsOf,
  testCommitTimeUs,
  type TestRecord,
} from '../support/chunk.js';

export interface EventLogHarness {
  /** Opens the log over this harness's storage; at most one is open at a time unless `shared`. */
  open(): Promise<EventLog>;
  /** Ends the log as a killed process would: without its close. */
  abandon(log: EventLog): Promise<void>;
  /** Runs compaction of what was written so far to its end. Undefined: the storage compacts when it likes. */
  readonly compact?: ((log: EventLog) => Promise<void>) | undefined;
  /** Applies retention now; undefined: the storage does when it likes. */
  readonly expire?: ((log: EventLog) => Promise<void>) | undefined;
  /** Names of topics and producers of this test, so that tests may share a server. */
  name(name: string): string;
  dispose(): Promise<void>;
}

export function eventLogContract(subject: string, createHarness: () => Promise<EventLogHarness>): void {
  describe(`${subject} as an event log`, () => {
    let harness: EventLogHarness;
    let log: EventLog;
    let a: string;
    let b: string;

    beforeEach(async () => {
      harness = await createHarness();
      log = await harness.open();
      a = harness.name('a');
      b = harness.name('b');
      await log.createTopic(topic(a, 1));
      await log.createTopic(topic(b, 3));
    });
    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    async function reopen(): Promise<void> {
      await log.close();
      log = await harness.open();
    }

    describe('appends', () => {
      it('come back whole, in order, with producer, position, time, transaction id, control and rising seqs', async () => {
        const producer = await log.openProducer(harness.name('p'));
        expect(producer.position).toBeNull();
        const control = { kind: 'snapshot-completed', connector: 'c', topics: [a] } as const;
        await producer.write(
          appendChunk('1', [row(a, 'k1', 'v1'), row(b, 'k2', 'v2', 2)], {
            transactionId: 'gtid:1',
            commitTimeUs: 1_000_001,
          }),
        );
        await producer.write(appendChunk('2', [row(b, 'k2', null, 2)], { commitTimeUs: testCommitTimeUs, control }));
        const seq = await producer.flush();
        const appends = await readAll(log, 0);
        expect(
          appends.map(({ producer: p, position, commitTimeUs, transactionId, control: c }) => ({
            p,
            position,
            commitTimeUs,
            transactionId,
            c,
          })),
        ).toEqual([
          { p: harness.name('p'), position: '1', commitTimeUs: 1_000_001, transactionId: 'gtid:1', c: undefined },
          { p: harness.name('p'), position: '2', commitTimeUs: testCommitTimeUs, transactionId: undefined, c: control },
        ]);
        expect(appends.map((append) => recordsOf(append.records))).toEqual([
          [row(a, 'k1', 'v1'), row(b, 'k2', 'v2', 2)].map(filled),
          [filled(row(b, 'k2', null, 2))],
        ]);
        expectRising(appends);
        expect(appends.at(-1)!.seq).toBe(seq);
        expect(await log.headSeq()).toBe(seq);
      });

      it('keep the order of their records across topics and partitions', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const records = Array.from({ length: 200 }, (_, i) =>
          row(i % 3 === 0 ? a : b, `k${i}`, `v${i}`, i % 3 === 0 ? 0 : i % 2),
        );
        await producer.write(appendChunk('1', records));
        await producer.flush();
        const [append] = await readAll(log, 0);
        expect(recordsOf(append!.records)).toEqual(records.map(filled));
      });

      it('keep op, null keys, tombstones, empty keys and empty values apart', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const records: TestRecord[] = [
          { topic: a, key: null, value: 'v', op: 'r' },
          { topic: a, key: '', value: '', op: 'u' },
          { topic: a, key: 'k', value: null, op: 'd' },
          { topic: a, key: 'k', value: 'ü€😀', op: 'c' },
        ];
        await producer.write(appendChunk('1', records));
        await producer.flush();
        expect(recordsOf((await readAll(log, 0))[0]!.records)).toEqual(records.map(filled));
      });

      it('may end anywhere in a chunk and span several', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const rows = Array.from({ length: 7 }, (_, i) => row(i % 2 === 0 ? a : b, `k${i}`, `v${i}`));
        await producer.write(buildChunk([rows[0]!, { end: { position: '1' } }, rows[1]!]));
        await producer.write(buildChunk([rows[2]!, rows[3]!]));
        await producer.write(
          buildChunk([rows[4]!, { end: { position: '2' } }, rows[5]!, { end: { position: '3' } }, rows[6]!]),
        );
        await producer.write(buildChunk([{ end: { position: '4' } }]));
        await producer.flush();
        const appends = await readAll(log, 0);
        expect(
          appends.map((append) => [append.position, recordsOf(append.records).map((record) => record.key)]),
        ).toEqual([
          ['1', ['k0']],
          ['2', ['k1', 'k2', 'k3', 'k4']],
          ['3', ['k5']],
          ['4', ['k6']],
        ]);
      });

      it('without records move the position, alone and between others', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(
          buildChunk([
            { end: { position: '1' } },
            { end: { position: '2' } },
            row(a, 'k', 'v'),
            { end: { position: '3' } },
          ]),
        );
        await producer.write(appendChunk('4'));
        await producer.flush();
        expect(await log.producerPosition(harness.name('p'))).toBe('4');
        const appends = await readAll(log, 0);
        expect(appends.at(-1)!.position).toBe('4');
        expect(appends.map((append) => append.records.count).reduce((sum, n) => sum + n)).toBe(1);
        expectRising(appends);
      });

      it('of several producers keep each producer’s own order', async () => {
        const names = ['p', 'q', 'r'].map((name) => harness.name(name));
        const producers = await Promise.all(names.map((name) => log.openProducer(name)));
        await Promise.all(
          producers.map(async (producer, p) => {
            for (let i = 0; i < 30; i++) await producer.write(appendChunk(String(i), [row(b, `${p}-${i}`, 'v', p)]));
            await producer.flush();
          }),
        );
        const appends = await readAll(log, 0);
        expectRising(appends);
        for (const name of names) {
          const positions = appends.filter((append) => append.producer === name).map((append) => append.position);
          expect(positions).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
        }
      });

      it('that are not ended are never seen, neither before nor after a restart', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(buildChunk([row(a, 'k1', 'v'), { end: { position: '1' } }, row(a, 'k2', 'open')]));
        await producer.flush();
        expect((await readAll(log, 0)).flatMap((append) => recordsOf(append.records))).toEqual([
          filled(row(a, 'k1', 'v')),
        ]);
        await producer.close();
        await reopen();
        const again = await log.openProducer(harness.name('p'));
        expect(again.position).toBe('1');
        await again.write(appendChunk('2', [row(a, 'k3', 'v')]));
        await again.flush();
        expect(
          (await readAll(log, 0)).flatMap((append) => recordsOf(append.records)).map((record) => record.key),
        ).toEqual(['k1', 'k3']);
      });
    });

    describe('a producer', () => {
      it('finds its position again, which is that of its last durable append', async () => {
        const producer = await log.openProducer(harness.name('p'));
        for (let i = 1; i <= 5; i++) await producer.write(appendChunk(`pos ${i}`, [row(a, `k${i}`, 'v')]));
        await producer.flush();
        await producer.close();
        await reopen();
        expect(await log.producerPosition(harness.name('p'))).toBe('pos 5');
        expect(await log.producerPosition(harness.name('unknown'))).toBeNull();
        expect((await log.openProducer(harness.name('p'))).position).toBe('pos 5');
      });

      it('keeps a position of any length, given once for several appends, and never some of those without it', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const set = (n: number) => `${'3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9,'.repeat(200)}${n}`;
        // More than go into one Kafka transaction, and more bytes than one commit of the engine has.
        let n = 0;
        for (let chunk = 0; chunk < 30; chunk++) {
          const parts = Array.from({ length: 200 }, (_, i) => [
            row(a, `k${++n}`, 'v'.repeat(100)),
            { end: { position: i === 199 ? set(n) : null } },
          ]);
          await producer.write(buildChunk(parts.flat()));
        }
        const seq = await producer.flush();
        expect(await log.producerPosition(harness.name('p'))).toBe(set(n));
        expect((await log.openProducer(harness.name('p'))).position).toBe(set(n));
        const appends = await readAll(log, 0);
        expect([appends.length, appends.at(-1)!.seq]).toEqual([n, seq]);
        for (const { position, records } of appends) {
          const key = recordsOf(records)[0]!.key!;
          if (position !== null) expect(position).toBe(set(Number(key.slice(1))));
        }
      });

      it('tells of durable appends in order, up to the last', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const told: [string, number][] = [];
        producer.onDurable((position, seq) => told.push([position, seq]));
        for (let i = 1; i <= 20; i++) await producer.write(appendChunk(String(i), [row(a, `k${i}`, 'v')]));
        const seq = await producer.flush();
        expect(told.at(-1)).toEqual(['20', seq]);
        expect(told.map(([position]) => Number(position))).toEqual(
          told.map(([position]) => Number(position)).sort((x, y) => x - y),
        );
        const appends = await readAll(log, 0);
        for (const [position, s] of told) expect(appends.find((append) => append.seq === s)?.position).toBe(position);
      });

      it('is fenced by the next one of its name, which starts where the durable appends end', async () => {
        const first = await log.openProducer(harness.name('p'));
        await first.write(appendChunk('1', [row(a, 'k1', 'v')]));
        await first.flush();
        await first.write(buildChunk([row(a, 'open', 'v')]));
        const second = await log.openProducer(harness.name('p'));
        expect(second.position).toBe('1');
        await second.write(appendChunk('2', [row(a, 'k2', 'v')]));
        await second.flush();
        await expect(use(first)).rejects.toMatchObject({ code: 'producer-fenced' });
        const appends = await readAll(log, 0);
        expect(appends.map((append) => append.position)).toEqual(['1', '2']);
        expect(appends.flatMap((append) => recordsOf(append.records)).map((record) => record.key)).toEqual([
          'k1',
          'k2',
        ]);
      });

      it('that was killed leaves whole appends only, and its position tells which', async () => {
        const producer = await log.openProducer(harness.name('p'));
        let durable = 0;
        producer.onDurable((position) => (durable = Number(position)));
        await producer.write(appendChunk('1', [row(a, 'k1-a', 'v'), row(b, 'k1-b', 'v')]));
        await producer.flush();
        // Not waited for: durable or not, but never in part.
        const rest = [2, 3, 4].map((i) =>
          producer.write(appendChunk(String(i), [row(a, `k${i}-a`, 'v'), row(b, `k${i}-b`, 'v')])),
        );
        await harness.abandon(log);
        await Promise.allSettled(rest);
        const told = durable;
        log = await harness.open();
        const again = await log.openProducer(harness.name('p'));
        const position = Number(again.position);
        expect(position).toBeGreaterThanOrEqual(Math.max(1, told));
        const appends = await readAll(log, 0);
        expect(appends.map((append) => Number(append.position))).toEqual(
          Array.from({ length: position }, (_, i) => i + 1),
        );
        for (const append of appends) {
          expect(recordsOf(append.records).map((record) => record.key)).toEqual([
            `k${append.position}-a`,
            `k${append.position}-b`,
          ]);
        }
        await again.write(appendChunk(String(position + 1), [row(a, 'later', 'v')]));
        await again.flush();
        expectRising(await readAll(log, 0));
      });
    });

    describe('a reader', () => {
      it('resumes anywhere and sees exactly what follows', async () => {
        const producer = await log.openProducer(harness.name('p'));
        for (let i = 0; i < 25; i++) {
          await producer.write(appendChunk(String(i), [row(b, `k${i}`, 'v', i % 3)]));
          if (i % 7 === 0) await producer.flush();
        }
        await producer.flush();
        const all = await readAll(log, 0);
        for (let i = 0; i < all.length; i++) {
          const rest = await readAll(log, all[i]!.seq);
          expect(rest.map(described)).toEqual(all.slice(i + 1).map(described));
        }
        expect(await readAll(log, await log.headSeq())).toEqual([]);
      });

      it('that asks for topics gets their records only, but every append', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(appendChunk('1', [row(a, 'k1', 'v'), row(b, 'k2', 'v'), row(a, 'k3', 'v')]));
        await producer.write(appendChunk('2', [row(b, 'k4', 'v')]));
        await producer.flush();
        const appends = await readAll(log, 0, [a]);
        expect(
          appends.map((append) => [append.position, recordsOf(append.records).map((record) => record.key)]),
        ).toEqual([
          ['1', ['k1', 'k3']],
          ['2', []],
        ]);
      });

      it('that follows gets what is appended later, until its signal aborts', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(appendChunk('1', [row(a, 'k1', 'v')]));
        await producer.flush();
        const stop = new AbortController();
        const seen: string[] = [];
        const reading = (async () => {
          for await (const group of log.read(0, { follow: true, signal: stop.signal })) {
            for (const append of group) seen.push(append.position!);
            if (seen.length === 1) await producer.write(appendChunk('2', [row(a, 'k2', 'v')]));
            if (seen.length === 2) stop.abort();
          }
        })();
        await reading.catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
        expect(seen).toEqual(['1', '2']);
      });

      it('sees the same after a restart, under the same log id', async () => {
        const producer = await log.openProducer(harness.name('p'));
        for (let i = 0; i < 10; i++) await producer.write(appendChunk(String(i), [row(b, `k${i}`, `v${i}`, i % 3)]));
        await producer.flush();
        const before = await readAll(log, 0);
        const { logId } = log;
        await producer.close();
        await reopen();
        expect(log.logId).toBe(logId);
        expect((await readAll(log, 0)).map(described)).toEqual(before.map(described));
      });
    });

    describe('a topic', () => {
      it('is created once and keeps its partitions', async () => {
        await log.createTopic(topic(b, 5));
        const found = (await log.topics()).find((description) => description.name === b);
        expect(found?.partitions).toBe(3);
        expect(found?.offsets).toHaveLength(3);
      });

      it('is not made with more partitions than the bound', async () => {
        const name = `${a}_wide`;
        await expect(log.createTopic(topic(name, 1_000_000_000))).rejects.toMatchObject({
          code: bounds.partitions.code,
        });
        expect(await log.partitions(name, 'now')).toBeUndefined();
      });

      it('gives its records by partition and offset, as the appends say', async () => {
        const producer = await log.openProducer(harness.name('p'));
        for (let i = 0; i < 12; i++)
          await producer.write(appendChunk(String(i), [row(b, `k${i}`, `v${i}`, 1), row(b, `x${i}`, null, 2)]));
        await producer.flush();
        const tapped = await log.readTopic(b, 1, 0, 1000);
        expect(tapped.map((record) => [record.key?.toString(), record.value?.toString()])).toEqual(
          Array.from({ length: 12 }, (_, i) => [`k${i}`, `v${i}`]),
        );
        expect(tapped[0]).toMatchObject({ topic: b, partition: 1, timestampMs: Math.floor(testCommitTimeUs / 1000) });
        const appends = await readAll(log, 0);
        expect(tapped.map((record) => record.offset)).toEqual(appends.map((append) => append.records.offset(0)));
        const middle = tapped[5]!.offset;
        expect((await log.readTopic(b, 1, middle, 3)).map((record) => record.key?.toString())).toEqual([
          'k5',
          'k6',
          'k7',
        ]);
        expect((await log.readTopic(b, 2, 0, 1))[0]!.value).toBeNull();
        for (const bytesMax of [1, 5, 9, 1_000]) {
          const paged: (typeof tapped)[number][] = [];
          const most = Math.max(1, Math.ceil(bytesMax / 4));
          for (let offset = 0; ; offset = paged.at(-1)!.offset + 1) {
            const page = await log.readTopic(b, 1, offset, 1000, undefined, bytesMax);
            if (page.length === 0) break;
            expect(page.length).toBeLessThanOrEqual(most);
            paged.push(...page);
          }
          expect(paged).toEqual(tapped);
        }
      });

      it('gives its records the headers that they had, and nothing else has them', async () => {
        const producer = await log.openProducer(harness.name('p'));
        const long = { __op: 'u', __query: 'é'.repeat(5000), '': '' };
        const records: TestRecord[] = [
          { ...row(a, 'k1', 'v1'), headers: { __op: 'c', __source_ts_ms: '17' } },
          row(a, 'k2', 'v2'),
          { ...row(a, 'k1', null), headers: { __op: 'd' } },
          { ...row(a, null as unknown as string, ''), headers: long },
          row(a, 'k4', 'v4'),
        ];
        await producer.write(appendChunk('1', records, { transactionId: 'gtid:1' }));
        await producer.flush();
        expect((await readAll(log, 0)).flatMap((append) => recordsOf(append.records))).toEqual(records.map(filled));
        const tapped = await log.readTopic(a, 0, 0, 1000);
        expect(tapped.map(({ key, value }) => [key?.toString() ?? null, value?.toString() ?? null])).toEqual(
          records.map(({ key, value }) => [key, value]),
        );
        const own = tapped.map(({ headers }) =>
          Object.fromEntries(Object.entries(headers).filter(([name]) => !logHeaders.includes(name))),
        );
        expect(own).toEqual(records.map(({ headers = {} }) => headers));
        expect(tapped.map(({ headers }) => headers['op'])).toEqual(['c', 'c', 'd', 'c', 'c']);
      });

      it('says where its partitions begin and end', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(appendChunk('1', [row(b, 'k1', 'v', 1), row(b, 'k2', 'v', 1)]));
        await producer.flush();
        const offsets = (await log.topics()).find((description) => description.name === b)!.offsets;
        expect(offsets[0]!.next).toBe(offsets[0]!.first);
        const last = (await log.readTopic(b, 1, offsets[1]!.first, 10)).at(-1)!;
        expect(last.offset).toBeLessThan(offsets[1]!.next);
      });

      it('gives everything before an end that it has told, as soon as it is durable', async () => {
        const producer = await log.openProducer(harness.name('p'));
        for (let i = 0; i < 12; i++) {
          await producer.write(appendChunk(String(i), [row(b, `k${i}`, 'v', 1)]));
          await producer.flush();
          const ends = await log.partitionEnds(b);
          expect(ends).toHaveLength(3);
          const seen = await log.readTopic(b, 1, 0, 1000, ends[1]);
          expect(seen.map(({ key }) => key?.toString())).toEqual(Array.from({ length: i + 1 }, (_, k) => `k${k}`));
          expect(seen.at(-1)!.offset).toBeLessThan(ends[1]!);
          expect(await log.readTopic(b, 0, 0, 1000, ends[0])).toEqual([]);
        }
      });

      it('tells how many partitions it has, alone, and nothing once it is gone', async () => {
        const [name, other] = [harness.name('counted'), harness.name('uncounted')];
        await log.createTopic({ name, partitions: 3, cleanup: 'delete' });
        expect([await log.partitions(name, 'known'), await log.partitions(name, 'now')]).toEqual([3, 3]);
        expect(await log.partitions(other, 'now')).toBeUndefined();
        await log.deleteTopic(name);
        expect([await log.partitions(name, 'known'), await log.partitions(name, 'now')]).toEqual([
          undefined,
          undefined,
        ]);
      });

      it('that is not there is an unknown topic', async () => {
        await expect(log.partitionEnds(harness.name('nope'))).rejects.toMatchObject({ code: 'unknown-topic' });
        await expect(log.readTopic(harness.name('nope'), 0, 0, 1)).rejects.toMatchObject({ code: 'unknown-topic' });
        await expect(log.deleteTopic(harness.name('nope'))).rejects.toMatchObject({ code: 'unknown-topic' });
      });

      it('that is deleted takes its records along, and the appends stay', async () => {
        const producer = await log.openProducer(harness.name('p'));
        await producer.write(appendChunk('1', [row(a, 'k1', 'v'), row(b, 'k2', 'v')]));
        await producer.flush();
        await log.deleteTopic(a);
        expect((await log.topics()).map((description) => description.name)).not.toContain(a);
        expect(
          (await readAll(log, 0, [b])).map((append) => recordsOf(append.records).map((record) => record.key)),
        ).toEqual([['k2']]);
      });
    });

    describe('compaction', () => {
      it('leaves the last record of each key, with its offset, and the order of appends', async (test) => {
        if (harness.compact === undefined) return test.skip('this log compacts when it likes');
        const producer = await log.openProducer(harness.name('p'));
        const compacted = harness.name('compacted');
        await log.createTopic({ ...topic(compacted, 1), cleanup: 'compact' });
        for (let i = 0; i < 40; i++) {
          const compactedRow = { ...row(compacted, `k${i % 4}`, `v${i}`), headers: { __i: String(i) } };
          await producer.write(appendChunk(String(i), [compactedRow, row(a, `x${i}`, 'v')]));
          await producer.flush();
        }
        const before = await readAll(log, 0);
        await harness.compact(log);
        const after = (await readAll(log, 0)).flatMap((append) =>
          recordsOf(append.records).map((record, i) => ({
            ...record,
            seq: append.seq,
            offset: append.records.offset(i),
          })),
        );
        const kept = after.filter((record) => record.topic === compacted);
        expect(kept.map((record) => record.value)).toEqual(['v36', 'v37', 'v38', 'v39']);
        expect(after.filter((record) => record.topic === a)).toHaveLength(40);
        for (const record of kept) {
          const original = before.find((append) => append.seq === record.seq)!;
          const index = recordsOf(original.records).findIndex((candidate) => candidate.value === record.value);
          expect(original.records.offset(index)).toBe(record.offset);
        }
        const tapped = await log.readTopic(compacted, 0, 0, 100);
        expect(tapped.map((record) => [record.offset, record.value?.toString()])).toEqual(
          kept.map((record) => [record.offset, record.value]),
        );
        expect(tapped.map(({ headers }) => headers['__i'])).toEqual(['36', '37', '38', '39']);
      });
    });

    it('alters the limits of a topic, and no other of its settings', async () => {
      const name = harness.name('altered');
      await log.createTopic({ ...topic(name, 2), retentionMs: 60_000 });
      const told = async () => (await log.topics()).find((each) => each.name === name);
      await log.alterTopic(name, { retentionMs: 120_000, retentionBytes: 5_000_000 });
      expect(await told()).toMatchObject({ cleanup: 'delete', retentionMs: 120_000, retentionBytes: 5_000_000 });
      await log.alterTopic(name, {});
      expect(await told()).toMatchObject({ cleanup: 'delete', partitions: 2 });
      expect([(await told())?.retentionMs, (await told())?.retentionBytes]).toEqual([undefined, undefined]);
      await expect(log.alterTopic(harness.name('nothing'), {})).rejects.toMatchObject({ code: 'unknown-topic' });
    });

    describe('retention', () => {
      it('lets old records go, and tells a reader who needs them', async (test) => {
        if (harness.expire === undefined) return test.skip('this log lets records go when it likes');
        const producer = await log.openProducer(harness.name('p'));
        const short = harness.name('short');
        await log.createTopic({ ...topic(short, 1), retentionMs: 1000 });
        await producer.write(appendChunk('1', [row(short, 'old', 'v')], { commitTimeUs: 1_000_000 }));
        await producer.flush();
        await producer.write(
          appendChunk('2', [row(short, 'new', 'v')], { commitTimeUs: Date.now() * 1000 + 60_000_000 }),
        );
        await producer.flush();
        await harness.expire(log);
        const [first] = (await log.topics()).find((description) => description.name === short)!.offsets;
        expect((await log.readTopic(short, 0, first!.first, 10)).map((record) => record.key?.toString())).toEqual([
          'new',
        ]);
        await expect(readAll(log, 0, [short])).rejects.toMatchObject({ code: 'too-old' });
        expect(await readAll(log, 0, [a])).toBeDefined();
      });
    });
  });
}

function topic(name: string, partitions: number): TopicSpec {
  return { name, partitions, cleanup: 'delete' };
}

function row(topicName: string, key: string, value: string | null, partition = 0): TestRecord {
  return { topic: topicName, partition, key, value };
}

export async function readAll(log: EventLog, after: number, topics?: readonly string[]): Promise<Append[]> {
  const appends: Append[] = [];
  for await (const group of log.read(after, { follow: false, topics })) appends.push(...group.map(kept));
  return appends;
}

function described(append: Append): unknown {
  const { seq, producer, position, records } = append;
  return {
    seq,
    producer,
    position,
    records: recordsOf(records),
    offsets: Array.from({ length: records.count }, (_, i) => records.offset(i)),
  };
}

function expectRising(appends: readonly Append[]): void {
  for (let i = 1; i < appends.length; i++) expect(appends[i]!.seq).toBeGreaterThan(appends[i - 1]!.seq);
}

/** A fenced producer learns of it on its next use: the write, or at the latest the flush behind it. */
async function use(producer: AppendProducer): Promise<void> {
  await producer.write(appendChunk('x'));
  await producer.flush();
}
