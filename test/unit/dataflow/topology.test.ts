import { describe, expect, it } from 'vitest';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { compileTopology } from '../../../src/dataflow/topology.js';
import type { Expr } from '../../../src/sql/plan.js';
import {
  aggregate,
  arithmetic,
  call,
  cast,
  col,
  compare,
  filter,
  int,
  join,
  planOf,
  project,
  QueryHarness,
  schema,
  source,
} from '../../support/plans.js';

const rows = schema({ id: INTEGER, g: INTEGER });
const table = source('T', rows);
const rowtime: Expr = { kind: 'rowtime', type: BIGINT };

describe('a topology', () => {
  it('gives facts of a stream one by one, projected and filtered', () => {
    const stream = source('S', rows, 'stream');
    const plan = project(
      filter(stream, compare('>', col(1, INTEGER), int(1))),
      [col(0, INTEGER), rowtime],
      schema({ id: INTEGER, at: BIGINT }),
    );
    const harness = new QueryHarness(plan);
    expect(harness.fact('S', [1, 1], 5)).toEqual([]);
    expect(harness.fact('S', [1, 2], 6)).toEqual([{ before: null, after: [1, 6], rowtimeMs: 6 }]);
  });

  it('gives commands of a table: set a row, or delete the key in `before`', () => {
    const harness = new QueryHarness(filter(table, compare('>', col(1, INTEGER), int(1))));
    expect(harness.upsert('T', [1, 1])).toEqual([]);
    expect(harness.upsert('T', [1, 2])).toMatchObject([{ after: [1, 2] }]);
    expect(harness.upsert('T', [1, 1])).toMatchObject([{ before: [1, 2], after: null }]);
    expect(harness.remove('T', [1])).toEqual([]);
  });

  it('asks for old ROWTIMEs only where it computes with them, and takes back what it added', () => {
    expect(new QueryHarness(table).topology.needsOldRowtime).toBe(false);
    const harness = new QueryHarness(aggregate(table, [col(1, INTEGER)], [call('SUM', BIGINT, rowtime)]));
    expect(harness.topology.needsOldRowtime).toBe(true);
    harness.upsert('T', [1, 7], 100);
    harness.upsert('T', [2, 7], 20);
    harness.upsert('T', [1, 7], 300);
    expect(harness.sink.rows()).toEqual([[7, 320]]);
    expect(() => harness.accept('T', { before: [1, 7], after: null, rowtimeMs: 9 })).toThrow(/ROWTIME/);
  });

  it('refuses a change of a table that it does not read', () => {
    expect(() => new QueryHarness(table).accept('X', { before: null, after: [1, 1], rowtimeMs: 0 })).toThrow(
      /does not read X/,
    );
  });

  it('does not take a change while one is on its way', () => {
    const harness = new QueryHarness(table);
    const change = { before: null, after: [1, 1], rowtimeMs: 0 };
    const again = () => harness.topology.accept('T', change, () => {});
    expect(() => harness.topology.accept('T', change, again)).toThrow(/when the one before is through/);
    // And is ready again after a failure.
    expect(again).not.toThrow();
  });

  it('wants ROWTIME look-ups for a join that computes with ROWTIME', () => {
    const withTime = project(table, [col(0, INTEGER), rowtime], schema({ id: INTEGER, at: BIGINT }));
    const env = {
      queryId: '1',
      state: () => {
        throw new Error('no state');
      },
      lookup: () => undefined,
      onError: () => {},
    };
    expect(() => compileTopology(planOf(join('inner', withTime, source('R', rows))), env)).toThrow(/ROWTIME/);
  });

  it('counts expressions that fail and goes on with NULL', () => {
    const plan = project(table, [col(0, INTEGER), arithmetic('/', int(10), col(1, INTEGER))], rows);
    const harness = new QueryHarness(plan);
    harness.upsert('T', [1, 0]);
    expect(harness.sink.rows()).toEqual([[1, null]]);
    expect(harness.errors).toEqual(['division by zero']);
    const casted = project(table, [col(0, INTEGER), cast(cast(col(1, INTEGER), STRING), BIGINT)], rows);
    const other = new QueryHarness(casted);
    other.upsert('T', [1, 12]);
    expect(other.sink.rows()).toEqual([[1, 12]]);
  });
});
