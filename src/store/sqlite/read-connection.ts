// One read-only connection and what is prepared on it, for cuts (read transactions) one after another. Tables are compiled once per
// physical version and forgotten when the catalogue moves past them.
import type { Row } from '../../core/data-type.js';
import type { SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { StoredRow } from '../state-store.js';
import { KeyScan } from './key-scan.js';
import type { CataloguedTable } from './table-catalogue.js';
import { physicalName, TableLayout } from './table-layout.js';

/** A table as this connection reads it. */
export interface ReadableTable {
  readonly layout: TableLayout;
  readonly scan: KeyScan;
  /** Row, wt_rowtime. Parameters: the key. */
  readonly get: Statement;
  readonly getExact: () => Statement;
}

export class ReadConnection {
  readonly database: SqliteDatabase;
  readonly #tables = new Map<string, ReadableTable>();

  constructor(database: SqliteDatabase) {
    this.database = database;
  }

  table({ spec }: CataloguedTable): ReadableTable {
    const name = physicalName(spec);
    let found = this.#tables.get(name);
    if (found?.layout.spec !== spec) this.#tables.set(name, (found = compile(this.database, new TableLayout(spec))));
    return found;
  }

  get(table: CataloguedTable, key: Row): StoredRow | undefined {
    const { layout, get, getExact } = this.table(table);
    const encoded = layout.encodeKey(key);
    let stored = get.get(encoded);
    if (stored === undefined) return undefined;
    const exact = layout.isRounded(stored);
    if (exact) stored = getExact().get(encoded)!;
    const rowtimeMs = Number(stored.pop());
    return { row: exact ? layout.decodeExactRow(stored) : layout.decodeRow(stored), rowtimeMs };
  }

  /** Statements over tables that are no more would only hold memory. */
  keepOnly(catalogue: readonly CataloguedTable[]): void {
    const names = new Set(catalogue.map(({ spec }) => physicalName(spec)));
    for (const name of this.#tables.keys()) if (!names.has(name)) this.#tables.delete(name);
  }

  close(): void {
    this.#tables.clear();
    this.database.close();
  }
}

function compile(database: SqliteDatabase, layout: TableLayout): ReadableTable {
  const sql = `SELECT ${layout.selectList()} FROM ${layout.table} WHERE ${layout.keyEquals()}`;
  let exact: Statement | undefined;
  return {
    layout,
    scan: new KeyScan(database, layout),
    get: database.prepare(sql),
    getExact: () => (exact ??= database.prepareExact(sql)),
  };
}
