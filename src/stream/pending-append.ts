// An append on its way into the embedded log: whole, but without a seq yet. Made by stream/bridge from a producer's chunks,
// taken by the engine, written by stream/embedded.
import type { AppendControl } from '../core/append-control.js';
import type { RecordSet } from '../core/record.js';
import type { SpilledRecords } from './spilled-records.js';

export interface PendingAppend {
  readonly producer: string;
  /** Null: the producer's position stays as it is (records that come from no source), or the append is `joined`. */
  readonly position: string | null;
  /** The next append of the producer has the position of both: they go into one commit. */
  readonly joined?: boolean | undefined;
  readonly commitTimeUs: number;
  readonly transactionId?: string | undefined;
  readonly control?: AppendControl | undefined;
  /** In memory, or (a very long append) in a file until it is confirmed. */
  readonly records: RecordSet | SpilledRecords;
}

/** How many of the group may be committed without the rest: about half of it, all of it where nothing can be told apart. */
export function halfOf(group: readonly PendingAppend[]): number {
  const middle = group.length >> 1;
  let half = middle;
  while (half > 0 && group[half - 1]!.joined === true) half--;
  if (half > 0) return half;
  half = Math.max(1, middle);
  while (half < group.length && group[half - 1]!.joined === true) half++;
  return half;
}

/** Records that a query derives from an append: they get offsets, but no seq of their own. */
export interface DerivedRecords {
  /** The append that caused them. */
  readonly seq: number;
  readonly commitTimeUs: number;
  readonly records: RecordSet;
}
