// A materialized table at work: one place where its rows change, its feed is written and its readers are called. Base tables and
// sinks of queries are the same here: whoever knows the new row of a key calls `set`. The old row is read from the store, never
// taken from the caller.
import { sameRow } from '../core/compare.js';
import type { Row, Value } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { StateWriter, TableSpec, TableWriter } from '../store/state-store.js';
import type { ApplyContext } from './apply-context.js';

/** What reads a table's changes inside the process. */
export interface ChangeListener {
  accept(source: string, before: Row | null, after: Row | null): void;
  /** A row that it would have to take back is damaged: it cannot go on. */
  refuse?(error: AppError): never;
  /** Place in creation order; without one it stands in front. */
  readonly order?: number;
}

/** What stands in one version of a table and not in the other. */
export interface Difference {
  readonly before: Row | null;
  readonly after: Row | null;
  /** Undefined without the row. */
  readonly beforeRowtimeMs: number | undefined;
  readonly afterRowtimeMs: number | undefined;
}

export class TableNode implements ChangeListener {
  readonly name: string;
  readonly writer: TableWriter;
  /** Called in creation order. */
  readonly listeners: ChangeListener[] = [];
  /** Off while the table is hidden: nobody can subscribe to it, and a first snapshot would fill the feed with rows. */
  feeds: boolean;
  readonly #state: StateWriter;
  readonly #context: ApplyContext;
  readonly #keyColumns: readonly number[];
  #indexSeq = -1;
  #nextIndex = 0;

  constructor(state: StateWriter, writer: TableWriter, context: ApplyContext, feeds: boolean) {
    this.name = writer.spec.name;
    this.writer = writer;
    this.feeds = feeds;
    this.#state = state;
    this.#context = context;
    this.#keyColumns = writer.spec.schema.keyColumns;
  }

  get spec(): TableSpec {
    return this.writer.spec;
  }

  #keyedRow(key: Row): Row {
    const row: Value[] = this.spec.schema.columns.map(() => null);
    for (const [i, column] of this.#keyColumns.entries()) row[column] = key[i]!;
    return row;
  }

  /** The key values of a row, in key order. */
  keyOf(row: Row): Row {
    const key = this.#keyColumns;
    if (key.length === 1) return [row[key[0]!]!];
    return key.map((i) => row[i]!);
  }

  /** What a first snapshot or a rebuild fills is hidden and read by nobody, and nearly every row of it is a new one. */
  get #isHeard(): boolean {
    return this.feeds || this.listeners.length > 0;
  }

  /** Makes `after` the row of the key (null: no row). Setting no row where there is none is no change. */
  set(key: Row, after: Row | null): void {
    if (!this.#isHeard && after !== null) this.add(key, after);
    else this.#replace(key, this.#standing(key), after);
  }

  /** As `set`, of a row that is most likely new: the one that stands there is only looked for where there is one. */
  add(key: Row, row: Row): void {
    if (this.writer.insert(row, this.#context.rowtimeMs)) this.#changed(null, row, undefined);
    else this.#replace(key, this.#standing(key), row);
  }

  /**
   * The row at a key. One that is damaged is made whole by what its source says of it; what is derived from it would have to know what it
   * was, and stands still until it is built again.
   */
  #standing(key: Row): Row | undefined | 'damaged' {
    try {
      return this.writer.get(key);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'corrupt-data')) throw error;
      for (const listener of this.listeners) listener.refuse?.(error);
      if (this.listeners.length > 0) throw error;
      return 'damaged';
    }
  }

  /** `before` is what the writer gave last. */
  #replace(key: Row, standing: Row | undefined | 'damaged', after: Row | null): void {
    if (standing === 'damaged') {
      this.writer.delete(key);
      // What goes has to be told; of what it was its key is known.
      if (after === null) return this.#changed(this.#keyedRow(key), null, undefined);
    }
    const before = standing === 'damaged' ? undefined : standing;
    const beforeRowtimeMs = before === undefined ? undefined : this.writer.gotRowtimeMs;
    if (after === null) {
      if (before === undefined) return;
      this.writer.delete(key);
    } else {
      this.writer.put(after, this.#context.rowtimeMs, before);
    }
    this.#changed(before ?? null, after, beforeRowtimeMs);
  }

  /** The row of the key is this one, as read again at the source: no change where it is here already. */
  confirm(key: Row, row: Row): void {
    if (!this.#isHeard) return this.writer.confirm(row, this.#context.rowtimeMs);
    const before = this.#standing(key);
    if (before === undefined || before === 'damaged' || !sameRow(before, row)) this.#replace(key, before, row);
  }

  /** As a listener of another version of itself: takes over whatever that one did (rebuild in lock-step). */
  accept(_source: string, before: Row | null, after: Row | null): void {
    this.set(this.keyOf((after ?? before)!), after);
  }

  #changed(before: Row | null, after: Row | null, beforeRowtimeMs: number | undefined): void {
    if (this.feeds) this.#feed(before, after, beforeRowtimeMs);
    for (const listener of this.listeners) {
      // Set again for each: what the one before caused further down has used the same context.
      this.#context.beforeRowtimeMs = beforeRowtimeMs;
      listener.accept(this.name, before, after);
    }
  }

  #feed(before: Row | null, after: Row | null, beforeRowtimeMs: number | undefined): void {
    const { seq, commitTimeUs, rowtimeMs } = this.#context;
    // The index restarts with every append, so it is the same on every process and after a rebuild.
    if (this.#indexSeq !== seq) {
      this.#indexSeq = seq;
      this.#nextIndex = 0;
    }
    const index = this.#nextIndex++;
    this.#state.feed(this.name, { seq, index, before, after, rowtimeMs, beforeRowtimeMs, commitTimeUs });
  }

  /** A difference that a rebuild found, emitted at the swap: the row itself is in the new version already, with its ROWTIME. */
  emitDifference({ before, after, beforeRowtimeMs, afterRowtimeMs }: Difference): void {
    const outer = this.#context.rowtimeMs;
    this.#context.rowtimeMs = afterRowtimeMs ?? outer;
    this.#changed(before, after, beforeRowtimeMs);
    this.#context.rowtimeMs = outer;
  }
}
