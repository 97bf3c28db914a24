import { describe, expect, it } from 'vitest';
import { BIGINT, INTEGER, STRING, type Row } from '../../../src/core/data-type.js';
import { aggregate, call, col, compare, filter, int, join, QueryHarness, schema, source } from '../../support/plans.js';

const left = source('L', schema({ id: INTEGER, name: STRING, ref: INTEGER }));
const right = source('R', schema({ id: INTEGER, title: STRING }));
const byRef = col(2, INTEGER);
const commands = (harness: QueryHarness) => harness.out.map(({ after, before }) => after ?? ['deleted', before![0]]);

describe('the foreign-key join', () => {
  it('follows both sides; a right change reaches its left rows in key order', () => {
    const harness = new QueryHarness(join('inner', left, right, byRef));
    harness.upsert('R', [0, 'blah'], 0);
    harness.upsert('L', [1, 'zero', 0], 10);
    expect(harness.out).toEqual([{ before: null, after: [1, 'zero', 0, 0, 'blah'], rowtimeMs: 10 }]);
    expect(harness.upsert('L', [2, 'foo', 100], 11)).toEqual([]);
    harness.upsert('R', [0, 'a'], 12);
    expect(commands(harness)).toEqual([[1, 'zero', 0, 0, 'a']]);
    harness.upsert('L', [10, 'bar', 0], 13);
    harness.remove('R', [0], 17);
    expect(commands(harness)).toEqual([
      ['deleted', 1],
      ['deleted', 10],
    ]);
    harness.remove('L', [1], 18);
    expect(commands(harness)).toEqual([['deleted', 1]]);
    expect(harness.sink.rows()).toEqual([]);
  });

  it('keeps left rows without a partner in a left join, a NULL key among them', () => {
    const harness = new QueryHarness(join('left', left, right, byRef));
    harness.upsert('L', [1, 'a', null]);
    harness.upsert('L', [2, 'b', 7]);
    expect(harness.sink.rows()).toEqual([
      [1, 'a', null, null, null],
      [2, 'b', 7, null, null],
    ]);
    harness.upsert('R', [7, 'seven']);
    expect(commands(harness)).toEqual([[2, 'b', 7, 7, 'seven']]);
    harness.upsert('L', [2, 'b', 8]);
    expect(commands(harness)).toEqual([[2, 'b', 8, null, null]]);
    expect(harness.upsert('R', [7, 'none'])).toEqual([]);
  });

  it('reads the rows of a right row in pages', () => {
    const harness = new QueryHarness(join('inner', left, right, byRef));
    for (let id = 0; id < 1000; id++) harness.upsert('L', [id, 'x', id % 2]);
    harness.upsert('R', [1, 'odd']);
    expect(harness.out.map(({ after }) => after![0])).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i + 1));
  });

  it('gives ROWTIME of the newer side', () => {
    const harness = new QueryHarness(join('inner', left, right, byRef));
    harness.upsert('R', [0, 'late'], 500);
    harness.upsert('L', [1, 'early', 0], 10);
    expect(harness.out[0]!.rowtimeMs).toBe(500);
    harness.upsert('R', [0, 'earlier'], 5);
    expect(harness.out[0]!.rowtimeMs).toBe(10);
  });

  it('joins a table with itself', () => {
    const staff = source('S', schema({ id: INTEGER, name: STRING, boss: INTEGER }));
    const harness = new QueryHarness(join('left', staff, staff, byRef));
    const names = (): readonly Row[] => harness.sink.rows().map((row) => [row[1]!, row[4]!]);
    harness.upsert('S', [1, 'ann', null]);
    harness.upsert('S', [2, 'bob', 1]);
    harness.upsert('S', [3, 'eve', 3]);
    harness.upsert('S', [1, 'anna', 2]);
    expect(names()).toEqual([
      ['anna', 'bob'],
      ['bob', 'anna'],
      ['eve', 'eve'],
    ]);
    harness.remove('S', [1]);
    expect(names()).toEqual([
      ['bob', null],
      ['eve', 'eve'],
    ]);
  });

  it('cannot be right or outer', () => {
    expect(() => new QueryHarness(join('outer', left, right, byRef))).toThrow(/only inner and left/);
  });
});

