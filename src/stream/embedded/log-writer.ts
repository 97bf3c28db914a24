// The writing side of the embedded log: gives seqs and offsets to whole appends and stores them as batches, inside the
// transaction that the caller has open. Nothing is kept per record; what the commit needs is grown in buffers that are
// used again for the next one.
import { ByteWriter } from '../../core/bytes.js';
import { assert } from '../../core/errors.js';
import { RecordSet } from '../../core/record.js';
import { toldPositionLengthMax } from '../../core/append.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { DerivedRecords, PendingAppend, WrittenAppend } from '../pending-append.js';
import type { SpilledRecords } from '../spilled-records.js';
import { TopicRefusal } from '../topic-refusal.js';
import { Unwritable } from '../unwritable.js';
import { BatchBuilder } from './batch-codec.js';
import { CommitBuilder, commitIdentity } from './commit-codec.js';
import { batchIdentity } from './stored-batch.js';
import type { LogSpace } from './log-space.js';
import type { Topic, TopicIndex } from './topic-index.js';

/** A larger batch is split: it is read, rewritten and kept in memory as a whole. */
const batchBytesMax = 4 * 1024 * 1024;

/** What a commit puts into one topic-partition. */
interface Part {
  readonly topic: Topic;
  readonly topicId: number;
  readonly partition: number;
  readonly baseOffset: number;
  readonly builder: BatchBuilder;
}

export class LogWriter {
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  readonly #space: LogSpace;
  #headSeq: number;
  readonly #commit = new CommitBuilder();
  // Parts of the commit under construction, in the order in which they were met.
  readonly #parts: Part[] = [];
  readonly #builders: BatchBuilder[] = [];
  /** Interleaving of the append in hand: pairs of part and number of records. */
  readonly #runs = new ByteWriter(4096);
  #runCount = 0;
  #batches = 0;

