// The port of verification: the proof that tables are as their source has them. A source compares its rows, as it reads them beside the
// stream, with those that are held, at one place of the stream on both sides, and so that a row that changes meanwhile is no difference.
import type { RowEncoder } from '../core/row-encoder.js';

export interface VerifyRequest {
  /** `database.table` of each; empty: all that the connector captures. */
  readonly tables: readonly string[];
  /** What differs is read again, and comes through the stream like any other row: nothing is written beside the log. */
  readonly repair: boolean;
  /** At most so many rows are read in a second; null: no limit. */
  readonly rowsPerSecond: number | null;
}

export type DifferenceKind =
  /** The source has the row, and here is none. */
  | 'missing'
  /** Here is a row that the source does not have. */
  | 'ghost'
  /** Both have it, with other values. */
  | 'different';

/** Rows as JSON texts, as the API shows them. */
export interface RowDifference {
  readonly table: string;
  readonly kind: DifferenceKind;
  /** Its key columns. */
  readonly key: string;
  readonly ours: string | null;
  readonly source: string | null;
}

export interface TableVerification {
  readonly table: string;
  /** `skipped`: it could not be compared; `reason` says why. */
  readonly state: 'waiting' | 'comparing' | 'equal' | 'different' | 'repaired' | 'skipped';
  readonly reason?: string | undefined;
  /** Of the source, compared. */
  readonly rows: number;
  readonly missing: number;
  readonly ghosts: number;
  readonly different: number;
  /** Of the differences. */
  readonly repaired: number;
  /** Rows that were written anew by the stream each time they were compared: the stream has set them as the source has them. */
  readonly moving: number;
}

export interface VerifyReport {
  readonly tables: readonly TableVerification[];
  /** The first ones; the counts are of all. */
  readonly differences: readonly RowDifference[];
}

/** Of the records that were written: which one tells a row that is held otherwise. */
export interface RecordDifference extends Omit<RowDifference, 'table'> {
  readonly record: number;
}

/** Rows of the source beside those that are held. Nothing that is written here reaches the log. */
export interface RowComparison {
  /** Writes rows, or deletes of rows that the source does not have, of a table that was opened. One table at a time. */
  encoderOf(table: string): RowEncoder;
  /** Records that were written since the last time. */
  readonly recordCount: number;
  /** What of them is held otherwise, once everything that was yielded is applied. `unknown`: the table is captured to its topic only, or stands still. */
  compare(table: string): Promise<readonly RecordDifference[] | 'unknown'>;
  /** Forgets what was written. */
  discard(): void;
}
