// Values are bound as arguments of a call, one by one: tables as wide as SQLite takes them, and full batches of their rows.
import { describe, expect, it } from 'vitest';
import { BIGINT, BYTES, DOUBLE, INTEGER, STRING, type Row, type RowSchema } from '../../../src/core/data-type.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';

const types = [INTEGER, STRING, BYTES, DOUBLE, BIGINT];

/** SQLite has room for 2000 columns; one is the rowtime. */
describe.each([1, 2, 124, 125, 1_017, 1_999])('a table of %i columns', (width) => {
  const columns = Array.from({ length: width }, (_, i) => ({ name: `c${i}`, type: types[i % types.length]! }));
  const schema: RowSchema = { columns, keyColumns: [0] };
  const row = (key: number, round: number): Row =>
    columns.map(({ type }, i) => {
      if (i === 0) return key;
      if ((i + key) % 7 === 0) return null;
      const n = i * 100 + key + round;
      switch (type) {
        case STRING:
          return `é${n}`;
        case BYTES:
          return Buffer.from([n & 0xff, n >> 8]);
        case DOUBLE:
          return n + 0.5;
        case BIGINT:
          return BigInt(n) + 2n ** 60n;
        default:
          return n;
      }
    });

  it('gives back the rows that were put, and those that were confirmed together', () => {
    const database = openDatabase(':memory:');
    try {
      const store = openStateStore(database, { logId: 'log' });
      store.transaction(() => {
        const table = store.createTable({ id: 1, version: 1, name: 't', schema });
        table.put(row(0, 0), 1, undefined);
        table.put(row(0, 1), 2, row(0, 0));
        expect(table.insert(row(1, 0), 3)).toBe(true);
        expect(table.insert(row(1, 1), 3)).toBe(false);
        for (let key = 1; key < 40; key++) table.confirm(row(key, 2), 4);
        expect(table.rowCount()).toBe(40);
        const expected = Array.from({ length: 40 }, (_, key) => row(key, key === 0 ? 1 : 2));
        expect(table.scan(null, 100).map((each) => each.row)).toEqual(expected);
      });
    } finally {
      database.close();
    }
  });
});
