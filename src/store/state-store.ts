// The port of the store: table rows, operator state, the change feed, the catalogue and the frontier, which move together in
// one transaction per engine commit. Two faces. The writer belongs to the engine thread alone and is synchronous (an awaited
// step inside a transaction could let another one in). A read session sees one consistent cut, from any thread.
import type { AppError } from '../core/errors.js';
import type { Row, RowSchema, Value } from '../core/data-type.js';
import type { KeyedState, KeyedStateSpec } from '../core/keyed-state.js';
import type { Place, Version } from '../core/version.js';

export type { KeyedState, KeyedStateSpec };

/** Where the engine stands, committed with the rows. */
export interface Frontier extends Version {
  /** Commit time of the newest applied source append, µs; 0 before the first. */
  readonly commitTimeUs: number;
  /** producer -> the same of its own appends; also of this service's own (statements, inserts), which are no source. */
  readonly commitTimesUs: Readonly<Record<string, number>>;
  /** producer -> position of its newest applied append. */
  readonly positions: Readonly<Record<string, string>>;
}

/** What the rows of one table contain: the frontier, or the earlier one at which the table stopped. */
export interface TableFrontier extends Frontier {
  /** The table stands still there, because it or its query failed or was paused. */
  readonly stopped?: true | undefined;
}

/** A physical table `t<id>_v<version>` and the view with its SQL name. */
export interface TableSpec {
  readonly id: number;
  readonly version: number;
  /** The SQL name: the name of the view and the key of the feed. */
  readonly name: string;
  readonly schema: RowSchema;
  /** Names of the columns in SQLite, where they are not those that a new table would have (`alterTable`). */
  readonly stored?: readonly string[] | undefined;
  /** Of a captured table whose name at the source differs by letter case only from that of another one, which has it here. */
  readonly alias?: string | undefined;
}

/** One row change inside an engine commit, as feed and operators see it. Delete: after null. Insert: before null. */
export interface RowChange {
  readonly seq: number;
  /** Ordinal among the changes of this table in this append, from 0. */
  readonly index: number;
  readonly before: Row | null;
  readonly after: Row | null;
  /** ROWTIME of the change, ms. */
  readonly rowtimeMs: number;
  /** ROWTIME of `before`, ms; as `rowtimeMs` in what was fed by versions that did not keep it. Undefined without a `before`. */
  readonly beforeRowtimeMs?: number | undefined;
  readonly commitTimeUs: number;
}

/** Columns, beside the key, by whose values rows are found. */
export interface Lookup {
  readonly columns: readonly {
    readonly name: string;
    /** A STRING that is found without regard to the case of ASCII letters and to spaces at its end: more rows than are equal to it. */
    readonly text: boolean;
  }[];
}

/** Rows of one table. Statements are prepared once per handle; a handle is valid until the table is dropped. */
export interface TableWriter {
  readonly spec: TableSpec;
  /** By key values in key order. */
  get(key: Row): Row | undefined;
  /** As `get`, also of a row that is not what was written (`sound` says so; what has no meaning any more is NULL), of which that throws. */
  peek(key: Row): { readonly row: Row; readonly rowtimeMs: number; readonly sound: boolean } | undefined;
  /** wt_rowtime of the row that `get` gave last, ms; it is read along. */
  readonly gotRowtimeMs: number;
  /** The row's wt_rowtime, ms. */
  rowtime(key: Row): number | undefined;
  /** Inserts or replaces; `before` is what get gave (undefined: none), so that the row count is kept without another look-up. */
  put(row: Row, rowtimeMs: number, before: Row | undefined): void;
  /** False, and nothing is done: its key has a row. */
  insert(row: Row, rowtimeMs: number): boolean;
  /**
   * The row is this one: put, unless it is so already. It may wait for others that come behind it; what this handle gives has it in any
   * case, and the table when `settle` has returned. Of a transaction that is rolled back the handle must not be used any more.
   */
  confirm(row: Row, rowtimeMs: number): void;
  /** Behind the last of rows that were confirmed. */
  settle(): void;
  delete(key: Row): void;
  rowCount(): number;
  /** Rows have come or gone behind our back: they are counted, once by each handle. */
  recount(): void;
  /**
   * All rows in key order; `after` (exclusive) resumes. For rebuild and new queries over an existing table. `damaged`: also rows that are
   * not what was written, for who only wants to know which keys there are.
   */
  scan(
    after: Row | null,
    limit: number,
    damaged?: boolean,
  ): readonly { readonly row: Row; readonly rowtimeMs: number }[];
  /**
   * Rows with these values (none of them null) in the columns of a look-up that was set, or with other characters than printable ASCII in
   * their text, which may be equal to anything; in key order, `after` (exclusive) resumes.
   */
  find(
    lookup: Lookup,
    values: Row | 'odd-text',
    after: Row | null,
    limit: number,
  ): readonly { readonly row: Row; readonly rowtimeMs: number }[];
}

