// What becomes of a table whose columns a statement has changed, when its rows are the same but for that (altered-tables.ts): it is opened
// with its new columns, and the rows that are held are carried over, nothing is read. That is done at the first table map behind the
// statement, or, when no row comes, by the description that the server gives: it holds where the stream has passed the end that the
// binlog had when it was given, and no other statement of the table has come. What is not proved like that is read again.
import { AppError } from '../../core/errors.js';
import type { RowSchema } from '../../core/data-type.js';
import type { Logger } from '../../core/logger.js';
import { splitName } from '../../core/table-name.js';
import type { RecordSchema } from '../source-connector.js';
import { rowsAreCarried, together, type AlteredTable, type AlteredTables } from './altered-tables.js';
import type { FileOffset } from './position.js';
import type { ReadingStartOptions } from './reading-start.js';
import { binlogEnd } from './server.js';
import type { TableCall } from './snapshot-calls.js';
import type { SnapshotNotices } from './snapshot-notices.js';
import type { TableDescription } from './table-knowledge.js';
import { capturedColumns, describeTable, openingError, sourceTable, type TableSchema } from './table-schema.js';

export interface AlterationsOptions extends ReadingStartOptions {
  readonly tables: AlteredTables;
  readonly notices: SnapshotNotices;
  /** It was not proved: these are read again. */
  readonly readAgain: (calls: readonly TableCall[]) => void;
  readonly logger: Logger;
}

/** As the server described it when the binlog ended there. */
interface Described {
  readonly of: AlteredTable;
  readonly schema: TableSchema;
  readonly end: FileOffset;
}

export class Alterations {
  readonly #options: AlterationsOptions;
  readonly #described = new Map<string, Described>();

  constructor(options: AlterationsOptions) {
    this.#options = options;
  }

  /** A statement changes columns of a table that is captured and complete. False: it has to be read again. */
  note({ name, cause, columns }: TableCall): boolean {
    const { captured, tables, notices } = this.#options;
    const mapped = captured.mapped.get(name);
    captured.mapped.delete(name);
    const first = tables.get(name);
    const isOurs = captured.known.isHeld(name) || captured.wasOpened(name);
    if (columns === undefined || !isOurs || captured.known.isLeftOut(name)) return this.#forget(name);
    const modified = new Set(columns.modified.map((each) => each.toLowerCase()));
    const before = (mapped ?? []).filter((each) => modified.has(each.name.toLowerCase()));
    const altered = together(first, { ...columns, table: name, cause, before });
    if (altered === undefined) return this.#forget(name);
    tables.set(altered);
    notices.called(captured.nameOf(name), cause);
    return true;
  }

  /** It is read again, or gone. */
  forget(name: string): void {
    this.#options.captured.mapped.delete(name);
    this.#forget(name);
  }

