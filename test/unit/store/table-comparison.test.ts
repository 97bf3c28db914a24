// Two tables compared where they lie: every key whose rows differ comes up, for every type of key and value, wherever a step ends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameRow } from '../../../src/core/compare.js';
import type { DataType, Row, RowSchema } from '../../../src/core/data-type.js';
import { exactKeyJson } from '../../../src/schema/formats/exact-json.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { StateWriter, TableWriter } from '../../../src/store/state-store.js';
import { anyType, nullableOf, valueOf } from '../../support/value-arbitraries.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

interface Sides {
  readonly schema: RowSchema;
  /** A row, and the tables that hold it; a later one of its key replaces it there. */
  readonly puts: readonly (readonly [Row, 'one' | 'other' | 'both'])[];
  readonly limit: number;
}

function withStore<T>(body: (store: StateWriter) => T): T {
  const database = openDatabase(':memory:');
  try {
    const store = openStateStore(database, { logId: 'log' });
    return store.transaction(() => body(store));
  } finally {
    database.close();
  }
}

/** Parts of keys and values come from few, so that rows meet. */
const sides: fc.Arbitrary<Sides> = fc
  .record({
    keys: fc.array(anyType, { minLength: 1, maxLength: 2 }),
    values: fc.array(anyType, { maxLength: 3 }),
    limit: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ keys, values, limit }) => {
    const types: readonly DataType[] = [...values, ...keys];
    const schema: RowSchema = {
      columns: types.map((type, i) => ({ name: `c${i}`, type })),
      keyColumns: keys.map((_, k) => values.length + k),
    };
    const fewOf = (type: DataType, i: number) =>
      fc.array(i >= values.length && keys.length === 1 ? valueOf(type) : nullableOf(type), {
        minLength: 3,
        maxLength: 3,
      });
    return fc.tuple(...types.map(fewOf)).chain((few) => {
      const row = fc.tuple(...few.map((choices) => fc.constantFrom(...choices)));
      const puts = fc.array(fc.tuple(row, fc.constantFrom<'one' | 'other' | 'both'>('one', 'other', 'both', 'both')), {
        maxLength: 20,
      });
      return puts.map((list): Sides => ({ schema, puts: list, limit }));
    });
  });

function holdsMap(type: DataType): boolean {
  switch (type.kind) {
    case 'MAP':
      return true;
    case 'ARRAY':
      return holdsMap(type.element);
    case 'STRUCT':
      return type.fields.some((field) => holdsMap(field.type));
    default:
      return false;
  }
}

function walk(store: StateWriter, one: TableWriter, other: TableWriter, limit: number): readonly Row[] {
  const comparison = store.compareTables(one.spec, other.spec);
  const keys: Row[] = [];
  // Each step but the last goes on by `limit` rows of one of them.
  const most = Math.ceil(one.rowCount() / limit) + Math.ceil(other.rowCount() / limit) + 1;
  for (let steps = 0; !comparison.done; steps++) {
    expect(steps).toBeLessThan(most);
    keys.push(...comparison.step(limit));
  }
  return keys;
}

describe(`two tables (PROPERTY_SEED=${seed})`, () => {
  it('are told apart key by key', () => {
    fc.assert(
      fc.property(sides, ({ schema, puts, limit }) =>
        withStore((store) => {
          const [one, other] = [1, 2].map((version) => store.createTable({ id: 1, version, name: 't', schema }));
          const keyOf = (row: Row): Row => schema.keyColumns.map((i) => row[i]!);
          for (const [row, where] of puts) {
            if (where !== 'other') one!.put(row, 1, one!.get(keyOf(row)));
            // When a row was written is no difference.
            if (where !== 'one' && !other!.insert(row, 2)) other!.put(row, 2, other!.get(keyOf(row)));
          }
          const { print } = exactKeyJson(schema);
          const isDifferent = (key: Row): boolean => {
            const [a, b] = [one!.get(key), other!.get(key)];
            return a === undefined || b === undefined ? a !== b : !sameRow(a, b);
          };
          const all = new Map(
            [...one!.scan(null, 100), ...other!.scan(null, 100)].map(({ row }) => [print(keyOf(row)), keyOf(row)]),
          );
          const wanted = [...all.values()].filter(isDifferent).map((key) => print(key));
          const found = walk(store, one!, other!, limit);
          expect(new Set(found.map((key) => print(key))).size).toBe(found.length);
          expect(
            found
              .filter(isDifferent)
              .map((key) => print(key))
              .toSorted(),
          ).toEqual(wanted.toSorted());
          if (!schema.columns.some(({ type }) => holdsMap(type))) expect(found).toHaveLength(wanted.length);
        }),
      ),
      { seed, numRuns: 400 },
    );
  });

  it('of two forms differ in every row', () => {
    withStore((store) => {
      const columns = [
        { name: 'id', type: { kind: 'INTEGER' } as const },
        { name: 'v', type: { kind: 'INTEGER' } as const },
      ];
      const one = store.createTable({ id: 1, version: 1, name: 't', schema: { columns, keyColumns: [0] } });
      const wider = [...columns, { name: 'w', type: { kind: 'INTEGER' } as const }];
      const other = store.createTable({ id: 1, version: 2, name: 't', schema: { columns: wider, keyColumns: [0] } });
      one.insert([1, 5], 1);
      other.insert([1, 5, null], 1);
      expect(walk(store, one, other, 10)).toEqual([[1]]);
    });
  });
});