/** Walks over two tables of one key in key order. What is done to rows behind it is not seen. */
export interface TableComparison {
  /**
   * The keys, without order, of rows that are stored differently or are in one of the tables only, among the next `limit` rows or fewer
   * of each. Values that are equal may be stored differently (a map in another order), never the other way round.
   */
  step(limit: number): readonly Row[];
  /** Everything was walked over. */
  readonly done: boolean;
}

/** The engine's face. Every method asserts an open transaction where it writes. */
export interface StateWriter {
  readonly frontier: Frontier;
  /**
   * Runs `work` in a transaction of its own: feed blobs, counters and the frontier are written behind it, then all commits durably as
   * configured. What `work` throws rolls everything back, also what the store keeps in memory, and is thrown on; a disk that is full or
   * broken as data-folder-unusable. `reached` is the frontier as it stands when `work` has ended (it may be filled by it); without it
   * the frontier stays where it is.
   */
  transaction<T>(work: () => T, reached?: Frontier): T;
  /** The engine has ended in the middle of its work: what it holds in memory may not be what is stored, so nothing is written any more. */
  fail(error: AppError): void;

  createTable(spec: TableSpec): TableWriter;
  openTable(spec: TableSpec): TableWriter;
  /**
   * Gives the table other columns, with the same key: those that are carried over (core/schema-change.ts) keep their values, new ones are
   * NULL, the others are not read any more. Costs the same whatever the number of rows. The spec as it is from here on; handles of the
   * earlier one must not be used any more, and the view stays as it was until it is published again.
   */
  alterTable(spec: TableSpec, schema: RowSchema): TableSpec;
  dropTable(spec: TableSpec): void;
  /** What a table's rows, in all of its versions, are found by from here on; idempotent. */
  setLookups(table: { readonly id: number }, lookups: readonly Lookup[]): void;
  lookups(table: { readonly id: number }): readonly Lookup[];
  /** Between two versions of a table; valid until one is dropped. */
  compareTables(one: TableSpec, other: TableSpec): TableComparison;
  /** Nobody owns this hidden version any more: readers do not find it by its name; it is left to `holdings` and `remove`. */
  disown(version: { readonly id: number; readonly version: number }): void;
  /** Points the view `name` at this physical table, atomically with the transaction. Hidden tables have no view. */
  publish(spec: TableSpec): void;
  unpublish(name: string): void;
  /** This version stands still from here on: readers are told that its rows contain what `at` says. Another version does not. */
  stop(spec: TableSpec, at: Frontier): void;
  /** It goes on. */
  goOn(spec: TableSpec): void;

  openState(spec: KeyedStateSpec): KeyedState;
  dropState(name: string): void;

  /** Adds to the change feed of a table (the SQL name); written as blobs of bounded size, the last one at commit. */
  feed(table: string, change: RowChange): void;
  /** A marker in the feed that a rebuild has swapped the table in at this seq. */
  feedRebuilt(table: string, seq: number): void;
  /** A marker in the feed that the table has other columns from this seq on. */
  feedSchema(spec: TableSpec, seq: number): void;
  /** Of all changes that the feed keeps. */
  readonly feedBytes: number;
  /** How far the feed is beyond the retention, as a part of it; 0: not at all. */
  feedDebt(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): number;
  /** Drops feed blobs beyond the retention; called between commits, bounded work per call. True: more to do. */
  pruneFeed(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): boolean;

