// What leaves the embedded log by age, by size, or with its topic, in small steps between the engine's commits. A topic loses its
// oldest batches first, in the order of seqs over all its partitions, and remembers up to which seq it may be incomplete.
import type { Chore } from '../../core/chore.js';
import { failpoint } from '../../core/failpoint.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { LogSpace, StoredBatch } from './log-space.js';
import type { Topic, TopicIndex } from './topic-index.js';

/** Batches that one step takes away, and about how many bytes: each page of one is read to be given free. */
const stepBatches = 64;
const stepBytes = 4 * 1024 * 1024;
/** Small: only space is lost meanwhile. */
const debtOfDeleted = 0.03;
/** Limits below count as these: a topic is not cut after every commit. */
const bytesAtLeast = 64 * 1024;
const msAtLeast = 10_000;

interface Expirable extends StoredBatch {
  readonly lastSeq: number;
  readonly maxTimeMs: number;
}

type BatchRow = readonly [number, number, number, number, number, number, number, number];

export class Retention implements Chore {
  readonly name = 'retention';
  readonly #database: SqliteDatabase;
  readonly #topics: TopicIndex;
  readonly #space: LogSpace;
  /** Of topics limited by time: the time of the batch that goes next. */
  readonly #oldestMs = new Map<number, number>();

  constructor(database: SqliteDatabase, topics: TopicIndex, space: LogSpace) {
    this.#database = database;
    this.#topics = topics;
    this.#space = space;
    database.onTransactionEnd({ rollback: () => this.#oldestMs.clear() });
  }

  debt(nowMs: number): number {
    return this.#worst(nowMs)[1];
  }

  step(nowMs: number): void {
    const [topic] = this.#worst(nowMs);
    if (topic !== undefined) this.#expire(topic, nowMs);
  }

  #worst(nowMs: number): readonly [Topic | undefined, number] {
    let worst: Topic | undefined;
    let most = 0;
    for (const topic of this.#topics.all()) {
      const { cleanup, retentionMs, retentionBytes } = topic.spec;
      if (cleanup !== 'delete' || (retentionMs === undefined && retentionBytes === undefined)) continue;
      const debt = this.#debtOf(topic, nowMs);
      if (debt <= most) continue;
      worst = topic;
      most = debt;
    }
    return [worst, most];
  }

  #debtOf(topic: Topic, nowMs: number): number {
    const bytes = this.#space.bytes(topic);
    if (bytes === undefined || bytes === 0) return 0;
    const { retentionMs, retentionBytes } = topic.spec;
    const ofBytes =
      retentionBytes === undefined ? 0 : (bytes - retentionBytes) / Math.max(retentionBytes, bytesAtLeast);
    if (retentionMs === undefined) return ofBytes;
    let oldestMs = this.#oldestMs.get(topic.id);
    if (oldestMs === undefined) {
      oldestMs = this.#oldest(topic, 1)[0]?.maxTimeMs ?? Infinity;
      this.#oldestMs.set(topic.id, oldestMs);
    }
    return Math.max(ofBytes, (nowMs - retentionMs - oldestMs) / Math.max(retentionMs, msAtLeast));
  }

  /** The next ones to go, at most `limit` of each partition; of a partition always in the order of their offsets. */
  #oldest(topic: Topic, limit: number): Expirable[] {
    const select = this.#database.statement(
      `SELECT id, base_offset, last_offset, first_seq, last_seq, derived, bytes, max_time_ms FROM wt_batch
         WHERE topic_id = ? AND partition = ? ORDER BY base_offset LIMIT ?`,
    );
    const all: Expirable[] = [];
    for (let partition = 0; partition < topic.next.length; partition++) {
      let lastSeq = 0;
      for (const row of select.all(topic.id, partition, limit)) {
        const [id, baseOffset, lastOffset, firstSeq, last, derived, bytes, maxTimeMs] = row as unknown as BatchRow;
        lastSeq = Math.max(lastSeq, last);
        const batch = { id, partition, baseOffset, lastOffset, firstSeq, bytes, derived: derived === 1 };
        all.push(Object.assign(batch, { lastSeq, maxTimeMs }));
      }
    }
    return all.sort((a, b) => a.lastSeq - b.lastSeq);
  }

  #expire(topic: Topic, nowMs: number): void {
    const { retentionMs, retentionBytes } = topic.spec;
    let excess = retentionBytes === undefined ? 0 : this.#space.bytes(topic)! - retentionBytes;
    let lostSeq = topic.lostSeq;
    let gone = 0;
    this.#database.transaction(() => {
      for (const batch of this.#oldest(topic, stepBatches).slice(0, stepBatches)) {
        const expired = retentionMs !== undefined && batch.maxTimeMs < nowMs - retentionMs;
        if (gone >= stepBytes || (!expired && excess <= 0)) break;
        this.#space.remove(topic, batch);
        excess -= batch.bytes;
        gone += batch.bytes;
        if (!batch.derived) lostSeq = Math.max(lostSeq, batch.lastSeq);
      }
      this.#database.statement('UPDATE wt_topic SET lost_seq = ? WHERE id = ?').run(lostSeq, topic.id);
      failpoint('upkeep-before-commit');
    });
    topic.lostSeq = lostSeq;
    this.#oldestMs.delete(topic.id);
  }

  /** Batches of deleted topics. */
  get deleted(): Chore {
    return {
      name: 'deleted-topics',
      debt: () => (this.#topics.someDeleted ? debtOfDeleted : 0),
      step: () => this.#purgeDeletedTopic(),
    };
  }

  #purgeDeletedTopic(): void {
    const topic = this.#database.statement('SELECT id FROM wt_topic WHERE deleted = 1 LIMIT 1').get();
    if (topic === undefined) {
      this.#topics.someDeleted = false;
      return;
    }
    this.#database.transaction(() => {
      const batches = this.#database
        .statement('SELECT id, first_seq, derived, bytes FROM wt_batch WHERE topic_id = ? LIMIT ?')
        .all(topic[0], stepBatches);
      let gone = 0;
      for (const [id, firstSeq, derived, bytes] of batches) {
        this.#space.removeRow({ id: Number(id), firstSeq: Number(firstSeq), derived: derived === 1 });
        gone += Number(bytes);
        if (gone >= stepBytes) break;
      }
      failpoint('upkeep-before-commit');
      if (batches.length > 0) return;
      this.#database.statement('DELETE FROM wt_partition WHERE topic_id = ?').run(topic[0]);
      this.#database.statement('DELETE FROM wt_topic WHERE id = ?').run(topic[0]);
      this.#space.forget(Number(topic[0]));
    });
  }
}