describe('the 1:1 join', () => {
  const keysOf = (joinType: 'inner' | 'left' | 'right' | 'outer') => {
    const harness = new QueryHarness(join(joinType, left, right));
    harness.upsert('L', [1, 'one', null]);
    harness.upsert('L', [2, 'two', null]);
    harness.upsert('R', [2, 'zwei']);
    harness.upsert('R', [3, 'drei']);
    return harness.sink.rows().map((row) => [row[0], row[3]]);
  };

  it('has the rows that its type says', () => {
    expect(keysOf('inner')).toEqual([[2, 2]]);
    expect(keysOf('left')).toEqual([
      [1, null],
      [2, 2],
    ]);
    expect(keysOf('right')).toEqual([
      [2, 2],
      [null, 3],
    ]);
    expect(keysOf('outer')).toEqual([
      [1, null],
      [2, 2],
      [null, 3],
    ]);
  });

  it('names the key also where a side is missing', () => {
    const harness = new QueryHarness(join('outer', left, right));
    harness.upsert('R', [3, 'drei']);
    expect(commands(harness)).toEqual([[null, null, null, 3, 'drei', 3]]);
    harness.remove('R', [3]);
    expect(harness.sink.rows()).toEqual([]);
  });

  it('says nothing of a row that finds no partner', () => {
    const harness = new QueryHarness(join('inner', left, right));
    expect(harness.upsert('L', [1, 'a', null])).toEqual([]);
    expect(harness.upsert('L', [1, 'b', null])).toEqual([]);
  });
});

describe('joins in larger plans', () => {
  const third = source('M', schema({ id: INTEGER, city: STRING }));

  it('nest: three tables', () => {
    const harness = new QueryHarness(join('left', join('inner', left, right, byRef), third));
    harness.upsert('L', [1, 'a', 5]);
    harness.upsert('M', [1, 'Rome']);
    harness.upsert('R', [5, 'five']);
    expect(harness.sink.rows()).toEqual([[1, 'a', 5, 5, 'five', 1, 'Rome']]);
    harness.upsert('M', [1, 'Oslo']);
    harness.upsert('R', [5, 'V']);
    expect(harness.sink.rows()).toEqual([[1, 'a', 5, 5, 'V', 1, 'Oslo']]);
    harness.remove('R', [5]);
    expect(harness.sink.rows()).toEqual([]);
  });

  it('keep their rows only where exact old rows are wanted', () => {
    const joined = join('inner', left, right, byRef);
    const filtered = filter(joined, compare('>', col(0, INTEGER), int(0)));
    const names = (harness: QueryHarness) => harness.topology.states;
    expect(names(new QueryHarness(filtered))).toEqual(['q1_join0_index']);
    const counted = new QueryHarness(aggregate(filtered, [col(4, STRING)], [call('COUNT', BIGINT)]));
    expect(names(counted)).toEqual(['q1_aggregate0', 'q1_join1_rows', 'q1_join1_index']);
  });

  it('take the rows of existing tables in any order, and twice', () => {
    const harness = new QueryHarness(
      aggregate(join('inner', left, right, byRef), [col(4, STRING)], [call('COUNT', BIGINT)]),
    );
    // Both tables are filled before the query is told of anything, as when it starts over them.
    harness.tables.get('L')!.put([1, 'a', 5], 0);
    harness.tables.get('R')!.put([5, 'five'], 0);
    harness.accept('L', { before: null, after: [1, 'a', 5], rowtimeMs: 0 });
    harness.accept('R', { before: null, after: [5, 'five'], rowtimeMs: 0 });
    expect(harness.sink.rows()).toEqual([['five', 1]]);
  });
});
