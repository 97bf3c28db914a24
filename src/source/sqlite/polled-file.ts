// An SQLite file that is asked for its tables again and again (source/polling). Nothing is written to it. Values are read as those of a
// captured file. The order is SQLite's own; literals of it are made by SQLite (`quote`), so that every storage class stays what it is.
import { AppError } from '../../core/errors.js';
import type { RowEncoder } from '../../core/row-encoder.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
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
import { defaultTimestampDigits, parseConfig, type SqliteSourceConfig, type TimestampUnit } from './config.js';
import { selectTables } from './filter.js';
import type { InstalledTable } from './install.js';
import { quoteName, quoteText } from './names.js';
import { openForReading, sourceError } from './session.js';
import { capturedColumns, sourceTableOf } from './table-types.js';
import { TableWriter } from './table-writer.js';
import type { TableDescription } from './table-description.js';

export interface PolledFileOptions {
  readonly place: SourceConfig;
  readonly isAsked: (database: string, table: string) => boolean;
  /** Of times that are text. */
  readonly zone: string;
}

export class PolledFile implements PolledDatabase {
  readonly #options: PolledFileOptions;
  readonly #config: SqliteSourceConfig;
  readonly #database: SqliteDatabase;

  constructor(options: PolledFileOptions) {
    this.#options = options;
    this.#config = parseConfig(options.place);
    this.#database = openForReading(this.#config);
  }

  tables(): Promise<PolledTables> {
    const { tables, findings } = this.#ask(() => selectTables(this.#database, this.#config));
    const { isAsked } = this.#options;
    const asked = (name: string | undefined) => name === undefined || isAsked(this.#config.database, name);
    return Promise.resolve({
      tables: tables.filter(({ name }) => asked(name)).map((table) => this.#table(table)),
      findings: findings
        .filter(({ object }) => asked(object))
        .map((finding): SourceFinding => ({ ...finding, severity: 'warning' })),
    });
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
    const [only, ...others] = description.key;
    const counts = others.length === 0 && description.columns[only!.column]!.affinity === 'INTEGER';
    return {
      source,
      counted: counts ? source.keyColumns[0] : undefined,
      signature: JSON.stringify([description.columns, description.key]),
      read: (page) => Promise.resolve(this.#ask(() => this.#read(installed, page))),
    };
  }

  #read(installed: InstalledTable, { order, after, span, notNull, limit }: PageRequest): PolledPage {
    const source = sourceTableOf(installed, this.#config);
    const names = source.columns.map((column) => quoteName(column.name));
    const ordered = order.map((i) => names[i]!);
    const conditions = [
      ...notNull.map((i) => `${names[i]!} IS NOT NULL`),
      ...(span === undefined
        ? []
        : [within(source.columns[span.column]!, span, this.#options.zone, this.#config.timestampUnit)]),
      ...(after === null ? [] : [`(${behind(ordered, after)})`]),
    ];
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const places = ordered.map((name) => `quote(${name})`);
    const rows = this.#database
      .prepareExact(
        `SELECT ${[...names, ...places].join(', ')} FROM ${quoteName(source.table)}${where} ORDER BY ${ordered.join(', ')} LIMIT ${limit}`,
      )
      .all();
    let writer: { readonly of: RowEncoder; readonly writes: TableWriter } | undefined;
    return {
      count: rows.length,
      last: rows.length < limit,
      write: (row, encoder) => {
        if (writer?.of !== encoder)
          writer = {
            of: encoder,
            writes: new TableWriter(this.#database, installed, this.#config, source, encoder, false),
          };
        writer.writes.writeRow('r', rows[row]!, 0);
      },
      place: (row) => rows[row]!.slice(names.length).map((text: SqlValue) => String(text)),
    };
  }
}

/** `a > x OR (a = x AND b > y)` */
function behind(columns: readonly string[], after: readonly string[]): string {
  return columns
    .map((column, k) => {
      const equal = columns.slice(0, k).map((each, i) => `${each} = ${after[i]!}`);
      return `(${[...equal, `${column} > ${after[k]!}`].join(' AND ')})`;
    })
    .join(' OR ');
}

/** A NULL is in no span. Text compares as text, so whole seconds are waited for; numbers count a unit. */
function within(
  {
    name,
    type,
    sourceType,
  }: { readonly name: string; readonly type: { readonly kind: string }; readonly sourceType: string },
  { fromMs, beforeMs }: TimeSpan,
  zone: string,
  unit: TimestampUnit,
): string {
  if (!['DATE', 'TIMESTAMP', 'BIGINT', 'STRING'].includes(type.kind))
    throw new AppError('bad-connector-config', `column ${name} (${sourceType}) holds no times`, {
      hint: 'name a DATE, DATETIME, TIMESTAMP or INTEGER column in timestamp.column.name',
      place: { path: 'timestamp.column.name' },
    });
  const column = quoteName(name);
  const perMs = { seconds: 0.001, milliseconds: 1, microseconds: 1000 }[unit];
  const bound = (ms: number): string => {
    const text = type.kind === 'DATE' ? dayText(ms, zone) : timeText(ms, zone, 0);
    return `CASE WHEN typeof(${column}) <> 'text' THEN ${Math.floor(ms * perMs)} WHEN substr(${column}, 11, 1) = 'T' THEN ${quoteText(text.replace(' ', 'T'))} ELSE ${quoteText(text)} END`;
  };
  return `${fromMs === undefined ? '' : `${column} >= ${bound(fromMs)} AND `}${column} < ${bound(beforeMs)}`;
}
