import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRows, sameRow } from '../../../src/core/compare.js';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  type Column,
  type Row,
} from '../../../src/core/data-type.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import { columnNames, viewName } from '../../../src/store/sqlite/table-layout.js';
import type { StateWriter, TableSpec } from '../../../src/store/state-store.js';
import { anyType, nullableOf, scalarType, valueOf } from '../../support/value-arbitraries.js';

function withStore<T>(
  body: (store: StateWriter, query: (sql: string) => unknown[][], database: SqliteDatabase) => T,
): T {
  const database = openDatabase(':memory:');
  try {
    const store = openStateStore(database, { logId: 'log' });
    return store.transaction(() => body(store, (sql) => database.prepare(sql).all(), database));
  } finally {
    database.close();
  }
}

function spec(columns: readonly Column[], keyColumns: readonly number[], name = 'things'): TableSpec {
  return { id: 1, version: 1, name, schema: { columns, keyColumns } };
}

/** Key types whose stored order is the order of values, see column-codec.ts. */
const keyType = scalarType.filter(({ kind }) => kind !== 'DOUBLE');

describe('a physical table', () => {
  it('gives every value of every type back as it was, and keeps keys in their order', () => {
    const shape = fc
      .record({
        keys: fc.array(keyType, { minLength: 1, maxLength: 3 }),
        values: fc.array(anyType, { maxLength: 5 }),
        rotate: fc.nat(7),
      })
      .map(({ keys, values, rotate }) => {
        // Key columns stand anywhere, in any order.
        const types = [...keys.map((type, i) => ({ type, key: i })), ...values.map((type) => ({ type, key: -1 }))];
        const turned = types.map((_, i) => types[(i + rotate) % types.length]!);
        const columns = turned.map(({ type }, i) => ({ name: `c${i}`, type }));
        return { columns, keyColumns: keys.map((_, k) => turned.findIndex(({ key }) => key === k)) };
      });
    const law = shape.chain((schema) =>
      fc.tuple(
        fc.constant(schema),
        fc.array(
          fc.tuple(
            ...schema.columns.map(({ type }, i) =>
              schema.keyColumns.includes(i) && schema.keyColumns.length === 1 ? valueOf(type) : nullableOf(type),
            ),
          ),
          { minLength: 1, maxLength: 12 },
        ),
      ),
    );
    fc.assert(
      fc.property(law, ([{ columns, keyColumns }, rows]) =>
        withStore((store) => {
          const table = store.createTable(spec(columns, keyColumns));
          store.publish(table.spec);
          const keyOf = (row: Row) => keyColumns.map((i) => row[i]!);
          const model: Row[] = [];
          rows.forEach((row, i) => {
            const before = table.get(keyOf(row));
            const known = model.findIndex((each) => sameRow(keyOf(each), keyOf(row)));
            expect(before).toEqual(model[known]);
            table.put(row, i, before);
            if (known < 0) model.push(row);
            else model[known] = row;
            expect(table.rowtime(keyOf(row))).toBe(i);
          });
          model.sort((a, b) => compareRows(keyOf(a), keyOf(b)));
          expect(table.scan(null, 100).map(({ row }) => row)).toEqual(model);
          expect(table.rowCount()).toBe(model.length);
          for (const [i, row] of model.entries()) {
            expect(table.scan(keyOf(row), 100).map((each) => each.row)).toEqual(model.slice(i + 1));
          }
          for (const row of model) table.delete(keyOf(row));
          expect(table.rowCount()).toBe(0);
        }),
      ),
      { numRuns: 300 },
    );
  });

  it('keeps null, NaN and infinities of a DOUBLE key column apart', () => {
    withStore((store) => {
      const table = store.createTable(
        spec(
          [
            { name: 'a', type: DOUBLE },
            { name: 'b', type: STRING },
          ],
          [0, 1],
        ),
      );
      const keys: Row[] = [
        [-Infinity, 'x'],
        [-1.5, 'x'],
        [0, 'x'],
        [Infinity, 'x'],
        [Number.NaN, 'x'],
        [null, 'x'],
      ];
      for (const key of keys) table.put(key, 1, undefined);
      for (const key of keys) expect(table.get(key)).toEqual(key);
      expect(table.get([-0, 'x'])).toEqual([0, 'x']);
      expect(table.scan(null, 10).map(({ row }) => row)).toEqual(keys);
    });
  });
});

