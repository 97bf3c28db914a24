import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRows, compareValues } from '../../../src/core/compare.js';
import type { Row } from '../../../src/core/data-type.js';
import { compileExpression } from '../../../src/dataflow/expression/compile.js';
import type { PullAccess, PullPlan } from '../../../src/sql/plan.js';
import { SqlCatalog } from '../../support/sql-catalog.js';

const catalog = new SqlCatalog(`
  CREATE TABLE t (v INT, a INT PRIMARY KEY, b STRING PRIMARY KEY, c DECIMAL(3, 1) PRIMARY KEY) WITH (kafka_topic='t');`);

/** A small world: every key of it, nulls included, under one value. */
const rows: Row[] = [];
for (const a of [null, 1, 2, 3]) {
  for (const b of [null, 'x', 'y']) {
    for (const c of [null, 5, 10, 15]) rows.push([rows.length % 3, a, b, c]);
  }
}
const keyOf = (row: Row): Row => row.slice(1);

function contains(access: PullAccess, key: Row): boolean {
  if (access.kind === 'key') return compareRows(access.key, key) === 0;
  const { prefix, lower, upper } = access;
  if (compareRows(prefix, key.slice(0, prefix.length)) !== 0) return false;
  const next = key[prefix.length]!;
  if (lower !== null) {
    const order = compareValues(next, lower.value);
    if (order < 0 || (order === 0 && !lower.inclusive)) return false;
  }
  if (upper === null) return true;
  const order = compareValues(next, upper.value);
  return order < 0 || (order === 0 && upper.inclusive);
}

function planOf(where: string): PullPlan {
  const statement = catalog.analyze(`SELECT * FROM t WHERE ${where};`);
  if (statement.kind !== 'pull') throw new Error(statement.kind);
  return statement.plan;
}

const comparison = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('=', '<', '<=', '>', '>=', '<>', 'IS NOT DISTINCT FROM'),
      fc.constantFrom('0', '1', '2', '3', '1.0', '1.5', '2e0'),
    )
    .map(([op, value]) => `a ${op} ${value}`),
  fc
    .tuple(fc.constantFrom('=', '<', '>='), fc.constantFrom("'x'", "'y'", "'xx'"))
    .map(([op, value]) => `b ${op} ${value}`),
  fc
    .tuple(fc.constantFrom('=', '<=', '>'), fc.constantFrom('0.5', '1', '1.50', '1.55'))
    .map(([op, value]) => `${value} ${op} c`),
  fc.constantFrom('a IN (1, 3)', 'a BETWEEN 1 AND 2', 'v = 1', 'NOT a = 1', "b IN ('x', 'y')", 'a = v', 'b IS NULL'),
);
const condition = fc.letrec<{ c: string }>((tie) => ({
  c: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    comparison,
    fc.tuple(tie('c'), tie('c')).map(([x, y]) => `(${x} AND ${y})`),
    fc.tuple(tie('c'), tie('c')).map(([x, y]) => `(${x} OR ${y})`),
  ),
})).c;

describe('pullAccesses', () => {
  it('finds every row once, in key order, and drops the filter only where it would change nothing', () => {
    fc.assert(
      fc.property(condition, (where) => {
        const full = catalog.analyze(`SELECT * FROM t WHERE (${where}) EMIT CHANGES;`);
        if (full.kind !== 'push' || full.plan.root.kind !== 'project' || full.plan.root.input.kind !== 'filter') {
          throw new Error('no filter');
        }
        const options = { onError: () => {} };
        const holds = compileExpression(full.plan.root.input.predicate, options);
        const { accesses, predicate } = planOf(where);
        const filter = predicate === null ? () => true : compileExpression(predicate, options);
        const found = accesses.flatMap((access) => rows.filter((row) => contains(access, keyOf(row))));
        const sorted = found.map(keyOf);
        for (let i = 1; i < sorted.length; i++) expect(compareRows(sorted[i - 1]!, sorted[i]!)).toBeLessThan(0);
        expect(found.filter((row) => filter(row, 0) === true)).toEqual(rows.filter((row) => holds(row, 0) === true));
      }),
      { numRuns: 3000 },
    );
  });

  it('pins keys, prefixes and ranges', () => {
    expect(planOf("a = 2 AND b = 'x' AND c = 1")).toMatchObject({
      accesses: [{ kind: 'key', key: [2, 'x', 10] }],
      predicate: null,
    });
    expect(planOf("b > 'x' AND a = 2")).toMatchObject({
      accesses: [{ kind: 'range', prefix: [2], lower: { value: 'x', inclusive: false }, upper: null }],
      predicate: null,
    });
    expect(planOf('a = 2 OR a = 1')).toMatchObject({
      accesses: [
        { kind: 'range', prefix: [1], lower: null, upper: null },
        { kind: 'range', prefix: [2], lower: null, upper: null },
      ],
      predicate: null,
    });
    expect(planOf('a = 1 AND a = 2').accesses).toEqual([]);
    expect(planOf('a = 1.5').accesses).toEqual([]);
    expect(planOf('v = 1').accesses).toEqual([{ kind: 'range', prefix: [], lower: null, upper: null }]);
  });

  it('pins a long list of keys quickly', () => {
    const list = Array.from({ length: 5000 }, (_, i) => i).join(', ');
    expect(planOf(`a IN (${list})`).accesses).toHaveLength(5000);
  });
});
