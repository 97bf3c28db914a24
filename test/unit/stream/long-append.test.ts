// A very long append on its way into the embedded log, on disk from the producer's chunks to the engine's commit.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChunkEnds } from '../../../src/core/chunk-ends.js';
import { logHeaders } from '../../../src/core/record-headers.js';
import { extentSize, opCode, RecordSet } from '../../../src/core/record.js';
import type { Append, Chunk } from '../../../src/core/append.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../../src/stream/embedded/embedded-log.js';
import { buildChunk, recordsOf, type TestRecord } from '../../support/chunk.js';

let folder: string;
let database: SqliteDatabase;
let log: EmbeddedLog;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wt-long-'));
  database = openDatabase(join(folder, 'log.db'));
  log = openEmbeddedLog(database, { spillFolder: folder, spillBytes: 1000 });
  for (const name of ['a', 'b']) await log.createTopic({ name, partitions: 2, cleanup: 'delete' });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const withOffsets = ({ records }: Append) => recordsOf(records).map((record, i) => [record, records.offset(i)]);
const stored = (after: number) => log.readGroup(after).map(withOffsets);

const withoutLog = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !logHeaders.includes(name)));

describe('a long append', () => {
  it('has the records, in their order, and the offsets that the log gives back, also after a rollback', async () => {
    const record: fc.Arbitrary<TestRecord> = fc.record({
      topic: fc.constantFrom('a', 'b'),
      partition: fc.integer({ min: 0, max: 1 }),
      key: fc.option(fc.string({ maxLength: 4 })),
      value: fc.option(fc.string({ maxLength: 40 })),
    });
    const chunks = fc.array(fc.array(record, { maxLength: 20 }), { minLength: 1, maxLength: 8 });
    const producer = await log.openProducer('p');
    let position = 0;
    await fc.assert(
      fc.asyncProperty(chunks, async (pieces) => {
        const after = await log.headSeq();
        for (const piece of pieces) await producer.write(buildChunk(piece));
        await producer.write(buildChunk([{ end: { position: String(++position) } }]));
        const group = log.queue.take(1);
        const failing = () =>
          database.transaction(() => {
            log.write(group);
            throw new Error('a part fails');
          });
        expect(failing).toThrow('a part fails');
        const written = database.transaction(() => {
          const appends = log.write(group);
          expect(appends.map(withOffsets)).toEqual([expect.anything()]);
          return appends;
        });
        // As the projector walks over them: in order, and again from the start.
        const applied = written.map(withOffsets);
        expect(written.map(withOffsets)).toEqual(applied);
        expect(stored(after)).toEqual(applied);
        expect(applied[0]!.map(([each]) => each)).toEqual(recordsOf(written[0]!.records));
        const sent = pieces.flat().map(({ key, value }) => ({ key, value }));
        expect(applied[0]!.map(([each]) => each)).toMatchObject(sent);
        log.queue.confirm(written);
      }),
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('spill'))).toEqual([]);
  });

  it('keeps the headers of its records', async () => {
    const producer = await log.openProducer('p');
    const records = Array.from({ length: 60 }, (_, i): TestRecord => {
      const record = { topic: 'a', key: `k${i}`, value: i % 5 === 0 ? null : 'v'.repeat(i) };
      return i % 3 === 0 ? record : { ...record, headers: { __i: String(i), __text: 'é'.repeat(i) } };
    });
    for (let from = 0; from < 60; from += 20) await producer.write(buildChunk(records.slice(from, from + 20)));
    await producer.write(buildChunk([{ end: { position: '1' } }]));
    const group = log.queue.take(1);
    expect(group[0]!.records).not.toBeInstanceOf(RecordSet);
    log.queue.confirm(database.transaction(() => log.write(group)));
    const tapped = await log.readTopic('a', 0, 0, 100);
    expect(tapped.map(({ headers }) => withoutLog(headers))).toEqual(records.map(({ headers = {} }) => headers));
  });

  it('costs the same memory whatever its length', async () => {
    const producer = await log.openProducer('p');
    await producer.write(longChunk(100, []));
    const start = held();
    let most = 0;
    const look = () => (most = Math.max(most, held() - start));
    const chunkRecords = 5000;
    const chunkCount = 200;
    for (let i = 0; i < chunkCount; i++) {
      await producer.write(longChunk(chunkRecords, []));
      if (i % 20 === 0) look();
    }
    look();
    await producer.write(longChunk(0, ['1']));
    const group = log.queue.take(1);
    const written = database.transaction(() => {
      const appends = log.write(group);
      look();
      let count = 0;
      for (const { records } of appends) {
        for (let i = 0; i < records.count; i++) {
          if (records.offset(i)! >= 0 && records.key(i) !== null) count++;
          if (i % 100_000 === 0) look();
        }
      }
      expect(count).toBe(100 + chunkRecords * chunkCount);
      return appends;
    });
    log.queue.confirm(written);
    // Extents and offsets alone would be 40 MB. What is left: two batches under construction (4 MB each before they are written, in
    // buffers that double) and two bytes for each change between the topics.
    expect(most).toBeLessThan(32 * 1024 * 1024);
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memory that is really held. */
function held(): number {
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

/** Records of a few bytes that alternate between two topics. */
function longChunk(count: number, positions: readonly string[]): Chunk {
  const extents = new Int32Array(count * extentSize);
  for (let i = 0; i < count; i++) extents.set([opCode.c, i & 1, 0, 0, i * 8, 4, i * 8 + 4, 4], i * extentSize);
  const ends = ChunkEnds.of(positions.map((position) => ({ recordEnd: count, position, commitTimeUs: 1 })));
  return { data: new Uint8Array(count * 8), topics: ['a', 'b'], extents, recordCount: count, ends };
}
