// Statements of several clients at once, against the rows that change meanwhile: each is one append, so each takes effect whole at its
// place in the sequence, or leaves nothing.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestEngine, until } from '../../support/engine.js';
import { engineTarget, expectedOf, leftovers } from '../../support/engine-storm.js';
import { createDice, randomSeed } from '../../support/harness/dice.js';
import { runStorm, StormModel } from '../../support/harness/statement-storm.js';

let engine: TestEngine;

beforeEach(async () => {
  engine = await new TestEngine().open();
  await engine.capture('items');
  await engine.write([0, 1, 2].map((id) => ({ table: 'items', key: id, row: { id, name: `g${id % 2}` } })));
});
afterEach(() => engine.remove());

/** Codes that a statement may meet because another client's came before it. */
const honest = ['ok', 'already-exists', 'unknown-table', 'invalid-statement'];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('a table that clients drop and create at once, while its source changes, ends no engine', async () => {
  const client = async (n: number) => {
    const codes: string[] = [];
    for (let round = 0; round < 25; round++) {
      await pause((n + round) % 5);
      codes.push(await engine.tryRun('DROP TABLE IF EXISTS x DELETE TOPIC;'));
      codes.push(await engine.tryRun('CREATE TABLE x AS SELECT name, COUNT(*) AS n FROM items GROUP BY name;'));
    }
    return codes;
  };
  let done = false;
  const changes = (async () => {
    for (let id = 0; !done; id++) {
      await engine.write([{ table: 'items', key: id % 50, row: { id: id % 50, name: `g${id % 7}` } }]);
      await pause(0);
    }
  })();
  const codes = (await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)))).flat();
  done = true;
  await changes;
  expect(engine.failed).toBeUndefined();
  expect(codes.filter((code) => !honest.includes(code))).toEqual([]);

  await engine.run('DROP TABLE IF EXISTS x DELETE TOPIC;');
  await engine.run('CREATE TABLE x AS SELECT name, COUNT(*) AS n FROM items GROUP BY name;');
  await engine.restart();
  await engine.write([{ table: 'items', key: 0, row: { id: 0, name: 'last' } }]);
  expect(engine.failed).toBeUndefined();
  expect(engine.rows('x').find(([name]) => name === 'last')).toEqual(['last', 1]);
});

it('the answers of eight clients fit one order, and catalogue, topics, tables and states agree, over restarts too', async () => {
  const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
  const dice = createDice(seed);
  const told = `TEST_SEED=${seed}`;
  let model = new StormModel();
  for (let life = 0; life < 3; life++) {
    const storm = await runStorm(engineTarget(engine), dice, { clients: 8, sequences: 300, model });
    model = storm.model;
    expect(engine.failed, told).toBeUndefined();
    expect(storm.breaches, told).toEqual([]);
    expect(storm.applied).toBeGreaterThan(100);
    if (life === 1) await engine.restart();
    await until(
      async () => (await leftovers(engine)).ownerless.length === 0,
      `nothing is left without an owner (${told})`,
    );
    expect(await leftovers(engine), told).toEqual(expectedOf(model));
  }
}, 120_000);

it('of several statements, those before the one that fails have taken effect, and both are told', async () => {
  const stream = (name: string, partitions: number) =>
    `CREATE STREAM ${name} (id INT KEY) WITH (KAFKA_TOPIC='shared', PARTITIONS=${partitions}, FORMAT='JSON');`;
  const sql = `${stream('a', 1)} ${stream('b', 2)} ${stream('c', 1)}`;
  const { results, failed } = await engine.api.run({ sql, owner: 'api' });
  expect(results).toMatchObject([{ command: { name: 'a', action: 'create' } }]);
  expect(failed).toMatchObject({ text: stream('b', 2), error: { code: 'invalid-statement' } });
  const drops = [];
  for (const name of ['a', 'b', 'c']) drops.push(await engine.tryRun(`DROP STREAM ${name};`));
  expect(drops).toEqual(['ok', 'unknown-table', 'unknown-table']);

  const refused = await engine.api.run({ sql: `${stream('d', 1)} DROP STREAM nowhere;`, owner: 'api' });
  expect(refused.results).toEqual([]);
  expect(refused.failed).toMatchObject({ text: 'DROP STREAM nowhere;' });
  expect(await engine.tryRun('DROP STREAM d;')).toBe('unknown-table');
});
