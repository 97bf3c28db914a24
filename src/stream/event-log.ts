// The port of the stream: one totally ordered sequence of appends, each stored whole or not at all, together with its
// producer's position. Both implementations (embedded: SQLite file; Kafka: transactions and a commit topic) pass the one suite
// of test/contract/event-log.ts. Guarantees, for every method:
// - seq rises strictly with the order in which appends became durable; a reader sees them in that order, whole, exactly once.
// - an append that was not durable when the process died has left no trace that a reader can see.
// - one producer name has one writer at a time: `openProducer` fences the earlier one (producer-fenced on its next use).
import type { AppError } from '../core/errors.js';
import type { Append, Chunk } from '../core/append.js';
import type { TopicRetention } from '../core/topic-retention.js';

/** What can be changed of a topic while it lives. */
export interface TopicSettings extends TopicRetention {
  /** compact: the last record per key stays; delete: retention by time and bytes (none by default). */
  readonly cleanup: 'compact' | 'delete';
}

export interface TopicSpec extends TopicSettings {
  readonly name: string;
  readonly partitions: number;
}

export interface TopicDescription extends TopicSpec {
  /** Per partition: first offset that is still there, and the offset that the next record gets. */
  readonly offsets: readonly { readonly first: number; readonly next: number }[];
}

/** One record as a tap shows it. */
export interface TapRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since the epoch */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes appends for one producer name. Not safe for concurrent use: one write at a time. */
export interface AppendProducer {
  /** Position of the last durable append when this producer was opened; null: none yet. */
  readonly position: string | null;
  /**
   * Takes a chunk: its records join the open append, each `end` closes one. Resolves when there is room for the next chunk (byte
   * credits), not when durable. Rejects when the producer is fenced or the log failed for good; then nothing of the open append
   * is or will be visible, and whether closed ones became durable is told by the position of a producer opened again.
   */
  write(chunk: Chunk): Promise<void>;
  /** Called, in order, with the position of each durable append (may skip to the latest). */
  onDurable(listener: (position: string, seq: number) => void): void;
  /** Waits until everything closed so far is durable; the seq of the last. */
  flush(): Promise<number>;
  /** Drops the open append, waits for the closed ones. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  /**
   * Called with the position of an append that cannot be written because a topic of it is not there; the producer goes on. For appends
   * that stand for themselves, one chunk each. Without it such an append ends the producer: what comes behind it must not pass it.
   */
  readonly refused?: ((position: string, error: AppError) => void) | undefined;
}

export interface ReadOptions {
  /** Only records of these topics (appends without any still come, with no records, so that positions move). */
  readonly topics?: readonly string[] | undefined;
  /** Go on with new appends when the end is reached (else the iteration ends there). */
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface EventLog {
  /** Names this log and its epoch; part of every version token. */
  readonly logId: string;
  /** Creates the topic if it is not there; an existing one keeps its partitions. Idempotent. */
  createTopic(spec: TopicSpec): Promise<void>;
  /** The limits of a topic from now on; rejects with unknown-topic where there is none. Idempotent. */
  alterTopic(name: string, limits: TopicRetention): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  topics(): Promise<readonly TopicDescription[]>;
  /**
   * How many partitions a topic has; undefined: there is none of this name. Costs nothing that grows with the number of topics. `known`
   * answers from what was seen last where that is possible, for callers to whom a topic that has gone since does no harm.
   */
  partitions(topic: string, look: 'known' | 'now'): Promise<number | undefined>;
  openProducer(producer: string, options?: ProducerOptions): Promise<AppendProducer>;
  /** The last durable position of a producer, without opening it. */
  producerPosition(producer: string): Promise<string | null>;
  /** Highest durable seq, 0 for an empty log. */
  headSeq(): Promise<number>;
  /**
   * Whole appends with seq > `after`, in order, in groups that suit the storage. Rejects with too-old where some of them are gone by
   * retention, or the log was trimmed behind `after`: never with other appends than everybody else has read. The records
   * of a very long append may lie in a file (they are no RecordSet then): they are usable until the next group is asked for.
   */
  read(after: number, options: ReadOptions): AsyncIterable<readonly Append[]>;
  /** Per partition, the offset behind everything that is in it now, also what is not decided yet. Rejects with unknown-topic. */
  partitionEnds(topic: string): Promise<readonly number[]>;
  /**
   * Records of one partition from `offset` on, at most `limit`; for taps and tools. Committed records only. Fewer than `limit` are all that
   * can be seen; before `decidedTo` that is everything: it waits for what is not decided there. With `bytesMax` it also ends, at the
   * earliest behind the first record, where keys and values take so much.
   */
  readTopic(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    decidedTo?: number,
    bytesMax?: number,
  ): Promise<readonly TapRecord[]>;
  close(): Promise<void>;
}
