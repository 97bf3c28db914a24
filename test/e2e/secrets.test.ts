// A distinct secret by each road into the program: flag, environment, file, URL, properties of connectors, references. Whatever is asked of
// it, and whatever it logs at the lowest level, holds none of them; nor does its data folder, but for those that the manual names.
import { readdirSync, readFileSync, writeFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describedPaths } from '../../src/server/openapi.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, createUser, withConnection, type TestDatabase } from '../support/servers/sql-client.js';

const servers = await sharedServers('mysql');
const secret = (road: string) => `Zk9!${road}!hush`;
/** Written there by whoever gave them: the manual says so. */
const stored = [secret('flag'), secret('literal'), secret('jdbc'), secret('validated')];
const never = ['env', 'file', 'yaml', 'stream', 'environment'].map(secret);
const all = [...stored, ...never];
const found = (text: string) => all.filter((each) => text.includes(each) || text.includes(encodeURIComponent(each)));

describe.skipIf(servers.missing)('secrets', () => {
  let app: App;
  let database: TestDatabase;
  let user: string;
  beforeAll(async () => {
    database = await createDatabase(servers.mysql, 'secrets');
    const { host, port } = servers.mysql;
    await withConnection(servers.mysql, async (connection) => {
      await connection.query(`CREATE TABLE ${database.name}.item (id INT PRIMARY KEY, name VARCHAR(20))`);
      await connection.query(`INSERT INTO ${database.name}.item VALUES (1, 'a')`);
    });
    const grants = ['SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.*'];
    ({ user } = await createUser(servers.mysql, { grants, password: secret('flag') }));
    const url = `mysql://${user}:${encodeURIComponent(secret('flag'))}@${host}:${port}/${database.name}`;
    const args = ['--source', url, '--log-level', 'debug'];
    app = await openApp({ args, env: { OWN_PASSWORD: secret('env'), WRITETHROUGH_SECRETS_ENV: 'OWN_PASSWORD' } });
    mkdirSync(join(app.dataDir, 'secrets'), { mode: 0o700 });
    writeFileSync(join(app.dataDir, 'secrets', 'pw'), secret('file'));
    await app.start();
    const users = new Map<string, string>();
    for (const road of ['literal', 'env', 'file', 'jdbc'])
      users.set(road, (await createUser(servers.mysql, { grants, password: secret(road) })).user);
    const mine = { 'database.hostname': host, 'database.port': String(port) };
    const cdc = { 'connector.class': 'MySqlCdcSource', ...mine, 'database.include.list': database.name };
    const configs: Record<string, Record<string, string>> = {
      literal: { ...cdc, 'database.password': secret('literal'), 'database.user': users.get('literal')! },
      env: { ...cdc, 'database.password': '${env:OWN_PASSWORD}', 'database.user': users.get('env')! },
      file: { ...cdc, 'database.password': '${file:pw}', 'database.user': users.get('file')! },
      refused: { ...cdc, 'database.password': secret('literal'), 'database.user': '${env:OWN_PASSWORD}' },
      jdbc: {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'connection.url': `jdbc:mysql://${host}:${port}/${database.name}?user=${users.get('jdbc')!}&password=${secret('jdbc')}`,
        mode: 'bulk',
      },
    };
    for (const [name, config] of Object.entries(configs)) {
      // Some are refused at once, which is an answer, too.
      const { text } = await request(`${app.url}/connectors`, {
        body: { name, config: { 'topic.prefix': name, ...config } },
      });
      expect([name, found(text)]).toEqual([name, []]);
    }
    // From now on each is refused, and says so wherever it can.
    await withConnection(servers.mysql, async (connection) => {
      for (const one of users.values()) await connection.query(`ALTER USER ${one} IDENTIFIED BY 'another'`);
    });
    for (const name of users.keys()) await request(`${app.url}/connectors/${name}/restart`, { method: 'POST' });
    await waitFor('the refusals', async () => {
      const { text } = await request(`${app.url}/connectors?expand=status`);
      return (text.match(/refuses user/g) ?? []).length >= users.size;
    });
    await waitFor('the rows', async () => (await request(`${app.url}/v1/tables/item/rows`)).status === 200);
  }, 90_000);
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  it('are in no answer to any path that is described', { timeout: 60_000 }, async () => {
    const names = await requestJson<readonly string[]>(`${app.url}/connectors`);
    expect(names).toHaveLength(5);
    for (const [path, methods] of Object.entries(describedPaths as Record<string, object>)) {
      if (!('get' in methods) || path.endsWith('/changes')) continue;
      for (const connector of path.includes('{connector}') ? names : ['']) {
        const concrete = path
          .replace('{connector}', encodeURIComponent(connector))
          .replace('{table}', 'item')
          .replace('{plugin}', 'MySqlCdcSource')
          .replace('{task}', '0')
          .replace('{logger}', 'root')
          .replaceAll(/\{\w+\}/g, '1');
        const { text, headers } = await request(app.url + concrete, { headers: { accept: '*/*' } });
        expect([concrete, found(text + JSON.stringify(headers))]).toEqual([concrete, []]);
      }
    }
    const expanded = await request(`${app.url}/connectors?expand=status&expand=info`);
    expect(found(expanded.text)).toEqual([]);
    const { topics } = await requestJson<{ topics: readonly { name: string }[] }>(`${app.url}/v1/topics`);
    for (const { name } of topics) {
      const { text } = await request(`${app.url}/v1/topics/${encodeURIComponent(name)}/records?limit=1000`);
      expect([name, found(text)]).toEqual([name, []]);
    }
    const page = await request(`${app.url}/`, { headers: { accept: 'text/html' } });
    expect(found(page.text)).toEqual([]);
  });

  it('are in nothing that statements, checks and refusals tell', { timeout: 60_000 }, async () => {
    const statements = [
      'SHOW PROPERTIES;',
      'SHOW TABLES EXTENDED;',
      'SHOW TOPICS;',
      'SHOW CONNECTORS;',
      'SHOW QUERIES;',
    ];
    const more = [
      'DESCRIBE item EXTENDED;',
      'DESCRIBE CONNECTOR literal;',
      'SHOW VARIABLES;',
      `DROP TABLE \`${secret('x')}\`;`,
    ];
    for (const ksql of [...statements, ...more]) {
      const { text } = await request(`${app.url}/ksql`, { body: { ksql } });
      expect([ksql, found(text)]).toEqual([ksql, []]);
    }
    const shown = await request(`${app.url}/ksql`, { body: { ksql: 'SHOW PROPERTIES;' } });
    expect(shown.text).toContain('"value":"mysql://');
    const config = {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': '127.0.0.1',
      'database.port': '1',
      'database.user': 'u',
      'database.password': secret('validated'),
      'schema.registry.url': `http://u:${secret('validated')}@registry`,
      'snapshot.mode': secret('validated'),
    };
    const { text } = await request(`${app.url}/connector-plugins/MySqlCdcSource/config/validate`, {
      method: 'PUT',
      body: { name: 'v', ...config, 'snapshot.mode': 'nope' },
    });
    expect(found(text)).toEqual([]);
  });

  it('are in no line of the log, at the level debug', () => {
    expect(app.log()).toContain('refuses user');
    for (const line of app.log().split('\n')) expect([line, found(line)]).toEqual([line, []]);
  });

  it('of references and of this process are not in the data folder', async () => {
    await app.kill();
    for (const name of readdirSync(app.dataDir)) {
      const path = join(app.dataDir, name);
      if (name === 'secrets' || !statSync(path).isFile()) continue;
      const bytes = readFileSync(path);
      expect([name, never.filter((each) => bytes.includes(each))]).toEqual([name, []]);
      expect([name, (statSync(path).mode & 0o077).toString(8)]).toEqual([name, '0']);
    }
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    expect(readme).toContain('the configuration of a connector lies in the log as it was given');
  });

  it('are not told by a start that fails', () => {
    const start = (args: readonly string[], env: Record<string, string> = {}) => {
      const main = join(import.meta.dirname, '../../dist/main.js');
      const options = { cwd: app.dir, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 15_000 } as const;
      const run = spawnSync(process.execPath, [main, 'start', '--data', join(app.dir, 'other'), ...args], options);
      expect(run.status).toBe(1);
      return run.stdout + run.stderr;
    };
    const stream = (rest: string) => [
      '--log-level',
      'debug',
      '--stream',
      `kafka://127.0.0.1:1?sasl=plain&username=u&password=${secret('stream')}${rest}`,
    ];
    const refused = start(stream('&sslx=true'));
    expect([refused, found(refused)]).toEqual([expect.stringContaining('did you mean "ssl"?'), []]);
    const unknown = start(['--stream', `kafak://u:${secret('stream')}@127.0.0.1:1`]);
    expect([unknown, found(unknown)]).toEqual([expect.stringContaining('bad-config'), []]);
    const wrong = start([], { WRITETHROUGH_SOURCE: `mysql://u:${secret('environment')}@h/d?nope=1` });
    expect([wrong, found(wrong)]).toEqual([expect.stringContaining('no property "nope"'), []]);
    const file = join(app.dir, 'own.yaml');
    writeFileSync(file, `stream: kafka://u:${secret('yaml')}@127.0.0.1:1?nope=1`);
    const configured = start(['--config', file]);
    expect([configured, found(configured)]).toEqual([expect.stringContaining('unknown parameter "nope"'), []]);
    const told = start([], { WRITETHROUGH_ADVERTISED_URL: `http://u:${secret('environment')}@h` });
    expect([told, found(told)]).toEqual([expect.stringContaining('advertised.url has a password'), []]);
    const variable = start([], { WRITETHROUGH_SUORCE: `mysql://u:${secret('environment')}@h/d` });
    expect([variable, found(variable)]).toEqual([expect.stringContaining('did you mean "WRITETHROUGH_SOURCE"?'), []]);
  });
});
