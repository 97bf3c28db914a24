// Rows of one table that are inserted together. A statement of many rows costs about half of as many statements of one (measured, rows of
// nine columns and some 300 bytes), and a first snapshot is nothing but such rows.
import type { Row } from '../../core/data-type.js';
import type { SqlValue, SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { TableLayout } from './table-layout.js';

const rowsMax = 16;
/** Of a table with very many columns fewer rows go together. */
const valuesMax = 2_000;

export class RowBatch {
  readonly #database: SqliteDatabase;
  readonly #layout: TableLayout;
  readonly #size: number;
  readonly #encoded: SqlValue[] = [];
  readonly #params: SqlValue[] = [];
  /** Those that wait, in the order in which they came, with their wt_rowtime. */
  readonly rows: Row[] = [];
  readonly rowtimesMs: number[] = [];
  /** Of a whole batch; made when one is there. */
  #insertAll: Statement | undefined;

  constructor(database: SqliteDatabase, layout: TableLayout) {
    this.#database = database;
    this.#layout = layout;
    this.#size = Math.max(1, Math.min(rowsMax, Math.trunc(valuesMax / (layout.columns.length + 2))));
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  get isFull(): boolean {
    return this.rows.length === this.#size;
  }

  add(row: Row, rowtimeMs: number): void {
    this.#layout.bindRow(row, rowtimeMs, this.#encoded);
    for (let i = 0; i < this.#encoded.length; i++) this.#params.push(this.#encoded[i]!);
    this.rows.push(row);
    this.rowtimesMs.push(rowtimeMs);
  }

  /** Of a full batch: inserts those whose keys have no row, and gives how many. */
  insert(): number {
    this.#insertAll ??= this.#database.prepare(this.#sql());
    return this.#insertAll.run(...this.#params).changes;
  }

  clear(): void {
    this.#params.length = this.rows.length = this.rowtimesMs.length = 0;
  }

  #sql(): string {
    const { table, insertList, insertPlaces } = this.#layout;
    const all = Array.from({ length: this.#size }, () => insertPlaces).join(', ');
    return `INSERT INTO ${table} (${insertList}) VALUES ${all} ON CONFLICT DO NOTHING`;
  }
}