describe('the view of a table', () => {
  it('shows values as people read them', () => {
    const columns: Column[] = [
      { name: 'id', type: BIGINT },
      { name: 'yes', type: BOOLEAN },
      { name: 'day', type: DATE },
      { name: 'time', type: { kind: 'TIME', digits: 6 } },
      { name: 'at', type: { kind: 'TIMESTAMP', digits: 6 } },
      { name: 'price', type: { kind: 'DECIMAL', precision: 12, scale: 2 } },
      { name: 'huge', type: { kind: 'DECIMAL', precision: 30, scale: 3 } },
      { name: 'whole', type: { kind: 'DECIMAL', precision: 20, scale: 0 } },
      { name: 'ratio', type: DOUBLE },
      { name: 'tags', type: { kind: 'ARRAY', element: STRING } },
      { name: 'raw', type: BYTES },
    ];
    withStore((store, query) => {
      const table = store.createTable(spec(columns, [0]));
      store.publish(table.spec);
      table.put(
        [1, true, 20_000, 3_723_000_004, 1_767_000_000_123_456, 1205, -1_234_567n, 5, 0.5, ['a'], Buffer.from('x')],
        1,
        undefined,
      );
      table.put([2, false, -1, 0, -1, -5, 7, -12, Number.NaN, [], null], 1, undefined);
      table.put([3, null, null, null, null, null, null, null, null, null, null], 1, undefined);
      table.put([4, null, null, null, 9_007_199_254_740_993_000n, null, null, null, null, null, null], 1, undefined);
      expect(query('SELECT * FROM things ORDER BY id LIMIT 3')).toEqual([
        [
          1,
          1,
          '2024-10-04',
          '01:02:03.000004',
          '2025-12-29 09:20:00.123456',
          '12.05',
          '-1234.567',
          '5',
          0.5,
          '["a"]',
          Buffer.from('x'),
        ],
        [
          2,
          0,
          '1969-12-31',
          '00:00:00.000000',
          '1969-12-31 23:59:59.999999',
          '-0.05',
          '0.007',
          '-12',
          'NaN',
          '[]',
          null,
        ],
        [3, null, null, null, null, null, null, null, null, null, null],
      ]);
    });
  });

  it('shows null in a key of several columns as null', () => {
    withStore((store, query) => {
      const columns: Column[] = [
        { name: 'a', type: INTEGER },
        { name: 'b', type: STRING },
        { name: 'c', type: DOUBLE },
        { name: 'd', type: DATE },
      ];
      const table = store.createTable(spec(columns, [0, 1, 2, 3]));
      store.publish(table.spec);
      table.put([null, null, null, null], 1, undefined);
      table.put([1, 'x', 2, 0], 1, undefined);
      expect(query('SELECT * FROM things')).toEqual([
        [null, null, null, null],
        [1, 'x', 2, '1970-01-01'],
      ]);
    });
  });

  it('has its own name where the SQL name is one of ours or of SQLite', () => {
    expect(['orders', 'wt_frontier', 'T1_V2', 'sqlite_stats', 't1'].map(viewName)).toEqual([
      'orders',
      'view_wt_frontier',
      'view_T1_V2',
      'view_sqlite_stats',
      't1',
    ]);
    // Whatever else is called so.
    const names = [
      'wt_a',
      'view_wt_a',
      'view_view_wt_a',
      'wt_a_view',
      'sqlite_a',
      't1_v1',
      't1_v1_view',
      'view_a',
      'a',
    ];
    expect(new Set(names.map(viewName)).size).toBe(names.length);
    withStore((store, query) => {
      const table = store.createTable(spec([{ name: 'a', type: INTEGER }], [0], 't1_v1'));
      store.publish(table.spec);
      table.put([5], 1, undefined);
      expect(query('SELECT * FROM view_t1_v1')).toEqual([[5]]);
    });
  });

  it.each(['sqlite_stats', 'SQLITE_x', 'wt_frontier', 'wt_table', 't1_v1', 't2_v1', 'view_wt_x', 'a"b', '__proto__'])(
    'of the name %s comes, goes, and is made over those of earlier builds',
    (name) => {
      withStore((store, query, database) => {
        const table = store.createTable(spec([{ name: 'a', type: INTEGER }], [0], name));
        if (/^wt_|^t\d/.test(name)) database.exec(`CREATE VIEW "${name}_view" AS SELECT 1`);
        store.publish(table.spec);
        const views = () => query("SELECT name FROM sqlite_schema WHERE type = 'view'").map(([view]) => view);
        expect(views()).toEqual([viewName(name)]);
        store.unpublish(name);
        expect(views()).toEqual([]);
        store.publish(table.spec);
        store.dropTable(table.spec);
        expect(views()).toEqual([]);
      });
    },
  );
});

describe('column names', () => {
  it('that SQLite could not tell apart, or reads as something else, get a suffix', () => {
    const names = (...of: string[]) => columnNames(of.map((name) => ({ name, type: STRING })));
    expect(names('id', 'name')).toEqual(['id', 'name']);
    expect(names('id', 'ID', 'Id')).toEqual(['id', 'ID_2', 'Id_3']);
    expect(names('id', 'ID', 'id_2')).toEqual(['id', 'ID_3', 'id_2']);
    expect(names('rowid', 'OID', 'wt_rowtime', 'rowid_')).toEqual(['rowid__2', 'OID_', 'wt_rowtime_', 'rowid_']);
  });

  it('work for any names', () => {
    const name = fc.oneof(
      fc.constantFrom('rowid', 'ROWID', 'rowid_', 'a', 'A', 'a_2', 'A_2', 'select', 'wt_rowtime'),
      fc.string({ minLength: 1, maxLength: 6 }).filter((text) => !text.includes('\u0000')),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) =>
        withStore((store, query) => {
          const table = store.createTable(
            spec(
              names.map((each) => ({ name: each, type: INTEGER })),
              [0],
            ),
          );
          store.publish(table.spec);
          const row = names.map((_, i) => i);
          table.put(row, 1, undefined);
          expect(table.get([0])).toEqual(row);
          expect(query('SELECT * FROM things')).toEqual([row]);
        }),
      ),
    );
  });
});
