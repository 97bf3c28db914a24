// One run of polling over an opened database, until the signal aborts or the database is lost. Steps, over and over: which tables there
// are (now and then); of each table the rows behind the place that was reached, page by page, each page an append with the new place; a
// pause. A crash between any two loses nothing: a page and its place are one append, and the next run goes on behind it.
//
// A table is shown when it was read to its end once. What is not seen by asking: deletes in any mode, changes in mode `incrementing`, the
// first of two changes between two polls; so nothing is ever confirmed to be fresh. A table with a value that cannot be converted, with
// rows that its key does not tell apart, or that the database itself cannot read, stands still alone, and is tried again when the
// connector starts again.
import type { AppendControl } from '../../core/append-control.js';
import type { Chunk } from '../../core/append.js';
import { delay, passed } from '../../core/backoff.js';
import { systemClock } from '../../core/clock.js';
import { AppError, toErrorMessage } from '../../core/errors.js';
import type { RowEncoder } from '../../core/row-encoder.js';
import { qualifiedName } from '../../core/table-name.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { PollingConfig } from './config.js';
import { placeOf, type TableOrder } from './order.js';
import type { PolledDatabase, PolledPage, PolledTable, TimeSpan } from './polled-database.js';
import { printPosition, type PolledPosition, type TablePlace } from './position.js';

const chunkBytes = 256 << 10;
/** What stops one table, and nothing beside it. */
const ofTableAlone: ReadonlySet<string> = new Set(['unconvertible-value', 'keyless-table', 'unreadable-table']);

interface OpenTable {
  readonly signature: string;
  readonly encoder: RowEncoder;
}

export class PollingRun {
  readonly #config: PollingConfig;
  readonly #context: SourceContext;
  readonly #began: string;
  #step: number;
  readonly #places: Map<string, TablePlace>;
  readonly #open = new Map<string, OpenTable>();
  /** Of this task. */
  readonly #stopped = new Set<string>();
  readonly #said = new Set<string>();

  constructor(config: PollingConfig, context: SourceContext, from: PolledPosition) {
    this.#config = config;
    this.#context = context;
    this.#began = from.began;
    this.#step = from.step;
    this.#places = new Map(from.tables);
  }

  /** `onPolled`: the database has answered. */
  async *chunks(database: PolledDatabase, onPolled: () => void): AsyncGenerator<Chunk> {
    const { signal, chunks } = this.#context;
    const held = await this.#context.heldTables();
    if (held.length > 0 && this.#step === 0) {
      // What was captured before is gone on with only behind an append that has a place.
      this.#endAppend();
      yield chunks.take()!;
    }
    let tables: readonly PolledTable[] = [];
    let listAtMs = 0;
    while (!signal.aborted) {
      if (systemClock.monotonicMs() >= listAtMs) {
        tables = await this.#list(database);
        listAtMs = systemClock.monotonicMs() + this.#config.tablePollMs;
      }
      const nowMs = (await database.nowMs()) - this.#config.timestampDelayMs;
      for (const table of tables) {
        if (!signal.aborted) yield* this.#poll(table, nowMs, held);
      }
      onPolled();
      this.#context.reportState({ phase: 'streaming', caughtUp: true });
      await passed(delay(this.#config.pollMs, signal), signal);
    }
  }

  async #list(database: PolledDatabase): Promise<readonly PolledTable[]> {
    const { tables, findings } = await database.tables();
    for (const { message, hint } of findings) {
      if (this.#said.has(message)) continue;
      this.#said.add(message);
      this.#context.logger.warn(message, { hint });
    }
    return tables;
  }

  async *#poll(table: PolledTable, nowMs: number, held: readonly HeldTable[]): AsyncGenerator<Chunk> {
    const name = qualifiedName(table.source);
    if (this.#stopped.has(name)) return;
    const { chunks, logger } = this.#context;
    const order = placeOf(table, this.#config);
    const open = this.#open.get(name);
    if (open?.signature !== table.signature) {
      const before = chunks.take();
      if (before) yield before;
      await this.#context.heldTables();
      const known = held.find((each) => each.name === name);
      const complete = this.#places.get(name)?.complete === true;
      if (open) logger.info('a polled table has other columns', { table: name });
      const encoder = await this.#context.openTable(table.source, {
        hidden: !complete,
        cause: known && !complete ? 'it is read to its end' : undefined,
      });
      this.#open.set(name, { signature: table.signature, encoder });
    }
    yield* this.#readPages(name, table, order, nowMs);
  }

  async *#readPages(name: string, table: PolledTable, order: TableOrder, nowMs: number): AsyncGenerator<Chunk> {
    const { signal, chunks } = this.#context;
    const span = this.#spanOf(order, nowMs);
    const by = order.columns.map((i) => table.source.columns[i]!.name);
    const asked = { order: order.columns, notNull: order.leading, after: this.#placeOf(name, by).after, span };
    try {
      for await (const page of table.pages({ ...asked, pageRows: this.#config.pageRows })) {
        this.#takePage(name, by, page);
        if (chunks.byteLength >= chunkBytes) yield chunks.take()!;
        if (signal.aborted) break;
      }
    } catch (error) {
      if (!(error instanceof AppError) || !ofTableAlone.has(error.code)) throw error;
      this.#stop(name, error, this.#placeOf(name, by));
    }
    const rest = chunks.take();
    if (rest) yield rest;
  }

  #takePage(name: string, by: readonly string[], page: PolledPage): void {
    const { chunks } = this.#context;
    const { encoder } = this.#open.get(name)!;
    const mark = chunks.mark();
    try {
      for (let row = 0; row < page.count; row++) page.write(row, encoder);
    } catch (error) {
      chunks.rewind(mark);
      throw error;
    }
    const place = this.#placeOf(name, by);
    const again = this.#config.mode === 'bulk' && page.last;
    const after = again ? null : page.count > 0 ? page.place(page.count - 1) : place.after;
    const complete = place.complete || page.last;
    this.#places.set(name, { after, by, complete });
    const control: AppendControl | undefined =
      complete && !place.complete
        ? { kind: 'snapshot-completed', connector: this.#config.connector, topics: [encoder.topic] }
        : undefined;
    if (page.count > 0 || control) this.#endAppend(control);
  }

  /** From the first row on where nothing was read, or in another order. */
  #placeOf(name: string, by: readonly string[]): TablePlace {
    const place = this.#places.get(name);
    if (place === undefined) return { after: null, by, complete: false };
    return String(place.by) === String(by) ? place : { ...place, after: null, by };
  }

  #spanOf({ time }: TableOrder, nowMs: number): TimeSpan | undefined {
    if (time === undefined) return undefined;
    return { column: time, fromMs: this.#config.timestampInitialMs, beforeMs: nowMs };
  }

  #stop(name: string, error: AppError, place: TablePlace): void {
    this.#context.logger.error('a table stands still', { table: name, reason: error.message, hint: error.hint });
    this.#stopped.add(name);
    this.#places.set(name, { ...place, complete: false });
    this.#endAppend({
      kind: 'table-failed',
      connector: this.#config.connector,
      table: name,
      error: toErrorMessage(error),
    });
  }

  #endAppend(control?: AppendControl): void {
    this.#step++;
    this.#context.chunks.endAppend({
      position: printPosition(this.position),
      commitTimeUs: systemClock.nowUs(),
      control,
    });
  }

  get position(): PolledPosition {
    return { began: this.#began, step: this.#step, tables: this.#places };
  }
}
