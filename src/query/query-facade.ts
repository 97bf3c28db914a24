// What the server may ask of the query pump. Answers are serialisable: ready JSON text, so that a row is printed once, by column
// type, and never goes through JSON.stringify of a generic object (BIGINT and DECIMAL would lose digits, DOUBLE its fraction).
import type { AnswerPages } from '../core/answer-pages.js';
import type { RowSchema } from '../core/data-type.js';
import type { Age, Standing } from '../core/freshness.js';

/**
 * Freshness of an answer: the headers Writethrough-Version, -Lag-Ms, -Stale and -Position. Of a table that stands still it is that of
 * where it stopped; of several tables, that of the oldest of them.
 */
export interface Freshness {
  /** `logId:seq` */
  readonly version: string;
  /** How old the answer may be at most; 0 when the sources are known to have nothing newer. */
  readonly lagMs: number;
  /** Why nothing newer comes at once; undefined while the sources are followed and less than a second behind. */
  readonly stale?: Standing | undefined;
  /** `producer=position` pairs, comma-separated, percent-encoded values: short tokens, or the whole where that is asked for. */
  readonly position: string;
}

/** JSON text in UTF-8. */
export interface PagedAnswer extends Freshness {
  readonly pages: AnswerPages;
  /** Of these very bytes, in quotes. */
  readonly etag: string;
}

export type NumberStyle =
  /** BIGINT and DECIMAL as JSON strings (default of /v1). */
  | 'strings'
  /** As number literals with all digits (ksqlDB endpoints, `?numbers=literal`). */
  | 'literals';

/** `token`: short enough for any header, whatever the source; `full`: all of it, a set of GTIDs with every server that ever wrote. */
export type PositionStyle = 'token' | 'full';

export interface TableSummary {
  readonly name: string;
  /** Its name at the source, where another table has that here in other letters. */
  readonly alias?: string | undefined;
  readonly rowCount: number;
  readonly schema: RowSchema;
  readonly visible: boolean;
  /** Its own; that of the answer is that of the oldest of all tables that go on. */
  readonly freshness: Freshness;
  readonly age: Age;
  /** It stands still: its version is where it stopped. */
  readonly stopped: boolean;
}

/** A read of POST /v1/read: `{"table":"a"}` or `{"table":"a","key":"7"}` (composite: comma-separated, percent-encoded parts). */
export interface ReadRequest {
  readonly table: string;
  readonly key?: string | undefined;
  readonly limit?: number | undefined;
  /** Resume behind this key text (paging). */
  readonly after?: string | undefined;
}

export interface PullOptions {
  /** Wait until the applied set contains this version (`logId:seq`), at most waitMs; then 503 read-timeout. */
  readonly atLeast?: string | undefined;
  readonly waitMs?: number | undefined;
  /** Allow tables that stand at different versions (detached queries); the answer's freshness is then that of the oldest. */
  readonly staleOk?: boolean | undefined;
  readonly numbers?: NumberStyle | undefined;
  readonly position?: PositionStyle | undefined;
}

/** The answer of a SQL pull: the header at once, rows in batches of ready JSON arrays' texts. Whoever has it cancels it in the end. */
export interface SqlRows extends Freshness {
  readonly queryId: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isKey: boolean }[];
  /** Each item: one row as the inner text of a JSON array, `1,"a",2.0`; tombstones only in push results. */
  readonly rows: AsyncIterable<readonly SqlRow[]>;
  /** Ends a push query from outside (close-query), and frees what is left of a pull's rows. */
  readonly cancel: () => void;
  /** Asked once `rows` has ended: LIMIT was reached, or a pull over a stream came to its end. A pull over a table has none. */
  readonly endReason?: (() => 'limit' | 'completed' | undefined) | undefined;
}
export interface SqlRow {
  readonly values: string;
  readonly tombstone: boolean;
}

/** One change as subscribers get it; `json` is `{"id":..,"op":..,"key":..,"before":..,"after":..,"commitTime":..}`. */
export interface ChangeItem {
  readonly id: string;
  readonly op: 'c' | 'u' | 'd' | 'r' | 'rebuilt' | 'schema' | 'caught-up' | 'behind' | 'stopped';
  readonly json: string;
}

export interface SubscribeOptions {
  readonly table: string;
  /** Current rows first, op r. */
  readonly snapshot: boolean;
  /** Event id (`logId:seq.index`) or version to go on behind; excludes snapshot. */
  readonly after?: string | undefined;
  readonly numbers?: NumberStyle | undefined;
  readonly signal: AbortSignal;
}

export interface QueryFacade {
  tables(position?: PositionStyle): Promise<{ readonly tables: readonly TableSummary[] } & Freshness>;
  /**
   * Point read on the calling thread: synchronous, the hottest path. `keyText` is the path segment as it came, still
   * percent-encoded (a comma inside a part of a composite key is `%2C`). Throws unknown-table, bad-key, snapshotting. `json`
   * null: no such row.
   */
  point(
    table: string,
    keyText: string,
    numbers: NumberStyle,
    position?: PositionStyle,
  ): { readonly json: string | null } & Freshness;
  /**
   * `{"results":[{"rows":[...]},...]}`, all of one consistent cut. A read that its limit cut short has `"next":"<key text>"` behind
   * its rows: the `after` of the following page.
   */
  read(reads: readonly ReadRequest[], options: PullOptions): Promise<PagedAnswer>;
  /** The one result of one read: `{"rows":[...],"next":...}`. */
  rows(read: ReadRequest, options: PullOptions): Promise<PagedAnswer>;
  /** A SELECT without EMIT CHANGES, or with (then `rows` goes on until cancelled). */
  select(
    sql: string,
    properties: Readonly<Record<string, unknown>>,
    options: PullOptions & { readonly signal: AbortSignal },
  ): Promise<SqlRows>;
  /** Ends a running push query by id; false when unknown. */
  closeQuery(queryId: string): boolean;
  /**
   * Batches of changes, in order, no gap and no repeat; ends with the signal; throws too-old, unknown-table, overloaded. The
   * first batch comes as soon as the subscription stands, empty if need be: before it, the caller can still answer an error
   * with its own status. Every id is a place to go on from. Snapshot rows (op r) are followed by one mark, and so is, later on, each
   * change of how the table stands: `caught-up` when its sources are followed and less than a second behind; `behind`, with cause and
   * lag, while they are followed and more is to come; `stopped`, with cause, lag and the version that its rows are of, when nothing
   * comes: its connector is paused, failed, deleted, cannot reach its source, or the table itself stands still (then it goes on when
   * it is `rebuilt`). `schema` says that the table has other columns from there on; rows from before are shown with those, too.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly ChangeItem[]>;
  /** Waits until a version is applied. */
  waitFor(version: string, waitMs: number): Promise<void>;
}
