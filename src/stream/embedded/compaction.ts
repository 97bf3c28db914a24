// Compaction of the embedded log, one batch at a time between the engine's commits. A pass over a partition: (1) note the last
// offset of each key in the part that is not cleaned yet, as far as memory allows; (2) walk from the partition's start to
// there and rewrite each batch without the records that a later one of their key has replaced, offsets staying as they are;
// (3) move the cleaned offset. A crash in between leaves a partition that is correct and less compact than it could be.
import { extent, extentSize, RecordSet } from '../../core/record.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { BatchBuilder, decodeBatch, type DecodedBatch } from './batch-codec.js';
import { keepNextOffset, removeBatch } from './retention.js';
import type { Topic, TopicIndex } from './topic-index.js';

export interface CompactionOptions {
  /** A pass is worth it when so much of the partition is not cleaned yet ... */
  readonly dirtyRatio: number;
  /** ... and it is at least so much. */
  readonly dirtyBytes: number;
  /** How long a tombstone stays after everything that it deletes is gone, so that a reader who follows still sees it. */
  readonly tombstoneMs: number;
  /** Bound on the memory of step 1. */
  readonly keyBytesMax: number;
}

export const compactionDefaults: CompactionOptions = {
  dirtyRatio: 0.5,
  dirtyBytes: 16 * 1024 * 1024,
  tombstoneMs: 24 * 60 * 60 * 1000,
  keyBytesMax: 64 * 1024 * 1024,
};

interface Pass {
  readonly topic: Topic;
  readonly partition: number;
  /** Everything below was cleaned by earlier passes. */
  readonly cleanedOffset: number;
  readonly lastOffsets: Map<string, number>;
  keyBytes: number;
  /** The noted part holds a key twice. */
  replaces: boolean;
  /** Next batch to look at, by its base offset, in step 1 or 2. */
  at: number;
  /** Known once step 1 is done: the pass covers the offsets below. */
  end: number | undefined;
}

/** Bytes of a partition on both sides of its cleaned offset, as far as `seenOffset`. */
interface Size {
  readonly cleanedOffset: number;
  readonly cleanBytes: number;
  dirtyBytes: number;
  seenOffset: number;
}

/** A key in the map costs about this much beside its bytes. */
const keyOverheadBytes = 64;

export class Compaction {
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  readonly #options: CompactionOptions;
  readonly #builder = new BatchBuilder();
  readonly #sizes = new Map<string, Size>();
  #pass: Pass | undefined;

  constructor(database: SqliteDatabase, topics: TopicIndex, options: CompactionOptions) {
    this.#database = database;
    this.#topics = topics;
    this.#options = options;
  }

  /** One batch's worth of work; true: there is more to do. */
  step(nowMs: number): boolean {
    const pass = (this.#pass ??= this.#choose());
    if (pass === undefined) return false;
    if (this.#topics.byId(pass.topic.id) === undefined) this.#pass = undefined;
    else if (pass.end === undefined) this.#noteKeys(pass);
    else this.#rewriteNext(pass, pass.end, nowMs);
    return true;
  }

  /** A pass is under way. */
  get busy(): boolean {
    return this.#pass !== undefined;
  }

  #choose(): Pass | undefined {
    for (const topic of this.#topics.all()) {
      if (topic.spec.cleanup !== 'compact') continue;
      for (let partition = 0; partition < topic.next.length; partition++) {
        const { cleanedOffset, cleanBytes, dirtyBytes } = this.#sizeOf(topic, partition);
        const enough = Math.max(1, this.#options.dirtyBytes, (cleanBytes + dirtyBytes) * this.#options.dirtyRatio);
        if (dirtyBytes < enough) continue;
        this.#sizes.delete(`${topic.id} ${partition}`);
        return {
          topic,
          partition,
          cleanedOffset,
          lastOffsets: new Map(),
          keyBytes: 0,
          replaces: false,
          at: cleanedOffset,
          end: undefined,
        };
      }
    }
    return undefined;
  }

  /** Brought up to date by what was written since the last look: adding up all batches each time would stop the engine. */
  #sizeOf(topic: Topic, partition: number): Size {
    const key = `${topic.id} ${partition}`;
    const sum = (from: number, to: number) =>
      Number(
        this.#database
          .statement(
            'SELECT ifnull(sum(bytes), 0) FROM wt_batch WHERE topic_id = ? AND partition = ? AND base_offset >= ? AND base_offset < ?',
          )
          .get(topic.id, partition, from, to)![0],
      );
    const next = topic.next[partition]!;
    let size = this.#sizes.get(key);
    if (size === undefined) {
      const cleaned = this.#database
        .statement('SELECT cleaned_offset FROM wt_partition WHERE topic_id = ? AND partition = ?')
        .get(topic.id, partition);
      const cleanedOffset = Number(cleaned?.[0] ?? 0);
      size = { cleanedOffset, cleanBytes: sum(0, cleanedOffset), dirtyBytes: 0, seenOffset: cleanedOffset };
      this.#sizes.set(key, size);
    }
    if (next > size.seenOffset) size.dirtyBytes += sum(size.seenOffset, next);
    size.seenOffset = next;
    return size;
  }

  #nextBatch(pass: Pass):
    | {
        id: number;
        derived: boolean;
        data: Buffer;
        lastOffset: number;
        firstSeq: number;
        batch: DecodedBatch;
        baseOffset: number;
      }
    | undefined {
    const row = this.#database
      .statement(
        `SELECT id, base_offset, last_offset, first_seq, derived, record_count, records, data FROM wt_batch
         WHERE topic_id = ? AND partition = ? AND base_offset >= ? ORDER BY base_offset LIMIT 1`,
      )
      .get(pass.topic.id, pass.partition, pass.at) as
      [number, number, number, number, number, number, Buffer, Buffer] | undefined;
    if (row === undefined) return undefined;
    const [id, baseOffset, lastOffset, firstSeq, derived, recordCount, records, data] = row;
    const batch = decodeBatch(
      { baseOffset, firstSeq, recordCount, records },
      { topic: 0, partition: pass.partition, buffer: 0 },
    );
    return { id, derived: derived === 1, data, baseOffset, lastOffset, firstSeq, batch };
  }

  #noteKeys(pass: Pass): void {
    const next = this.#nextBatch(pass);
    if (next === undefined || pass.keyBytes > this.#options.keyBytesMax) {
      pass.end = pass.at;
      // Where every key stands once, as after a first snapshot, only what lies below can have been replaced.
      if (!pass.replaces && pass.cleanedOffset === 0) this.#finish(pass, pass.end);
      pass.at = 0;
      return;
    }
    for (let i = 0; i < next.batch.count; i++) {
      const key = keyOf(next.batch, next.data, i);
      if (key === undefined) continue;
      if (pass.lastOffsets.has(key)) pass.replaces = true;
      else pass.keyBytes += key.length + keyOverheadBytes;
      pass.lastOffsets.set(key, next.batch.offsets[i]!);
    }
    pass.at = next.lastOffset + 1;
  }

