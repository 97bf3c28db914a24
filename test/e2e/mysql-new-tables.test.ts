// Tables that come while a connector runs: they wait to be let in, or are passed over, where the configuration says so; over a kill, too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { rowsAgree } from '../support/harness/served-rows.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('new tables, on %s', (product) => {
  let database: TestDatabase;
  let app: App;
  let path: string;
  let last = 0;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'new');
    await query('CREATE TABLE old (id INT PRIMARY KEY)');
    app = await openApp({});
    await app.start();
    path = `${app.url}/connectors/c`;
    const config = {
      'connector.class': 'MySqlCdcSource',
      ...mysqlConfig(servers[product], database.name),
      'topic.prefix': 'p',
      'output.data.format': 'JSON',
      'output.key.format': 'JSON',
      'table.new.handling.mode': 'ask',
    };
    await requestJson(`${path}/config`, { method: 'PUT', body: { ...config, name: 'c' } });
    await passed();
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
  const within = { timeoutMs: 15_000 };
  const agrees = (table: string) =>
    waitFor(`${table} as on the server`, () => rowsAgree(servers[product], database.name, app.url, table), within);
  const statusOf = async (table: string) => (await request(`${app.url}/v1/tables/${table}/rows`)).status;
  /** Everything until now is captured. */
  async function passed(): Promise<void> {
    await query(`INSERT INTO old VALUES (${++last})`);
    await agrees('old');
  }
  async function waiting(): Promise<readonly string[]> {
    const { source } = await requestJson<{ source: { waitingTables?: string[] } }>(`${path}/status`);
    return (source.waitingTables ?? []).map((name) => name.slice(name.indexOf('.') + 1)).toSorted();
  }
  const waits = (...names: string[]) =>
    waitFor(`${names.join()} to wait`, async () => (await waiting()).join() === names.join(), within);
  const lines = (text: string) =>
    app
      .log()
      .split('\n')
      .filter((line) => line.includes(text)).length;
  const patch = (body: object) =>
    request(`${path}/config`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const snapshot = (table: string) => requestJson(`${path}/snapshot`, { method: 'POST', body: { tables: [table] } });

  it('wait to be let in, told once, whatever statements do to them', async () => {
    await query(
      'CREATE TABLE b (id INT PRIMARY KEY)',
      'INSERT INTO b VALUES (1)',
      'CREATE TABLE scratch (id INT PRIMARY KEY)',
      'DROP TABLE scratch',
    );
    await passed();
    await waits('b');
    await app.kill();
    await app.start({ waitReady: false });
    await query('ALTER TABLE b ADD COLUMN v INT DEFAULT 2', 'INSERT INTO b VALUES (3, 4)', 'TRUNCATE b');
    await query('INSERT INTO b VALUES (5, 6)');
    await passed();
    await waits('b');
    expect(await statusOf('b')).toBe(404);
    expect(lines('a new table waits to be let in')).toBe(2);
  });

  it('are captured when somebody asks for them, or by another list', async () => {
    await snapshot('b');
    await agrees('b');
    await query('INSERT INTO b VALUES (7, 8)', 'CREATE TABLE c (id INT PRIMARY KEY)', 'INSERT INTO c VALUES (1)');
    await agrees('b');
    await waits('c');
    expect((await patch({ 'table.exclude.list': `${database.name}.nothing` })).status).toBe(200);
    await agrees('c');
    await waits();
  });

  it('are passed over where that is asked for, until somebody wants one', async () => {
    expect((await patch({ 'table.new.handling.mode': 'ignore' })).status).toBe(200);
    await query('CREATE TABLE d (id INT PRIMARY KEY)', 'INSERT INTO d VALUES (1)');
    await passed();
    expect([await statusOf('d'), await waiting()]).toEqual([404, []]);
    expect(lines('a new table is ignored')).toBe(1);
    await snapshot('d');
    await agrees('d');
    expect((await patch({ 'table.new.handling.mode': 'capture' })).status).toBe(200);
    await query('CREATE TABLE e (id INT PRIMARY KEY)', 'INSERT INTO e VALUES (1)');
    await agrees('e');
    expect(lines('a new table is captured')).toBe(1);
  });
});
