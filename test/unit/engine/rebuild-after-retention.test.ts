// A rebuild over a log whose records retention has taken: it says so and leaves the version that is there; what is derived from tables
// needs no log and is rebuilt as ever.
import { afterEach, expect, it } from 'vitest';
import { TestEngine, until } from '../../support/engine.js';

let engine: TestEngine;
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

async function rebuilt(table: string) {
  await engine.api.rebuild(table);
  const progress = async () => (await engine.api.rebuilds()).find((one) => one.table === table)!;
  await until(async () => ['done', 'failed'].includes((await progress()).state), `the rebuild of ${table}`);
  return progress();
}

it('a captured table cannot be rebuilt, and says so with a hint; a query over it can', async () => {
  engine = await new TestEngine().open();
  await engine.capture('a', undefined, false, { cleanup: 'delete', retention: { ms: null, bytes: 20_000 } });
  await engine.run('CREATE TABLE counts AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
  for (let i = 0; i < 100; i++)
    await engine.write([{ table: 'a', key: i, row: { id: i, name: 'x'.repeat(1000 + (i % 2)) } }]);
  const topic = async () => (await engine.api.topics()).find(({ name }) => name === engine.topic('a'))!;
  await until(async () => (await topic()).offsets[0]!.first > 50, 'the topic is cut');
  expect(await rebuilt('a')).toMatchObject({
    state: 'failed',
    code: 'too-old',
    error: expect.stringContaining('the log no longer holds topic'),
    hint: expect.stringContaining('take a new snapshot of the source'),
  });
  expect(engine.rows('a')).toHaveLength(100);
  expect(await rebuilt('counts')).toMatchObject({ state: 'done' });
  await engine.write([{ table: 'a', key: 0, row: null }]);
  expect(engine.rows('a')).toHaveLength(99);
  expect(engine.rows('counts').map(([, n]) => n)).toEqual([49, 50]);
});
