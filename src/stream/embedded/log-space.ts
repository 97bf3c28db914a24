// The bytes that each topic-partition takes in the embedded log, in memory, so that retention and compaction compare numbers after every
// commit instead of adding batches up. Every batch that comes, shrinks or goes passes here. What lay there at the start is counted in
// small steps; a partition that is not counted yet is left alone. Follows the transaction: a rollback takes its changes back.
import type { Chore } from '../../core/chore.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { Topic, TopicIndex } from './topic-index.js';

/** Entries of an index that covers them: a few ms. */
const batchesPerStep = 5_000;
const debtOfCounting = 0.05;
/** Taken for granted at the start. */
const emptiedBefore = 5_000;

/** Of one partition. */
export interface PartSpace {
  /** Offsets below were cleaned by compaction. */
  cleanedOffset: number;
  cleanBytes: number;
  dirtyBytes: number;
  /** What was written before the start and is not added up yet: from here ... */
  countFrom: number;
  /** ... to here. */
  readonly countTo: number;
}

/** A batch that goes. */
export interface StoredBatch {
  readonly id: number;
  readonly partition: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly firstSeq: number;
  readonly derived: boolean;
  readonly bytes: number;
}

export class LogSpace {
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  readonly #parts = new Map<number, PartSpace[]>();
  /** Changes of the open transaction. */
  #changes: (() => void)[] = [];
  #counted = false;
  /** At most so many commits have lost their last batch, or never had one, since they were looked at. */
  #emptied = emptiedBefore;

  constructor(database: SqliteDatabase, topics: TopicIndex) {
    this.#database = database;
    this.#topics = topics;
    for (const topic of topics.all())
      this.#parts.set(
        topic.id,
        topic.next.map((next, i) => this.#part(topic.id, i, next)),
      );
    database.onTransactionEnd({
      commit: () => (this.#changes.length = 0),
      rollback: () => {
        for (const undo of this.#changes.toReversed()) undo();
        this.#changes.length = 0;
      },
    });
  }

  #part(topicId: number, partition: number, countTo: number): PartSpace {
    const stored = this.#database
      .statement('SELECT cleaned_offset FROM wt_partition WHERE topic_id = ? AND partition = ?')
      .get(topicId, partition);
    return { cleanedOffset: Number(stored?.[0] ?? 0), cleanBytes: 0, dirtyBytes: 0, countFrom: 0, countTo };
  }

  /** Its partitions; a topic that came after the start has nothing to be counted. */
  parts(topic: Topic): readonly PartSpace[] {
    let parts = this.#parts.get(topic.id);
    if (parts === undefined) {
      parts = topic.next.map((_, partition) => this.#part(topic.id, partition, 0));
      this.#parts.set(topic.id, parts);
    }
    return parts;
  }

  /** Of the whole topic; undefined while it is not counted. */
  bytes(topic: Topic): number | undefined {
    let bytes = 0;
    for (const part of this.parts(topic)) {
      if (!isCounted(part)) return undefined;
      bytes += part.cleanBytes + part.dirtyBytes;
    }
    return bytes;
  }

  /** A batch is written, in the open transaction. */
  added(topic: Topic, partition: number, bytes: number): void {
    this.#change(this.parts(topic)[partition]!, 'dirtyBytes', bytes);
  }

  /** A commit without batches is written. */
  addedEmpty(): void {
    this.#emptied++;
  }

  /** A batch of a topic that is there takes other bytes now. */
  resized(topic: Topic, batch: StoredBatch, bytes: number): void {
    const part = this.parts(topic)[batch.partition]!;
    const field = batch.baseOffset < part.cleanedOffset ? 'cleanBytes' : 'dirtyBytes';
    this.#change(part, field, bytes - batch.bytes);
  }

  /** Takes a batch away; offsets are never given twice, also when the batches that show them are gone. */
  remove(topic: Topic, batch: StoredBatch): void {
    this.#database
      .statement(
        `INSERT INTO wt_partition (topic_id, partition, next_offset, cleaned_offset) VALUES (?, ?, ?, 0)
         ON CONFLICT (topic_id, partition) DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)`,
      )
      .run(topic.id, batch.partition, batch.lastOffset + 1);
    this.removeRow(batch);
    this.resized(topic, batch, 0);
  }

  /** The row alone, of a topic that is gone, and from the count of its commit. */
  removeRow({ id, firstSeq, derived }: Pick<StoredBatch, 'id' | 'firstSeq' | 'derived'>): void {
    this.#database.statement('DELETE FROM wt_batch WHERE id = ?').run(id);
    if (derived) return;
    this.#database
      .statement(
        'UPDATE wt_commit SET batches = batches - 1 WHERE first_seq = (SELECT max(first_seq) FROM wt_commit WHERE first_seq <= ?)',
      )
      .run(firstSeq);
    this.#emptied++;
  }

  /** A pass of compaction is through: `bytes` of what was dirty are clean. */
  cleaned(part: PartSpace, upTo: number, bytes: number): void {
    this.#change(part, 'dirtyBytes', -bytes);
    this.#change(part, 'cleanBytes', bytes);
    const before = part.cleanedOffset;
    part.cleanedOffset = upTo;
    this.#changes.push(() => (part.cleanedOffset = before));
  }

  #change(part: PartSpace, field: 'cleanBytes' | 'dirtyBytes', by: number): void {
    part[field] += by;
    this.#changes.push(() => (part[field] -= by));
  }

  /** Topics that are deleted need no room here any more. */
  forget(topicId: number): void {
    this.#parts.delete(topicId);
  }

  get emptied(): number {
    return this.#emptied;
  }

  lookedAtEmpty(): void {
    this.#emptied = 0;
  }

  /** Adds up what lay there at the start. */
  get counting(): Chore {
    return {
      name: 'counting',
      debt: () => (this.#counted ? 0 : debtOfCounting),
      step: () => this.#countSome(),
    };
  }

  #countSome(): void {
    for (const topic of this.#topics.all()) {
      for (const [partition, part] of this.parts(topic).entries()) {
        if (isCounted(part)) continue;
        const rows = this.#database
          .statement(
            `SELECT base_offset, bytes FROM wt_batch
             WHERE topic_id = ? AND partition = ? AND base_offset >= ? AND base_offset < ? ORDER BY base_offset LIMIT ?`,
          )
          .all(topic.id, partition, part.countFrom, part.countTo, batchesPerStep) as [number, number][];
        for (const [baseOffset, bytes] of rows) {
          if (baseOffset < part.cleanedOffset) part.cleanBytes += bytes;
          else part.dirtyBytes += bytes;
        }
        part.countFrom = rows.length < batchesPerStep ? part.countTo : rows.at(-1)![0] + 1;
        return;
      }
    }
    this.#counted = true;
  }
}

export function isCounted({ countFrom, countTo }: PartSpace): boolean {
  return countFrom >= countTo;
}
