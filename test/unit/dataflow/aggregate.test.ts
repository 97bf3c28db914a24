import { describe, expect, it } from 'vitest';
import { BIGINT, DOUBLE, INTEGER, STRING, type DataType } from '../../../src/core/data-type.js';
import {
  aggregate,
  call,
  col,
  compare,
  filter,
  int,
  big,
  project,
  QueryHarness,
  schema,
  source,
} from '../../support/plans.js';

const money: DataType = { kind: 'DECIMAL', precision: 4, scale: 1 };
const rows = schema({ id: INTEGER, g: STRING, x: BIGINT, m: money, d: DOUBLE });
const table = source('T', rows);
const byG = [col(1, STRING)];
const x = col(2, BIGINT);
const afters = (harness: QueryHarness) => harness.out.map(({ after }) => after);

describe('aggregates over a table', () => {
  it('take an update back from the old group first, then add it to the new one', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('COUNT', BIGINT), call('SUM', BIGINT, x)]));
    harness.upsert('T', [1, 'a', 10, null, null]);
    harness.upsert('T', [2, 'a', 5, null, null]);
    harness.upsert('T', [1, 'b', 10, null, null]);
    expect(afters(harness)).toEqual([
      ['a', 1, 5],
      ['b', 1, 10],
    ]);
  });

  it('give one change when the group stays', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('SUM', BIGINT, x)]));
    harness.upsert('T', [1, 'a', 10, null, null]);
    harness.upsert('T', [1, 'a', 12, null, null]);
    expect(afters(harness)).toEqual([['a', 12]]);
  });

  it('delete a group with its last row; in strict mode it stays with a count of 0', () => {
    const plan = aggregate(table, byG, [call('COUNT', BIGINT), call('SUM', BIGINT, x)]);
    for (const strict of [false, true]) {
      const harness = new QueryHarness(plan, { strict });
      harness.upsert('T', [1, 'a', 10, null, null]);
      harness.remove('T', [1]);
      expect(afters(harness)).toEqual(strict ? [['a', 0, 0]] : [null]);
      expect(harness.out[0]!.before?.[0] ?? 'a').toBe('a');
      harness.upsert('T', [2, 'a', 1, null, null]);
      expect(afters(harness)).toEqual([['a', 1, 1]]);
    }
  });

  it('leave out rows whose grouping value is NULL', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('COUNT', BIGINT)]));
    expect(harness.upsert('T', [1, null, 10, null, null])).toEqual([]);
    harness.upsert('T', [1, 'a', 10, null, null]);
    expect(afters(harness)).toEqual([['a', 1]]);
    harness.upsert('T', [1, null, 10, null, null]);
    expect(afters(harness)).toEqual([null]);
    expect(harness.states.size).toBe(0);
  });

  it('ignore NULLs: SUM and AVG of nothing are 0, MIN and MAX NULL, as in ksqlDB', () => {
    const calls = ['SUM', 'MIN', 'MAX', 'COUNT'].map((name) => call(name, BIGINT, x));
    const harness = new QueryHarness(aggregate(table, byG, [...calls, call('AVG', DOUBLE, x)]));
    harness.upsert('T', [1, 'a', null, null, null]);
    expect(afters(harness)).toEqual([['a', 0, null, null, 0, 0]]);
    harness.upsert('T', [2, 'a', 5, null, null]);
    harness.upsert('T', [3, 'a', 2, null, null]);
    expect(afters(harness)).toEqual([['a', 7, 2, 5, 2, 3.5]]);
  });

  it('find the next extreme when the last copy of the current one goes', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('MIN', BIGINT, x), call('MAX', BIGINT, x)]));
    for (const [id, value] of [3, 1, 1, 9, 4].entries()) harness.upsert('T', [id, 'a', value, null, null]);
    harness.remove('T', [1]);
    expect(afters(harness)).toEqual([['a', 1, 9]]);
    harness.remove('T', [2]);
    expect(afters(harness)).toEqual([['a', 3, 9]]);
    harness.remove('T', [3]);
    expect(afters(harness)).toEqual([['a', 3, 4]]);
    // MIN and MAX of one argument share their values.
    expect([...harness.states.byName.keys()]).toEqual(['q1_aggregate0_values0', 'q1_aggregate0']);
  });

  it('keep DOUBLE sums without residue', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('SUM', DOUBLE, col(4, DOUBLE))]));
    harness.upsert('T', [1, 'a', null, null, 1]);
    for (const [i, d] of [0.1, 1e17, 0.2, -1e300].entries()) harness.upsert('T', [i + 2, 'a', null, null, d]);
    for (const id of [5, 2, 4, 3]) harness.remove('T', [id]);
    expect(afters(harness)).toEqual([['a', 1]]);
  });

  it('wrap BIGINT sums as Java does, and come back from it', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('SUM', BIGINT, x)]));
    harness.upsert('T', [1, 'a', 2n ** 63n - 1n, null, null]);
    harness.upsert('T', [2, 'a', 1, null, null]);
    expect(afters(harness)).toEqual([['a', -(2n ** 63n)]]);
    harness.remove('T', [1]);
    expect(afters(harness)).toEqual([['a', 1]]);
  });

  it('stop the query when a DECIMAL sum outgrows its type, and leave the group as it was', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('SUM', money, col(3, money))]));
    harness.upsert('T', [1, 'a', null, 9999, null]);
    expect(() => harness.upsert('T', [2, 'a', null, 1, null])).toThrow(/overflow/i);
    expect(harness.states.byName.get('q1_aggregate0')!.get(['a'])![0]).toBe(1);
  });

  it('give ROWTIME of the newest row that a group ever took', () => {
    const harness = new QueryHarness(aggregate(table, byG, [call('COUNT', BIGINT)]));
    harness.upsert('T', [1, 'a', 1, null, null], 100);
    harness.upsert('T', [2, 'a', 1, null, null], 50);
    expect(harness.out[0]!.rowtimeMs).toBe(100);
  });

  it('feed HAVING, which deletes what no longer qualifies and says nothing of what never did', () => {
    const counts = aggregate(table, byG, [call('COUNT', BIGINT)]);
    const harness = new QueryHarness(filter(counts, compare('>', col(1, BIGINT), big(1))));
    expect(harness.upsert('T', [1, 'a', 1, null, null])).toEqual([]);
    harness.upsert('T', [2, 'a', 1, null, null]);
    expect(afters(harness)).toEqual([['a', 2]]);
    harness.remove('T', [1]);
    expect(afters(harness)).toEqual([null]);
    expect(harness.remove('T', [2])).toEqual([]);
  });

  it('can be grouped again', () => {
    const counts = aggregate(table, byG, [call('COUNT', BIGINT)]);
    const histogram = aggregate(counts, [col(1, BIGINT)], [call('COUNT', BIGINT)]);
    const harness = new QueryHarness(histogram);
    for (const [id, g] of ['a', 'b', 'b', 'c'].entries()) harness.upsert('T', [id, g, null, null, null]);
    expect(harness.sink.rows()).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('refuse an aggregate function that is not there, when the query is compiled', () => {
    expect(() => new QueryHarness(aggregate(table, byG, [call('TOPK', BIGINT, x)]))).toThrow(
      /TOPK\(BIGINT\) is not supported/,
    );
  });
});

describe('aggregates over a stream', () => {
  it('add facts and need no state but the groups', () => {
    const stream = source('S', rows, 'stream');
    const plan = aggregate(stream, byG, [
      call('MAX', BIGINT, x),
      call('MIN', BIGINT, x),
      call('COUNT', BIGINT, int(1)),
    ]);
    const harness = new QueryHarness(
      project(
        plan,
        [0, 1, 2, 3].map((i) => col(i, plan.schema.columns[i]!.type)),
        plan.schema,
      ),
    );
    harness.fact('S', [null, 'a', 3, null, null]);
    harness.fact('S', [null, 'a', null, null, null]);
    harness.fact('S', [null, 'a', 5, null, null]);
    expect(afters(harness)).toEqual([['a', 5, 3, 3]]);
    expect(harness.out[0]!.before).toBeNull();
    expect([...harness.states.byName.keys()]).toEqual(['q1_aggregate0']);
  });
});