  /** Small durable documents (catalogue entries, rebuild progress, outbox): JSON text by kind and name. */
  getDocument(kind: string, name: string): string | undefined;
  putDocument(kind: string, name: string, json: string): void;
  deleteDocument(kind: string, name: string): void;
  documents(kind: string): readonly { readonly name: string; readonly json: string }[];

  physicalTables(): readonly { readonly id: number; readonly version: number }[];
  /** Everything that must have an owner, for who looks for what has none; states first. */
  holdings(): readonly Holding[];
  /** Takes up to `rows` rows of a holding away, and with the last of them the holding itself. */
  remove(holding: Holding, rows: number): void;
  close(): void;
}

/** What the store holds for somebody: a version of a table, an operator state, the change feed of a table. */
export type Holding =
  | { readonly kind: 'table'; readonly id: number; readonly version: number }
  | { readonly kind: 'state'; readonly name: string }
  | { readonly kind: 'feed'; readonly id: number };

export interface TableDescription {
  readonly spec: TableSpec;
  readonly rowCount: number;
  /** False while its first snapshot runs. */
  readonly visible: boolean;
  /** That of the cut, unless the table stands still. */
  readonly frontier: TableFrontier;
}

/** One end of a range over a key column. */
export interface KeyBound {
  readonly value: Value;
  readonly inclusive: boolean;
}

export interface ScanRequest {
  readonly table: string;
  /** Equality on the first key columns. */
  readonly prefix?: Row | undefined;
  /** A range on the key column after the prefix. */
  readonly lower?: KeyBound | undefined;
  readonly upper?: KeyBound | undefined;
  readonly reverse?: boolean | undefined;
  /** Resume strictly behind this key. */
  readonly after?: Row | undefined;
  /**
   * No more rows are in memory at once than take so much, and one. Without it rows are read by the thousand as long as they are short, which
   * is a fifth faster: for a thread that may run out of memory alone.
   */
  readonly bytesMax?: number | undefined;
}

export interface StoredRow {
  readonly row: Row;
  readonly rowtimeMs: number;
}

/** A consistent cut. Short-lived: it pins the WAL. */
export interface ReadSession {
  readonly frontier: Frontier;
  /** Visible tables by SQL name; unknown-table (with the nearest name as hint) or snapshotting otherwise. */
  table(name: string): TableDescription;
  tables(): readonly TableDescription[];
  get(table: string, key: Row): StoredRow | undefined;
  /** Rows in key order; lazily read. */
  scan(request: ScanRequest): Iterable<StoredRow>;
  /**
   * Changes of a table behind a place, in order: at least one where there is one, and no more when they take about `bytesMax` of
   * memory, also in the middle of an append. Rows from before a change of its columns have the columns that it has now. Rejects with too-old when `after` is behind the retention.
   */
  changes(table: string, after: Place, bytesMax: number): FeedRead;
  document(kind: string, name: string): string | undefined;
  documents(kind: string): readonly { readonly name: string; readonly json: string }[];
  close(): void;
}

export interface FeedRead {
  readonly changes: readonly RowChange[];
  /** Seqs at which the table was rebuilt, within the part read. */
  readonly rebuilt: readonly number[];
  /** Seqs from which on it has other columns, within the part read. */
  readonly altered: readonly number[];
  /** Where to go on: behind the frontier when the end was reached. */
  readonly next: Place;
}

export interface StateReader {
  /** Opens a cut at the newest commit. */
  session(): ReadSession;
  /**
   * The point-read path: one row without a session object. Reads of one turn of the event loop share one cut, unless it is older than
   * `atLeastSeq`, the newest commit that the caller has told anybody of. `frontier` is that of the table, shared between calls while it
   * has not moved. `keyOf` makes the key for the table as it is defined (a text is typed by its columns); what it throws is thrown.
   */
  point(
    table: string,
    keyOf: (spec: TableSpec) => Row,
    atLeastSeq: number,
  ): { readonly found: StoredRow | undefined; readonly frontier: TableFrontier; readonly spec: TableSpec };
  close(): void;
}
