// The event log in an SQLite file that it shares with the state store: `write` runs inside the engine's transaction, so records,
// positions, rows and frontier become durable together. The engine's face is synchronous; the port's methods are for everyone
// else in the process. Belongs to the thread that owns the database's one writing connection.
import type { Chore } from '../../core/chore.js';
import { AppError } from '../../core/errors.js';
import type { Append } from '../../core/append.js';
import type { TopicRetention } from '../../core/topic-retention.js';
import type { Durability, SqliteDatabase } from '../../sqlite/database.js';
import { AppendQueue } from '../bridge/append-queue.js';
import { openLocalProducer } from '../bridge/credited-producer.js';
import type {
  AppendProducer,
  EventLog,
  ProducerOptions,
  ReadOptions,
  TapRecord,
  TopicDescription,
  TopicSpec,
} from '../event-log.js';
import type { DerivedRecords, PendingAppend } from '../pending-append.js';
import { Compaction, compactionDefaults, type CompactionOptions } from './compaction.js';
import { FolderMark } from './folder-mark.js';
import { closeEpoch, epochsOf, openEpoch, type LogEpoch } from './log-epoch.js';
import { EmptyCommits } from './empty-commits.js';
import { LogReader } from './log-reader.js';
import { createLogTables } from './log-tables.js';
import { LogSpace } from './log-space.js';
import { LogWriter } from './log-writer.js';
import { Retention } from './retention.js';
import { TopicIndex } from './topic-index.js';

export interface EmbeddedLogOptions {
  /** As the database was opened; decides whether an unclean start begins a new epoch. */
  readonly durability?: Durability | undefined;
  /** The database's folder, where marks beside the file tell a restored one; undefined: the file is believed. */
  readonly folder?: string | undefined;
  /** Where very long appends wait for their end; undefined: in memory. */
  readonly spillFolder?: string | undefined;
  readonly spillBytes?: number | undefined;
  readonly compaction?: Partial<CompactionOptions> | undefined;
}

export class EmbeddedLog implements EventLog {
  readonly logId: string;
  /** Why a new epoch had to begin: the data file is not the one that was written last. */
  readonly restored: string | undefined;
  /** What producers have closed and the engine has not taken yet. */
  readonly queue: AppendQueue;
  /** Retention, compaction and what belongs to them; each step is a transaction of its own. */
  readonly chores: readonly Chore[];
  readonly #database: SqliteDatabase;
  readonly #durability: Durability;
  readonly #topics: TopicIndex;
  readonly #space: LogSpace;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #mark: FolderMark | undefined;
  #followers: (() => void)[] = [];
  #closed = false;

