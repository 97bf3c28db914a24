// The port of the outbox's table: groups of derived records that wait in the store's file to be sent to Kafka, in the order of their
// numbers. What writes does so in the open transaction of the engine, so a group is there exactly when its append is applied; memory
// follows a rollback. Reading is possible between transactions at any time. One per file and process.
import type { DerivedGroup, DerivedNumber } from '../core/derived.js';

/** Of a topic that refused: its records up to this seq are not sent. */
export interface Refusal {
  readonly topic: string;
  readonly upToSeq: number;
}

export interface OutboxTotals {
  readonly entries: number;
  readonly bytes: number;
  /** When the oldest entry was committed, ms since the epoch; undefined: there is none. */
  readonly oldestMs: number | undefined;
}

export interface OutboxStore {
  /** Counted along, so it costs nothing to ask; the open transaction counts. */
  readonly totals: OutboxTotals;
  /** Behind all groups that are there. */
  add(group: DerivedGroup): void;
  /** The first group behind this number. */
  next(after: DerivedNumber): DerivedGroup | undefined;
  /** Drops groups up to this number, in a transaction of its own, at most `limit`. True: there is more to drop. */
  dropUpTo(number: DerivedNumber, limit: number): boolean;
  /** Records of the topic with a seq up to this are not to be sent. */
  refuse(refusal: Refusal): void;
  /** Topics with such records, and up to which seq. */
  refusals(): ReadonlyMap<string, number>;
}
