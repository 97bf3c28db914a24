// Puts the appends of one stored commit together again: decodes the batches of the wanted topics and deals their records out to
// the appends along the runs that the commit kept. What compaction or retention has taken away is simply not there.
import { assert } from '../../core/errors.js';
import { extentSize, RecordSet } from '../../core/record.js';
import type { Append } from '../../core/append.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { decodeBatch, type DecodedBatch } from './batch-codec.js';
import { decodeCommit, type CommitAppend, type StoredCommit } from './commit-codec.js';
import { batchColumns, openBatch, type BatchRow } from './stored-batch.js';
import type { TopicIndex } from './topic-index.js';

/** A part's remaining records in offset order, and how far the appends have come in it. */
interface PartRecords {
  readonly batches: DecodedBatch[];
  /** Offset of the next record as it was written. */
  nextOffset: number;
  batchIndex: number;
  recordIndex: number;
}

const noRecords = new Int32Array(0);

/** The appends of `commit` with seq > `after`, in order, and the bytes read for them. */
export function readCommit(
  database: SqliteDatabase,
  topics: TopicIndex,
  commit: StoredCommit,
  after: number,
  wanted: ReadonlySet<string> | undefined,
): { readonly appends: Append[]; readonly bytes: number } {
  const { parts, appends } = decodeCommit(commit);
  const buffers: Buffer[] = [];
  const names: string[] = [];
  const records: (PartRecords | undefined)[] = [];
  let bytes = commit.appends.length;
  // Within a topic-partition the order of ids is that of offsets. The index is named because the planner, knowing no counts,
  // might walk a whole partition instead.
  const selectBatches = database.statement(
    `SELECT ${batchColumns} FROM wt_batch INDEXED BY wt_batch_seq
     WHERE first_seq BETWEEN ? AND ? AND topic_id = ? AND partition = ? AND derived = 0 ORDER BY first_seq, topic_id, id`,
  );
  for (const { topicId, partition, baseOffset } of parts) {
    const name = topics.byId(topicId)?.spec.name;
    if (name === undefined || (wanted !== undefined && !wanted.has(name))) {
      records.push(undefined);
      continue;
    }
    let topic = names.indexOf(name);
    if (topic < 0) topic = names.push(name) - 1;
    const batches: DecodedBatch[] = [];
    for (const row of selectBatches.all(commit.firstSeq, commit.lastSeq, topicId, partition) as unknown as BatchRow[]) {
      const batch = openBatch(row, name);
      const buffer = buffers.push(batch.data) - 1;
      bytes += batch.records.length + batch.data.length;
      batches.push(decodeBatch(batch, { topic, partition, buffer }));
    }
    records.push({ batches, nextOffset: baseOffset, batchIndex: 0, recordIndex: 0 });
  }
  const result: Append[] = [];
  for (let i = 0; i < appends.length; i++) {
    const append = appends[i]!;
    const seq = commit.firstSeq + i;
    const { producer, position, commitTimeUs, transactionId, control } = append;
    // Also the appends that are not wanted move the parts on.
    const own = collect(append, records, buffers, names);
    if (seq > after) result.push({ seq, producer, position, commitTimeUs, transactionId, control, records: own });
  }
  assert(commit.firstSeq + appends.length - 1 === commit.lastSeq, 'a commit holds as many appends as seqs');
  return { appends: result, bytes };
}

/** The records of one append, in their original order. */
function collect(
  append: CommitAppend,
  records: readonly (PartRecords | undefined)[],
  buffers: readonly Buffer[],
  topics: readonly string[],
): RecordSet {
  const pieces: { batch: DecodedBatch; from: number; to: number }[] = [];
  let count = 0;
  for (let r = 0; r < append.runs.length; r += 2) {
    const part = records[append.runs[r]!];
    if (part === undefined) continue;
    part.nextOffset += append.runs[r + 1]!;
    while (part.batchIndex < part.batches.length) {
      const batch = part.batches[part.batchIndex]!;
      const from = part.recordIndex;
      let to = from;
      while (to < batch.count && batch.offsets[to]! < part.nextOffset) to++;
      if (to > from) pieces.push({ batch, from, to });
      count += to - from;
      part.recordIndex = to;
      if (to < batch.count) break;
      part.batchIndex++;
      part.recordIndex = 0;
    }
  }
  if (count === 0) return new RecordSet({ buffers: [], topics: [], extents: noRecords, count: 0 });
  const commitTimeMs = Math.floor(append.commitTimeUs / 1000);
  if (pieces.length === 1) {
    const { batch, from, to } = pieces[0]!;
    return new RecordSet({
      buffers,
      topics,
      extents: batch.extents,
      first: from,
      count,
      timestamps: ownTimestamps(batch.timestamps.subarray(from, to), commitTimeMs),
      offsets: batch.offsets.subarray(from, to),
    });
  }
  const extents = new Int32Array(count * extentSize);
  const timestamps = new Float64Array(count);
  const offsets = new Float64Array(count);
  let at = 0;
  for (const { batch, from, to } of pieces) {
    extents.set(batch.extents.subarray(from * extentSize, to * extentSize), at * extentSize);
    timestamps.set(batch.timestamps.subarray(from, to), at);
    offsets.set(batch.offsets.subarray(from, to), at);
    at += to - from;
  }
  return new RecordSet({
    buffers,
    topics,
    extents,
    count,
    timestamps: ownTimestamps(timestamps, commitTimeMs),
    offsets,
  });
}

/** Undefined where every record has the commit time of its append. */
function ownTimestamps(timestamps: Float64Array, commitTimeMs: number): Float64Array | undefined {
  for (let i = 0; i < timestamps.length; i++) if (timestamps[i] !== commitTimeMs) return timestamps;
  return undefined;
}
