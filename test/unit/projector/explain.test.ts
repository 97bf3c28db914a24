// EXPLAIN tells the plan of a statement, or of a query that runs, and runs nothing.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toEntity } from '../../../src/server/ksql-entities.js';
import { TestEngine } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
  await engine.capture('a');
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

async function explained(sql: string) {
  const [result] = await engine.run(sql);
  return toEntity(result!)['queryDescription'] as Record<string, unknown>;
}

it('explains a pull query', async () => {
  expect(await explained('EXPLAIN SELECT name, id FROM a WHERE id = 3;')).toMatchObject({
    id: '',
    queryType: 'PULL',
    sources: ['a'],
    sinks: [],
    fields: [{ name: 'name' }, { name: 'id', type: 'KEY' }],
    executionPlan: 'pull: name, id\n  key of a: id = 3',
  });
});

it('explains a push query and a CREATE, of which nothing is made', async () => {
  expect(await explained('EXPLAIN SELECT name FROM a WHERE id > 3 EMIT CHANGES;')).toMatchObject({
    queryType: 'PUSH',
    executionPlan: expect.stringContaining('filter: (id > 3)') as string,
  });
  expect(await explained('EXPLAIN CREATE TABLE b AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;')).toMatchObject({
    queryType: 'PERSISTENT',
    executionPlan: expect.stringContaining('aggregate: ') as string,
  });
  expect(await engine.tryRun('DESCRIBE b;')).toBe('unknown-table');
});

it('explains a query that runs, by its id, and refuses one that does not', async () => {
  await engine.run('CREATE TABLE b AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
  const [shown] = await engine.run('SHOW QUERIES;');
  const { id } = (shown as unknown as { readonly queries: readonly { readonly id: string }[] }).queries[0]!;
  expect(await explained(`EXPLAIN ${id};`)).toMatchObject({
    id,
    sinks: ['b'],
    state: 'RUNNING',
    queryType: 'PERSISTENT',
  });
  await expect(engine.run('EXPLAIN gone;')).rejects.toThrow('Query with id:gone does not exist');
});

it('says that RESUME is not supported, and what helps', async () => {
  await engine.run('CREATE TABLE b AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
  await expect(engine.run('RESUME ALL;')).rejects.toMatchObject({
    code: 'unsupported-statement',
    message: expect.stringContaining('RESUME is not supported') as string,
    hint: expect.stringContaining('rebuild its table') as string,
  });
});
