// The seam between the polling source and the database that it asks: a server (source/mysql) or a file (source/sqlite), each with its
// own driver. A database is asked for pages of one table, in the order of some of its columns.
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { SourceConfig, SourceFinding } from '../source-connector.js';

/** Of the configuration, what is the database's business. */
export interface PolledOptions {
  /** Properties of the source that captures such a database. */
  readonly place: SourceConfig;
  /** Of DATE and DATETIME columns, and of times that are text. */
  readonly zone: string;
  readonly tables: boolean;
  readonly views: boolean;
  readonly query: PolledQuery | undefined;
  readonly isAsked: (database: string, table: string) => boolean;
  /** Names of the columns that tell the rows of a view, a query or a table without a primary key apart. Throws keyless-table. */
  readonly keyOf: (relation: Relation) => readonly string[];
}

/** Rows that the database gives no key. */
export interface Relation {
  readonly database: string;
  readonly table: string;
  /** For people: `view shop.totals`. */
  readonly what: string;
}

/** Asked instead of tables: its rows are those of one table. */
export interface PolledQuery {
  readonly text: string;
  /** Behind the whole statement. */
  readonly suffix: string;
  /** Of its table. */
  readonly name: string;
}

export interface PolledTables {
  readonly tables: readonly PolledTable[];
  /** Of tables that are left out, and of what matches nothing. */
  readonly findings: readonly SourceFinding[];
}

export interface PolledDatabase {
  /**
   * Those that the lists ask for and whose rows have a key, in the order of their names, views behind tables, as they are now; or the query
   * alone, of which what is wrong is thrown (bad-connector-config).
   */
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
  /**
   * All rows behind a place, page by page; the last page may be empty. Those without a primary key are the result of one statement, which is
   * given up when the caller leaves. Throws unreadable-table where the database cannot read them.
   */
  pages(asked: RowsAsked): AsyncIterable<PolledPage>;
}

export interface RowsAsked {
  /** Indexes of the columns that give the order; together they tell each row from all others. */
  readonly order: readonly number[];
  /** Behind this place (of an earlier page's `place`); null: from the first row. */
  readonly after: readonly string[] | null;
  /** Only rows whose time is in this span: from `fromMs` up to, but not with, the moment `beforeMs` cut down to what the column holds. */
  readonly span: TimeSpan | undefined;
  /** Rows without a value in these columns are left out. */
  readonly notNull: readonly number[];
  /** Of a page. */
  readonly pageRows: number;
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
  /** Throws unconvertible-value, and keyless-table where the row has the key of another one of the same rows, or none. */
  write(row: number, encoder: RowEncoder): void;
  /** Of a row: text of SQL, for `after`. */
  place(row: number): readonly string[];
}
