// Views of a polled file, its tables without a primary key, and the query of the configuration, which is made a temporary view of our
// connection: nothing is written to the file. Their rows are the result of one statement, read in parts while its read transaction is open.
// Columns have the types that SQLite knows: those of the columns that they come from, and what CAST names; of any other expression it tells
// none.
import { AppError } from '../../core/errors.js';
import { qualifiedName } from '../../core/table-name.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import type {
  PolledOptions,
  PolledPage,
  PolledQuery,
  PolledTable,
  PolledTables,
  RowsAsked,
} from '../polling/polled-database.js';
import { leftOut } from '../polling/left-out.js';
import { keyPlaces, toldApart } from '../polling/relation-key.js';
import type { SourceFinding } from '../source-connector.js';
import { defaultTimestampDigits, type SqliteSourceConfig } from './config.js';
import type { InstalledTable } from './install.js';
import { quoteName } from './names.js';
import { PolledRows } from './polled-rows.js';
import { sourceError } from './session.js';
import type { ColumnDescription, TableDescription } from './table-description.js';
import { capturedColumns, isReadAsText, sourceTableOf } from './table-types.js';
import { affinityOf } from './types.js';

/** Of the temporary view: no name that a query would use. */
const queryView = 'the query';

interface View {
  /** In topics and filters. */
  readonly table: string;
  /** In the file, or of the connection. */
  readonly view: string;
  /** For people. */
  readonly what: string;
  readonly suffix: string;
}

export class PolledViews {
  readonly #database: SqliteDatabase;
  readonly #config: SqliteSourceConfig;
  readonly #options: PolledOptions;

  constructor(database: SqliteDatabase, config: SqliteSourceConfig, options: PolledOptions) {
    this.#database = database;
    this.#config = config;
    this.#options = options;
  }

  all(): PolledTables {
    const names = this.#database
      .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'view' ORDER BY name")
      .all()
      .map(([name]) => String(name));
    const asked = names.filter((name) => this.#options.isAsked(this.#config.database, name));
    return this.named(asked, 'view');
  }

  /** One that cannot be polled is left out aloud. */
  named(names: readonly string[], kind: 'view' | 'table'): PolledTables {
    const tables: PolledTable[] = [];
    const findings: SourceFinding[] = [];
    for (const table of names) {
      const what = `${kind} ${table}`;
      try {
        const found = this.#table({ table, view: table, what, suffix: '' });
        tables.push(found.table);
        findings.push(...found.findings);
      } catch (error) {
        findings.push(leftOut(table, refused(error, this.#config.file, what)));
      }
    }
    return { tables, findings };
  }

  /** Throws bad-connector-config where SQLite refuses it. */
  ofQuery(query: PolledQuery): PolledTables {
    try {
      this.#makeQuery(query);
      const found = this.#table({ table: query.name, view: queryView, what: 'the query', suffix: query.suffix });
      return { tables: [found.table], findings: found.findings };
    } catch (error) {
      const refusal = refused(error, this.#config.file, 'the query');
      if (refusal.code !== 'unreadable-table') throw refusal;
      throw new AppError('bad-connector-config', `query: ${refusal.message}`, {
        hint: 'it has to be one SELECT whose columns have names that differ',
        place: { path: 'query' },
        cause: refusal.cause,
      });
    }
  }

  #makeQuery({ text }: PolledQuery): void {
    this.#database.raw.pragma('query_only = OFF');
    try {
      // Prepared, since it is then one statement and no more.
      this.#database.raw.prepare(`CREATE TEMP VIEW IF NOT EXISTS ${quoteName(queryView)} AS ${text}`).run();
    } finally {
      this.#database.raw.pragma('query_only = ON');
    }
  }

  #table(view: View): { readonly table: PolledTable; readonly findings: readonly SourceFinding[] } {
    const { keyOf, zone } = this.#options;
    const config = this.#config;
    const key = keyOf({ database: config.database, table: view.table, what: view.what });
    const columns = this.#columns(view);
    const places = keyPlaces(key, columns, view.what);
    const description: TableDescription = {
      name: view.table,
      columns,
      key: places.map((column) => ({ column, collation: 'BINARY', nullable: false, loose: false })),
      uniques: [],
    };
    const captured = capturedColumns(description, config);
    const installed: InstalledTable = { id: 0, description, captured, digits: defaultTimestampDigits };
    const source = sourceTableOf(installed, config);
    const rows = new PolledRows({
      database: this.#database,
      config,
      installed,
      source: { ...source, table: view.view },
      zone,
      byBytes: true,
    });
    const untyped = captured
      .map((i) => columns[i]!)
      .filter((column) => column.declared === '' && !isReadAsText(description, column, config))
      .map(({ name }) => name);
    return {
      table: {
        source,
        counted: undefined,
        signature: JSON.stringify([view, columns, key]),
        pages: (asked) => toldApart(this.#pages(view, rows, asked), view.what, key),
      },
      findings: untyped.length === 0 ? [] : [withoutType(view, untyped, qualifiedName(source))],
    };
  }

  #columns({ view }: View): ColumnDescription[] {
    return this.#database
      .prepare('SELECT name, type, "notnull" FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid')
      .all(view)
      .map(([name, type, notNull]) => {
        // What SQLite calls the type of CAST(... AS DECIMAL).
        const declared = type === 'NUM' ? 'NUMERIC' : String(type);
        return {
          name: String(name),
          declared,
          affinity: affinityOf(declared),
          notNull: notNull === 1,
          defaultSql: null,
          enforced: false,
        };
      });
  }

  async *#pages(view: View, rows: PolledRows, asked: RowsAsked): AsyncGenerator<PolledPage> {
    try {
      let part: SqlValue[][] = [];
      for (const row of rows.statement(asked, view.suffix).iterate()) {
        part.push(row);
        if (part.length < asked.pageRows) continue;
        yield rows.page(part, false);
        part = [];
      }
      yield rows.page(part, true);
    } catch (error) {
      throw refused(error, this.#config.file, view.what);
    }
  }
}

/** What SQLite does not take as it is written, and what the file has otherwise by now, is a matter of the view alone. */
function refused(error: unknown, file: string, what: string): AppError {
  // The driver itself refuses a text that is more than one statement.
  const isRefusal =
    error instanceof RangeError || (error instanceof Error && 'code' in error && error.code === 'SQLITE_ERROR');
  if (!isRefusal) return sourceError(error, file);
  return new AppError('unreadable-table', `SQLite refuses ${what}: ${error.message}`, {
    hint: 'repair it in the file, and start the connector again',
    cause: error,
  });
}

function withoutType({ what }: View, names: readonly string[], object: string): SourceFinding {
  return {
    severity: 'warning',
    code: 'untyped-column',
    object,
    message: `${what}: SQLite tells no type of ${names.join(', ')}, so what is there is read as text`,
    hint: `CAST in the SELECT names one: CAST(... AS INTEGER), AS REAL, AS TEXT`,
  };
}
