// Creation order: a record goes through the queries in the order in which they were made, whenever each began to run, so the records of
// derived topics come out the same on every process that follows the log.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BIGINT, INTEGER } from '../../../src/core/data-type.js';
import { TestEngine, until } from '../../support/engine.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'v', type: BIGINT },
];

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 }).open();
  await engine.capture('a', columns);
});
afterEach(() => engine.remove());

const write = (id: number, v: number) => engine.write([{ table: 'a', key: id, row: { id, v } }]);
const derived = async () =>
  (await engine.api.readTopic('j', 0, 0, 1000)).map(({ key, value }) => `${key?.toString()}=${value?.toString()}`);

/** What one change of a row makes of a join of two tables that both come from it: the order of the two shows in the steps between. */
async function steps(): Promise<readonly string[]> {
  const before = (await derived()).length;
  await write(1, 1);
  await write(1, 2);
  await engine.write([{ table: 'a', key: 1, row: null }]);
  return (await derived()).slice(before);
}

it('is kept by rebuilds, by slow builds and by restarts', async () => {
  for (let id = 10; id < 30; id++) await write(id, id);
  await engine.run('CREATE TABLE l AS SELECT id, v FROM a;');
  await engine.run('CREATE TABLE r AS SELECT id, v FROM a;');
  await engine.run('CREATE TABLE j AS SELECT l.id AS id, l.v AS lv, r.v AS rv FROM l LEFT JOIN r ON l.id = r.id;');
  await until(() => engine.codeOf('j') === 'ok', 'built');
  const first = await steps();
  expect(first.length).toBeGreaterThan(2);
  await engine.api.rebuild('l');
  await until(async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'), 'rebuilt');
  expect(await steps()).toEqual(first);
  await engine.restart();
  expect(await steps()).toEqual(first);
});
