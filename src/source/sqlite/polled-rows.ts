// Rows of a polled table, or view, of a file: the statement that reads them in order, and what its rows become. The order is SQLite's own;
// literals of it are made by SQLite (`quote`), so that every storage class stays what it is.
import { AppError } from '../../core/errors.js';
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { SqliteDatabase, SqlValue, Statement } from '../../sqlite/database.js';
import { behindPlace } from '../polling/pages.js';
import { dayText, timeText } from '../polling/time-bound.js';
import type { PolledPage, RowsAsked, TimeSpan } from '../polling/polled-database.js';
import type { SqliteSourceConfig, TimestampUnit } from './config.js';
import type { InstalledTable } from './install.js';
import { quoteName, quoteText } from './names.js';
import { TableWriter } from './table-writer.js';

interface PolledRowsOptions {
  readonly database: SqliteDatabase;
  readonly config: SqliteSourceConfig;
  readonly installed: InstalledTable;
  /** By the name that it has in the file. */
  readonly source: SourceTable;
  /** Of times that are text. */
  readonly zone: string;
  /** Of what is a view: text is compared by its bytes, whatever the columns that it comes from say. */
  readonly byBytes?: boolean;
}

export class PolledRows {
  readonly #options: PolledRowsOptions;
  #writer: { readonly of: RowEncoder; readonly writes: TableWriter } | undefined;

  constructor(options: PolledRowsOptions) {
    this.#options = options;
  }

  /** `end`: at most so many rows, or what stands behind the statement. */
  statement({ order, after, span, notNull }: RowsAsked, end: number | string): Statement {
    const { database, config, source, zone, byBytes } = this.#options;
    const names = source.columns.map((column) => quoteName(column.name));
    const ordered = order.map((i) => (byBytes ? `${names[i]!} COLLATE BINARY` : names[i]!));
    const conditions = [
      ...notNull.map((i) => `${names[i]!} IS NOT NULL`),
      ...(span === undefined ? [] : [within(source.columns[span.column]!, span, zone, config.timestampUnit)]),
      ...(after === null ? [] : [`(${behindPlace(ordered, after)})`]),
    ];
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const places = order.map((i) => `quote(${names[i]!})`);
    const behindAll = typeof end === 'number' ? `LIMIT ${end}` : end;
    return database.prepareExact(
      `SELECT ${[...names, ...places].join(', ')} FROM ${quoteName(source.table)}${where} ORDER BY ${ordered.join(', ')} ${behindAll}`,
    );
  }

  /** Of rows of the statement; the columns that give the order stand behind the others. */
  page(rows: readonly (readonly SqlValue[])[], last: boolean): PolledPage {
    const { database, config, installed, source } = this.#options;
    return {
      count: rows.length,
      last,
      write: (row, encoder) => {
        if (this.#writer?.of !== encoder)
          this.#writer = {
            of: encoder,
            writes: new TableWriter(database, installed, config, source, encoder, false),
          };
        this.#writer.writes.writeRow('r', rows[row]!, 0);
      },
      place: (row) => rows[row]!.slice(source.columns.length).map((text) => String(text)),
    };
  }
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
