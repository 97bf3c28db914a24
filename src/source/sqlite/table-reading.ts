// Reads tables whole, within one read transaction: all their rows in storage order, the cheapest, and then, of a table of which something
// is held, deletes of the rows that are not in the file any more. So each reading is a generation that leaves no ghosts, whatever has
// happened before it; changes in front of it need not be told. The last append completes all tables that were read.
// A table with a value that cannot be converted stands still alone, and the others are read on.
import { systemClock } from '../../core/clock.js';
import { AppError } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import type { Row, RowSchema } from '../../core/data-type.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { qualifiedName } from '../../core/table-name.js';
import { deleteRow } from '../held-deletes.js';
import type { HeldTable, SnapshotProgress, SourceContext } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import { hasKeyOf, heldKey, KeySet } from './held-keys.js';
import type { InstalledTable } from './install.js';
import { quoteName } from './names.js';
import { openTableWriter, type TableWriter } from './table-writer.js';

export const chunkBytes = 256 * 1024;

export interface ReadingOptions {
  readonly reader: SqliteDatabase;
  readonly config: SqliteSourceConfig;
  readonly context: SourceContext;
  readonly tables: readonly InstalledTable[];
  /** Why a table is read again; undefined: it is read for the first time. */
  readonly causeOf: (name: string) => string | undefined;
  readonly endAppend: (commitTimeUs: number) => void;
  readonly report: (progress: SnapshotProgress) => void;
  readonly onOpened: (writer: TableWriter) => void;
  readonly onFailed: (table: string, error: AppError) => void;
}

interface Progress {
  readonly table: string;
  rows: number;
  readonly rowsEstimated: number;
  done: boolean;
}

interface HeldRowsOf {
  readonly table: HeldTable;
  readonly schema: RowSchema;
  readonly pages: AsyncIterator<readonly Row[]>;
  readonly first: readonly Row[];
}

export class TableReading {
  readonly #options: ReadingOptions;
  readonly #progress: Progress[];
  /** Topics of the tables that were read. */
  readonly topics: string[] = [];

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.#progress = options.tables.map(({ description: { name } }) => {
      const [count] = options.reader.prepare(`SELECT count(*) FROM ${quoteName(name)}`).get()!;
      return { table: name, rows: 0, rowsEstimated: Number(count), done: false };
    });
  }

  /** What is left in the chunk under construction is the caller's. Ends early when the signal aborts. */
  async *chunks(): AsyncGenerator<Chunk> {
    const { context, tables, onFailed } = this.#options;
    this.#report();
    for (const [i, table] of tables.entries()) {
      const mark = context.chunks.mark();
      let last = mark;
      try {
        yield* this.#read(table, this.#progress[i]!, () => (last = context.chunks.mark()));
      } catch (error) {
        if (!isOfOneTable(error)) throw error;
        // What is whole of it stays: its next reading finds which of that is gone.
        context.chunks.rewind(last);
        this.#options.endAppend(systemClock.nowUs());
        onFailed(table.description.name, error);
      }
      if (context.signal.aborted) return;
      this.#progress[i]!.done = true;
      this.#report();
    }
  }

  #report(): void {
    this.#options.report({ tables: this.#progress.map((each) => ({ ...each })) });
  }

  async *#read(installed: InstalledTable, at: Progress, whole: () => void): AsyncGenerator<Chunk> {
    const { reader, config, context, causeOf, endAppend, onOpened } = this.#options;
    const { chunks, signal } = context;
    // What was encoded of it with other columns has to be in the log before it is opened.
    const before = chunks.take();
    if (before) yield before;
    whole();
    const name = qualifiedName({ database: config.database, table: installed.description.name });
    const held = (await context.heldTables()).find((table) => table.name === name);
    const cause = causeOf(installed.description.name) ?? (held ? 'it is read again' : undefined);
    const writer = await openTableWriter(installed, config, context, reader, { hidden: true, cause });
    onOpened(writer);
    const known = held ? await this.#heldRows(held, writer) : undefined;
    const keys = known && new KeySet();
    try {
      const columns = writer.source.columns.map((column) => quoteName(column.name)).join(', ');
      for (const row of reader.prepareExact(`SELECT ${columns} FROM ${quoteName(writer.source.table)}`).iterate()) {
        writer.writeRow('r', row, 0);
        keys?.add(writer.keyText(row, 0));
        whole();
        at.rows++;
        if (chunks.byteLength < chunkBytes) continue;
        endAppend(systemClock.nowUs());
        this.#report();
        yield chunks.take()!;
        whole();
        if (signal.aborted) return;
      }
      if (known) yield* this.#deleteAbsent(known, keys!, writer, whole);
      this.topics.push(writer.topic);
    } finally {
      keys?.close();
    }
  }

  /** Undefined: nothing is held, or it is not known what. */
  async #heldRows(table: HeldTable, writer: TableWriter): Promise<HeldRowsOf | undefined> {
    const { logger } = this.#options.context;
    const read = await table.read();
    if (!read) {
      logger.warn('rows that have gone from a table cannot be found: which were captured is not known here', {
        table: table.name,
      });
      return undefined;
    }
    const pages = read.pages[Symbol.asyncIterator]();
    const first = await pages.next();
    if (first.done === true) return undefined;
    if (!hasKeyOf(read.schema, writer.source)) {
      logger.warn('rows that have gone from a table cannot be found by the key of its records', { table: table.name });
      return undefined;
    }
    return { table, schema: read.schema, pages, first: first.value };
  }

  async *#deleteAbsent(
    { schema, pages, first }: HeldRowsOf,
    keys: KeySet,
    writer: TableWriter,
    whole: () => void,
  ): AsyncGenerator<Chunk> {
    const { context, endAppend } = this.#options;
    const { chunks, signal } = context;
    for (let page = first; !signal.aborted;) {
      for (const row of page) if (!keys.has(heldKey(schema, row))) deleteRow(writer.held, schema, row);
      whole();
      if (chunks.byteLength >= chunkBytes) {
        endAppend(systemClock.nowUs());
        yield chunks.take()!;
        whole();
      }
      const next = await pages.next();
      if (next.done === true) return;
      page = next.value;
    }
  }
}

/** What a value of the file has brought about, and not the way to it. */
export function isOfOneTable(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'unconvertible-value';
}
