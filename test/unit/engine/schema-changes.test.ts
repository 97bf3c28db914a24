// A captured table gets other columns while everything runs: its rows, what is derived from it, its feed, a restart and a rebuild.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, INTEGER, STRING, type RowSchema } from '../../../src/core/data-type.js';
import { TestEngine, until } from '../../support/engine.js';

const id = { name: 'id', type: INTEGER };
const name = { name: 'name', type: STRING };
const amount = { name: 'amount', type: INTEGER };
const note = { name: 'note', type: STRING };

describe('a captured table whose columns change', () => {
  let engine: TestEngine;
  const columns = (...of: RowSchema['columns']) => of;
  const rows = (table: string) => engine.session((session) => [...session.scan({ table })].map(({ row }) => [...row]));

  beforeEach(async () => {
    engine = await new TestEngine().open();
    await engine.capture('t', columns(id, name, amount));
    await engine.write([
      { table: 't', key: 1, row: { id: 1, name: 'a', amount: 10 } },
      { table: 't', key: 2, row: { id: 2, name: 'b', amount: 20 } },
    ]);
    await engine.run('CREATE TABLE everything AS SELECT * FROM t EMIT CHANGES;');
    await engine.run('CREATE TABLE names AS SELECT id, name FROM t EMIT CHANGES;');
    await engine.run('CREATE TABLE total AS SELECT 1 AS one, SUM(amount) AS s FROM t GROUP BY 1 EMIT CHANGES;');
    await until(async () => rows('total').length === 1, 'all is derived');
  });
  afterEach(() => engine.remove());

  it('keeps its rows when a column is added, in what selects all of it, too', async () => {
    await engine.capture('t', columns(id, name, note, amount));
    expect(rows('t')).toEqual([
      [1, 'a', null, 10],
      [2, 'b', null, 20],
    ]);
    expect(rows('everything')).toEqual(rows('t'));
    await engine.write([{ table: 't', key: 2, row: { id: 2, name: 'b', note: 'n', amount: 21 } }]);
    expect(rows('everything')).toEqual([
      [1, 'a', null, 10],
      [2, 'b', 'n', 21],
    ]);
    expect(rows('names')).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(rows('total')).toEqual([[1, 31]]);
    await engine.restart();
    expect(rows('everything')[1]).toEqual([2, 'b', 'n', 21]);
    await engine.rebuild('t');
    expect(rows('t')).toEqual([
      [1, 'a', null, 10],
      [2, 'b', 'n', 21],
    ]);
    await engine.rebuild('everything');
    expect(rows('everything')).toEqual(rows('t'));
  });

  it('detaches the query alone that computes with a column that is gone', async () => {
    await engine.capture('t', columns(id, name));
    expect(await engine.state('total')).toBe('ERROR');
    expect(rows('everything')).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    await engine.write([{ table: 't', key: 3, row: { id: 3, name: 'c' } }]);
    expect(rows('names')).toHaveLength(3);
    // The same name again is another column: what was in it does not come back.
    await engine.capture('t', columns(id, name, amount));
    expect(rows('t')).toEqual([
      [1, 'a', null],
      [2, 'b', null],
      [3, 'c', null],
    ]);
    await engine.restart();
    expect(await engine.state('total')).toBe('ERROR');
    expect(rows('everything')).toHaveLength(3);
  });

  it('keeps the values of a column that is only widened', async () => {
    await engine.capture('t', columns(id, name, { name: 'amount', type: BIGINT }));
    expect(rows('t')[0]).toEqual([1, 'a', 10]);
    expect(rows('everything')[0]).toEqual([1, 'a', 10]);
  });

  it('reads what was fed before with the columns of now, and marks where they changed', async () => {
    const before = engine.session(({ frontier }) => frontier.seq);
    await engine.write([{ table: 't', key: 1, row: { id: 1, name: 'x', amount: 10 } }]);
    await engine.capture('t', columns(id, note, name));
    await engine.write([{ table: 't', key: 1, row: { id: 1, note: 'n', name: 'y' } }]);
    const feed = engine.session((session) => session.changes('t', { seq: before, index: Infinity }, 1 << 20));
    expect(feed.altered).toHaveLength(1);
    expect(feed.changes.map(({ after }) => after)).toEqual([
      [1, null, 'x'],
      [1, 'n', 'y'],
    ]);
  });

  it('begins anew under another key', async () => {
    await engine.capture('t', columns(id, name, amount), false, {}, [1]);
    expect(rows('t')).toEqual([]);
    await engine.write([{ table: 't', key: 'k', row: { id: 1, name: 'k', amount: 7 } }]);
    expect(rows('t')).toEqual([[1, 'k', 7]]);
    await engine.restart();
    await engine.rebuild('t');
    expect(rows('t')).toEqual([[1, 'k', 7]]);
  });
});
