// The port of a source: a plug-in that reads one database and hands over chunks of encoded records. It never produces to the
// log and keeps no position of its own: `connect` writes what it hands over and gives the position back at the next start.
// Order of life: (validate) -> start -> chunks, with confirmed called as appends become durable -> close.
import type { Row, RowSchema } from '../core/data-type.js';
import type { Logger } from '../core/logger.js';
import type { Chunk } from '../core/append.js';
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
  readonly message: string;
  /** The exact statement or setting that repairs it. */
  readonly hint?: string | undefined;
}

export interface SourceContext {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly chunks: ChunkBuilder;
  /**
   * Announces a captured table before its first record, and again when its schema changed (then the earlier encoder must not be
   * used any more). Resolves when topic, schema and table definition are durable.
   */
  openTable(table: SourceTable): Promise<RowEncoder>;
  /**
   * What this connector has captured so far, as it stands when everything that was yielded until now is applied. Nothing else of a table
   * may be yielded while its rows are read. For what takes all rows of a table away without naming one.
   */
  heldTables(): Promise<readonly HeldTable[]>;
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

/** A table that the connector has captured, and may no longer be there. */
export interface HeldTable {
  /** `database.table` */
  readonly name: string;
  /** Its rows in key order, page by page; undefined: they are not known here (captured to a topic only, or it stands still). */
  read(): Promise<{ readonly schema: RowSchema; readonly pages: AsyncIterable<readonly Row[]> } | undefined>;
}

export interface SourceState {
  readonly phase: 'connecting' | 'snapshot' | 'streaming' | 'waiting';
  /** Why it waits, as an error's text, while phase is `waiting`. */
  readonly reason?: string | undefined;
  readonly snapshot?: SnapshotProgress | undefined;
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
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly rowsEstimated: number | null;
    readonly done: boolean;
  }[];
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

/** What a source is asked, or told, outside a task. */
export interface SourceInquiry {
  /**
   * Asks the source who it is, whatever its address; changes nothing. Rejects when it cannot be asked. Of a source that is the same but
   * was put back, `chunks` tells.
   */
  recognise(known: KnownSource): Promise<Recognition>;

  /**
   * Checks settings, grants and filters against the live source without changing anything. Rejects only when the source cannot
   * be asked (source-unreachable, also when it does not answer within the deadline of its configuration; source-access-denied).
   */
  validate(): Promise<readonly SourceFinding[]>;

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
   * is handled inside, by back-off for ever with reportState; a final one rejects with an AppError. Ends when the signal aborts.
   */
  chunks(position: string | null, context: SourceContext): AsyncIterable<Chunk>;

  /** Everything up to this position is durable in the log. A source that prunes may prune now. Called in order; may skip some. */
  confirmed(position: string): void;
}

/** How a plug-in makes its connector; synchronous, touches nothing outside. Throws bad-connector-config. */
export type SourceFactory = (config: SourceConfig, logger: Logger) => SourceConnector;