  constructor(database: SqliteDatabase, options: EmbeddedLogOptions) {
    createLogTables(database);
    this.#database = database;
    this.#durability = options.durability ?? 'full';
    this.#topics = new TopicIndex(database);
    this.#space = new LogSpace(database, this.#topics);
    this.#writer = new LogWriter(database, this.#topics, this.#space);
    this.#reader = new LogReader(database, this.#topics);
    const retention = new Retention(database, this.#topics, this.#space);
    this.chores = [
      this.#space.counting,
      retention,
      retention.deleted,
      new Compaction(database, this.#topics, this.#space, { ...compactionDefaults, ...options.compaction }),
      new EmptyCommits(database, this.#space),
    ];
    const { headSeq } = this.#writer;
    this.#mark = options.folder === undefined ? undefined : new FolderMark(database, options.folder, headSeq);
    this.restored = this.#mark?.doubt;
    this.logId = openEpoch(database, {
      durability: this.#durability,
      headSeq,
      restored: this.restored !== undefined,
    });
    this.#mark?.take(headSeq);
    this.queue = new AppendQueue({
      lastAppend: (producer) => this.#reader.lastAppend(producer),
      spillFolder: options.spillFolder,
      ...(options.spillBytes === undefined ? {} : { spillBytes: options.spillBytes }),
    });
    database.onTransactionEnd({
      commit: () => {
        this.#mark?.committed(this.#writer.headSeq);
        this.#wakeFollowers();
      },
    });
  }

  // The engine's face: synchronous, inside the transaction that the engine has open.

  /**
   * Stores whole appends in this order; their seqs and offsets are known at once, and durable with the caller's commit. Throws Unwritable
   * for an append with a record that has no place; then the transaction has to be rolled back.
   */
  write(appends: readonly PendingAppend[]): Append[] {
    return this.#writer.write(appends);
  }

  /** Stores what queries derived from appends of this transaction: offsets, but no seq; `read` does not give it. */
  writeDerived(groups: readonly DerivedRecords[]): void {
    this.#writer.writeDerived(groups);
  }

  /** Bytes per topic, as far as they are counted. */
  *topicBytes(): Iterable<readonly [topic: string, bytes: number]> {
    for (const topic of this.#topics.all()) {
      const bytes = this.#space.bytes(topic);
      if (bytes !== undefined) yield [topic.spec.name, bytes];
    }
  }

  /** The same as `createTopic`, in the open transaction if there is one: a rollback takes it back. */
  createTopicNow(spec: TopicSpec): void {
    this.#topics.create(spec);
  }

  /** The same as `alterTopic`, in the open transaction if there is one: a rollback takes it back. */
  alterTopicNow(name: string, limits: TopicRetention): void {
    this.#topics.alter(name, limits);
  }

  /** The same as `deleteTopic`, in the open transaction if there is one: a rollback takes it back. */
  deleteTopicNow(name: string): void {
    this.#topics.delete(name);
  }

  findTopic(name: string): TopicSpec | undefined {
    return this.#topics.find(name)?.spec;
  }

  /** No record was ever written to it (or it is not there). */
  topicIsEmpty(name: string): boolean {
    return this.#topics.find(name)?.next.every((next) => next === 0) ?? true;
  }

  /** Records of it up to this seq may have gone by retention. */
  topicLostSeq(name: string): number {
    return this.#topics.find(name)?.lostSeq ?? 0;
  }

  /** The next whole appends with seq > `after`, or none at the end: `read` for a caller that must not wait (rebuild). */
  readGroup(after: number, topics?: ReadonlySet<string>): Append[] {
    return this.#reader.readGroup(after, topics);
  }

  /** Epochs of the log, oldest first. */
  epochs(): readonly LogEpoch[] {
    return epochsOf(this.#database);
  }

  // The port.

  async createTopic(spec: TopicSpec): Promise<void> {
    this.#topics.create(spec);
  }

  async alterTopic(name: string, limits: TopicRetention): Promise<void> {
    this.alterTopicNow(name, limits);
  }

  async deleteTopic(name: string): Promise<void> {
    this.deleteTopicNow(name);
  }

  async topics(): Promise<readonly TopicDescription[]> {
    return Array.from(this.#topics.all(), (topic) => this.#reader.describe(topic));
  }

  async partitions(topic: string): Promise<number | undefined> {
    return this.#topics.find(topic)?.spec.partitions;
  }

  /** Its appends go to `queue`, and are durable once whoever runs the engine's loop has taken, written and confirmed them. */
  async openProducer(producer: string, options?: ProducerOptions): Promise<AppendProducer> {
    return openLocalProducer(this.queue, producer, options);
  }

  async producerPosition(producer: string): Promise<string | null> {
    return this.#reader.lastAppend(producer)?.position ?? null;
  }

  async headSeq(): Promise<number> {
    return this.#writer.headSeq;
  }

  async *read(after: number, options: ReadOptions): AsyncGenerator<readonly Append[]> {
    const wanted = options.topics === undefined ? undefined : new Set(options.topics);
    let seq = after;
    while (options.signal?.aborted !== true) {
      this.#checkOpen();
      const group = this.#reader.readGroup(seq, wanted);
      if (group.length > 0) {
        seq = group.at(-1)!.seq;
        yield group;
      } else if (options.follow) await this.#nextCommit(options.signal);
      else return;
    }
  }

  async partitionEnds(topic: string): Promise<readonly number[]> {
    return [...this.#topics.get(topic).next];
  }

  async readTopic(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    _decidedTo?: number,
    bytesMax?: number,
  ): Promise<readonly TapRecord[]> {
    return this.#reader.readTopic(topic, partition, { offset, limit, bytesMax });
  }

  /** Ends the epoch in order. The database stays open: it is the caller's. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.queue.fail(closedError());
    this.#wakeFollowers();
    closeEpoch(this.#database, this.#durability);
    this.#mark?.close();
  }

  #nextCommit(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      this.#followers.push(wake);
    });
  }

  #wakeFollowers(): void {
    const followers = this.#followers;
    this.#followers = [];
    for (const wake of followers) wake();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): AppError {
  return new AppError('not-ready', 'the log is closed');
}

/** The log in `database`, which is created empty where there is none. One per file and process. */
export function openEmbeddedLog(database: SqliteDatabase, options: EmbeddedLogOptions = {}): EmbeddedLog {
  return new EmbeddedLog(database, options);
}
