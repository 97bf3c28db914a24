// Ranges of a table in key order, page by page: the one way in which writer, sessions and rebuild walk over rows. Texts are built
// per shape of request and prepared once per connection. A page in which an integer may have been rounded is read again exactly. Pages that
// are bounded in bytes are read row by row, since nothing tells how long rows are before they are there.
import type { Row } from '../../core/data-type.js';
import type { SqlValue, SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { KeyBound, StoredRow } from '../state-store.js';
import type { Narrowing } from './lookup-indexes.js';
import type { TableLayout } from './table-layout.js';

export interface KeyRange {
  readonly prefix?: Row | undefined;
  readonly lower?: KeyBound | undefined;
  readonly upper?: KeyBound | undefined;
  readonly reverse?: boolean | undefined;
  readonly after?: Row | undefined;
  /** Only rows of which this holds, by an index that has them in key order. */
  readonly narrowed?: Narrowing | undefined;
}

interface PageStatements {
  readonly plain: Statement;
  exact: Statement | undefined;
}

export class KeyScan {
  readonly #database: SqliteDatabase;
  readonly #layout: TableLayout;
  readonly #statements = new Map<string, PageStatements>();

  constructor(database: SqliteDatabase, layout: TableLayout) {
    this.#database = database;
    this.#layout = layout;
  }

  /** At most `limit` rows from the start of the range. `damaged`: also such rows, as they are. */
  page(range: KeyRange, limit: number, damaged = false): StoredRow[] {
    return this.pageWithin(range, limit, undefined, damaged).rows;
  }

  /** As `page`, and no more rows once they take `bytesMax`; `ends`: there is nothing behind them in the range. */
  pageWithin(
    range: KeyRange,
    limit: number,
    bytesMax: number | undefined,
    damaged = false,
  ): { rows: StoredRow[]; ends: boolean } {
    const params: SqlValue[] = [];
    const sql = this.#sql(range, params);
    let statements = this.#statements.get(sql);
    if (statements === undefined)
      this.#statements.set(sql, (statements = { plain: this.#database.prepare(sql), exact: undefined }));
    params.push(limit);
    const { plain } = statements;
    const { stored, cut } =
      bytesMax === undefined
        ? { stored: plain.all(params), cut: false }
        : storedWithin(plain.iterate(params), bytesMax);
    const ends = !cut && stored.length < limit;
    if (!stored.some((row) => this.#layout.isRounded(row)))
      return { rows: stored.map((row) => this.#row(row, false, damaged)), ends };
    statements.exact ??= this.#database.prepareExact(sql);
    params[params.length - 1] = stored.length;
    return { rows: statements.exact.all(params).map((row) => this.#row(row, true, damaged)), ends };
  }

  #row(stored: SqlValue[], exact: boolean, damaged: boolean): StoredRow {
    if (damaged) return this.#layout.openAnyRow(stored, exact);
    const rowtimeMs = this.#layout.openRow(stored, exact);
    return { row: this.#layout.decodeRow(stored), rowtimeMs };
  }

  #sql({ prefix = [], lower, upper, reverse = false, after, narrowed }: KeyRange, params: SqlValue[]): string {
    const layout = this.#layout;
    const { keyColumns } = layout;
    const conditions: string[] = [];
    if (narrowed !== undefined) {
      conditions.push(`(${narrowed.condition})`);
      params.push(...narrowed.params);
    }
    prefix.forEach((value, i) => {
      conditions.push(`${keyColumns[i]!} = ?`);
      params.push(layout.encodeKeyColumn(i, value));
    });
    const ranged = keyColumns[prefix.length];
    const bound = (operator: string, end: KeyBound | undefined) => {
      if (end === undefined || ranged === undefined) return;
      conditions.push(`${ranged} ${operator}${end.inclusive ? '=' : ''} ?`);
      params.push(layout.encodeKeyColumn(prefix.length, end.value));
    };
    bound('>', lower);
    bound('<', upper);
    if (after !== undefined && prefix.length < keyColumns.length) {
      // The columns of the prefix are equal, so only the rest decides.
      const rest = keyColumns.slice(prefix.length);
      conditions.push(`(${rest.join(', ')}) ${reverse ? '<' : '>'} (${rest.map(() => '?').join(', ')})`);
      for (let i = prefix.length; i < keyColumns.length; i++) params.push(layout.encodeKeyColumn(i, after[i]!));
    } else if (after !== undefined) conditions.push('0');
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const order = keyColumns.map((column) => (reverse ? `${column} DESC` : column)).join(', ');
    const by = narrowed === undefined ? '' : ` INDEXED BY ${narrowed.index}`;
    return `SELECT ${layout.selectList} FROM ${layout.table}${by}${where} ORDER BY ${order} LIMIT ?`;
  }
}

function storedWithin(rows: Iterable<SqlValue[]>, bytesMax: number): { stored: SqlValue[][]; cut: boolean } {
  const stored: SqlValue[][] = [];
  let bytes = 0;
  for (const row of rows) {
    stored.push(row);
    for (const value of row) if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length;
    bytes += row.length * 8;
    if (bytes >= bytesMax) return { stored, cut: true };
  }
  return { stored, cut: false };
}