  #rewriteNext(pass: Pass, end: number, nowMs: number): void {
    const next = this.#nextBatch(pass);
    const beyond = pass.replaces ? end : Math.min(end, pass.cleanedOffset);
    if (next === undefined || next.baseOffset >= beyond) return this.#finish(pass, end);
    pass.at = next.lastOffset + 1;
    const { batch } = next;
    const kept: number[] = [];
    for (let i = 0; i < batch.count; i++) if (this.#stays(pass, batch, next.data, i, nowMs)) kept.push(i);
    if (kept.length === batch.count) return;
    this.#database.transaction(() => {
      if (kept.length > 0) this.#replace(next, kept);
      else {
        keepNextOffset(this.#database, pass.topic.id, pass.partition, next.lastOffset + 1);
        removeBatch(this.#database, next.id, next.firstSeq, next.derived);
      }
    });
  }

  #finish(pass: Pass, end: number): void {
    this.#database
      .statement(
        `INSERT INTO wt_partition VALUES (?, ?, 0, ?)
         ON CONFLICT (topic_id, partition) DO UPDATE SET cleaned_offset = excluded.cleaned_offset`,
      )
      .run(pass.topic.id, pass.partition, end);
    this.#pass = undefined;
  }

  #stays(pass: Pass, batch: DecodedBatch, data: Buffer, i: number, nowMs: number): boolean {
    const key = keyOf(batch, data, i);
    if (key === undefined) return true;
    const offset = batch.offsets[i]!;
    const last = pass.lastOffsets.get(key);
    if (last !== undefined && offset < last) return false;
    // In the part that was clean before this pass, a tombstone has nothing left to delete.
    const isTombstone = batch.extents[i * extentSize + extent.valueLength]! < 0;
    return !(isTombstone && offset < pass.cleanedOffset && batch.timestamps[i]! < nowMs - this.#options.tombstoneMs);
  }

  #replace(
    old: { id: number; data: Buffer; firstSeq: number; batch: DecodedBatch; baseOffset: number },
    kept: readonly number[],
  ): void {
    const { batch, data } = old;
    const records = new RecordSet({
      buffers: [data],
      topics: [],
      extents: batch.extents,
      count: batch.count,
      timestamps: batch.timestamps,
    });
    const builder = this.#builder;
    builder.start(old.baseOffset, old.firstSeq, batch.timestamps[kept[0]!]!);
    for (const i of kept) builder.addRun(records, i, i + 1, batch.offsets[i]!, batch.seqs[i]!, 0);
    const { maxTimeMs } = builder;
    const written = builder.finish();
    this.#database
      .statement('UPDATE wt_batch SET record_count = ?, bytes = ?, max_time_ms = ?, records = ?, data = ? WHERE id = ?')
      .run(kept.length, written.records.length + written.data.length, maxTimeMs, written.records, written.data, old.id);
  }
}

/** The key's bytes as a string of the same length: what a Map can compare. */
function keyOf(batch: DecodedBatch, data: Buffer, i: number): string | undefined {
  const at = i * extentSize;
  const length = batch.extents[at + extent.keyLength]!;
  if (length < 0) return undefined;
  const start = batch.extents[at + extent.keyStart]!;
  return data.toString('latin1', start, start + length);
}
