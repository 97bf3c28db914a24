// An SQLite file that is asked for its tables again and again (source/polling). Nothing is written to it. Values are read as those of a
// captured file. The order is SQLite's own; literals of it are made by SQLite (`quote`), so that every storage class stays what it is.
import { pageByPage } from '../polling/pages.js';
import type {
  PolledDatabase,
  PolledOptions,
  PolledPage,
  PolledTable,
  PolledTables,
  RowsAsked,
} from '../polling/polled-database.js';
import type { SourceFinding } from '../source-connector.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { defaultTimestampDigits, parseConfig, type SqliteSourceConfig } from './config.js';
import { selectTables } from './filter.js';
import { PolledRows } from './polled-rows.js';
import { PolledViews } from './polled-views.js';
import { openForReading, sourceError } from './session.js';
import { capturedColumns, sourceTableOf } from './table-types.js';
import type { TableDescription } from './table-description.js';

export class PolledFile implements PolledDatabase {
  readonly #options: PolledOptions;
  readonly #config: SqliteSourceConfig;
  readonly #database: SqliteDatabase;
  readonly #views: PolledViews;

  constructor(options: PolledOptions) {
    this.#options = options;
    this.#config = parseConfig(options.place);
    this.#database = openForReading(this.#config);
    this.#views = new PolledViews(this.#database, this.#config, options);
  }

  async tables(): Promise<PolledTables> {
    const { query, ...asked } = this.#options;
    if (query !== undefined) return this.#ask(() => this.#views.ofQuery(query));
    const found = asked.tables ? this.#ask(() => this.#baseTables()) : { tables: [], findings: [] };
    const views = asked.views ? this.#ask(() => this.#views.all()) : { tables: [], findings: [] };
    return { tables: [...found.tables, ...views.tables], findings: [...found.findings, ...views.findings] };
  }

  #baseTables(): PolledTables {
    const { tables, findings } = selectTables(this.#database, this.#config);
    const { isAsked } = this.#options;
    const asked = (name: string | undefined) => name === undefined || isAsked(this.#config.database, name);
    const without = findings.flatMap(({ code, object }) =>
      code === 'keyless-table' && asked(object) ? [object!] : [],
    );
    const keyless = this.#views.named(without, 'table');
    return {
      tables: [...tables.filter(({ name }) => asked(name)).map((table) => this.#table(table)), ...keyless.tables],
      findings: [
        ...findings
          .filter(({ code, object }) => asked(object) && code !== 'keyless-table')
          .map((finding): SourceFinding => ({ ...finding, severity: 'warning' })),
        ...keyless.findings,
      ],
    };
  }

  nowMs(): Promise<number> {
    return Promise.resolve(Date.now());
  }

  close(): void {
    this.#database.close();
  }

  #ask<T>(question: () => T): T {
    try {
      return question();
    } catch (error) {
      throw sourceError(error, this.#config.file);
    }
  }

  #table(description: TableDescription): PolledTable {
    const captured = capturedColumns(description, this.#config);
    const digits = this.#config.timestampDigits ?? defaultTimestampDigits;
    const installed = { id: 0, description, captured, digits };
    const source = sourceTableOf(installed, this.#config);
    const rows = new PolledRows({
      database: this.#database,
      config: this.#config,
      installed,
      source,
      zone: this.#options.zone,
    });
    const [only, ...others] = description.key;
    const counts = others.length === 0 && description.columns[only!.column]!.affinity === 'INTEGER';
    return {
      source,
      counted: counts ? source.keyColumns[0] : undefined,
      signature: JSON.stringify([description.columns, description.key]),
      pages: (asked) => pageByPage(asked, (one) => this.#ask(() => this.#read(rows, one))),
    };
  }

  #read(of: PolledRows, asked: RowsAsked): PolledPage {
    const rows = of.statement(asked, asked.pageRows).all();
    return of.page(rows, rows.length < asked.pageRows);
  }
}
