// Compaction of the embedded log, in steps of a few ms between the engine's commits. A pass over a partition: (1) note the last
// offset of each key in the part that is not cleaned yet, as far as memory allows; (2) walk from the partition's start to
// there and rewrite each batch without the records that a later one of their key has replaced, offsets staying as they are;
// (3) move the cleaned offset. A crash in between leaves a partition that is correct and less compact than it could be.
//
// When: no reader needs it, so it is left to turns that have nothing else to do as long as it may be, as Kafka's cleaner takes the
// processor that is left over. A partition is worth a pass from `dirtyRatio` on. Under load a pass becomes urgent only so
// that the part that is not clean stays below `dirtyBytesMax`, or one and a half times the clean part where that is more: this is read
// again in every pass, so one byte written costs about one byte read, however large the topic is. Before the first pass only what is
// replaced counts as not clean, as far as the number of rows tells: all that a first snapshot has written has keys of its own, and reading
// it again would slow that down.
import type { Chore } from '../../core/chore.js';
import { AppError } from '../../core/errors.js';
import { failpoint } from '../../core/failpoint.js';
import { extent, extentSize, RecordSet } from '../../core/record.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { BatchBuilder, decodeBatch, type DecodedBatch } from './batch-codec.js';
import { isCounted, type LogSpace, type PartSpace, type StoredBatch } from './log-space.js';
import { OffsetMap } from './offset-map.js';
import { batchColumns, batchIdentity, openBatch, type BatchFacts, type BatchRow } from './stored-batch.js';
import type { Topic, TopicIndex } from './topic-index.js';

export interface CompactionOptions {
  /** A pass is worth it when so much of the partition is not cleaned yet ... */
  readonly dirtyRatio: number;
  /** ... and it is at least so much. */
  readonly dirtyBytes: number;
  /** So much of a partition, or half more than is clean, may wait for cleaning also under load. */
  readonly dirtyBytesMax: number;
  /** How long a tombstone stays after everything that it deletes is gone, so that a reader who follows still sees it. */
  readonly tombstoneMs: number;
  /** Bound on the memory of step 1. */
  readonly keyBytesMax: number;
  /** How many keys of a topic have a row, as far as whoever keeps its rows knows. */
  readonly rowsOf?: ((topic: string) => number | undefined) | undefined;
  /** A partition is left as it is from here on: what was read of it is not what was written. */
  readonly onDamaged?: ((error: AppError) => void) | undefined;
}

export const compactionDefaults: CompactionOptions = {
  dirtyRatio: 0.5,
  dirtyBytes: 16 * 1024 * 1024,
  dirtyBytesMax: 256 * 1024 * 1024,
  tombstoneMs: 24 * 60 * 60 * 1000,
  keyBytesMax: 64 * 1024 * 1024,
};

const cleanPartsMax = 1.5;
/** Under load a pass begins at this part of the bound ... */
const urgentFrom = 0.7;
/** ... and is through when the dirty part has grown by so much of it: the faster is written, the more of each turn it gets. */
const growthMeanwhile = 0.3;
/** What one step looks at, but for the rest of a batch that it rewrites. */
const recordsPerStep = 5_000;
const bytesPerStep = 1024 * 1024;
/** Due, and nobody hurries. */
const debtOfDue = 0.001;

interface Pass {
  readonly topic: Topic;
  readonly partition: number;
  readonly part: PartSpace;
  /** Everything below was cleaned by earlier passes. */
  readonly cleanedOffset: number;
  readonly newest: OffsetMap;
  /** Next offset to look at, in step 1 or 2. */
  at: number;
  /** Known once step 1 is done: the pass covers the offsets below. */
  end: number | undefined;
  /** Of the noted part, as it is now. */
  notedBytes: number;
  /** How much there is to read in both steps, and how much is read. */
  bytesToRead: number;
  bytesRead: number;
}

type PartBytes = Pick<PartSpace, 'cleanBytes' | 'dirtyBytes'>;

/** A topic that no pass has cleaned yet, as it was when it was looked at. */
interface LookedAt {
  readonly records: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of records that came to keys which had a row already. */
  readonly replacedBytes: number;
}

const nothing: LookedAt = { records: 0, rows: 0, bytes: 0, replacedBytes: 0 };