  #forget(name: string): false {
    this.#options.tables.delete(name);
    return false;
  }

  /**
   * Rows of a table come with other columns than it was opened with; `held`: what is held of it. True: it had been altered, and either is what
   * it was said to be or is read again.
   */
  ofMap(name: string, held: RowSchema | undefined, map: TableDescription): boolean {
    const { captured, tables } = this.#options;
    const altered = tables.get(name);
    if (altered === undefined || altered.carried !== undefined) return false;
    if (this.#isProved(altered, held, map, undefined)) {
      // Told at the next border between transactions, and until then a part of the position.
      tables.set({ ...altered, carried: captured.byName(name)!.encoder.topic });
    } else this.#giveUp(altered);
    return true;
  }

  /** Something can be done now, between two transactions. */
  get waits(): boolean {
    const { tables, reader } = this.#options;
    return tables.all.some((each) => {
      const described = this.#descriptionOf(each);
      return each.carried !== undefined || described === undefined || reader.reached(described.end);
    });
  }

  #descriptionOf(altered: AlteredTable): Described | undefined {
    const described = this.#described.get(altered.table);
    return described?.of === altered ? described : undefined;
  }

  /** Between two transactions, when all that was encoded is handed over. Gives the topics of the tables that have their columns. */
  async settle(): Promise<readonly string[]> {
    const { tables, reader } = this.#options;
    const topics: string[] = [];
    for (const altered of tables.all) {
      const described = this.#descriptionOf(altered);
      // What another configuration leaves out is not opened.
      if (!this.#options.captured.known.matches(altered.table)) tables.delete(altered.table);
      else if (altered.carried !== undefined) this.#carried(altered, altered.carried, topics);
      else if (described === undefined) await this.#describe(altered);
      else if (reader.reached(described.end)) await this.#open(altered, described.schema, topics);
    }
    return topics;
  }

  async #describe(altered: AlteredTable): Promise<void> {
    const { session, server, captured, config } = this.#options;
    const { table } = altered;
    // The statement is in the binlog before information_schema tells of it; who asks for the table itself waits until the statement is over.
    await openingError(session, splitName(table));
    const schema = await describeTable(session, table, (text) => captured.known.fold(text), config.modes);
    const end = await binlogEnd(session, server);
    // What else happens to it is a matter of who reads it.
    if (typeof schema === 'string' || schema instanceof AppError || end === undefined) this.#giveUp(altered);
    else this.#described.set(table, { of: altered, schema, end });
  }

  async #open(altered: AlteredTable, schema: TableSchema, topics: string[]): Promise<void> {
    const { context, captured, opening, reader } = this.#options;
    const name = altered.table;
    const held = (await context.heldTables()).find((each) => captured.known.fold(each.name) === name);
    const refused = opening.refusal(schema, schema) !== undefined || held === undefined || held.stopped === true;
    if (refused || !this.#isProved(altered, held.schema, schema, schema.generated)) return this.#giveUp(altered);
    const before = captured.get(schema.database, schema.table);
    const open = await opening.asItIs(schema);
    if (open !== before) reader.forgetTable(name);
    this.#carried(altered, open.encoder.topic, topics);
  }

  #carried({ table, cause }: AlteredTable, topic: string, topics: string[]): void {
    const { tables, logger, captured } = this.#options;
    this.#described.delete(table);
    tables.delete(table);
    topics.push(topic);
    logger.info('a table has other columns, and its rows are carried over', { table: captured.nameOf(table), cause });
  }

  #giveUp({ table, cause }: AlteredTable): void {
    this.#described.delete(table);
    this.#options.readAgain([{ name: table, cause }]);
  }

  #isProved(
    altered: AlteredTable,
    held: RowSchema | undefined,
    now: TableDescription,
    generated: boolean | undefined,
  ): boolean {
    const { context, captured } = this.#options;
    if (held === undefined) return false;
    const isCaptured = capturedColumns(now, captured.filter);
    const columns = now.columns.filter((_, i) => isCaptured[i]);
    const only = (names: readonly string[]) =>
      names.filter((each) => captured.filter.capturesColumn(now.database, now.table, each));
    const { added, dropped, modified } = altered;
    const claims = { ...altered, added: only(added), dropped: only(dropped), modified: only(modified) };
    return rowsAreCarried(claims, held, {
      records: context.recordsOf(sourceTable(now, captured.filter)),
      recordsBefore: modified.length === 0 ? undefined : this.#recordsBefore(altered, now),
      columns,
      generated,
    });
  }

  /** Of the table as it would be with its modified columns as they were. */
  #recordsBefore({ before }: AlteredTable, now: TableDescription): RecordSchema | undefined {
    const { context, captured } = this.#options;
    const columns = now.columns.map((column) => {
      const was = before.find((each) => each.name.toLowerCase() === column.name.toLowerCase());
      return was ? { ...was, name: column.name } : column;
    });
    try {
      return context.recordsOf(sourceTable({ ...now, columns }, captured.filter));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A configuration that came since need not be able to make records of what the column was: then it is read again.
      return undefined;
    }
  }
}
