// An append on its way into the embedded log: whole, but without a seq yet. Made by stream/bridge from a producer's chunks,
// taken by the engine, written by stream/embedded. One object all the way: thousands of small ones wait at a time.
import type { AppendControl } from '../core/append-control.js';
import type { DerivedGroup } from '../core/derived.js';
import type { RecordSet } from '../core/record.js';
import type { TransactionId } from '../core/transaction-id.js';
import type { SpilledRecords } from './spilled-records.js';

export interface PendingAppend {
  readonly producer: string;
  /** Null: the producer's position stays as it is (records that come from no source), or the append is `joined`. */
  readonly position: string | null;
  /** The next append of the producer has the position of both: they go into one commit. */
  readonly joined?: boolean | undefined;
  readonly commitTimeUs: number;
  readonly transaction?: TransactionId | undefined;
  readonly control?: AppendControl | undefined;
  /** In memory, or (a very long append) in a file until it is confirmed. With their offsets, once the log has written them. */
  records: RecordSet | SpilledRecords;
  /** Given by the log when it writes it; anew, where its transaction was rolled back. */
  seq?: number | undefined;
}

/** As the log has written it. */
export type WrittenAppend = PendingAppend & { seq: number };

/** The nearest place at or before `at` where a group may be cut into two commits; 0: there is none. */
export function cutOf(group: readonly PendingAppend[], at: number): number {
  let cut = at;
  while (cut > 0 && group[cut - 1]!.joined === true) cut--;
  return cut;
}

/** Records that a query derives from an append: they get offsets, but no seq of their own. */
export type DerivedRecords = Omit<DerivedGroup, 'piece'>;