interface ReadBatch extends StoredBatch {
  /** The row's columns, as they stand. */
  readonly facts: BatchFacts;
  readonly data: Buffer;
  readonly batch: DecodedBatch;
}

export class Compaction implements Chore {
  readonly name = 'compaction';
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  readonly #space: LogSpace;
  readonly #options: CompactionOptions;
  readonly #builder = new BatchBuilder();
  #pass: Pass | undefined;
  /** No pass goes over them again in this process: it would end at the same place. */
  readonly #damaged = new WeakSet<PartSpace>();
  /** By the partitions of a topic, which go with it. */
  readonly #lookedAt = new WeakMap<readonly PartSpace[], LookedAt>();

  constructor(database: SqliteDatabase, topics: TopicIndex, space: LogSpace, options: CompactionOptions) {
    this.#database = database;
    this.#topics = topics;
    this.#space = space;
    this.#options = options;
  }

  /** How far a pass is behind what was written since it was due. */
  debt(): number {
    let debt = 0;
    for (const topic of this.#topics.all()) {
      if (topic.spec.cleanup !== 'compact') continue;
      for (const part of this.#space.parts(topic)) debt = Math.max(debt, this.#debtOf(topic, part));
    }
    return debt;
  }

  #debtOf(topic: Topic, part: PartSpace): number {
    if (this.#damaged.has(part)) return 0;
    const pass = this.#pass?.part === part ? this.#pass : undefined;
    if (pass === undefined && !(isCounted(part) && this.#isDue(part))) return 0;
    const bytes = this.#bytesOf(topic, part);
    if (pass === undefined && !this.#isDue(bytes)) return 0;
    const bound = this.#boundOf(bytes);
    const grown = (bytes.dirtyBytes - bound * urgentFrom) / (bound * growthMeanwhile);
    const done = pass === undefined ? 0 : pass.bytesRead / Math.max(1, pass.bytesToRead);
    return Math.max(debtOfDue, (grown - done) * growthMeanwhile);
  }

  #isDue(bytes: PartBytes): boolean {
    const { cleanBytes, dirtyBytes } = bytes;
    const { dirtyRatio, dirtyBytes: least } = this.#options;
    const atLeast = Math.min(least, this.#boundOf(bytes) * urgentFrom);
    return dirtyBytes > 0 && dirtyBytes >= atLeast && dirtyBytes >= (cleanBytes + dirtyBytes) * dirtyRatio;
  }

  #boundOf({ cleanBytes }: PartBytes): number {
    return Math.max(1, this.#options.dirtyBytesMax, cleanBytes * cleanPartsMax);
  }

  /** Before the first pass: as they would be if one had just cleaned what stays. */
  #bytesOf(topic: Topic, part: PartSpace): PartBytes {
    const dirtyBytes = part.dirtyBytes * this.#replacedPart(topic);
    return { cleanBytes: part.cleanBytes + part.dirtyBytes - dirtyBytes, dirtyBytes };
  }

  /** Of a topic, by number or by bytes, whichever is more; all, where a pass has been there or nobody knows the rows. */
  #replacedPart(topic: Topic): number {
    const parts = this.#space.parts(topic);
    if (parts.some(({ cleanedOffset }) => cleanedOffset > 0)) return 1;
    const rows = this.#options.rowsOf?.(topic.spec.name);
    if (rows === undefined) return 1;
    // Nothing was taken away yet: every offset is a record.
    const records = topic.next.reduce((sum, next) => sum + next, 0);
    const bytes = this.#space.bytes(topic);
    if (records === 0 || bytes === undefined) return 0;
    const before = this.#lookedAt.get(parts) ?? nothing;
    // Of what has come since it was looked at, what has made no row. Looked at often: a few large rows that change all the time would be
    // lost among many small ones.
    const came = records - before.records;
    const replaced = came === 0 ? 0 : Math.min(1, Math.max(0, 1 - (rows - before.rows) / came));
    const replacedBytes = before.replacedBytes + (bytes - before.bytes) * replaced;
    this.#lookedAt.set(parts, { records, rows, bytes, replacedBytes });
    return Math.min(1, Math.max(0, (records - rows) / records, replacedBytes / Math.max(1, bytes)));
  }

  step(nowMs: number): void {
    const pass = (this.#pass ??= this.#choose());
    if (pass === undefined) return;
    const topic = this.#topics.byId(pass.topic.id);
    if (topic?.spec.cleanup !== 'compact') {
      this.#pass = undefined;
      return;
    }
    try {
      if (pass.end === undefined) this.#noteKeys(pass);
      else this.#rewrite(pass, pass.end, nowMs);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'corrupt-data')) throw error;
      // Nothing of it is lost yet: readers of other places go on, and the log only grows.
      this.#pass = undefined;
      this.#damaged.add(pass.part);
      this.#options.onDamaged?.(error);
    }
  }

  #choose(): Pass | undefined {
    let chosen: { topic: Topic; partition: number; part: PartSpace } | undefined;
    let most = 0;
    for (const topic of this.#topics.all()) {
      if (topic.spec.cleanup !== 'compact') continue;
      for (const [partition, part] of this.#space.parts(topic).entries()) {
        const debt = this.#debtOf(topic, part);
        if (debt <= most) continue;
        chosen = { topic, partition, part };
        most = debt;
      }
    }
    if (chosen === undefined) return undefined;
    const { cleanedOffset, cleanBytes, dirtyBytes } = chosen.part;
    return {
      ...chosen,
      cleanedOffset,
      // Of what is not clean no record was taken away yet: every offset is one.
      newest: new OffsetMap(this.#options.keyBytesMax, chosen.topic.next[chosen.partition]! - cleanedOffset),
      at: cleanedOffset,
      end: undefined,
      notedBytes: 0,
      bytesToRead: 2 * dirtyBytes + cleanBytes,
      bytesRead: 0,
    };
  }

  /** The batch that holds the offset `at`, or the next one behind it. */
  #nextBatch(pass: Pass): ReadBatch | undefined {
    const row = this.#database
      .statement(
        `SELECT ${batchColumns} FROM wt_batch
         WHERE topic_id = ? AND partition = ? AND base_offset >= (
           SELECT ifnull(max(base_offset), 0) FROM wt_batch WHERE topic_id = ? AND partition = ? AND base_offset <= ?
         ) AND last_offset >= ? ORDER BY base_offset LIMIT 1`,
      )
      .get(pass.topic.id, pass.partition, pass.topic.id, pass.partition, pass.at, pass.at) as BatchRow | undefined;
    if (row === undefined) return undefined;
    const opened = openBatch(row, pass.topic.spec.name);
    const batch = decodeBatch(opened, { topic: 0, partition: pass.partition, buffer: 0 });
    return { ...opened, derived: opened.derived === 1, facts: opened, batch };
  }

  #noteKeys(pass: Pass): void {
    let records = 0;
    let bytes = 0;
    while (records < recordsPerStep && bytes < bytesPerStep) {
      const next = this.#nextBatch(pass);
      // A batch that was begun is noted to its end, so what is covered ends between two.
      const begun = next !== undefined && pass.at > next.baseOffset;
      if (next === undefined || (pass.newest.full && !begun)) return this.#endNoting(pass);
      const noted = this.#noteBatch(pass, next, recordsPerStep - records);
      records += noted;
      if (noted === 0) return;
      bytes += next.bytes;
    }
  }

  /** At most `limit` of its records; how many it was. */
  #noteBatch(pass: Pass, { batch, data, lastOffset, bytes }: ReadBatch, limit: number): number {
    const { extents, offsets, count } = batch;
    let i = 0;
    while (i < count && offsets[i]! < pass.at) i++;
    const end = Math.min(count, i + limit);
    const from = i;
    for (; i < end; i++) {
      const at = i * extentSize;
      const length = extents[at + extent.keyLength]!;
      if (length >= 0) pass.newest.note(data, extents[at + extent.keyStart]!, length, offsets[i]!);
    }
    if (i < count) pass.at = offsets[i]!;
    else {
      pass.at = lastOffset + 1;
      pass.notedBytes += bytes;
      pass.bytesRead += bytes;
    }
    return i - from;
  }

