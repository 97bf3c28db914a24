// The topics of the embedded log in memory, with the offsets that their partitions give next. A copy of wt_topic,
// wt_partition and the ends of wt_batch; read again from there after a rollback.
import { assertPartitions } from '../../core/topic-name.js';
import type { TopicRetention } from '../../core/topic-retention.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { TopicSpec } from '../event-log.js';
import { TopicRefusal } from '../topic-refusal.js';

export interface Topic {
  readonly id: number;
  spec: TopicSpec;
  /** Next offset per partition. */
  readonly next: number[];
  /** Records up to this seq may have gone by retention. */
  lostSeq: number;
}

export class TopicIndex {
  readonly #database: SqliteDatabase;
  #byName: Map<string, Topic>;
  #byId = new Map<number, Topic>();
  /** Topics may wait for their batches to be taken away. */
  someDeleted = true;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#byName = this.#load();
    database.onTransactionEnd({ rollback: () => (this.#byName = this.#load()) });
  }

  /** Reads everything again: for a connection that does not write, where another one moves the topics. */
  reload(): void {
    this.#byName = this.#load();
  }

  #load(): Map<string, Topic> {
    const byName = new Map<string, Topic>();
    this.#byId = new Map();
    const rows = this.#database
      .statement(
        'SELECT id, name, partitions, cleanup, retention_ms, retention_bytes, lost_seq FROM wt_topic WHERE deleted = 0 ORDER BY name',
      )
      .all();
    for (const [id, name, partitions, cleanup, retentionMs, retentionBytes, lostSeq] of rows) {
      const topic: Topic = {
        id: Number(id),
        spec: {
          name: String(name),
          partitions: Number(partitions),
          cleanup: cleanup === 'compact' ? 'compact' : 'delete',
          retentionMs: retentionMs === null ? undefined : Number(retentionMs),
          retentionBytes: retentionBytes === null ? undefined : Number(retentionBytes),
        },
        next: [],
        lostSeq: Number(lostSeq),
      };
      for (let p = 0; p < topic.spec.partitions; p++) topic.next.push(nextOffset(this.#database, topic.id, p));
      byName.set(topic.spec.name, topic);
      this.#byId.set(topic.id, topic);
    }
    return byName;
  }

  all(): Iterable<Topic> {
    return this.#byName.values();
  }

  find(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): Topic | undefined {
    return this.#byId.get(id);
  }

  get(name: string): Topic {
    const found = this.#byName.get(name);
    if (found === undefined) throw new TopicRefusal(name, 'unknown-topic', `there is no topic "${name}"`);
    return found;
  }

  create(spec: TopicSpec): void {
    if (this.#byName.has(spec.name)) return;
    assertPartitions(spec.name, spec.partitions);
    this.#database.transaction(() => {
      const inserted = this.#database
        .statement(
          'INSERT INTO wt_topic (name, partitions, cleanup, retention_ms, retention_bytes, lost_seq, deleted) VALUES (?, ?, ?, ?, ?, 0, 0)',
        )
        .run(spec.name, spec.partitions, spec.cleanup, spec.retentionMs ?? null, spec.retentionBytes ?? null);
      const topic: Topic = {
        id: Number(inserted.lastInsertRowid),
        spec: { ...spec },
        next: Array.from({ length: spec.partitions }, () => 0),
        lostSeq: 0,
      };
      this.#byName.set(spec.name, topic);
      this.#byId.set(topic.id, topic);
    });
  }

  alter(name: string, { retentionMs, retentionBytes }: TopicRetention): void {
    const topic = this.get(name);
    this.#database.transaction(() => {
      this.#database
        .statement('UPDATE wt_topic SET retention_ms = ?, retention_bytes = ? WHERE id = ?')
        .run(retentionMs ?? null, retentionBytes ?? null, topic.id);
      topic.spec = { ...topic.spec, retentionMs, retentionBytes };
    });
  }

  /** The name is free at once; housekeeping takes the batches away. */
  delete(name: string): void {
    const topic = this.get(name);
    this.#database.transaction(() => {
      this.#database.statement('UPDATE wt_topic SET deleted = 1 WHERE id = ?').run(topic.id);
      this.someDeleted = true;
      this.#byName.delete(name);
      this.#byId.delete(topic.id);
    });
  }
}

function nextOffset(database: SqliteDatabase, topicId: number, partition: number): number {
  const kept = database
    .statement('SELECT next_offset FROM wt_partition WHERE topic_id = ? AND partition = ?')
    .get(topicId, partition);
  const last = database
    .statement(
      'SELECT last_offset FROM wt_batch WHERE topic_id = ? AND partition = ? ORDER BY base_offset DESC LIMIT 1',
    )
    .get(topicId, partition);
  return Math.max(Number(kept?.[0] ?? 0), last === undefined ? 0 : Number(last[0]) + 1);
}
