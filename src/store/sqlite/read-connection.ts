// One read-only connection and what is prepared on it, for cuts (read transactions) one after another. Tables are compiled once per
// physical version and forgotten when the catalogue moves past them.
import { compareRows } from '../../core/compare.js';
import type { DataType, Row } from '../../core/data-type.js';
import { corruptData, rebuildHint } from '../../core/seal.js';
import type { SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { StoredRow, TableSpec } from '../state-store.js';
import { KeyScan } from './key-scan.js';
import type { CataloguedTable } from './table-catalogue.js';
import { physicalColumns, physicalName, TableLayout } from './table-layout.js';

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
    if (found?.layout.spec !== spec) this.#tables.set(name, (found = compile(this.database, spec)));
    return found;
  }

  get(table: CataloguedTable, key: Row): StoredRow | undefined {
    const { layout, get, getExact } = this.table(table);
    const encoded = layout.encodeKey(key);
    let stored = get.get(encoded);
    if (stored === undefined) {
      this.#confirmAbsent(this.table(table), key);
      return undefined;
    }
    const exact = layout.isRounded(stored);
    if (exact) stored = getExact().get(encoded)!;
    const rowtimeMs = layout.openRow(stored, exact);
    return { row: layout.decodeRow(stored), rowtimeMs };
  }

  /**
   * A row that is not found has no checksum, but its neighbours have one each, and tell where they stand: where a node of the tree, or a key in
   * a leaf, is not what was written, the search has mostly come to a wrong place.
   */
  #confirmAbsent({ layout, scan }: ReadableTable, key: Row): void {
    const { schema, name } = layout.spec;
    const { keyColumns, columns } = schema;
    if (!keyColumns.every((i) => hasPlainOrder(columns[i]!.type))) return;
    for (const reverse of [true, false]) {
      const [neighbour] = scan.page({ after: key, reverse }, 1);
      if (neighbour === undefined) continue;
      const side = compareRows(
        keyColumns.map((i) => neighbour.row[i]!),
        key,
      );
      if (reverse ? side < 0 : side > 0) continue;
      throw corruptData({ what: `table "${name}", the tree of its keys`, repair: rebuildHint(name), table: name });
    }
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

function compile(database: SqliteDatabase, spec: TableSpec): ReadableTable {
  const layout = new TableLayout(spec, physicalColumns(database, spec));
  const sql = `SELECT ${layout.selectList} FROM ${layout.table} WHERE ${layout.keyEquals()}`;
  let exact: Statement | undefined;
  return {
    layout,
    scan: new KeyScan(database, layout),
    get: database.prepare(sql),
    getExact: () => (exact ??= database.prepareExact(sql)),
  };
}

/** SQLite has keys of the others in an order of its own in places (column-codec.ts). */
function hasPlainOrder({ kind }: DataType): boolean {
  return kind !== 'DOUBLE' && kind !== 'ARRAY' && kind !== 'MAP' && kind !== 'STRUCT';
}
