// The law of the dataflow: after any sequence of upserts and deletes, and after every beginning of it, the folded output of a
// streamed query is what the same query run by plain SQLite gives over the rows that are left. DOUBLE sums and averages agree
// within 1e-9 of the size of what was summed (SQLite's own sum is not exact, ours is; test/unit/dataflow has the exact law).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRows } from '../../src/core/compare.js';
import type { Row, Value } from '../../src/core/data-type.js';
import type { TopologyEnv } from '../../src/dataflow/topology-env.js';
import { openDatabase } from '../../src/sqlite/database.js';
import { openStateStore } from '../../src/store/sqlite/state-store.js';
import { QueryHarness } from '../support/plans.js';
import {
  aggregated,
  aggregates,
  base,
  filtered,
  joined,
  queries,
  schemaA,
  schemaB,
  side,
  strings,
  type SqlNode,
} from '../support/plan-arbitraries.js';
import type { Change } from '../../src/dataflow/change.js';
import { Database } from '../support/sqlite-driver.js';
import { rolledBack } from '../support/rolled-back.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const runs = Number(process.env['PROPERTY_RUNS'] ?? 150);

const small = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null });
const word = fc.option(fc.constantFrom(...strings), { nil: null });
const real = fc.option(fc.constantFrom(0.1, 0.2, -0.3, 1e6, -1e6, 123456.789, 0), { nil: null });

type Step =
  | { readonly kind: 'upsert'; readonly table: 'A' | 'B'; readonly row: Row }
  | { readonly kind: 'delete'; readonly table: 'A' | 'B'; readonly key: Row };

function steps(keyCount: number): fc.Arbitrary<Step> {
  const keys = fc.integer({ min: 1, max: keyCount });
  const reference = fc.option(keys, { nil: null });
  const rowsOfA = fc.tuple(keys, small, small, real, word, reference);
  const rowsOfB = fc.tuple(keys, small, small, word);
  return fc.oneof(
    { weight: 4, arbitrary: rowsOfA.map((row) => ({ kind: 'upsert' as const, table: 'A' as const, row })) },
    { weight: 3, arbitrary: rowsOfB.map((row) => ({ kind: 'upsert' as const, table: 'B' as const, row })) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('A' as const, 'B' as const), keys)
        .map(([table, key]) => ({ kind: 'delete' as const, table, key: [key] })),
    },
  );
}

/** The base tables in SQLite. */
function openMirror(): Database {
  const db = new Database(':memory:');
  db.pragma('case_sensitive_like = ON');
  const types: Record<string, string> = { INTEGER: 'INTEGER', BIGINT: 'INTEGER', DOUBLE: 'REAL', STRING: 'TEXT' };
  for (const [name, { columns }] of [
    ['A', schemaA],
    ['B', schemaB],
  ] as const) {
    const list = columns.map(
      (column, i) => `${column.name} ${types[column.type.kind]}${i === 0 ? ' PRIMARY KEY' : ''}`,
    );
    db.exec(`CREATE TABLE ${name} (${list.join(', ')})`);
  }
  return db;
}

function applyTo(db: Database, step: Step): void {
  if (step.kind === 'delete') db.prepare(`DELETE FROM ${step.table} WHERE id = ?`).run(step.key[0]);
  else
    db.prepare(`INSERT OR REPLACE INTO ${step.table} VALUES (${step.row.map(() => '?').join(', ')})`).run(...step.row);
}

/** Rows in key order, booleans as SQLite's numbers. */
function normal(rows: readonly Row[], keyColumns: readonly number[]): readonly Row[] {
  const keyOf = (row: Row): Row => keyColumns.map((i) => row[i]!);
  const plain = (value: Value): Value => (typeof value === 'boolean' ? Number(value) : value);
  return rows.map((row) => row.map(plain)).toSorted((a, b) => compareRows(keyOf(a), keyOf(b)));
}

/** Sums here are of some ten values up to 1e6. */
const tolerance = 1e-9 * 1e7;

function expectSame(streamed: readonly Row[], selected: readonly Row[]): void {
  const isClose = (a: Value, b: Value): boolean =>
    a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= tolerance);
  const same =
    streamed.length === selected.length &&
    streamed.every(
      (row, i) => row.length === selected[i]!.length && row.every((value, j) => isClose(value, selected[i]![j]!)),
    );
  if (!same) expect(streamed).toEqual(selected);
}

