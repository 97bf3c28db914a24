// Statements of query files, applied again at every start.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toAppError } from '../../../src/core/errors.js';
import { TestEngine, until } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
});
afterEach(() => engine.remove());

const apply = (sql: string) => engine.api.executeOrWait({ sql, owner: 'file', file: '01.sql' });
const declare = () =>
  `CREATE TABLE people (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='${engine.topic('people')}', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');`;

it('wait for their sources and topics, are shown while they do, and run when those appear', async () => {
  const derived = 'CREATE TABLE named AS SELECT id, name FROM people;';
  expect(await apply(declare())).toEqual({ waiting: [`topic ${engine.topic('people')}`] });
  expect(await apply(derived)).toEqual({ waiting: ['people'] });
  expect((await engine.api.queries()).map(({ state, reason }) => [state, reason])).toEqual([
    ['WAITING', `waits for topic ${engine.topic('people')}`],
    ['WAITING', 'waits for people'],
  ]);
  await engine.capture('people');
  await until(async () => (await engine.state('named')) === 'RUNNING', 'it runs');
  await engine.write([{ table: 'people', key: 1, row: { id: 1, name: 'Ada' } }]);
  expect(engine.rows('named')).toEqual([[1, 'Ada']]);
});

it('that wait are applied again by the next start', async () => {
  const derived = 'CREATE TABLE named AS SELECT id, name FROM people;';
  await apply(derived);
  await engine.restart();
  await apply(derived);
  await engine.capture('people');
  await until(async () => (await engine.state('named')) === 'RUNNING', 'it runs');
});

it('are left alone when they are there already, in another layout too', async () => {
  await engine.capture('people');
  const statements = [declare(), 'CREATE TABLE named AS SELECT id, name FROM people;'];
  for (const sql of statements) await apply(sql);
  await engine.restart();
  for (const sql of statements) await apply(`-- again\n${sql.replaceAll(' ', '\n  ').replaceAll('SELECT', 'select')}`);
  expect((await engine.api.queries()).map(({ state }) => state)).toEqual(['RUNNING']);
});

it('that have changed are told in log and status, and the old definition serves on', async () => {
  await engine.capture('people');
  await apply('CREATE TABLE named AS SELECT id, name FROM people;');
  await engine.restart();
  await apply('CREATE TABLE named AS SELECT id, UCASE(name) AS name FROM people;');
  const refused = (await engine.api.queries()).find(({ state }) => state === 'ERROR');
  expect(refused).toMatchObject({
    id: '01.sql',
    reason: 'already-exists: named runs with another definition than the file has',
  });
  expect(engine.log.filter(({ level }) => level === 'error')).toHaveLength(1);
  await engine.write([{ table: 'people', key: 1, row: { id: 1, name: 'Ada' } }]);
  expect(engine.rows('named')).toEqual([[1, 'Ada']]);
});

it('do not wait for what they drop, and insert nothing', async () => {
  expect(await apply('DROP TABLE IF EXISTS people;')).toEqual({ waiting: [] });
  const code = await apply("INSERT INTO people VALUES (1, 'x');").catch((error: unknown) => toAppError(error).code);
  expect(code).toBe('invalid-statement');
});

it('a topic that others use or write is not deleted, nor an internal one written', async () => {
  const config = { 'connector.class': 'SqliteCdcSource' };
  await engine.api.putConnector({ name: engine.connector, config, wanted: 'running', owner: 'api' });
  await engine.capture('people');
  expect(await engine.tryRun('DROP TABLE people DELETE TOPIC;')).toBe('invalid-statement');
  await engine.write([{ table: 'people', key: 1, row: { id: 1, name: 'Ada' } }]);
  expect(engine.failed).toBeUndefined();
  await engine.run("CREATE STREAM log (sql STRING) WITH (KAFKA_TOPIC='writethrough_statements', VALUE_FORMAT='JSON');");
  expect(await engine.tryRun("INSERT INTO log VALUES ('x');")).toBe('invalid-statement');
  await engine.run("CREATE STREAM s (n INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);");
  const inserts = Array.from({ length: 20 }, (_, i) => engine.tryRun(`INSERT INTO s VALUES (${i});`));
  expect(await engine.tryRun('DROP STREAM s DELETE TOPIC;')).toBe('ok');
  await Promise.all(inserts);
  await engine.write([{ table: 'people', key: 2, row: { id: 2, name: 'Eve' } }]);
  expect(engine.failed).toBeUndefined();
});

it('SHOW CONNECTORS knows the connectors', async () => {
  await engine.api.putConnector({
    name: 'c',
    config: { 'connector.class': 'SqliteCdcSource' },
    wanted: 'paused',
    owner: 'api',
  });
  expect(await engine.run('SHOW CONNECTORS;')).toMatchObject([
    { connectors: [{ name: 'c', className: 'SqliteCdcSource', state: 'PAUSED' }] },
  ]);
});

it('a source that stands still is in the status', async () => {
  await engine.capture('people');
  await engine.write([{ table: 'people', key: 1, row: { id: 'no number', name: 1 } }]);
  expect(await engine.state('people')).toBe('ERROR');
  expect(engine.failed).toBeUndefined();
});
