// The seam between the polling source and the database that it asks: a server (source/mysql) or a file (source/sqlite), each with its
// own driver. A database is asked for pages of one table, in the order of some of its columns.
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { SourceFinding } from '../source-connector.js';

export interface PolledTables {
  readonly tables: readonly PolledTable[];
  /** Of tables that are left out, and of what matches nothing. */
  readonly findings: readonly SourceFinding[];
}

export interface PolledDatabase {
  /** Those that the lists ask for and that have a primary key, in the order of their names, as they are now. */
  tables(): Promise<PolledTables>;
  /** Its clock, in ms since 1970. */
  nowMs(): Promise<number>;
  /** A question that is under way rejects. */
  close(): void;
}

export interface PolledTable {
  readonly source: SourceTable;
  /** Index of the column that counts by itself; undefined: there is none. */
  readonly counted: number | undefined;
  /** Of the table as it is described: another text is another table. */
  readonly signature: string;
  read(page: PageRequest): Promise<PolledPage>;
}

export interface PageRequest {
  /** Indexes of the columns that give the order; together they tell each row from all others. */
  readonly order: readonly number[];
  /** Behind this place (of an earlier page's `place`); null: from the first row. */
  readonly after: readonly string[] | null;
  /** Only rows whose time is in this span: from `fromMs` up to, but not with, the moment `beforeMs` cut down to what the column holds. */
  readonly span: TimeSpan | undefined;
  /** Rows without a value in these columns are left out. */
  readonly notNull: readonly number[];
  readonly limit: number;
}

export interface TimeSpan {
  readonly column: number;
  readonly fromMs: number | undefined;
  readonly beforeMs: number;
}

export interface PolledPage {
  readonly count: number;
  /** There was no more when it was read. */
  readonly last: boolean;
  /** Throws unconvertible-value. */
  write(row: number, encoder: RowEncoder): void;
  /** Of a row: text of SQL, for `after`. */
  place(row: number): readonly string[];
}
