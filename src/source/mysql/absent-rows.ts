// The end of a generation: which of the rows that are held are no longer at the source. Held keys are looked up there page by page, in a
// view like that of a snapshot chunk, and those that it does not have are deleted when the stream has passed that view, but for keys that
// the stream has changed since before the view began. So nothing is kept in memory but a page, and rows that have come meanwhile stay.
import { sameType, type Row, type RowSchema } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import { writeValue } from '../../schema/formats/write-value.js';
import { deleteRow, heldSource } from '../held-deletes.js';
import { KeyText } from '../key-text.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import { Session } from './connection.js';
import { keyLookup, type KeyLookup } from './key-lookup.js';
import { openWindow, type OpenWindow, type WindowOptions } from './snapshot-window.js';
import type { FileOffset } from './position.js';
import { readRaw } from './raw-rows.js';
import { ReadAhead } from './read-ahead.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import { sourceError } from './source-error.js';
import { isOtherTable } from './table-schema.js';
import { textReader } from './text-reader.js';
import { tableRefusal } from './unreadable.js';
import type { TransactionReader } from './transaction-reader.js';

const pagesAhead = 2;
const resultBytesMax = 64 << 20;

export interface AbsentRowsOptions extends Omit<WindowOptions, 'open' | 'session' | 'signal'> {
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly columns: ColumnKnowledge;
  readonly held: HeldTable;
  /** Undefined: the source has no such table. */
  readonly table: SnapshotTable | undefined;
  readonly logger: Logger;
  /** The table is not as it was described, and is not looked at any more. */
  readonly onChanged: () => void;
}

/** Held rows that the source does not have. */
export interface AbsentPage {
  readonly rows: readonly Row[];
  readonly keys: readonly string[];
  readonly window: OpenWindow | undefined;
  readonly high: FileOffset | undefined;
}

export class AbsentRows {
  readonly #options: AbsentRowsOptions;
  readonly #ahead: ReadAhead<AbsentPage>;
  #schema: RowSchema | undefined;
  #encoder: RowEncoder | undefined;
  #session: Session | undefined;

