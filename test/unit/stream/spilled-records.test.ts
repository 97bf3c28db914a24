// Records in a spill file are the records that were written, in whatever order they are asked for and however the pages fall; and a
// spill file leaves nothing in its folder.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { opCode } from '../../../src/core/record.js';
import { removeLeftSpillFiles, SpillFile } from '../../../src/stream/spill-file.js';
import { SpilledRecordsWriter, type SpilledRecords } from '../../../src/stream/spilled-records.js';
import { filled, recordsOf, type TestRecord } from '../../support/chunk.js';

const topics = ['a', 'b'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-spilled-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const record: fc.Arbitrary<TestRecord> = fc.record({
  topic: fc.constantFrom(...topics),
  partition: fc.integer({ min: 0, max: 2 }),
  op: fc.constantFrom('c', 'u', 'd', 'r'),
  key: fc.option(fc.string({ maxLength: 8 })),
  value: fc.option(fc.string({ unit: 'grapheme', maxLength: 60 })),
});

/** Each record lies in a buffer of its own, at some distance from its beginning. */
function spill(file: SpillFile, records: readonly TestRecord[], pageBytes: number, timestamps?: Float64Array) {
  const writer = new SpilledRecordsWriter(file, topics, pageBytes);
  records.map(filled).forEach(({ op, topic, partition, key, value }, i) => {
    const source = Buffer.from(`..${key ?? ''}${value ?? ''}`);
    const keyBytes = Buffer.byteLength(key ?? '');
    writer.add({
      op: opCode[op],
      topic: topics.indexOf(topic),
      partition,
      offset: 1000 + i,
      source,
      keyStart: 2,
      keyLength: key === null ? -1 : keyBytes,
      valueStart: 2 + keyBytes,
      valueLength: value === null ? -1 : source.length - 2 - keyBytes,
    });
  });
  return writer.finish(timestamps);
}

function expectRecords(spilled: SpilledRecords, records: readonly TestRecord[]): void {
  expect(spilled.count).toBe(records.length);
  expect(recordsOf(spilled)).toEqual(records.map(filled));
  expect(records.map((_, i) => spilled.offset(i))).toEqual(records.map((_, i) => 1000 + i));
}

it('gives back what was written, in order, again from the start, and one by one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(record, { maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 2000 }),
      fc.infiniteStream(fc.nat()),
      (appends, pageBytes, places) => {
        const file = new SpillFile(folder);
        try {
          const spilled = appends.map((records) => spill(file, records, pageBytes));
          for (const [n, records] of appends.entries()) {
            expectRecords(spilled[n]!, records);
            expectRecords(spilled[n]!, records);
            for (let times = 0; times < records.length; times++) {
              const i = (places.next().value as number) % records.length;
              expect(spilled[n]!.value(i)?.toString()).toBe(records[i]!.value ?? undefined);
            }
          }
        } finally {
          file.close();
        }
      },
    ),
  );
});

it('keeps a record that is larger than a page, and the pages around it', () => {
  const file = new SpillFile(folder);
  const records = [1, 100, 50_000, 3, 20_000, 2].map((length, i) => ({
    topic: 'a',
    key: `k${i}`,
    value: String(i).repeat(length),
  }));
  const timestamps = Float64Array.from(records, (_, i) => i);
  const spilled = spill(file, records, 1000, timestamps);
  expectRecords(spilled, records);
  expect(spilled.timestamps).toBe(timestamps);
  file.close();
});

it('has no name in the folder, and says when it is read too late', () => {
  const file = new SpillFile(folder);
  const spilled = spill(
    file,
    Array.from({ length: 100 }, (_, i) => ({ topic: 'b', key: `k${i}`, value: 'v' })),
    500,
  );
  expect(readdirSync(folder)).toEqual([]);
  file.close();
  expect(() => spilled.key(0)).toThrow(/after its file was closed/);
});

it('says what cannot be written where', () => {
  expect(() => new SpillFile(join(folder, 'nowhere'))).toThrow(
    expect.objectContaining({
      code: 'data-folder-unusable',
      message: expect.stringContaining(folder) as string,
    }) as Error,
  );
});

it('removes what a process left that died before it had taken the name away, and nothing else', () => {
  for (const name of ['spill-7-0', 'spill-4711-12', 'writethrough.db', 'spill-notes.txt']) {
    writeFileSync(join(folder, name), 'x');
  }
  removeLeftSpillFiles(folder);
  expect(readdirSync(folder).sort()).toEqual(['spill-notes.txt', 'writethrough.db']);
});
