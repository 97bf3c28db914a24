// What the engine does with what was not written so: nothing is applied over it, and a rebuild makes it again. Damage is done by another
// connection, which knows nothing of checksums.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toAppError } from '../../../src/core/errors.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { runCheck } from '../../../src/process/run-check.js';
import { TestEngine, until } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
  await engine.capture('a');
  await engine.run('CREATE TABLE counts AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
  await engine.write([1, 2, 3].map((id) => ({ table: 'a', key: id, row: { id, name: `n${id % 2}` } })));
});
afterEach(async () => {
  await engine.remove();
});

function damage(sql: string): void {
  const database = openDatabase(join(engine.folder, 'writethrough.db'));
  database.exec(sql);
  database.close();
}

/** Of a table in the file. */
function physical(name: string): string {
  const database = openDatabase(join(engine.folder, 'writethrough.db'), { readonly: true });
  const row = database.prepare('SELECT id, version FROM wt_table WHERE name = ? AND visible = 1').get(name)!;
  database.close();
  return `t${String(row[0])}_v${String(row[1])}`;
}

const check = () => runCheck({ data: engine.folder, onProgress: () => {} });

async function findings(): Promise<readonly string[]> {
  return (await check()).findings.map(({ what }) => what);
}

it('a row that is damaged is neither answered nor derived from; what its source says makes it whole, and what would have read it stands still', async () => {
  damage(`UPDATE ${physical('a')} SET name = 'n9' WHERE id = 2`);
  expect(engine.codeOf('a')).toBe('corrupt-data');
  expect(() => engine.reader.point('a', () => [2], 0)).toThrow(
    'damaged in the data file: table "a", the row with key 2',
  );
  expect(engine.reader.point('a', () => [1], 0).found?.row).toEqual([1, 'n1']);
  expect(await findings()).toEqual(['table "a", the row with key 2']);
  await engine.write([{ table: 'a', key: 2, row: { id: 2, name: 'n1' } }]);
  await until(async () => (await engine.state('counts')) === 'ERROR', 'counts stands still');
  expect(engine.log.find(({ message }) => message.startsWith('a part failed'))?.fields).toMatchObject({
    code: 'corrupt-data',
    kind: 'query',
  });
  expect(engine.rows('a').map(([, name]) => name)).toEqual(['n1', 'n1', 'n1']);
  expect(engine.rows('counts')).toEqual([
    ['n0', 1],
    ['n1', 2],
  ]);
  await engine.rebuild('counts');
  await until(() => engine.rows('counts').length === 1, 'counts is derived again');
  expect(engine.rows('counts')).toEqual([['n1', 3]]);
  expect(await findings()).toEqual([]);
  const samples = await engine.api.metrics();
  expect(samples.find(({ name }) => name === 'writethrough_corrupt_data_total')?.value).toBeGreaterThan(0);
});

it('a damaged row that its source deletes is gone, and who follows the table hears of it', async () => {
  await engine.run('DROP TABLE counts;');
  damage(`UPDATE ${physical('a')} SET name = 'n9' WHERE id = 2`);
  await engine.write([{ table: 'a', key: 2, row: null }]);
  await until(() => engine.codeOf('a') === 'ok', 'a is whole');
  expect(engine.rows('a').map(([id]) => id)).toEqual([1, 3]);
  expect(await findings()).toEqual([]);
});

it('a damaged row that nothing has met yet goes with a rebuild, and what was derived from it stays', async () => {
  damage(`UPDATE ${physical('a')} SET name = 'n9' WHERE id = 2`);
  await engine.rebuild('a');
  expect(engine.rows('a').map(([, name]) => name)).toEqual(['n1', 'n0', 'n1']);
  expect(engine.rows('counts')).toEqual([
    ['n0', 1],
    ['n1', 2],
  ]);
});