  constructor(options: AbsentRowsOptions) {
    this.#options = options;
    this.#ahead = new ReadAhead({
      ahead: pagesAhead,
      wakeup: options.wakeup,
      release: ({ window }) => window?.release(),
      failure: (error) => {
        if (!isOtherTable(error) || this.#ahead.signal.aborted)
          return (
            tableRefusal(error, options.held.name) ??
            sourceError(error, 'looking for rows that are gone', options.config.user)
          );
        // Truncated or altered meanwhile: it is read again as it is.
        options.onChanged();
        return undefined;
      },
    });
    this.#ahead.begin(() => this.#run());
  }

  /** Of the table; undefined: not known yet, or not at all. */
  get topic(): string | undefined {
    return this.#encoder?.topic ?? this.#options.table?.open.encoder.topic;
  }

  /** All held rows were looked up, and what is gone was deleted. */
  get done(): boolean {
    return this.#ahead.done;
  }

  /** Deletes the next page's; how many. Undefined: nothing can be handed over now. Throws what has ended the look-up. */
  emit(reader: TransactionReader): number | undefined {
    const page = this.peek(reader);
    if (!page) return undefined;
    let deleted = 0;
    this.#options.context.chunks.origin.read('incremental', reader.place);
    for (const [i, row] of page.rows.entries()) {
      if (this.isChanged(page, i)) continue;
      this.delete(row);
      deleted++;
    }
    this.shift();
    return deleted;
  }

  /** The next page, when the stream has passed the view in which its rows were looked for. */
  peek(reader: TransactionReader): AbsentPage | undefined {
    const page = this.#ahead.peek();
    return page && (!page.high || reader.reached(page.high)) ? page : undefined;
  }

  shift(): void {
    this.#ahead.shift()?.window?.release();
  }

  /** The stream has changed the row since before it was looked for. */
  isChanged({ window, keys }: AbsentPage, i: number): boolean {
    return window?.window.has(keys[i]!) === true;
  }

  /** Of a row of a page. */
  delete(row: Row, encoder = this.#encoder!): void {
    deleteRow(encoder, this.#schema!, row);
  }

  close(): Promise<void> {
    return this.#ahead.close(() => this.#session?.close());
  }

  async #run(): Promise<void> {
    const { held, captured, table, logger } = this.#options;
    try {
      const read = await held.read();
      if (read === undefined) {
        logger.warn('rows that have gone from a table cannot be found: which were captured is not known here', {
          table: held.name,
        });
        return;
      }
      // Nothing is ever held of it.
      if (read.schema.columns.length === 0) return;
      this.#schema = read.schema;
      this.#encoder = table?.open.encoder.held ?? (await captured.encoderOf(heldSource(held.name, read.schema)));
      const lookup = table && isKeyOf(table.open.source, read.schema) ? keyLookup(table.schema) : undefined;
      if (table && !lookup) {
        logger.warn('rows that have gone from a table cannot be found by keys of this type', { table: held.name });
        return;
      }
      for await (const rows of read.pages) {
        this.#ahead.signal.throwIfAborted();
        const room = await this.#ahead.room();
        room.put(lookup ? await this.#lookUp(rows, read.schema, lookup) : gone(rows));
      }
    } finally {
      this.#session?.close();
    }
  }

  async #lookUp(rows: readonly Row[], schema: RowSchema, lookup: KeyLookup): Promise<AbsentPage> {
    const { table, config, connection } = this.#options;
    const { open } = table!;
    const session = (this.#session ??= await Session.openWith(config, connection, this.#ahead.signal));
    await session.query('SET SESSION character_set_results = NULL');
    const window = await openWindow({ ...this.#options, open, session, signal: this.#ahead.signal });
    try {
      const keys = rows.map((row) => keyTextOf(schema, row));
      const found = await this.#keysAt(session, lookup, schema, rows);
      const high = await window.view.high();
      await window.view.close();
      const absent = rows.flatMap((_, i) => (found.has(keys[i]!) ? [] : [i]));
      if (absent.length === 0) window.release();
      return {
        rows: absent.map((i) => rows[i]!),
        keys: absent.map((i) => keys[i]!),
        window: absent.length === 0 ? undefined : window,
        high: absent.length === 0 ? undefined : high,
      };
    } catch (error) {
      window.release();
      throw error;
    }
  }

  /** Those of the keys that the source has, in the text of windows. */
  async #keysAt(session: Session, lookup: KeyLookup, schema: RowSchema, rows: readonly Row[]): Promise<Set<string>> {
    const { columns } = this.#options;
    const sql = lookup.sql(rows.map((row) => schema.keyColumns.map((i) => row[i]!)));
    const { rows: found, cut } = await readRaw(session, sql, resultBytesMax);
    if (cut) throw new AppError('internal', 'the keys of a page are more than fits');
    const readers = lookup.columns.map((column) =>
      textReader(column, {
        where: `${this.#options.held.name}.${column.name}`,
        isKey: true,
        charsets: columns.charsets,
      }),
    );
    const text = new KeyText();
    const keys = new Set<string>();
    for (let row = 0; row < found.count; row++) {
      for (const [k, reader] of readers.entries()) {
        const bytes = found.column(row, k)!;
        reader(bytes, 0, bytes.length, text);
      }
      keys.add(text.take());
    }
    return keys;
  }
}

/** The configuration may make another key of the table's, which cannot be looked up there. */
function isKeyOf(source: SourceTable, held: RowSchema): boolean {
  return (
    source.keyColumns.length === held.keyColumns.length &&
    source.keyColumns.every((at, k) => sameType(source.columns[at]!.type, held.columns[held.keyColumns[k]!]!.type))
  );
}

function gone(rows: readonly Row[]): AbsentPage {
  return { rows, keys: rows.map(() => ''), window: undefined, high: undefined };
}

function keyTextOf({ columns, keyColumns }: RowSchema, row: Row): string {
  const text = new KeyText();
  for (const i of keyColumns) writeValue(text, columns[i]!.type, row[i]!);
  return text.take();
}
