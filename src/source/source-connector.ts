// The port of a source: a plug-in that reads one database and hands over chunks of encoded records. It never produces to the
// log and keeps no position of its own: `connect` writes what it hands over and gives the position back at the next start.
// Order of life: (validate) -> start -> chunks, with confirmed called as appends become durable -> close.
import type { Row, RowSchema } from '../core/data-type.js';
import type { ChangeOrigin } from '../core/change-origin.js';
import type { Logger } from '../core/logger.js';
import type { Chunk } from '../core/append.js';
import type { Retry } from '../core/retries.js';
import type { RowComparison, VerifyReport, VerifyRequest } from './verification.js';
import type { ChunkBuilder, RowEncoder, SourceTable } from '../core/row-encoder.js';

/** A connector's properties after aliases and defaults: flat, text values, `${env:}` and `${file:}` resolved. */
export type SourceConfig = Readonly<Record<string, string>>;

/** One problem found by validate; `error` keeps the connector from starting. */
export interface SourceFinding {
  readonly severity: 'error' | 'warning' | 'note';
  /** ErrorCode-like text, stable. */
  readonly code: string;
  /** The property it concerns, where there is one. */
  readonly property?: string | undefined;
  /** What it is about: a setting, an account, a table, a column or a key of the source. */
  readonly object?: string | undefined;
  readonly message: string;
  /** The exact statement or setting that repairs it. */
  readonly hint?: string | undefined;
}

export interface SourceContext {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly chunks: ChunkBuilder;
  /** Records beside those of rows that are asked for; opened before the stream is read. */
  openSideRecords(): Promise<SideRecords>;
  /**
   * Announces a captured table before its first record, and again when its schema changed: then the earlier encoder must not be used any
   * more, and all that it has encoded has to be in the log (yielded, and `heldTables` asked since). Resolves when topic, schema and table
   * definition are durable.
   */
  openTable(table: SourceTable, options?: OpenOptions): Promise<RowEncoder>;
  /** The columns and the key that the records of a table have: its own, unless the configuration makes others of them. */
  recordsOf(table: SourceTable): RecordSchema;
  /**
   * What this connector has captured so far, as it stands when everything that was yielded until now is applied. Nothing else of a table
   * may be yielded while its rows are read, when they are to be those of one moment. For what takes rows of a table away without naming
   * them. Everything that was yielded is in the log when it resolves.
   */
  heldTables(): Promise<readonly HeldTable[]>;
  /** The same rows found by their values: for changes that follow from other rows' changes and are not told. */
  readonly heldRows: HeldRows;
  /** Rows as the source has them, beside those that are held. */
  readonly comparison: RowComparison;
  /** State text for status, such as `streaming` or `waiting: connection refused (attempt 3)`. */
  reportState(state: SourceState): void;
  /**
   * Everything that the source had committed at `atMs` (our monotonic clock, read before the source was asked) is in the chunks that
   * were yielded until now. The only ground on which rows are called fresh: that nothing waits here says nothing about what is still on
   * its way. Told again while the source rests, at least about twice a second: what is not told again grows old.
   */
  confirm(atMs: number): void;
  /** The clock of the source showed `sourceUs` when it was asked at `atMs` or a little later; commit times are of that clock. */
  sourceClock(sourceUs: number, atMs: number): void;
}

/** Each writes into the chunk under construction, before the append that it belongs to is ended. */
export interface SideRecords {
  /** A transaction of which rows were handed over commits. */
  readonly transaction?: ((origin: ChangeOrigin) => void) | undefined;
  /** That the source is read, every so often, also while nothing comes: in an append of its own. */
  readonly heartbeat?: { readonly intervalMs: number; readonly write: () => void } | undefined;
  /** A statement, at its place; or a table as a first snapshot finds it. */
  readonly schemaChange?: ((change: SchemaChange, origin: ChangeOrigin) => void) | undefined;
}

/** A statement about tables of one database that match the filters, or about the database. */
export interface SchemaChange {
  readonly database: string;
  /** Those of the database that it names. */
  readonly tables: readonly string[];
  /** As the source has it, to the letter. */
  readonly ddl: string;
  /** In their order a consumer can apply them; none where columns and keys stay as they are. */
  readonly changes: readonly TableChange[];
}

export interface TableChange {
  readonly type: 'CREATE' | 'ALTER' | 'DROP';
  readonly table: string;
  /** As the source has it when the statement is read, so later statements may have changed it again; null: it is gone. */
  readonly now: DescribedTable | null;
}

export interface DescribedTable {
  readonly charset: string | null;
  readonly comment: string | null;
  readonly keyColumns: readonly string[];
  /** All of them, whatever is captured. */
  readonly columns: readonly DescribedColumn[];
}

export interface DescribedColumn {
  readonly name: string;
  /** The number that JDBC has for the type. */
  readonly jdbcType: number;
  readonly typeName: string;
  readonly charset: string | null;
  readonly length: number | null;
  readonly scale: number | null;
  readonly optional: boolean;
  readonly autoIncremented: boolean;
  /** Its values are made by the server. */
  readonly generated: boolean;
  readonly comment: string | null;
  /** In the source's own words. */
  readonly defaultValue: string | null;
  /** Of ENUM and SET. */
  readonly labels: readonly string[] | null;
}