  constructor(database: SqliteDatabase, topics: TopicIndex, space: LogSpace) {
    this.#database = database;
    this.#topics = topics;
    this.#space = space;
    this.#headSeq = readHeadSeq(database);
    database.onTransactionEnd({ rollback: () => (this.#headSeq = readHeadSeq(database)) });
  }

  /** The newest seq given; committed unless a transaction is open. */
  get headSeq(): number {
    return this.#headSeq;
  }

  /** Throws Unwritable, with the append, where a topic or partition is not there: the transaction has to be rolled back. */
  write(appends: readonly PendingAppend[]): WrittenAppend[] {
    assert(this.#database.inTransaction, 'the log is written inside a transaction');
    if (appends.length === 0) return [];
    this.#begin();
    this.#commit.start();
    const firstSeq = this.#headSeq + 1;
    const written: WrittenAppend[] = [];
    const offsets = new Float64Array(appends.reduce((sum, { records }) => sum + countInMemory(records), 0));
    let at = 0;
    let control = false;
    for (const append of appends) {
      const seq = ++this.#headSeq;
      this.#runs.reset();
      this.#runCount = 0;
      const count = countInMemory(append.records);
      this.#addAppend(append, seq, offsets, at);
      at += count;
      this.#commit.append(append, told(append.position), this.#runs, this.#runCount);
      control ||= append.control !== undefined;
      append.seq = seq;
      written.push(append as WrittenAppend);
    }
    for (const part of this.#parts) this.#flush(part, false);
    if (this.#batches === 0) this.#space.addedEmpty();
    this.#database
      .statement('INSERT INTO wt_commit VALUES (?, ?, ?, ?, ?)')
      .run(
        firstSeq,
        this.#headSeq,
        this.#batches,
        control ? 1 : 0,
        this.#commit.finish(
          this.#parts,
          commitIdentity({ firstSeq, lastSeq: this.#headSeq, control: control ? 1 : 0 }),
        ),
      );
    this.#movePositions(written);
    return written;
  }

  /** `at`: where its offsets stand. */
  #addAppend(append: PendingAppend, seq: number, offsets: Float64Array, at: number): void {
    const { records, commitTimeUs } = append;
    try {
      if (records instanceof RecordSet) {
        this.#addRecords(records, seq, commitTimeUs, false, offsets, at);
        records.place(offsets, at);
      } else append.records = this.#addSpilled(records, seq, commitTimeUs);
    } catch (error) {
      throw error instanceof TopicRefusal ? new Unwritable(append, error) : error;
    }
  }

  writeDerived(groups: readonly DerivedRecords[]): void {
    assert(this.#database.inTransaction, 'the log is written inside a transaction');
    this.#begin();
    for (const { records, seq, commitTimeUs } of groups) this.#addRecords(records, seq, commitTimeUs, true, undefined);
    for (const part of this.#parts) this.#flush(part, true);
  }

  #begin(): void {
    this.#parts.length = 0;
    this.#batches = 0;
  }

  /** Page by page: nothing of it stays in memory but the first offsets of each page. */
  #addSpilled(records: SpilledRecords, seq: number, commitTimeUs: number): SpilledRecords {
    const firsts: number[][] = [];
    for (const page of records.pages()) {
      firsts.push(this.#firstOffsets(page));
      this.#addRecords(page, seq, commitTimeUs, false, undefined);
    }
    return records.withOffsets(firsts);
  }

  #firstOffsets(page: RecordSet): number[] {
    const { topics, count } = page;
    const firsts: number[] = [];
    for (let i = 0; i < count; i++) {
      const topic = page.topicIndex(i);
      const partition = page.partition(i);
      let known = 0;
      while (known < firsts.length && (firsts[known] !== topic || firsts[known + 1] !== partition)) known += 3;
      if (known === firsts.length)
        firsts.push(topic, partition, this.#topics.find(topics[topic]!)?.next[partition] ?? 0);
    }
    return firsts;
  }

  /** Sorts the records into their parts; adds their interleaving to #runs. */
  #addRecords(
    records: RecordSet,
    seq: number,
    commitTimeUs: number,
    derived: boolean,
    offsets: Float64Array | undefined,
    offsetsFrom = 0,
  ): void {
    const { count } = records;
    const commitTimeMs = Math.floor(commitTimeUs / 1000);
    let from = 0;
    while (from < count) {
      const topicIndex = records.topicIndex(from);
      const partition = records.partition(from);
      let to = from + 1;
      while (to < count && records.topicIndex(to) === topicIndex && records.partition(to) === partition) to++;
      const partIndex = this.#partIndex(records.topics[topicIndex]!, partition, seq, commitTimeMs);
      const part = this.#parts[partIndex]!;
      if (!derived) {
        this.#runs.varint(partIndex);
        this.#runs.varint(to - from);
        this.#runCount++;
      }
      const next = part.topic.next;
      for (let i = from, offset = next[partition]!; offsets !== undefined && i < to; i++)
        offsets[offsetsFrom + i] = offset++;
      this.#addRun(part, records, from, to, seq, commitTimeMs, derived);
      from = to;
    }
  }

  #addRun(
    part: Part,
    records: RecordSet,
    from: number,
    to: number,
    seq: number,
    commitTimeMs: number,
    derived: boolean,
  ): void {
    const next = part.topic.next;
    // Small enough that a slice of very long records does not make a batch that SQLite cannot hold.
    const slice = 64;
    for (let i = from; i < to; i += slice) {
      const end = Math.min(i + slice, to);
      part.builder.addRun(records, i, end, next[part.partition]!, seq, commitTimeMs);
      next[part.partition]! += end - i;
      if (part.builder.dataBytes < batchBytesMax) continue;
      this.#flush(part, derived);
      part.builder.start(next[part.partition]!, seq, commitTimeMs);
    }
  }

  #partIndex(topicName: string, partition: number, seq: number, commitTimeMs: number): number {
    const parts = this.#parts;
    // The newest part first: neighbouring runs and appends mostly stay in few partitions.
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = parts[i]!;
      if (part.partition === partition && part.topic.spec.name === topicName) return i;
    }
    const topic = this.#topics.find(topicName);
    const baseOffset = topic?.next[partition];
    if (topic === undefined || baseOffset === undefined) throw noPlace(topicName, partition, topic);
    const builder = (this.#builders[parts.length] ??= new BatchBuilder());
    builder.start(baseOffset, seq, commitTimeMs);
    parts.push({ topic, topicId: topic.id, partition, baseOffset, builder });
    return parts.length - 1;
  }

  #flush(part: Part, derived: boolean): void {
    const builder = part.builder;
    if (builder.count === 0) return;
    const { baseOffset, lastOffset, firstSeq, lastSeq, count: recordCount, maxTimeMs } = builder;
    const { topicId, partition } = part;
    const facts = { topicId, partition, baseOffset, lastOffset, firstSeq, lastSeq, recordCount, maxTimeMs };
    const { records, data } = builder.finish((bytes) => batchIdentity({ ...facts, derived: derived ? 1 : 0 }, bytes));
    this.#database
      .statement(
        'INSERT INTO wt_batch (topic_id, partition, base_offset, last_offset, first_seq, last_seq, derived, record_count, bytes, max_time_ms, records, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        topicId,
        partition,
        baseOffset,
        lastOffset,
        firstSeq,
        lastSeq,
        derived ? 1 : 0,
        recordCount,
        records.length + data.length,
        maxTimeMs,
        records,
        data,
      );
    builder.count = 0;
    this.#batches++;
    this.#space.added(part.topic, part.partition, records.length + data.length);
  }

  #movePositions(appends: readonly WrittenAppend[]): void {
    // Newest first, so that each producer of the commit is written once; but a null position must not hide an older one.
    const done = new Set<string>();
    for (let i = appends.length - 1; i >= 0; i--) {
      const { producer, seq } = appends[i]!;
      if (done.has(producer)) continue;
      done.add(producer);
      let position: string | null = null;
      for (let j = i; j >= 0 && position === null; j--)
        if (appends[j]!.producer === producer) position = appends[j]!.position;
      this.#database
        .statement(
          'INSERT INTO wt_producer (name, position, seq) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET position = ifnull(excluded.position, position), seq = excluded.seq',
        )
        .run(producer, position, seq);
    }
  }
}

/** A long position stands in the producer's row only: who reads the log again can do without, and it would outweigh the records. */
function told(position: string | null): string | null {
  return position !== null && position.length > toldPositionLengthMax ? null : position;
}

function countInMemory(records: RecordSet | SpilledRecords): number {
  return records instanceof RecordSet ? records.count : 0;
}

function noPlace(name: string, partition: number, topic: Topic | undefined): TopicRefusal {
  const message =
    topic === undefined
      ? `there is no topic "${name}"`
      : `topic "${name}" has ${topic.spec.partitions} partitions, so none with number ${partition}`;
  return new TopicRefusal(name, 'unknown-topic', message);
}

/** Every producer keeps the commit with its newest append, so the newest of all is always there. */
function readHeadSeq(database: SqliteDatabase): number {
  const row = database.statement('SELECT last_seq FROM wt_commit ORDER BY first_seq DESC LIMIT 1').get();
  return row === undefined ? 0 : Number(row[0]);
}
