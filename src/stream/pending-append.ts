// An append on its way into the embedded log: whole, but without a seq yet. Made by stream/bridge from a producer's chunks,
// taken by the engine, written by stream/embedded.
import type { AppendControl } from '../core/append-control.js';
import type { RecordSet } from '../core/record.js';

export interface PendingAppend {
  readonly producer: string;
  /** Null: the producer's position stays as it is (records that come from no source). */
  readonly position: string | null;
  readonly commitTimeUs: number;
  readonly transactionId?: string | undefined;
  readonly control?: AppendControl | undefined;
  readonly records: RecordSet;
}

/** Records that a query derives from an append: they get offsets, but no seq of their own. */
export interface DerivedRecords {
  /** The append that caused them. */
  readonly seq: number;
  readonly commitTimeUs: number;
  readonly records: RecordSet;
}
