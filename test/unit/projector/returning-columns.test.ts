// A column that has gone and come back under its name is a new one: rows from before have NULL in it, in the table, and when the table is
// built again of its records, of which none has been read again since.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BIGINT, INTEGER, STRING, type DataType } from '../../../src/core/data-type.js';
import { TestEngine } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const columns = (...others: readonly (readonly [string, DataType])[]) =>
  [['id', INTEGER] as const, ...others].map(([name, type]) => ({ name, type }));

it('a column that comes back is empty, also in a table that is built again', async () => {
  await engine.capture('a', columns(['v', INTEGER], ['w', INTEGER]));
  await engine.write([{ table: 'a', key: 1, row: { id: 1, v: 5, w: 6 } }]);
  await engine.capture('a', columns(['w', INTEGER]));
  await engine.capture('a', columns(['w', INTEGER], ['v', INTEGER]));
  await engine.write([{ table: 'a', key: 2, row: { id: 2, v: 7, w: 8 } }]);
  const rows = [
    [1, 6, null],
    [2, 8, 7],
  ];
  expect(engine.rows('a')).toEqual(rows);
  await engine.rebuild('a');
  expect(engine.rows('a')).toEqual(rows);
});

it('one whose values mean the same all the way keeps them', async () => {
  await engine.capture('a', columns(['v', INTEGER], ['w', INTEGER]));
  await engine.write([{ table: 'a', key: 1, row: { id: 1, v: 5, w: 6 } }]);
  await engine.capture('a', columns(['v', BIGINT], ['w', STRING]));
  await engine.capture('a', columns(['v', BIGINT], ['w', INTEGER]));
  expect(engine.rows('a')).toEqual([[1, 5, null]]);
  await engine.rebuild('a');
  expect(engine.rows('a')).toEqual([[1, 5, null]]);
});
