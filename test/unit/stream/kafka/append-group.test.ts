// The law of the way there and back: appends put into groups, batches stored at whatever offsets the broker gives (others write in
// between); the builder gives the same appends again, in order, and so does the merge, which has not more of them than it asks for at a
// time. (Compaction is tested with a broker.)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Append } from '../../../../src/core/append.js';
import { AppendBuilder } from '../../../../src/stream/kafka/append-builder.js';
import { AppendGroup, type TargetTopic } from '../../../../src/stream/kafka/append-group.js';
import { AppendMerge } from '../../../../src/stream/kafka/append-merge.js';
import { endOf, parseCommit, printCommit, type Commit } from '../../../../src/stream/kafka/commit-record.js';
import { FetchQueue } from '../../../../src/stream/kafka/fetch-queue.js';
import { RecordReader } from '../../../../src/stream/kafka/record-reader.js';
import { SpillFile } from '../../../../src/stream/spill-file.js';
import { appendChunk, recordsOf, type TestRecord } from '../../../support/chunk.js';

const header = { logId: 'k', base: 0 };
const topics = ['a', 'b'];
const targets = new Map<string, TargetTopic>(
  topics.map((name) => [name, { name, topicId: name.repeat(32), leaders: [0, 0, 0], messageBytesMax: 400 }]),
);

interface Sample {
  readonly position: string;
  readonly transactionId: string | undefined;
  readonly records: readonly TestRecord[];
}

const record: fc.Arbitrary<TestRecord> = fc.record({
  topic: fc.constantFrom(...topics),
  partition: fc.integer({ min: 0, max: 2 }),
  op: fc.constantFrom('c', 'u', 'd', 'r'),
  key: fc.option(fc.string({ maxLength: 8 })),
  value: fc.option(fc.string({ unit: 'grapheme', maxLength: 60 })),
});
const sample: fc.Arbitrary<Sample> = fc.record({
  position: fc.string({ maxLength: 20 }),
  transactionId: fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
  records: fc.array(record, { maxLength: 30 }),
});

function encode(samples: readonly Sample[]): AppendGroup {
  const group = new AppendGroup(false);
  samples.forEach(({ position, transactionId, records }, i) => {
    const chunk = appendChunk(position, records, {
      commitTimeUs: 1000 * i,
      ...(transactionId === undefined ? {} : { transactionId }),
    });
    const end = { position, commitTimeUs: 1000 * i, transactionId };
    group.beginAppend(end, undefined);
    group.addRecords({
      buffers: [Buffer.from(chunk.data.buffer)],
      targets: chunk.topics.map((name) => targets.get(name)!),
      extents: chunk.extents,
      from: 0,
      to: chunk.recordCount,
    });
    group.endAppend(end);
  });
  group.sealed = true;
  return group;
}

/** Stores the batches like a broker; gives what a fetch of each partition would. */
function store(group: AppendGroup, gap: () => number): Map<string, Buffer> {
  const stored = new Map<string, Buffer>();
  for (const part of group.sendable()) {
    const { topic, partition, batches } = part;
    let offset = gap();
    const images = batches.map((batch) => {
      const image = Buffer.from(batch.seal({ producerId: 1, producerEpoch: 0 }, 0));
      image.writeUInt32BE(offset, 4);
      part.stored(offset, batch.count);
      offset += batch.count + gap();
      return image;
    });
    stored.set(`${topic}/${partition}`, Buffer.concat(images));
  }
  return stored;
}

function commitOf(group: AppendGroup): Commit {
  const commit = {
    session: 's',
    number: 1,
    position: null,
    parts: group.parts,
    appends: group.appends,
    sink: false,
    imported: false,
  };
  return parseCommit(Buffer.from(printCommit(commit)), 'the test');
}

function readBack(commit: Commit, stored: ReadonlyMap<string, Buffer>, after: number): Append[] {
  const feeds = commit.parts.map((part) => {
    const { topic, topicId, partition, segments } = part;
    const feed = new FetchQueue(topic, topicId, partition, segments[0]!);
    feed.want(segments[0]!, endOf(part));
    const data = stored.get(`${topic}/${partition}`)!;
    feed.push(new RecordReader(data), data.length, endOf(part));
    return feed;
  });
  return new AppendBuilder({ offset: 2, producer: 'p', commit }, feeds, header).appends(after);
}

