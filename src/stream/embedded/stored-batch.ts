// A row of wt_batch as it is read: its checksum is looked at before anything is made of it. Every reader of the log takes batches through here.
import { corruptData, openSealed, restoreHint, type Identity } from '../../core/seal.js';
import type { StoredBatch } from './batch-codec.js';

/** For SELECT, in the order of BatchRow. */
export const batchColumns =
  'id, topic_id, partition, base_offset, last_offset, first_seq, last_seq, derived, record_count, bytes, max_time_ms, records, data';

export type BatchRow = [
  id: number,
  topicId: number,
  partition: number,
  baseOffset: number,
  lastOffset: number,
  firstSeq: number,
  lastSeq: number,
  derived: number,
  recordCount: number,
  bytes: number,
  maxTimeMs: number,
  records: Buffer,
  data: Buffer,
];

export interface BatchFacts {
  readonly topicId: number;
  readonly partition: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly derived: number;
  readonly recordCount: number;
  readonly maxTimeMs: number;
}

export function batchIdentity(batch: BatchFacts, bytes: number): Identity {
  const { topicId, partition, baseOffset, lastOffset, firstSeq, lastSeq, derived, recordCount, maxTimeMs } = batch;
  return [topicId, partition, baseOffset, lastOffset, firstSeq, lastSeq, derived, recordCount, bytes, maxTimeMs];
}

export interface OpenedBatch extends StoredBatch, BatchFacts {
  readonly id: number;
  readonly bytes: number;
  readonly data: Buffer;
  /** Written with a checksum; else by an earlier version, without. */
  readonly sealed: boolean;
}

/** `topic`: its name, for whoever is told of damage. Throws corrupt-data. */
export function openBatch(row: BatchRow, topic: string | undefined): OpenedBatch {
  const [id, topicId, partition, baseOffset, lastOffset, firstSeq, lastSeq, derived, recordCount] = row;
  const [, , , , , , , , , bytes, maxTimeMs, records, data] = row;
  const facts = {
    topicId,
    partition,
    baseOffset,
    lastOffset,
    firstSeq,
    lastSeq,
    derived,
    recordCount,
    maxTimeMs,
  };
  const opened =
    Buffer.isBuffer(records) && Buffer.isBuffer(data)
      ? openSealed(records, batchIdentity(facts, bytes), data)
      : undefined;
  if (opened === undefined) {
    const of = topic === undefined ? `the topic with id ${topicId}` : `topic "${topic}"`;
    throw corruptData({
      what: `${of}, partition ${partition}, the records from offset ${baseOffset} to ${lastOffset} (seq ${firstSeq} to ${lastSeq})`,
      repair: restoreHint,
    });
  }
  return { id, ...facts, bytes, records, data, format: opened.format, at: opened.at, sealed: opened.sealed };
}
