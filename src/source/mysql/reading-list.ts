// What is still to be read of the tables, and which of them stand still or have other columns: the cursor, which is part of the position, so that what calls for
// a table and the place of the stream at which that is known become durable as one. Why, for people, is told by notices (and not kept).
import type { AppError } from '../../core/errors.js';
import type { SnapshotProgress } from '../source-connector.js';
import { printAltered, type AlteredTables } from './altered-tables.js';
import type { CapturedTables } from './captured-tables.js';
import { printCursor, type SnapshotCursor } from './position.js';
import type { TableCall } from './snapshot-calls.js';
import { SnapshotNotices } from './snapshot-notices.js';
import { printStopped, type StoppedTables } from './stopped-tables.js';

export interface ReadingListOptions {
  readonly captured: CapturedTables;
  readonly cursor: SnapshotCursor | undefined;
  readonly stopped: StoppedTables;
  readonly altered: AlteredTables;
  /** The cursor as text for positions. */
  readonly onCursor: (text: string) => void;
}

export class ReadingList {
  readonly notices = new SnapshotNotices();
  readonly stopped: StoppedTables;
  readonly altered: AlteredTables;
  readonly #options: ReadingListOptions;
  readonly #causes = new Map<string, string>();
  #cursor: SnapshotCursor | undefined;

  constructor(options: ReadingListOptions) {
    this.#options = options;
    this.stopped = options.stopped;
    this.altered = options.altered;
    this.stopped.changed = options.altered.changed = () => this.setCursor(this.#cursor);
    this.setCursor(options.cursor);
  }

  /** Undefined: nothing is left to be read. */
  get cursor(): SnapshotCursor | undefined {
    return this.#cursor;
  }

  get isFirst(): boolean {
    return this.#cursor !== undefined && this.#cursor.only !== true;
  }

  /** To be read next, when nothing is being read. */
  get next(): string | undefined {
    return this.#cursor?.only ? this.#cursor.again?.[0] : undefined;
  }

  get called(): readonly string[] {
    return this.#cursor?.again ?? [];
  }

  causeOf(name: string): string {
    return this.#causes.get(name) ?? 'it is read again';
  }

  /** Only rows that meet it are read. */
  conditionOf(name: string): string | undefined {
    return this.#cursor?.where?.[name];
  }

  /** All rows of it have to be read, whatever was asked for. */
  readsAll(name: string): void {
    if (this.conditionOf(name) !== undefined) this.setCursor({ ...this.#cursor!, where: without(this.#cursor, name) });
  }

  /** `reading`: of what is being read. Behind a first snapshot also of what waits. Undefined: nothing is read. */
  progress(reading: SnapshotProgress | undefined): SnapshotProgress | undefined {
    if (this.isFirst || this.called.length === 0) return reading;
    const tables = this.called.map((each) => {
      const table = this.nameOf(each);
      const found = reading?.tables.find((one) => one.table === table);
      return { table, rows: 0, rowsEstimated: null, done: false, ...found, cause: this.causeOf(each) };
    });
    return { tables };
  }

  setCursor(cursor: SnapshotCursor | undefined): void {
    this.#cursor = cursor;
    const { stopped, altered } = this.#options;
    this.#options.onCursor(
      `${cursor ? printCursor(cursor) : ''}${printStopped(stopped.all)}${printAltered(altered.all)}`,
    );
  }

  /** Behind those that are called for already, or where it is in their row; one that is being read from its beginning, behind them. */
  call(calls: readonly TableCall[], isReading: (name: string) => boolean): void {
    let again = [...this.called];
    // What was handed over of the table at hand is of no use, whether its reading has begun in this run or not.
    const restarts = calls.some(({ name }) => name === again[0]);
    const where = new Map(Object.entries(this.#cursor?.where ?? {}));
    for (const call of calls) {
      const { name, cause } = call;
      this.#causes.set(name, cause);
      this.notices.called(this.nameOf(name), cause);
      const condition = this.#conditionWith(call);
      if (condition === undefined) where.delete(name);
      else where.set(name, condition);
      if (isReading(name)) again = again.filter((each) => each !== name);
      if (!again.includes(name)) again.push(name);
    }
    const list = { again, where: where.size === 0 ? undefined : Object.fromEntries(where) };
    if (this.isFirst) this.setCursor({ ...this.#cursor!, ...list });
    else this.setCursor({ table: again[0]!, key: restarts ? null : (this.#cursor?.key ?? null), ...list, only: true });
  }

  /** Who asks for some rows gets all where all are read anyway. */
  #conditionWith({ name, where }: TableCall): string | undefined {
    if (where === undefined || this.isFirst) return undefined;
    if (!this.called.includes(name)) return where;
    const before = this.conditionOf(name);
    return before === undefined || before === where ? before : `(${before}) OR (${where})`;
  }

  /** It is not to be read any more. */
  forget(name: string): void {
    const cursor = this.#cursor;
    this.#causes.delete(name);
    if (!this.called.includes(name)) return;
    const again = this.called.filter((each) => each !== name);
    const list = { again, where: without(cursor, name) };
    if (!cursor!.only) this.setCursor({ ...cursor!, ...list });
    else if (again.length === 0) this.setCursor(undefined);
    else this.setCursor({ table: again[0]!, key: this.called[0] === name ? null : cursor!.key, ...list, only: true });
  }

  /** These (folded) stand still from here on; `because`: the one of them that the others follow. */
  stop(name: string, error: AppError, because?: string): void {
    // The name before it is closed.
    this.notices.failed(this.nameOf(name), error);
    this.#options.captured.known.stop(name, error);
    this.stopped.add(name, error, because);
    this.forget(name);
  }

  /** As the source writes it. */
  nameOf(name: string): string {
    return this.#options.captured.nameOf(name);
  }
}

function without(cursor: SnapshotCursor | undefined, name: string): SnapshotCursor['where'] {
  const left = Object.entries(cursor?.where ?? {}).filter(([each]) => each !== name);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}
