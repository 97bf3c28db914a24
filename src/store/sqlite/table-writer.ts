// The rows of one physical table, for the engine. The hot path of the projector: one prepared statement per verb, one array of
// parameters that is used again, the stored row decoded in place.
import { sameRow } from '../../core/compare.js';
import type { Row } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { SqlValue, SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { Lookup, StoredRow, TableSpec, TableWriter } from '../state-store.js';
import { KeyScan } from './key-scan.js';
import { rowsWith, rowsWithOddText } from './lookup-indexes.js';
import { RowBatch } from './row-batch.js';
import { physicalColumns, TableLayout } from './table-layout.js';

/** What all handles of a physical table share: names may change while the rows stay. */
export interface PhysicalTable {
  readonly id: number;
  readonly version: number;
  rowCount: number;
}

export class SqliteTableWriter implements TableWriter {
  readonly spec: TableSpec;
  gotRowtimeMs = 0;
  readonly #database: SqliteDatabase;
  readonly #physical: PhysicalTable;
  readonly #touched: Set<PhysicalTable>;
  readonly #layout: TableLayout;
  readonly #scan: KeyScan;
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #singleKey: boolean;
  #getExact: Statement | undefined;
  readonly #params: SqlValue[] = [];
  #isRecounted = false;
  readonly #confirmed: RowBatch;

  /** `touched`: tables whose count has moved and is to be written at the commit. */
  constructor(database: SqliteDatabase, spec: TableSpec, physical: PhysicalTable, touched: Set<PhysicalTable>) {
    this.spec = spec;
    this.#database = database;
    this.#physical = physical;
    this.#touched = touched;
    const layout = new TableLayout(spec, physicalColumns(database, spec));
    this.#layout = layout;
    this.#scan = new KeyScan(database, layout);
    const { table } = layout;
    this.#get = database.prepare(this.#getSql());
    // By name: a table whose columns were changed has them in another order, and columns that nobody reads any more.
    const names = layout.insertList;
    const places = layout.insertPlaces;
    this.#put = database.prepare(`INSERT OR REPLACE INTO ${table} (${names}) VALUES ${places}`);
    this.#insert = database.prepare(`INSERT INTO ${table} (${names}) VALUES ${places} ON CONFLICT DO NOTHING`);
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE ${layout.keyEquals()}`);
    this.#singleKey = layout.keyColumns.length === 1;
    this.#confirmed = new RowBatch(database, layout);
  }

  #getSql(): string {
    return `SELECT ${this.#layout.selectList} FROM ${this.#layout.table} WHERE ${this.#layout.keyEquals()}`;
  }

  get(key: Row): Row | undefined {
    this.settle();
    return this.#stored(key);
  }

  peek(key: Row): { readonly row: Row; readonly rowtimeMs: number; readonly sound: boolean } | undefined {
    this.settle();
    return this.#any(key);
  }

  #any(key: Row): { readonly row: Row; readonly rowtimeMs: number; readonly sound: boolean } | undefined {
    this.#getExact ??= this.#database.prepareExact(this.#getSql());
    const stored = this.#getExact.get(this.#key(key));
    return stored && this.#layout.openAnyRow(stored, true);
  }

  #stored(key: Row): Row | undefined {
    const encoded = this.#key(key);
    const stored = this.#get.get(encoded);
    if (stored === undefined) return undefined;
    if (!this.#layout.isRounded(stored)) {
      this.gotRowtimeMs = this.#layout.openRow(stored, false);
      return this.#layout.decodeRow(stored);
    }
    this.#getExact ??= this.#database.prepareExact(this.#getSql());
    const exact = this.#getExact.get(encoded)!;
    this.gotRowtimeMs = this.#layout.openRow(exact, true);
    return this.#layout.decodeRow(exact);
  }

  rowtime(key: Row): number | undefined {
    return this.get(key) === undefined ? undefined : this.gotRowtimeMs;
  }

  put(row: Row, rowtimeMs: number, before: Row | undefined): void {
    this.settle();
    this.#write(this.#put, row, rowtimeMs);
    if (before === undefined) this.#count(1);
  }

  insert(row: Row, rowtimeMs: number): boolean {
    this.settle();
    return this.#insertOne(row, rowtimeMs);
  }

  confirm(row: Row, rowtimeMs: number): void {
    this.#confirmed.add(row, rowtimeMs);
    if (this.#confirmed.isFull) this.settle();
  }

  settle(): void {
    const batch = this.#confirmed;
    if (batch.isEmpty) return;
    assert(this.#database.inTransaction, 'rows are written inside a transaction');
    const { rows, rowtimesMs } = batch;
    const inserted = batch.isFull ? batch.insert() : 0;
    if (inserted > 0) this.#count(inserted);
    if (inserted < rows.length) for (const [i, row] of rows.entries()) this.#confirm(row, rowtimesMs[i]!);
    batch.clear();
  }

  /** Also of one that has just been inserted: then it is so already. */
  #confirm(row: Row, rowtimeMs: number): void {
    if (this.#insertOne(row, rowtimeMs)) return;
    // The source says how the row is, so it does not matter whether the one that is here is damaged.
    const before = this.#any(this.spec.schema.keyColumns.map((i) => row[i]!));
    if (before === undefined || !before.sound || !sameRow(before.row, row)) this.#write(this.#put, row, rowtimeMs);
  }

  #insertOne(row: Row, rowtimeMs: number): boolean {
    if (this.#write(this.#insert, row, rowtimeMs) === 0) return false;
    this.#count(1);
    return true;
  }

  /** Gives how many rows it has changed. */
  #write(statement: Statement, row: Row, rowtimeMs: number): number {
    assert(this.#database.inTransaction, 'rows are written inside a transaction');
    const params = this.#params;
    this.#layout.bindRow(row, rowtimeMs, params);
    // As arguments: the driver asks the runtime for each element of an array (measured, ten columns: a sixth of the whole call).
    return statement.run(...params).changes;
  }

  delete(key: Row): void {
    this.settle();
    assert(this.#database.inTransaction, 'rows are written inside a transaction');
    if (this.#delete.run(this.#key(key)).changes > 0) this.#count(-1);
  }

  rowCount(): number {
    this.settle();
    return this.#physical.rowCount;
  }

  recount(): void {
    if (this.#isRecounted) return;
    this.#isRecounted = true;
    this.settle();
    const [count] = this.#database.prepare(`SELECT count(*) FROM ${this.#layout.table}`).get()!;
    this.#count(Number(count) - this.#physical.rowCount);
  }

  scan(after: Row | null, limit: number, damaged = false): readonly StoredRow[] {
    this.settle();
    return this.#scan.page({ after: after ?? undefined }, limit, damaged);
  }

  find(lookup: Lookup, values: Row | 'odd-text', after: Row | null, limit: number): readonly StoredRow[] {
    this.settle();
    const narrowed =
      values === 'odd-text' ? rowsWithOddText(this.#layout, lookup) : rowsWith(this.#layout, lookup, values);
    return narrowed === undefined ? [] : this.#scan.page({ narrowed, after: after ?? undefined }, limit);
  }

  /** As a bound parameter: one value, or the list of them. */
  #key(key: Row): SqlValue | SqlValue[] {
    return this.#singleKey ? this.#layout.encodeKeyColumn(0, key[0]!) : this.#layout.encodeKey(key);
  }

  #count(by: number): void {
    this.#physical.rowCount += by;
    this.#touched.add(this.#physical);
  }
}