  #endNoting(pass: Pass): void {
    pass.end = pass.at;
    pass.bytesToRead = pass.bytesRead + pass.notedBytes + pass.part.cleanBytes;
    // Where every key stands once, as after a first snapshot, only what lies below can have been replaced.
    if (pass.newest.replaced === 0 && pass.cleanedOffset === 0) this.#finish(pass, pass.end);
    pass.at = 0;
  }

  /** As many batches as a step may look at, in one transaction: each costs a sync. */
  #rewrite(pass: Pass, end: number, nowMs: number): void {
    const beyond = pass.newest.replaced > 0 ? end : Math.min(end, pass.cleanedOffset);
    try {
      this.#database.transaction(() => {
        let records = 0;
        let bytes = 0;
        while (records < recordsPerStep && bytes < bytesPerStep) {
          const next = this.#nextBatch(pass);
          if (next === undefined || next.baseOffset >= beyond) return this.#finish(pass, end);
          this.#rewriteBatch(pass, next, nowMs);
          records += next.batch.count;
          bytes += next.bytes;
        }
        failpoint('upkeep-before-commit');
      });
    } catch (error) {
      // What it had counted is rolled back.
      this.#pass = undefined;
      throw error;
    }
  }

  #rewriteBatch(pass: Pass, next: ReadBatch, nowMs: number): void {
    pass.at = next.lastOffset + 1;
    pass.bytesRead += next.bytes;
    const { batch } = next;
    const kept = new Uint32Array(batch.count);
    let count = 0;
    for (let i = 0; i < batch.count; i++) if (this.#stays(pass, batch, next.data, i, nowMs)) kept[count++] = i;
    if (count === batch.count) return;
    let left = 0;
    if (count > 0) left = this.#replace(pass.topic, next, kept.subarray(0, count));
    else this.#space.remove(pass.topic, next);
    if (next.baseOffset >= pass.cleanedOffset) pass.notedBytes -= next.bytes - left;
  }

  #finish(pass: Pass, end: number): void {
    this.#database.transaction(() => {
      this.#database
        .statement(
          `INSERT INTO wt_partition (topic_id, partition, next_offset, cleaned_offset) VALUES (?, ?, 0, ?)
           ON CONFLICT (topic_id, partition) DO UPDATE SET cleaned_offset = excluded.cleaned_offset`,
        )
        .run(pass.topic.id, pass.partition, end);
      this.#space.cleaned(pass.part, end, pass.notedBytes);
      failpoint('upkeep-before-commit');
    });
    this.#pass = undefined;
  }

  #stays(pass: Pass, { extents, offsets, timestamps }: DecodedBatch, data: Buffer, i: number, nowMs: number): boolean {
    const at = i * extentSize;
    const length = extents[at + extent.keyLength]!;
    if (length < 0) return true;
    const offset = offsets[i]!;
    if (offset < pass.newest.newest(data, extents[at + extent.keyStart]!, length)) return false;
    // In the part that was clean before this pass, a tombstone has nothing left to delete.
    const isTombstone = extents[at + extent.valueLength]! < 0;
    return !(isTombstone && offset < pass.cleanedOffset && timestamps[i]! < nowMs - this.#options.tombstoneMs);
  }

  /** The bytes that it takes now. */
  #replace(topic: Topic, old: ReadBatch, kept: Uint32Array): number {
    const { batch, data } = old;
    const { offsets, seqs } = batch;
    const records = new RecordSet({
      buffers: [data],
      topics: [],
      extents: batch.extents,
      count: batch.count,
      timestamps: batch.timestamps,
    });
    const builder = this.#builder;
    builder.start(old.baseOffset, old.firstSeq, batch.timestamps[kept[0]!]!);
    for (let from = 0, to = 1; from < kept.length; from = to++) {
      const first = kept[from]!;
      while (to < kept.length && continues(batch, kept[to - 1]!, kept[to]!)) to++;
      builder.addRun(records, first, kept[to - 1]! + 1, offsets[first]!, seqs[first]!, 0);
    }
    const { maxTimeMs } = builder;
    const facts = { ...old.facts, recordCount: kept.length, maxTimeMs };
    const written = builder.finish((bytes) => batchIdentity(facts, bytes));
    const bytes = written.records.length + written.data.length;
    this.#database
      .statement('UPDATE wt_batch SET record_count = ?, bytes = ?, max_time_ms = ?, records = ?, data = ? WHERE id = ?')
      .run(kept.length, bytes, maxTimeMs, written.records, written.data, old.id);
    this.#space.resized(topic, old, bytes);
    return bytes;
  }
}

/** Whether two records of a batch stand in one run: neighbours of one append. */
function continues({ offsets, seqs }: DecodedBatch, a: number, b: number): boolean {
  return b === a + 1 && offsets[b] === offsets[a]! + 1 && seqs[b] === seqs[a];
}