/** The same by a merge, which gets the next batch of a partition when it asks for it. */
async function mergeBack(
  commit: Commit,
  stored: ReadonlyMap<string, Buffer>,
  after: number,
  file: SpillFile,
): Promise<Append[]> {
  const rests = new Map<FetchQueue, Buffer>();
  const feeds = commit.parts.map((part) => {
    const { topic, topicId, partition, segments } = part;
    const feed = new FetchQueue(topic, topicId, partition, segments[0]!);
    feed.want(segments[0]!, endOf(part));
    rests.set(feed, stored.get(`${topic}/${partition}`)!);
    return feed;
  });
  const ready = async (feed: FetchQueue, end: number) => {
    while (feed.position < end) {
      const rest = rests.get(feed)!;
      const length = 12 + rest.readInt32BE(8);
      const batch = rest.subarray(0, length);
      const reader = new RecordReader(batch);
      reader.nextBatch();
      rests.set(feed, rest.subarray(length));
      await Promise.resolve();
      feed.push(new RecordReader(batch), length, reader.lastOffset + 1);
    }
  };
  const options = { header, file, ready, pageBytes: 300 };
  return new AppendMerge({ offset: 2, producer: 'p', commit }, feeds, options).appends(after);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-merge-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a group of appends', () => {
  it('comes back as it was, wherever the broker has put its batches', () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        fc.nat(),
        (samples, gaps, start) => {
          const group = encode(samples);
          const stored = store(group, () => gaps.next().value as number);
          const skip = start % samples.length;
          const appends = readBack(commitOf(group), stored, 2 * 4096 + skip - 1);
          expect(
            appends.map(({ seq, position, commitTimeUs, transactionId }) => ({
              seq,
              position,
              commitTimeUs,
              transactionId,
            })),
          ).toEqual(
            samples
              .map(({ position, transactionId }, i) => ({
                seq: 2 * 4096 + i,
                position,
                commitTimeUs: 1000 * i,
                transactionId,
              }))
              .slice(skip),
          );
          expect(appends.map((append) => recordsOf(append.records))).toEqual(
            samples.map(({ records }) => records).slice(skip),
          );
        },
      ),
    );
  });

  it('comes back the same from a spill file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        fc.nat(),
        async (samples, gaps, start) => {
          const group = encode(samples);
          const stored = store(group, () => gaps.next().value as number);
          const after = 2 * 4096 + (start % samples.length) - 1;
          const commit = commitOf(group);
          const file = new SpillFile(folder);
          try {
            expect((await mergeBack(commit, stored, after, file)).map(held)).toEqual(
              readBack(commit, stored, after).map(held),
            );
          } finally {
            file.close();
          }
        },
      ),
    );
  });

  it('is refused from a spill file when a partition holds other records than the commit says', async () => {
    const samples = [1, 2].map((n) => ({
      position: String(n),
      transactionId: undefined,
      records: [0, 1].map((partition) => ({ topic: 'a', partition, key: 'k', value: `v${n}` })),
    }));
    const group = encode(samples);
    const stored = store(group, () => 0);
    const { parts, appends, ...rest } = commitOf(group);
    // Of partition 1 the commit counts both records as the first append's.
    const counts = [0, 1, 1, 2];
    const commit = { ...rest, parts, appends: [{ ...appends[0]!, counts }] };
    const file = new SpillFile(folder);
    await expect(mergeBack(commit, stored, 0, file)).rejects.toMatchObject({ code: 'log-corrupt' });
    file.close();
  });

  it('that was sent in part is sent again from its start', () => {
    const samples = [
      {
        position: '1',
        transactionId: undefined,
        records: [{ topic: 'a', partition: 0, op: 'c', key: 'k', value: 'v' }],
      },
    ] as const;
    const group = encode(samples);
    store(group, () => 5);
    group.rewind();
    const stored = store(group, () => 9);
    expect(group.parts[0]!.segments).toEqual([9, 1]);
    const [append] = readBack(commitOf(group), stored, 0);
    expect(recordsOf(append!.records)).toEqual(samples[0].records);
  });
});

function held({ records, ...rest }: Append): unknown {
  const offsets = Array.from({ length: records.count }, (_, i) => records.offset(i));
  return { ...rest, records: recordsOf(records), offsets, timestamps: records.timestamps };
}

describe('a commit record', () => {
  it('is refused when it is not ours', () => {
    for (const text of ['', 'null', '{}', '[1]', '{"s":"x"}']) {
      expect(() => parseCommit(Buffer.from(text), 'x')).toThrow(
        expect.objectContaining({ code: 'log-foreign' }) as Error,
      );
    }
    expect(() => parseCommit(null, 'x')).toThrow(expect.objectContaining({ code: 'log-foreign' }) as Error);
  });
});
