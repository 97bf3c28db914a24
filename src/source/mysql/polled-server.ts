// A server of MySQL or MariaDB that is asked for its tables again and again (source/polling). Rows are read by the same queries and readers
// as those of a snapshot, so values are the same; nothing but SELECT is needed.
import { AppError } from '../../core/errors.js';
import type { RowEncoder } from '../../core/row-encoder.js';
import { dayText, timeText } from '../polling/time-bound.js';
import type {
  PageRequest,
  PolledDatabase,
  PolledPage,
  PolledTable,
  PolledTables,
  TimeSpan,
} from '../polling/polled-database.js';
import type { SourceConfig, SourceFinding } from '../source-connector.js';
import { CharsetTables } from './charset-tables.js';
import { parseConfig, type MysqlConfig } from './config.js';
import { quoteText, Session } from './connection.js';
import { TableFilter } from './filters.js';
import { readRaw, textLength, type RawRows } from './raw-rows.js';
import { ChunkQuery } from './snapshot-query.js';
import { keylessTable } from './table-knowledge.js';
import { namely } from './table-questions.js';
import { listTables, readSchemas, sourceTable, tableName, type TableSchema } from './table-schema.js';
import { quoteName, textReader, type TextReader } from './text-reader.js';
import { inRow } from './unconvertible.js';

const pageBytesMax = 64 << 20;

export interface PolledServerOptions {
  readonly place: SourceConfig;
  readonly isAsked: (database: string, table: string) => boolean;
  /** Of DATE and DATETIME columns. */
  readonly zone: string;
}

export class PolledServer implements PolledDatabase {
  readonly #options: PolledServerOptions;
  readonly #config: MysqlConfig;
  readonly #filter: TableFilter;
  readonly #charsets = new CharsetTables();
  readonly #session: Session;
  /** For rows: text comes in each column's own character set. */
  readonly #rows: Session;

  private constructor(options: PolledServerOptions, config: MysqlConfig, session: Session, rows: Session) {
    this.#options = options;
    this.#config = config;
    this.#filter = new TableFilter(config);
    this.#session = session;
    this.#rows = rows;
  }

  static async open(options: PolledServerOptions, signal?: AbortSignal): Promise<PolledServer> {
    const config = parseConfig(options.place);
    const session = await Session.open(config, signal);
    try {
      const rows = await Session.openWith(config, session.options, signal);
      await rows.query('SET SESSION character_set_results = NULL');
      return new PolledServer(options, config, session, rows);
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
    const all = (await listTables(this.#session)).filter(({ database }) => this.#filter.matchesDatabase(database));
    const asked = all.filter(({ database, table }) => this.#options.isAsked(database, table));
    const findings: SourceFinding[] = [];
    const tables: PolledTable[] = [];
    for (const schema of await readSchemas(this.#session, asked, this.#config.modes)) {
      try {
        if (schema.keyColumns.length === 0) throw keylessTable(tableName(schema));
        const captured = schema.columns.filter((column) =>
          this.#filter.capturesColumn(schema.database, schema.table, column.name),
        );
        await this.#charsets.load(this.#session, version ?? '', captured);
        tables.push(await this.#table(schema));
      } catch (error) {
        if (!(error instanceof AppError) || error.retriable) throw error;
        const { code, message, hint } = error;
        findings.push({
          severity: 'warning',
          code,
          object: tableName(schema),
          message: `${message}: it is left out`,
          hint,
        });
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
      read: (page) => this.#read({ ...schema, columns }, readers, page),
    };
  }

  async #read(
    schema: TableSchema,
    readers: readonly TextReader[],
    { order, after, span, notNull, limit }: PageRequest,
  ): Promise<PolledPage> {
    const conditions = notNull.map((i) => `${quoteName(schema.columns[i]!.name)} IS NOT NULL`);
    if (span !== undefined) conditions.push(this.#within(schema, span));
    const where = conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
    const query = new ChunkQuery({ ...schema, keyColumns: order, primaryKey: undefined }, this.#filter, where);
    const { rows, cut } = await readRaw(this.#rows, query.sql(after, limit), pageBytesMax);
    if (cut)
      throw new AppError('source-misconfigured', `${limit} rows of ${tableName(schema)} are more than 64 MB`, {
        hint: 'set batch.max.rows lower',
      });
    return {
      count: rows.count,
      last: rows.count < limit,
      write: (row, encoder) => writeRow(rows, row, readers, encoder, tableName(schema)),
      place: (row) =>
        query.keyPlaces.map((place, k) => {
          const bytes = rows.column(row, place);
          if (bytes === null) throw new AppError('internal', 'a row that is read in order has a place');
          return query.literal(k, bytes);
        }),
    };
  }

  /** A NULL is in no span. */
  #within(schema: TableSchema, { column, fromMs, beforeMs }: TimeSpan): string {
    const { name, form } = schema.columns[column]!;
    const text = (ms: number): string => {
      switch (form.kind) {
        case 'date':
          return quoteText(dayText(ms, this.#options.zone));
        case 'datetime':
          return quoteText(timeText(ms, this.#options.zone, form.digits));
        case 'timestamp':
          return quoteText(timeText(ms, 'UTC', form.digits));
        default:
          throw new AppError('bad-connector-config', `column ${name} of ${tableName(schema)} holds no times`, {
            hint: 'name a DATE, DATETIME or TIMESTAMP column in timestamp.column.name',
            place: { path: 'timestamp.column.name' },
          });
      }
    };
    const from = fromMs === undefined ? '' : `${quoteName(name)} >= ${text(fromMs)} AND `;
    return `${from}${quoteName(name)} < ${text(beforeMs)}`;
  }
}

function writeRow(
  rows: RawRows,
  row: number,
  readers: readonly TextReader[],
  encoder: RowEncoder,
  table: string,
): void {
  const source = rows.buffer(row);
  let at = rows.start(row);
  try {
    const to = encoder.beginRow('r');
    for (const reader of readers) {
      const { length, next } = textLength(source, at);
      if (length < 0) to.null();
      else reader(source, next, next + length, to);
      at = next + Math.max(0, length);
    }
    encoder.endRow();
  } catch (error) {
    throw inRow(error, () => `row ${row + 1} of a page of ${table}`);
  }
}