export interface RecordSchema extends RowSchema {
  /** Every value is as the table has it. */
  readonly own: boolean;
  /** By column, what it is made of; undefined: of no column of the table. */
  readonly origins: readonly (ColumnOrigin | undefined)[];
  /** The name that a column of this name has in the records; undefined: it is not in them. A matter of the name alone. */
  nameOf(column: string): string | undefined;
}

export interface ColumnOrigin {
  /** Index in the columns of the table. */
  readonly column: number;
  /** How its values are made: two that have the same text make the same of the same value. */
  readonly making: string;
  /** NULL is NULL in the records, too. */
  readonly keepsNull: boolean;
}

export interface OpenOptions {
  /** The table is described as `heldTables` gives it, so rows are written to the encoder as they are. */
  readonly held?: true | undefined;
  /** A table that is new here is not read before a `snapshot-completed` names its topic; left out: what its connector's state says. */
  readonly hidden?: boolean | undefined;
  /** Why it is read again, until a `snapshot-completed` names its topic. A table that stood still goes on. */
  readonly cause?: string | undefined;
}

/** A table that the connector has captured, and may no longer be there. */
export interface HeldTable {
  /** `database.table` */
  readonly name: string;
  /** Its columns as it was captured; undefined: it is captured to a topic only. */
  readonly schema: RowSchema | undefined;
  /** It stands still: what comes of it is not taken until it is opened with a cause. */
  readonly stopped?: boolean | undefined;
  /**
   * Its rows in key order, page by page; undefined: they are not known here (it stands still). Of one that is captured to a topic only they
   * are what the topic holds; a column whose value there does not fit any more is null. A schema without columns: nothing is ever held of
   * it, since its rows are events.
   */
  read(): Promise<{ readonly schema: RowSchema; readonly pages: AsyncIterable<readonly Row[]> } | undefined>;
}

/** Columns of a captured table by whose values its rows are found. */
export interface HeldLookup {
  /** `database.table` */
  readonly table: string;
  readonly columns: readonly {
    readonly name: string;
    /** Text that is found without regard to the case of ASCII letters and to spaces at its end: who asks looks at what is found. */
    readonly text: boolean;
  }[];
}

/** A place in what a search finds: the value that is looked for, and the key (null: before the first) behind which it goes on. */
export interface HeldPlace {
  readonly value: number;
  readonly after: Row | null;
}

export interface HeldSearch {
  readonly lookup: HeldLookup;
  /** One row of values per question, none of them null; `odd-text`: rows with more than printable ASCII in these columns. */
  readonly values: readonly Row[] | 'odd-text' | 'all';
  readonly from: HeldPlace;
  readonly limit: number;
}

/** In the order of the values, of each in key order. */
export interface HeldFound {
  readonly schema: RowSchema;
  readonly rows: readonly { readonly value: number; readonly row: Row }[];
  /** Null: that was all. */
  readonly next: HeldPlace | null;
}

export interface HeldRows {
  /**
   * Everything that rows will be found by: what was said before and not now is not kept any longer. `notes` is text of the source's own
   * that lies beside it.
   */
  declare(lookups: readonly HeldLookup[], notes: string): Promise<void>;
  /** What was noted the last time, also by an earlier task; null: nothing. */
  notes(): Promise<string | null>;
  /** Resolves when all appends that were yielded are applied. An open one is not, so what it changes is not seen. */
  settled(): Promise<void>;
  /** `empty`: nothing was captured of the table. `unknown`: it is not known here (captured to a topic only, or it stands still). `other-columns`: it has not those. */
  find(search: HeldSearch): Promise<HeldFound | 'empty' | 'unknown' | 'other-columns'>;
}

export interface SourceState {
  readonly phase: 'connecting' | 'snapshot' | 'streaming' | 'waiting';
  /** Why it waits, as an error's text, while phase is `waiting`. */
  readonly reason?: string | undefined;
  /** When it is tried again, while phase is `waiting`. */
  readonly retry?: Retry | undefined;
  readonly snapshot?: SnapshotProgress | undefined;
  /** Tables that are new to it, and wait to be let in. */
  readonly waitingTables?: readonly string[] | undefined;
  /** Nothing has come since the last confirmation. */
  readonly caughtUp?: boolean | undefined;
}

/** What is told of a source: its state, and what is known of its time. All times are of our monotonic clock. */
export interface SourceReport {
  readonly state: SourceState;
  /** What it had committed at `atMs` is in the log up to this seq. */
  readonly confirmed?: Confirmation | undefined;
  readonly clock?: SourceClock | undefined;
}

export interface Confirmation {
  readonly atMs: number;
  readonly seq: number;
}

export interface SourceClock {
  readonly sourceUs: number;
  readonly atMs: number;
}

export interface SnapshotProgress {
  readonly tables: readonly TableProgress[];
}

