// What an append can say besides its records. It is part of the sequence, so every process that follows the log acts on it
// at the same seq.
import type { ErrorMessage } from './errors.js';

export type AppendControl =
  /** The tables of this first snapshot are complete and become visible together with this append. */
  | { readonly kind: 'snapshot-completed'; readonly connector: string; readonly topics: readonly string[] }
  /** A topic that others write cannot be imported any further: what reads it stands still from here on. */
  | { readonly kind: 'import-failed'; readonly topic: string; readonly error: ErrorMessage }
  /** The topic of this query's sink cannot be written: the query stands still from here on. Null: no query writes it any more. */
  | {
      readonly kind: 'sink-failed';
      readonly query: string | null;
      readonly topic: string;
      readonly error: ErrorMessage;
    }
  /**
   * A table or stream that is being filled for the first time takes so many rows of its sources, or records of the topic that is
   * replayed. A step derives records like any append, so it has a place in the sequence.
   */
  | { readonly kind: 'build-step'; readonly table: string; readonly rows: number; readonly method: 'scan' | 'replay' }
  /** Captured tables whose rows have changed otherwise than by events: they are read again, and may be old until then. */
  | {
      readonly kind: 'tables-called';
      readonly connector: string;
      /** `database.table` */
      readonly tables: readonly { readonly table: string; readonly cause: string }[];
    }
  /** A captured table (`database.table`) cannot be captured any more: what is held of it stays as it is. */
  | { readonly kind: 'table-failed'; readonly connector: string; readonly table: string; readonly error: ErrorMessage }
  /** The new version of a rebuilt table takes the place of the old one. */
  | { readonly kind: 'rebuild-swapped'; readonly table: string; readonly version: number }
  /** A connector is to run, or to stand still, as its document says (JSON; secrets as they were given). */
  | { readonly kind: 'connector-put'; readonly name: string; readonly document: string }
  | { readonly kind: 'connector-removed'; readonly name: string }
  /**
   * From here on the log can be read without what lies before, by whoever has applied that: commit records in front of this one may go,
   * and then it is the one that says which log this is (Kafka; stream/kafka/commit-topic.ts).
   */
  | { readonly kind: 'log-start'; readonly logId: string; readonly base: number };
