import { describe, expect, it } from 'vitest';
import { INTEGER, STRING, type Row } from '../../../src/core/data-type.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { Lookup, StateWriter, TableSpec } from '../../../src/store/state-store.js';

const schema = {
  columns: [
    { name: 'id', type: INTEGER },
    { name: 'rowid', type: INTEGER },
    { name: 'code', type: STRING },
  ],
  keyColumns: [0],
};
const spec: TableSpec = { id: 1, version: 1, name: 'things', schema };
const byBoth: Lookup = {
  columns: [
    { name: 'rowid', text: false },
    { name: 'code', text: true },
  ],
};

function withStore(body: (store: StateWriter, query: (sql: string) => unknown[][]) => void): void {
  const database = openDatabase(':memory:');
  try {
    const store = openStateStore(database, { logId: 'log' });
    store.transaction(() => body(store, (sql) => database.prepare(sql).all() as unknown[][]));
  } finally {
    database.close();
  }
}

const indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name LIKE 't1_%'";
const keysOf = (rows: readonly { readonly row: Row }[]) => rows.map(({ row }) => row[0]);

describe('indexes beside the key', () => {
  it('find rows by values, text by what may be equal to it, page by page in key order', () => {
    withStore((store) => {
      const table = store.createTable(spec);
      store.setLookups(spec, [byBoth]);
      const rows: Row[] = [
        [4, 1, 'ABC'],
        [1, 1, 'abc  '],
        [2, 1, 'Abc'],
        [3, 2, 'abc'],
        [5, null, 'abc'],
        [6, 1, 'äbc'],
        [7, 1, null],
      ];
      for (const row of rows) table.put(row, 0, undefined);
      expect(keysOf(table.find(byBoth, [1, 'aBc '], null, 10))).toEqual([1, 2, 4]);
      expect(keysOf(table.find(byBoth, [1, 'aBc '], null, 2))).toEqual([1, 2]);
      expect(keysOf(table.find(byBoth, [1, 'aBc '], [2], 2))).toEqual([4]);
      expect(keysOf(table.find(byBoth, [1, 'äbc'], null, 10))).toEqual([6]);
      expect(keysOf(table.find(byBoth, 'odd-text', null, 10))).toEqual([6]);
    });
  });

  it('belong to every version of a table, go when they are not wanted any more, and with the table', () => {
    withStore((store, query) => {
      store.createTable(spec);
      store.setLookups(spec, [byBoth]);
      store.setLookups(spec, [byBoth]);
      expect(query(indexes)).toHaveLength(2);
      const next = store.createTable({ ...spec, version: 2 });
      expect(query(indexes)).toHaveLength(4);
      expect(next.find(byBoth, [1, 'x'], null, 1)).toEqual([]);
      store.setLookups(spec, [{ columns: [{ name: 'rowid', text: false }] }]);
      expect(query(indexes)).toHaveLength(2);
      store.dropTable(spec);
      expect(store.documents('lookup')).toHaveLength(1);
      store.dropTable({ ...spec, version: 2 });
      expect(store.documents('lookup')).toEqual([]);
    });
  });
});
