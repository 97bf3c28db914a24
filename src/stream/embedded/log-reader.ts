// The reading side of the embedded log: groups of whole appends, and records of a partition for taps. Synchronous, over any
// connection to the file; on the writer's own it must not run inside a transaction (it would see what is not committed).
import { AppError } from '../../core/errors.js';
import { readHeaders } from '../../core/record-headers.js';
import { extent, extentSize, headersSize, headersStart, opOfCode } from '../../core/record.js';
import type { Append } from '../../core/append.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { TapRecord, TopicDescription } from '../event-log.js';
import { tapRecordBytes } from '../tap-record.js';
import { decodeBatch, type DecodedBatch } from './batch-codec.js';
import { readCommit } from './commit-reader.js';
import { batchColumns, openBatch, type BatchRow } from './stored-batch.js';
import type { Topic, TopicIndex } from './topic-index.js';

/** A group ends with the commit that takes it over this. */
const groupBytesMax = 4 * 1024 * 1024;
const groupCommitsMax = 256;

export class LogReader {
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;

  constructor(database: SqliteDatabase, topics: TopicIndex) {
    this.#database = database;
    this.#topics = topics;
  }

  /** Whole appends with seq > `after`: some, or none at the end of the log. Throws too-old behind the retention. */
  readGroup(after: number, wanted: ReadonlySet<string> | undefined): Append[] {
    this.#checkRetained(after, wanted);
    const start =
      this.#database.statement('SELECT max(first_seq) FROM wt_commit WHERE first_seq <= ?').get(after + 1)?.[0] ?? 0;
    const commits = this.#database
      .statement(
        'SELECT first_seq, last_seq, control, appends FROM wt_commit WHERE first_seq >= ? AND last_seq > ? ORDER BY first_seq LIMIT ?',
      )
      .all(start, after, groupCommitsMax);
    const group: Append[] = [];
    let groupBytes = 0;
    for (const [firstSeq, lastSeq, control, appends] of commits) {
      const commit = {
        firstSeq: Number(firstSeq),
        lastSeq: Number(lastSeq),
        control: Number(control),
        appends: appends as Buffer,
      };
      const { appends: read, bytes } = readCommit(this.#database, this.#topics, commit, after, wanted);
      for (const append of read) group.push(append);
      groupBytes += bytes;
      if (groupBytes >= groupBytesMax) break;
    }
    return group;
  }

  #checkRetained(after: number, wanted: ReadonlySet<string> | undefined): void {
    for (const topic of this.#topics.all()) {
      if (after >= topic.lostSeq || (wanted !== undefined && !wanted.has(topic.spec.name))) continue;
      throw new AppError('too-old', `the log no longer holds topic "${topic.spec.name}" from seq ${after} on`, {
        detail: `its retention has removed records up to seq ${topic.lostSeq}`,
        hint: 'take a new snapshot of the source, or give the topic a longer retention',
      });
    }
  }

  readTopic(
    name: string,
    partition: number,
    {
      offset,
      limit,
      bytesMax = Number.POSITIVE_INFINITY,
    }: { readonly offset: number; readonly limit: number; readonly bytesMax?: number | undefined },
  ): TapRecord[] {
    const topic = this.#topics.get(name);
    if (partition < 0 || partition >= topic.spec.partitions) {
      throw new AppError(
        'unknown-topic',
        `topic "${name}" has ${topic.spec.partitions} partitions, so none with number ${partition}`,
      );
    }
    const start =
      this.#database
        .statement('SELECT max(base_offset) FROM wt_batch WHERE topic_id = ? AND partition = ? AND base_offset <= ?')
        .get(topic.id, partition, offset)?.[0] ?? 0;
    const batches = this.#database
      .statement(
        `SELECT ${batchColumns} FROM wt_batch
         WHERE topic_id = ? AND partition = ? AND base_offset >= ? ORDER BY base_offset`,
      )
      .iterate(topic.id, partition, start) as unknown as IterableIterator<BatchRow>;
    const result: TapRecord[] = [];
    let bytes = 0;
    const isFull = () => result.length >= limit || bytes >= bytesMax;
    for (const row of batches) {
      const opened = openBatch(row, name);
      const batch = decodeBatch(opened, { topic: 0, partition, buffer: 0 });
      for (let i = 0; i < batch.count && !isFull(); i++) {
        if (batch.offsets[i]! < offset) continue;
        const record = tapRecord(name, partition, batch, i, opened.data);
        result.push(record);
        bytes += tapRecordBytes(record);
      }
      if (isFull()) break;
    }
    return result;
  }

  describe(topic: Topic): TopicDescription {
    const first = this.#database.statement(
      'SELECT min(base_offset) FROM wt_batch WHERE topic_id = ? AND partition = ?',
    );
    const offsets = topic.next.map((next, partition) => ({
      first: Number(first.get(topic.id, partition)?.[0] ?? next),
      next,
    }));
    return { ...topic.spec, offsets };
  }

  lastAppend(producer: string): { readonly position: string | null; readonly seq: number } | undefined {
    const row = this.#database.statement('SELECT position, seq FROM wt_producer WHERE name = ?').get(producer);
    return row === undefined ? undefined : { position: row[0] === null ? null : String(row[0]), seq: Number(row[1]) };
  }
}

function tapRecord(topic: string, partition: number, batch: DecodedBatch, i: number, data: Buffer): TapRecord {
  const at = i * extentSize;
  const slice = (start: number, length: number) => {
    const n = batch.extents[at + length]!;
    const from = batch.extents[at + start]!;
    // A copy: a tap keeps a few records, and a view would keep the whole batch.
    return n < 0 ? null : Buffer.from(data.subarray(from, from + n));
  };
  return {
    topic,
    partition,
    offset: batch.offsets[i]!,
    timestampMs: batch.timestamps[i]!,
    key: slice(extent.keyStart, extent.keyLength),
    value: slice(extent.valueStart, extent.valueLength),
    headers: {
      ...ownHeaders(batch.extents, at, data),
      op: opOfCode[batch.extents[at]! & 3]!,
      seq: String(batch.seqs[i]),
    },
  };
}

function ownHeaders(extents: Int32Array, at: number, data: Buffer): Record<string, string> | undefined {
  if (headersSize(extents, at) === 0) return undefined;
  const start = headersStart(extents, at);
  return readHeaders(data, start + 1, data[start]!);
}
