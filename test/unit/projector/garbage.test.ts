// After any kill and restart everything in the data file has an owner. The kills themselves are in test/crash; here what they leave is
// made by hand.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTEGER } from '../../../src/core/data-type.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import { TestEngine, until } from '../../support/engine.js';
import { ownerless } from '../../support/ownerless.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine({ rowsPerStep: 2 }).open();
  await engine.capture('a');
  await engine.run('CREATE TABLE counts AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
  await engine.write([{ table: 'a', key: 1, row: { id: 1, name: 'x' } }]);
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const file = () => join(engine.folder, 'writethrough.db');

it('states, versions and feeds that a dead process has left are found at the next start', async () => {
  await engine.stop();
  const database = openDatabase(file());
  const logId = String(database.prepare('SELECT log_id FROM wt_log').get()![0]);
  const state = openStateStore(database, { logId });
  const column = { name: 'k', type: INTEGER };
  const schema = { columns: [column], keyColumns: [0] };
  state.transaction(() => {
    // Of a rebuild of `counts` whose swap was applied, or that was given up.
    const left = state.openState({ name: 'q0v7_aggregate0', key: [column], value: [] });
    const table = state.createTable({ id: 2, version: 7, name: 'counts', schema });
    for (let i = 0; i < 2_500; i++) {
      left.put([i], []);
      table.put([i], 1, undefined);
    }
    const suspects = state.openState({ name: 'rebuild_2_v7', key: [column], value: [] });
    suspects.put([1], []);
    const gone = { id: 99, version: 1, name: 'gone', schema };
    state.createTable(gone);
    state.feed('gone', { seq: 1, index: 0, before: null, after: [1], rowtimeMs: 1, commitTimeUs: 1000 });
  });
  database.close();
  expect(ownerless(file()).length).toBeGreaterThanOrEqual(5);
  await engine.open();
  await until(() => ownerless(file()).length === 0, 'everything has an owner');
  expect(engine.rows('counts')).toEqual([['x', 1]]);
});

it('a rebuild, a drop and a deleted topic leave nothing behind', async () => {
  const swapped = async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done');
  await engine.api.rebuild('counts');
  await until(swapped, 'the swap');
  await engine.run('CREATE TABLE other AS SELECT id, name FROM a;');
  await engine.write([{ table: 'a', key: 2, row: { id: 2, name: 'y' } }]);
  await engine.run('DROP TABLE other DELETE TOPIC;');
  await until(() => ownerless(file()).length === 0, 'everything has an owner');
  expect(engine.rows('counts')).toEqual([
    ['x', 1],
    ['y', 1],
  ]);
});