it('a row that is missing, or lies under another key, is no answer either', async () => {
  damage(`DELETE FROM ${physical('a')} WHERE id = 2`);
  expect(engine.codeOf('a')).toBe('corrupt-data');
  expect(await findings()).toEqual(['table "a", of whose 3 rows 2 are found']);
  damage(`UPDATE ${physical('a')} SET id = 5 WHERE id = 3`);
  expect(() => engine.reader.point('a', () => [5], 0)).toThrow('damaged');
  // Its neighbour is the row under the wrong key.
  expect(() => engine.reader.point('a', () => [4], 0)).toThrow('damaged');
});

it('operator state that is damaged lets its query stand still', async () => {
  damage("UPDATE wt_state_1 SET value = CAST(x'01' || substr(value, 2) AS BLOB)");
  await engine.write([{ table: 'a', key: 4, row: { id: 4, name: 'n1' } }]);
  await until(async () => (await engine.state('counts')) === 'ERROR', 'counts stands still');
  expect(engine.rows('a')).toHaveLength(4);
  await engine.rebuild('counts');
  expect(engine.rows('counts')).toEqual([
    ['n0', 1],
    ['n1', 3],
  ]);
});

it('records that are damaged are no records, and end a rebuild with the place', async () => {
  damage('UPDATE wt_batch SET last_seq = last_seq + 1 WHERE id = (SELECT max(id) FROM wt_batch WHERE derived = 0)');
  await expect(engine.api.readTopic(engine.topic('a'), 0, 0, 10)).rejects.toThrow(
    `damaged in the data file: topic "${engine.topic('a')}", partition 0, the records from offset 0 to 2`,
  );
  await engine.api.rebuild('a');
  const progress = async () => (await engine.api.rebuilds()).find(({ table }) => table === 'a')!;
  await until(async () => (await progress()).state === 'failed', 'the rebuild fails');
  expect(await progress()).toMatchObject({ code: 'corrupt-data' });
  expect(engine.rows('a')).toHaveLength(3);
  expect(engine.failed).toBeUndefined();
});

it('a catalogue that is damaged does not open, and says what is', async () => {
  await engine.stop();
  damage("UPDATE wt_document SET json = replace(json, 'counts', 'accounts') WHERE kind = 'query'");
  const opened = engine.open();
  await expect(opened).rejects.toThrow(
    'damaged in the data file: the catalogue\'s document of kind query, "CTAS_counts_',
  );
  expect(toAppError(await opened.catch((error: unknown) => error)).code).toBe('corrupt-data');
  expect((await check()).damaged).toBe(1);
});

it('a file of an earlier version is taken over in place, and the check counts what has no checksum', async () => {
  await engine.stop();
  const table = physical('a');
  damage(`
    ${[
      'wt_document',
      'wt_table',
      'wt_topic',
      'wt_producer',
      'wt_frontier',
      'wt_log',
      'wt_log_epoch',
      'wt_keyed_state',
      'wt_feed_start',
      'wt_feed_schema',
      'wt_partition',
    ]
      .map((name) => `ALTER TABLE ${name} DROP COLUMN crc;`)
      .join('\n')}
    ALTER TABLE ${table} DROP COLUMN wt_sum;
    UPDATE wt_log SET format = 1;
  `);
  const before = await check();
  expect(before.damaged).toBe(0);
  expect(before.parts.find(({ name }) => name === 'table "a"')).toMatchObject({ checked: 0, unchecked: 3 });
  await engine.open();
  expect(engine.rows('a')).toHaveLength(3);
  await engine.write([{ table: 'a', key: 3, row: { id: 3, name: 'new' } }]);
  const { damaged, parts } = await check();
  expect(damaged).toBe(0);
  expect(parts.find(({ name }) => name === 'table "a"')).toEqual({
    name: 'table "a"',
    checked: 1,
    unchecked: 2,
    damaged: 0,
  });
  damage(`UPDATE ${table} SET name = 'x' WHERE id = 3`);
  expect(engine.codeOf('a')).toBe('corrupt-data');
});
