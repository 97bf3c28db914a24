// A server of MySQL or MariaDB that is asked for its tables again and again (source/polling). Rows are read by the same queries and readers
// as those of a snapshot, so values are the same; nothing but SELECT is needed.
import { AppError } from '../../core/errors.js';
import { leftOut } from '../polling/left-out.js';
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
import { CharsetTables } from './charset-tables.js';
import { parseConfig, type MysqlConfig } from './config.js';
import { Session } from './connection.js';
import { TableFilter } from './filters.js';
import { PolledRelations } from './polled-relations.js';
import { writeRow } from './polled-rows.js';
import { spanCondition } from './polled-span.js';
import { readRaw } from './raw-rows.js';
import { ChunkQuery } from './snapshot-query.js';
import { namely } from './table-questions.js';
import { listTables, readSchemas, sourceTable, tableName, type TableSchema } from './table-schema.js';
import { quoteName, textReader, type TextReader } from './text-reader.js';
import { tableRefusal } from './unreadable.js';

const pageBytesMax = 64 << 20;

export class PolledServer implements PolledDatabase {
  readonly #options: PolledOptions;
  readonly #config: MysqlConfig;
  readonly #filter: TableFilter;
  readonly #charsets = new CharsetTables();
  readonly #session: Session;
  /** For rows: text comes in each column's own character set. */
  readonly #rows: Session;
  readonly #relations: PolledRelations;

  private constructor(
    options: PolledOptions,
    config: MysqlConfig,
    { session, rows, database }: { readonly session: Session; readonly rows: Session; readonly database: string },
  ) {
    this.#options = options;
    this.#config = config;
    this.#filter = new TableFilter(config);
    this.#session = session;
    this.#rows = rows;
    this.#relations = new PolledRelations({ ...options, config, filter: this.#filter, database, session });
  }

  static async open(options: PolledOptions, database: string, signal?: AbortSignal): Promise<PolledServer> {
    const config = parseConfig(options.place);
    const session = await Session.open(config, signal);
    try {
      const rows = await Session.openWith(config, session.options, signal);
      await rows.query('SET SESSION character_set_results = NULL');
      return new PolledServer(options, config, { session, rows, database });
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async tables(): Promise<PolledTables> {
    const { version, folds } = await this.#session.one(
      'SELECT VERSION() AS version, @@lower_case_table_names AS folds',
    );
    this.#filter.foldsCase = folds !== '0';
    if (this.#options.query !== undefined)
      return { tables: [await this.#relations.ofQuery(this.#options.query)], findings: [] };
    const found = this.#options.tables ? await this.#baseTables(version ?? '') : { tables: [], findings: [] };
    const views = this.#options.views ? await this.#relations.views() : { tables: [], findings: [] };
    return { tables: [...found.tables, ...views.tables], findings: [...found.findings, ...views.findings] };
  }

  async #baseTables(version: string): Promise<PolledTables> {
    const all = (await listTables(this.#session)).filter(({ database }) => this.#filter.matchesDatabase(database));
    const asked = all.filter(({ database, table }) => this.#options.isAsked(database, table));
    const findings: SourceFinding[] = [];
    const tables: PolledTable[] = [];
    for (const schema of await readSchemas(this.#session, asked, this.#config.modes)) {
      try {
        if (schema.keyColumns.length === 0) {
          tables.push(await this.#relations.ofTable(schema));
          continue;
        }
        const captured = schema.columns.filter((column) =>
          this.#filter.capturesColumn(schema.database, schema.table, column.name),
        );
        await this.#charsets.load(this.#session, version, captured);
        tables.push(await this.#table(schema));
      } catch (error) {
        if (!(error instanceof AppError) || error.retriable) throw error;
        findings.push(leftOut(tableName(schema), error));
      }
    }
    return { tables, findings };
  }

  async nowMs(): Promise<number> {
    const { ms } = await this.#session.one('SELECT FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) AS ms');
    return Number(ms);
  }

  close(): void {
    this.#session.close();
    this.#rows.close();
    this.#relations.close();
  }

  async #table(schema: TableSchema): Promise<PolledTable> {
    const source = sourceTable(schema, this.#filter);
    const columns = schema.columns.filter((column) =>
      this.#filter.capturesColumn(schema.database, schema.table, column.name),
    );
    const readers = columns.map((column, i) =>
      textReader(column, {
        where: `${tableName(schema)}.${column.name}`,
        isKey: source.keyColumns.includes(i),
        charsets: this.#charsets,
      }),
    );
    const { name } =
      (
        await this.#session.query(
          `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE ${namely(schema.database, schema.table)()}
          AND EXTRA LIKE '%auto_increment%'`,
        )
      )[0] ?? {};
    const counted = source.columns.findIndex((column) => column.name === name);
    return {
      source,
      counted: counted < 0 ? undefined : counted,
      signature: schema.signature,
      pages: (asked) => pageByPage(asked, (one) => this.#read({ ...schema, columns }, readers, one)),
    };
  }

  async #read(
    schema: TableSchema,
    readers: readonly TextReader[],
    { order, after, span, notNull, pageRows }: RowsAsked,
  ): Promise<PolledPage> {
    const conditions = notNull.map((i) => `${quoteName(schema.columns[i]!.name)} IS NOT NULL`);
    if (span !== undefined) conditions.push(spanCondition(schema, span, this.#options.zone));
    const where = conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
    const query = new ChunkQuery({ ...schema, keyColumns: order, primaryKey: undefined }, this.#filter, where);
    const { rows, cut } = await readRaw(this.#rows, query.sql(after, pageRows), pageBytesMax).catch(
      (error: unknown) => {
        throw tableRefusal(error, tableName(schema)) ?? error;
      },
    );
    if (cut)
      throw new AppError('source-misconfigured', `${pageRows} rows of ${tableName(schema)} are more than 64 MB`, {
        hint: 'set batch.max.rows lower',
      });
    return {
      count: rows.count,
      last: rows.count < pageRows,
      write: (row, encoder) => writeRow(rows, row, readers, encoder, tableName(schema)),
      place: (row) =>
        query.keyPlaces.map((place, k) => {
          const bytes = rows.column(row, place);
          if (bytes === null) throw new AppError('internal', 'a row that is read in order has a place');
          return query.literal(k, bytes);
        }),
    };
  }
}
