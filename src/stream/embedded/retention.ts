// What leaves the embedded log by age, by size, or with its topic, in small steps between the engine's commits. A topic loses its
// oldest batches first, in the order of seqs over all its partitions, and remembers up to which seq it may be incomplete.
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { Topic, TopicIndex } from './topic-index.js';

/** Batches that one step takes away. */
const stepBatches = 64;
/** Commits that one step takes away. */
const stepCommits = 512;

export class Retention {
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  /** Per topic: its size, as of a seq; what came later is added at the next look. */
  readonly #sizes = new Map<number, { bytes: number; seq: number }>();

  constructor(database: SqliteDatabase, topics: TopicIndex) {
    this.#database = database;
    this.#topics = topics;
  }

  /** One step; true: there is more to do. Each step is a transaction of its own. */
  step(nowMs: number): boolean {
    return this.#purgeDeletedTopic() || this.#expire(nowMs) || this.#trimCommits();
  }

  #purgeDeletedTopic(): boolean {
    const topic = this.#database.statement('SELECT id FROM wt_topic WHERE deleted = 1 LIMIT 1').get();
    if (topic === undefined) return false;
    this.#database.transaction(() => {
      const batches = this.#database
        .statement('SELECT id, first_seq, derived FROM wt_batch WHERE topic_id = ? LIMIT ?')
        .all(topic[0], stepBatches);
      for (const [id, firstSeq, derived] of batches)
        removeBatch(this.#database, Number(id), Number(firstSeq), derived === 1);
      if (batches.length > 0) return;
      this.#database.statement('DELETE FROM wt_partition WHERE topic_id = ?').run(topic[0]);
      this.#database.statement('DELETE FROM wt_topic WHERE id = ?').run(topic[0]);
    });
    return true;
  }

  #expire(nowMs: number): boolean {
    for (const topic of this.#topics.all()) {
      const { cleanup, retentionMs, retentionBytes } = topic.spec;
      if (cleanup !== 'delete' || (retentionMs === undefined && retentionBytes === undefined)) continue;
      if (this.#expireTopic(topic, nowMs)) return true;
    }
    return false;
  }

  #expireTopic(topic: Topic, nowMs: number): boolean {
    const { retentionMs, retentionBytes } = topic.spec;
    const oldest = this.#database.statement(
      `SELECT id, partition, last_offset, first_seq, last_seq, derived, bytes, max_time_ms FROM wt_batch
         WHERE topic_id = ? AND partition = ? ORDER BY base_offset LIMIT ?`,
    );
    const candidates = topic.next
      .flatMap((_, partition) => oldest.all(topic.id, partition, stepBatches).map((row) => row.map(Number)))
      .sort((a, b) => a[4]! - b[4]!);
    let excess = retentionBytes === undefined ? 0 : this.#bytes(topic) - retentionBytes;
    const gone: number[][] = [];
    for (const row of candidates) {
      const expired = retentionMs !== undefined && row[7]! < nowMs - retentionMs;
      if (gone.length === stepBatches || (!expired && excess <= 0)) break;
      excess -= row[6]!;
      gone.push(row);
    }
    if (gone.length === 0) return false;
    const lostSeq = Math.max(topic.lostSeq, ...gone.filter((row) => row[5] === 0).map((row) => row[4]!));
    this.#database.transaction(() => {
      for (const [id, partition, lastOffset, firstSeq, , derived] of gone) {
        keepNextOffset(this.#database, topic.id, partition!, lastOffset! + 1);
        removeBatch(this.#database, id!, firstSeq!, derived === 1);
      }
      this.#database.statement('UPDATE wt_topic SET lost_seq = ? WHERE id = ?').run(lostSeq, topic.id);
    });
    topic.lostSeq = lostSeq;
    const size = this.#sizes.get(topic.id);
    if (size !== undefined) size.bytes -= gone.reduce((sum, row) => sum + row[6]!, 0);
    return true;
  }

  #bytes(topic: Topic): number {
    let size = this.#sizes.get(topic.id);
    if (size === undefined) this.#sizes.set(topic.id, (size = { bytes: 0, seq: -1 }));
    const [bytes, seq] = this.#database
      .statement('SELECT ifnull(sum(bytes), 0), max(first_seq) FROM wt_batch WHERE first_seq > ? AND topic_id = ?')
      .get(size.seq, topic.id)!;
    size.bytes += Number(bytes);
    size.seq = Math.max(size.seq, Number(seq ?? -1));
    return size.bytes;
  }

  /**
   * Commits none of whose records are left go too, unless they hold a control or a producer's newest append: positions then still
   * move, only not through every step of the past.
   */
  #trimCommits(): boolean {
    const empty = this.#database
      .statement(
        `SELECT first_seq FROM wt_commit INDEXED BY wt_commit_empty WHERE batches = 0 AND control = 0
         AND NOT EXISTS (SELECT 1 FROM wt_producer WHERE seq BETWEEN first_seq AND last_seq) ORDER BY first_seq LIMIT ?`,
      )
      .all(stepCommits);
    if (empty.length === 0) return false;
    this.#database.transaction(() => {
      for (const [firstSeq] of empty)
        this.#database.statement('DELETE FROM wt_commit WHERE first_seq = ?').run(firstSeq);
    });
    return empty.length === stepCommits;
  }
}

/** Takes a batch away, and from the count of its commit. */
export function removeBatch(database: SqliteDatabase, id: number, firstSeq: number, derived: boolean): void {
  database.statement('DELETE FROM wt_batch WHERE id = ?').run(id);
  if (derived) return;
  database
    .statement(
      'UPDATE wt_commit SET batches = batches - 1 WHERE first_seq = (SELECT max(first_seq) FROM wt_commit WHERE first_seq <= ?)',
    )
    .run(firstSeq);
}

/** Offsets are never given twice, also when the batches that show them are gone. */
export function keepNextOffset(database: SqliteDatabase, topicId: number, partition: number, nextOffset: number): void {
  database
    .statement(
      `INSERT INTO wt_partition VALUES (?, ?, ?, 0)
       ON CONFLICT (topic_id, partition) DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)`,
    )
    .run(topicId, partition, nextOffset);
}
