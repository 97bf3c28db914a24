// The tables that are open at connect, by the number under which their triggers were made: a table that is installed anew is another one.
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { SourceContext } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import type { InstalledTable } from './install.js';
import type { TableCalls } from './table-calls.js';
import { isOfOneTable } from './table-reading.js';
import { namesOfAltered, type Survey } from './table-survey.js';
import { openTableWriter, type TableWriter } from './table-writer.js';

export interface OpenTablesOptions {
  readonly context: SourceContext;
  readonly reader: SqliteDatabase;
  readonly config: () => SqliteSourceConfig;
  readonly calls: TableCalls;
}

export class OpenTables {
  readonly #options: OpenTablesOptions;
  readonly #writers = new Map<number, TableWriter>();

  constructor(options: OpenTablesOptions) {
    this.#options = options;
  }

  get(id: number): TableWriter | undefined {
    return this.#writers.get(id);
  }

  named(table: string): TableWriter | undefined {
    return [...this.#writers.values()].find(({ source }) => source.table === table);
  }

  add(writer: TableWriter): void {
    this.#writers.set(writer.installed.id, writer);
  }

  close(table: string): void {
    for (const [id, writer] of this.#writers) if (writer.source.table === table) this.#writers.delete(id);
  }

  /** Closes those that are not installed any more. */
  keep(installed: readonly InstalledTable[]): void {
    const ids = new Set(installed.map(({ id }) => id));
    for (const id of this.#writers.keys()) if (!ids.has(id)) this.#writers.delete(id);
  }

  /** Tables that were written while the schema may have been another are read again, unless they are anyway. */
  callAgain(ids: readonly number[], survey: Survey | null): void {
    const seen = namesOfAltered(survey);
    for (const id of ids) {
      const name = this.#writers.get(id)?.source.table;
      if (name === undefined || seen.has(name) || survey?.gone.includes(name)) continue;
      this.#options.calls.call(name, 'the schema has changed and changed back while it was written');
    }
  }

  topicsOf(tables: readonly string[]): string[] {
    return [...this.#writers.values()].filter(({ source }) => tables.includes(source.table)).map(({ topic }) => topic);
  }

  /**
   * Opens those that are not read first. One that is not as it was installed is opened as it was, for the changes from before. One
   * that cannot be opened because of its values stands still.
   */
  async open(installed: readonly InstalledTable[], survey: Survey | null): Promise<void> {
    const { context, reader, config, calls } = this.#options;
    const ended = new Set([...(survey?.gone ?? []), ...(survey?.refused ?? []).map(({ name }) => name)]);
    const altered = namesOfAltered(survey);
    for (const table of installed) {
      const { name } = table.description;
      const waits = calls.pending.has(name) || calls.standing.has(name) || ended.has(name);
      if (this.#writers.has(table.id) || waits) continue;
      try {
        const cause = calls.announced.includes(name) ? calls.causeOf(name) : undefined;
        this.add(await openTableWriter(table, config(), context, reader, { isAltered: altered.has(name), cause }));
      } catch (error) {
        if (!isOfOneTable(error)) throw error;
        calls.stop(name, error);
      }
    }
  }
}
