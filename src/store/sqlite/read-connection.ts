// One read-only connection and what is prepared on it. Both faces of the reader use it: points read single statements, sessions hold a
// read transaction. Tables are compiled once per physical version and forgotten when the catalogue moves past them.
import type { SqliteDatabase, Statement } from '../../sqlite/database.js';
import { frontierColumns } from './frontier.js';
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
  /** Row, wt_rowtime, row count, commit number, catalogue version, frontier if it moved. Parameters: known commit number, id, version, key. */
  readonly point: Statement;
  readonly pointExact: () => Statement;
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
  const getSql = `SELECT ${layout.selectList()} FROM ${layout.table} WHERE ${layout.keyEquals()}`;
  const pointSql = `SELECT ${layout.selectList('t')}, c.row_count, ${frontierColumns('f')}
    FROM wt_frontier f CROSS JOIN wt_table c ON c.id = ? AND c.version = ? LEFT JOIN ${layout.table} t ON ${layout.keyEquals('t')}`;
  const once = (sql: string) => {
    let statement: Statement | undefined;
    return () => (statement ??= database.prepareExact(sql));
  };
  return {
    layout,
    scan: new KeyScan(database, layout),
    get: database.prepare(getSql),
    getExact: once(getSql),
    point: database.prepare(pointSql),
    pointExact: once(pointSql),
  };
}