export interface TableProgress {
  readonly table: string;
  readonly rows: number;
  readonly rowsEstimated: number | null;
  readonly done: boolean;
  /** Since its reading began, in this run; absent before. */
  readonly rowsPerSecond?: number | undefined;
  /** By the estimate; absent where that tells nothing. */
  readonly secondsLeft?: number | undefined;
  /** Why it is read again; absent in a first snapshot. */
  readonly cause?: string | undefined;
}

/** Tables to be read again beside the stream. */
export interface SnapshotRequest {
  /** `database.table`, a table alone, or a regular expression over whole names; none: all that are captured. */
  readonly tables: readonly string[];
  /** Only rows that meet it, in the source's own SQL. Rows that are gone there are deleted in any case. */
  readonly where?: string | undefined;
}

/** How far a connector has come that its source is examined for. */
export interface ReadSoFar {
  readonly position: string;
  /** How far what it has is behind the source; undefined: not known. */
  readonly lagMs: number | undefined;
}

/** What is known of the source that a connector has read. */
export interface KnownSource {
  /** What `recognise` gave once; undefined when it was never asked. */
  readonly identity: string | undefined;
  /** Of the newest append that is in the log; null: nothing was read, and only who the source is is asked. */
  readonly position: string | null;
}

export interface Recognition {
  /** Who the source says it is: text to be kept, whose meaning is the plug-in's. Undefined: it says nothing, as a file that is not captured. */
  readonly identity: string | undefined;
  /**
   * It is the known source, or one that has taken its history over, as a promoted replica has: what was read of the known one goes on
   * here. False also where nothing tells: then it must not be taken for the same.
   */
  readonly same: boolean;
}

/** Where somebody wants a connector that rests to go on. */
export interface WantedPosition {
  /** As a position is shown, or as Debezium keeps it; null: nowhere, it reads everything again. */
  readonly offset: Readonly<Record<string, unknown>> | null;
  /** Of the newest append that is in the log; null: there is none. */
  readonly current: string | null;
}

/** What a source is asked, or told, outside a task. */
export interface SourceInquiry {
  /**
   * Asks the source who it is, whatever its address; changes nothing. Rejects when it cannot be asked. Of a source that is the same but
   * was put back, `chunks` tells.
   */
  recognise(known: KnownSource): Promise<Recognition>;

  /**
   * Checks settings, grants and filters against the live source without changing anything, and whether a connector that has read can go
   * on. All that a start checks is among the findings, and beside it what is a risk. Rejects only when the source cannot be asked
   * (source-unreachable, also when it does not answer within the deadline of its configuration; source-access-denied).
   */
  validate(read?: ReadSoFar): Promise<readonly SourceFinding[]>;

  /**
   * The position that has `chunks` go on there, and leaves no row wrong for it: what is left out or told twice in between is made good by
   * reading tables again. Null: the position is given up. A position that is sent back as it is shown moves nothing. Changes nothing at
   * the source. Rejects with bad-request, or as `chunks` would with such a position.
   */
  place(wanted: WantedPosition): Promise<string | null>;

  /**
   * Takes away what the source has added to its database (triggers, tables), when the connector is deleted for good; a position
   * from before is of no use afterwards. Absent where nothing is ever added. Not called while `chunks` runs.
   */
  uninstall?(): Promise<void>;

  /** Frees connections; a question that is under way rejects. Idempotent; also called after `chunks` rejected. */
  close(): Promise<void>;
}

export interface SourceConnector extends SourceInquiry {
  /**
   * Yields chunks from behind `position` (null: from the snapshot that `snapshot.mode` asks for). Order: per table key the
   * source's commit order; each source transaction exactly one append, in commit order; snapshot rows as appends of their own,
   * whose last carries control `snapshot-completed`. A chunk has about 256 KB; the generator is not asked for the next before
   * the log has room, and an unasked source must stop reading its socket (bounded memory). Retriable trouble (lost connection)
   * is handled inside, by back-off (`core/retries.ts`) with reportState; a final one rejects with an AppError. Ends when the signal aborts.
   */
  chunks(position: string | null, context: SourceContext): AsyncIterable<Chunk>;

  /**
   * Compares tables with the source while `chunks` runs, and reports how far it is now and then; resolves with the whole of it. Absent
   * where it cannot be done. Rejects when the run ends before (retriable), or a table is not captured (unknown-table).
   */
  verify?(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport>;

  /**
   * Reads tables again, as each would be that a statement has changed: in place, beside the stream, with the deletes of rows that are gone.
   * Resolves with their names (`database.table`) when the call is durable: then a restart goes on with it. Rejects with unknown-table,
   * bad-request, or a retriable error when the source is not reached in time. Absent where a source cannot do that.
   */
  snapshot?(request: SnapshotRequest): Promise<readonly string[]>;

  /** Everything up to this position is durable in the log. A source that prunes may prune now. Called in order; may skip some. */
  confirmed(position: string): void;
}

/** How a plug-in makes its connector; synchronous, touches nothing outside. Throws bad-connector-config. */
export type SourceFactory = (config: SourceConfig, logger: Logger) => SourceConnector;
