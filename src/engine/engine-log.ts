// The log as the engine uses it. Embedded: producers close appends into a queue, the loop writes them in its own transaction. Kafka:
// producers write to the brokers themselves, and the loop applies what it reads behind the frontier.
import type { MessagePort } from 'node:worker_threads';
import type { Append } from '../core/record.js';
import type { AppendControl } from '../core/append-control.js';
import type { DerivedGroup } from '../core/derived.js';
import type { Registry } from '../registry/registry.js';
import type { StateWriter } from '../store/state-store.js';
import type { EventLog, TopicSpec } from '../stream/event-log.js';
import type { TopicRefusal } from '../stream/topic-refusal.js';
import type { OutboxStatus } from './outbox.js';

/** What the loop has to know of an append before it is written. */
export interface TakenAppend {
  readonly control?: AppendControl | undefined;
}

/** Where groups come from. */
export interface AppendFeed {
  /** A group of whole appends, empty when there is none. Nothing of it is given again before `confirm` or `repeat`. */
  take(): readonly TakenAppend[];
  /** Inside the transaction: the appends with their seqs. Called again for the same group after a rollback. */
  write(group: readonly TakenAppend[]): readonly Append[];
  /** The nearest place at or before `at` where the group may be cut into two commits; 0: there is none. */
  cut(group: readonly TakenAppend[], at: number): number;
  /** Inside the transaction. Throws TopicRefusal where one topic cannot be written; then all is rolled back. */
  writeDerived(groups: readonly DerivedGroup[]): void;
  confirm(appends: readonly Append[]): void;
  onAvailable(listener: () => void): void;
  /** A bounded step of housekeeping; true: there is more to do now. */
  maintain(): boolean;
}

export interface EngineLog {
  readonly log: EventLog;
  readonly feed: AppendFeed;
  /** Serves a capture thread's producers; Kafka's need no bridge. */
  attachCapture(port: MessagePort): void;
  /** The store is open: the log may keep what it needs in it, and the reading behind its frontier begins. */
  begin(state: StateWriter): Promise<void>;
  /**
   * Begins to write derived records, or ends it; at any time, by who leads. `onRefused` is called when a topic cannot be written, and
   * resolves when the append that says so is applied. What was derived meanwhile waits; the embedded log needs neither.
   */
  startSending(onRefused: (refusal: TopicRefusal) => Promise<void>): Promise<void>;
  stopSending(): Promise<void>;
  /** In the open transaction: what was derived for the topic up to this seq is not written to it. */
  refuseDerived(topic: string, upToSeq: number): void;
  /** The topic is there, and neither made nor written by this log. False where all topics are the log's own. */
  isForeign(topic: string): Promise<boolean>;
  /** See imports.ts; undefined where all topics are the log's own. */
  readonly importTopic: ((topic: string, signal: AbortSignal) => Promise<void>) | undefined;
  /** Undefined where derived records need none. */
  outbox(): OutboxStatus | undefined;
  close(): Promise<void>;
  /** As the log's; remembers what `topicIsEmpty` has to know. */
  createTopic(spec: TopicSpec): Promise<void>;
  /**
   * No append before the one in hand has a record of it, so a table over it has nothing to replay. A function of the log, where the
   * data folder has followed it from its beginning; false where it has not.
   */
  topicIsEmpty(topic: string): boolean;
  /** In the open transaction: the append is applied. */
  noteApplied(append: Append): void;
  /** Entries that another process appended to the registry. */
  noteAppends(appends: readonly Append[], registry: Registry | undefined, schemasTopic: string): void;
}