function checkLaw(query: SqlNode, sequence: readonly Step[], openState?: TopologyEnv['state']): void {
  const harness = new QueryHarness(query.it, { openState });
  const { keyColumns } = query.it.schema;
  const db = openMirror();
  const select = db.prepare(query.sql).raw();
  try {
    let rowtimeMs = 0;
    for (const step of sequence) {
      applyTo(db, step);
      rowtimeMs++;
      if (!harness.tables.has(step.table)) continue;
      if (step.kind === 'upsert') harness.upsert(step.table, step.row, rowtimeMs);
      else harness.remove(step.table, step.key, rowtimeMs);
      expectSame(normal(harness.sink.rows(), keyColumns), normal(select.all() as Row[], keyColumns));
    }
    // Taking everything back leaves neither rows nor state.
    for (const [name, table] of harness.tables) {
      for (const row of table.rows()) harness.remove(name, table.keyOf(row), rowtimeMs);
    }
    expect(harness.sink.rows()).toEqual([]);
    expect(harness.states.size).toBe(0);
    expect(harness.errors).toEqual([]);
  } finally {
    db.close();
  }
}

describe(`the law of the dataflow (PROPERTY_SEED=${seed})`, () => {
  it('folded output = the same query run by SQLite, after every change', () => {
    fc.assert(
      fc.property(queries, fc.array(steps(5), { minLength: 1, maxLength: 25 }), (query, sequence) =>
        checkLaw(query, sequence),
      ),
      {
        seed,
        numRuns: runs,
        includeErrorInReport: true,
      },
    );
  });

  it('the same for groups of many rows', () => {
    fc.assert(
      fc.property(aggregates, fc.array(steps(12), { minLength: 20, maxLength: 60, size: 'max' }), (query, sequence) =>
        checkLaw(query, sequence),
      ),
      {
        seed,
        numRuns: runs,
        includeErrorInReport: true,
      },
    );
  });

  it("the same with the store's own operator state", () => {
    const database = openDatabase(':memory:');
    const store = openStateStore(database, { logId: 'test' });
    try {
      fc.assert(
        fc.property(
          fc.oneof(queries, aggregates),
          fc.array(steps(8), { minLength: 10, maxLength: 40, size: 'max' }),
          (query, sequence) => {
            rolledBack(store, () => checkLaw(query, sequence, (spec) => store.openState(spec)));
          },
        ),
        { seed, numRuns: runs, includeErrorInReport: true },
      );
    } finally {
      store.close();
      database.close();
    }
  });

  it.each([
    ['the derived table first', true],
    ['the base table first', false],
  ])('a query over a table and another one derived from it comes right, told of %s', (_name, derivedFirst) => {
    const derived = side(base('A', schemaA));
    const on = derived.chain((right) =>
      fc.tuple(fc.constant(right), fc.constantFrom(0, 5), fc.constantFrom('inner', 'left')),
    );
    const related = on.map(([right, column, type]) => ({
      right,
      query: joined(base('A', schemaA), { ...base('D', right.it.schema), sql: right.sql }, type, column),
    }));
    const top = related.chain(({ right, query }) =>
      fc.tuple(fc.constant(right), fc.oneof(aggregated(query), filtered(query), fc.constant(query))),
    );
    fc.assert(
      fc.property(top, fc.array(steps(5), { maxLength: 25 }), ([right, query], sequence) => {
        const first = new QueryHarness(right.it);
        const second = new QueryHarness(query.it);
        const { keyColumns } = query.it.schema;
        const db = openMirror();
        const select = db.prepare(query.sql).raw();
        // As the runtime does it: a table is written, then its readers are called in turn, each to the end.
        const tellDerived = (changes: readonly Change[], rowtimeMs: number): void => {
          for (const { before, after } of changes) {
            if (after !== null) second.upsert('D', after, rowtimeMs);
            else second.remove('D', first.sink.keyOf(before!), rowtimeMs);
          }
        };
        try {
          for (const [rowtimeMs, step] of sequence.entries()) {
            if (step.table === 'B') continue;
            applyTo(db, step);
            const known = second.tables.get('A')!;
            const key = step.kind === 'upsert' ? [step.row[0]!] : step.key;
            const before = known.get(key) ?? null;
            const after = step.kind === 'upsert' ? step.row : null;
            if (before === null && after === null) continue;
            if (after === null) known.delete(key);
            else known.put(after, rowtimeMs);
            const changes = after === null ? first.remove('A', key, rowtimeMs) : first.upsert('A', after, rowtimeMs);
            if (derivedFirst) tellDerived(changes, rowtimeMs);
            second.accept('A', { before, after, rowtimeMs });
            if (!derivedFirst) tellDerived(changes, rowtimeMs);
            expectSame(normal(second.sink.rows(), keyColumns), normal(select.all() as Row[], keyColumns));
          }
        } finally {
          db.close();
        }
      }),
      { seed, numRuns: runs, includeErrorInReport: true },
    );
  });
});
