// The log as the engine uses it. Embedded: producers close appends into a queue, the loop writes them in its own transaction. Kafka:
// producers write to the brokers themselves, and the loop applies what it reads behind the frontier.
import type { MessagePort } from 'node:worker_threads';
import type { AppError } from '../core/errors.js';
import type { Chore } from '../core/chore.js';
import type { Append } from '../core/append.js';
import type { AppendControl } from '../core/append-control.js';
import type { DerivedGroup } from '../core/derived.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { SqliteDatabase } from '../sqlite/database.js';
import type { StateWriter } from '../store/state-store.js';
import type { EventLog } from '../stream/event-log.js';
import type { PendingAppend } from '../stream/pending-append.js';
import type { TopicRefusal } from '../stream/topic-refusal.js';
import type { EngineOptions } from './engine-api.js';
import type { EngineTopics } from './engine-topics.js';
import type { TrimmedLog } from './log-trimming.js';
import type { OutboxStatus } from './outbox.js';

/** What the loop has to know of an append before it is written. */
export interface TakenAppend {
  readonly control?: AppendControl | undefined;
}

/** Where groups come from. */
export interface AppendIntake {
  /** A group of whole appends, empty when there is none. Nothing of it is given again before `confirm` or `repeat`. */
  take(): readonly TakenAppend[];
  /**
   * Inside the transaction: the appends with their seqs. Called again for the same group after a rollback. Throws Unwritable for an
   * append with a record that has no place.
   */
  write(group: readonly TakenAppend[]): readonly Append[];
  /** The nearest place at or before `at` where the group may be cut into two commits; 0: there is none. */
  cut(group: readonly TakenAppend[], at: number): number;
  /** Inside the transaction. Throws TopicRefusal where one topic cannot be written; then all is rolled back. */
  writeDerived(groups: readonly DerivedGroup[]): void;
  /** An append that `write` could not store is left out, maybe with others of its producer, who is told. */
  refuse(append: PendingAppend, error: AppError): void;
  /** What of a group that was taken is to be written; the same group where nothing was refused. */
  withoutRefused(group: readonly TakenAppend[]): readonly TakenAppend[];
  confirm(appends: readonly Append[]): void;
  onAvailable(listener: () => void): void;
  /** Upkeep of what the log keeps here. */
  readonly chores: readonly Chore[];
}

export interface EngineLog {
  readonly log: EventLog;
  /** How long a statement waits for its append; undefined: nothing outside is waited for. */
  readonly deliveryMs?: number | undefined;
  readonly intake: AppendIntake;
  /** Serves a capture thread's producers; Kafka's need no bridge. */
  attachCapture(port: MessagePort): void;
  /** The store is open: the log may keep what it needs in it, and the reading behind its frontier begins. */
  begin(state: StateWriter): Promise<EngineTopics>;
  /**
   * Begins to write derived records, or ends it; at any time, by who leads. `onRefused` is called when a topic cannot be written, and
   * resolves when the append that says so is applied. What was derived meanwhile waits; the embedded log needs neither.
   */
  startSending(onRefused: (refusal: TopicRefusal) => Promise<void>): Promise<void>;
  stopSending(): Promise<void>;
  /** In the open transaction: what was derived for the topic up to this seq is not written to it. */
  refuseDerived(topic: string, upToSeq: number): void;
  /** See imports.ts; undefined where all topics are the log's own. */
  readonly importTopic: ((topic: string, signal: AbortSignal) => Promise<void>) | undefined;
  /** Of the topics that this process keeps itself; Kafka's are the brokers'. */
  topicBytes(): Iterable<readonly [topic: string, bytes: number]>;
  /** Where what lies behind everybody can be given up; undefined: the log sees to that itself. */
  readonly trimmed: TrimmedLog | undefined;
  /** Undefined where derived records need none. */
  outbox(): OutboxStatus | undefined;
  close(): Promise<void>;
  /** In the open transaction: the append is applied. */
  noteApplied(append: Append): void;
}

/** What it is opened with. */
export interface EngineLogParts {
  readonly database: SqliteDatabase;
  readonly options: EngineOptions;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How many rows the tables over a topic have. */
  readonly rowsOf: (topic: string) => number | undefined;
}
