// The log as the engine uses it. Embedded: producers close appends into a queue, the loop writes them in its own transaction. Kafka:
// producers write to the brokers themselves, and the loop applies what it reads behind the frontier.
import type { MessagePort } from 'node:worker_threads';
import type { Append } from '../core/record.js';
import type { DerivedGroup } from '../projector/sink-topics.js';
import type { Registry } from '../registry/registry.js';
import type { StateWriter } from '../store/state-store.js';
import type { EventLog, TopicSpec } from '../stream/event-log.js';

/** Where groups come from. */
export interface AppendFeed {
  /** A group of whole appends, empty when there is none. Nothing of it is given again before `confirm` or `repeat`. */
  take(): readonly unknown[];
  /** Inside the transaction: the appends with their seqs. Called again for the same group after a rollback. */
  write(group: readonly unknown[]): readonly Append[];
  /** How many of the group may be committed alone, about half of it; all of it where that is impossible. */
  half(group: readonly unknown[]): number;
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
  close(): Promise<void>;
  /** As the log's; remembers what `topicIsEmpty` has to know. */
  createTopic(spec: TopicSpec): Promise<void>;
  /** Nothing was ever written to it, so a table over it has nothing to replay. False where that is not known for certain. */
  topicIsEmpty(topic: string): boolean;
  /** Entries that another process appended to the registry. */
  noteAppends(appends: readonly Append[], registry: Registry | undefined, schemasTopic: string): void;
}
