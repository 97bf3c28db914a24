// A table of bad input, each as a user would meet it: every line gives a clear error with its code and what to do, nothing of it
// ends the process or keeps it from answering, and no stack trace reaches the client.
import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson, type Answer } from '../support/harness/http-client.js';
import { waitForTables } from '../support/harness/progress.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { waitFor } from '../support/harness/wait-for.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, createUser, withConnection, type SqlAddress } from '../support/servers/sql-client.js';

const server = await sharedServers('mysql');
const folder = mkdtempSync(join(tmpdir(), 'writethrough-bad-input-'));
const source = openSqliteSource(join(folder, 'shop.db'));
let app: App;

beforeAll(async () => {
  await source.execute("CREATE TABLE items (id BIGINT PRIMARY KEY, title TEXT); INSERT INTO items VALUES (1, 'one')");
  app = await openApp({ args: ['--source', source.url] });
  await app.start();
  await waitForTables(app.url, [{ name: 'items' }]);
});

afterAll(async () => {
  await app.close();
  await source.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Whatever happened: it runs, and it answers. */
async function expectAlive(): Promise<void> {
  expect(app.running).toBe(true);
  expect((await request(`${app.url}/v1/tables/items/rows/1`)).text).toBe('{"id":"1","title":"one"}');
}

interface Expected {
  readonly status: number;
  readonly code: string;
  /** All must be in the answer's text; the last ones are the hint. */
  readonly says: readonly RegExp[];
}

async function expectRefused(answer: Answer, { status, code, says }: Expected): Promise<void> {
  const { text } = answer;
  expect(`${answer.status} ${code} ${text}`).toMatch(new RegExp(`^${status} `));
  expect(answer.headers['writethrough-error-code'] ?? (JSON.parse(text) as { code?: string }).code).toBe(code);
  for (const pattern of says) expect(text).toMatch(pattern);
  expect(text).not.toMatch(/\n\s+at |node:internal|\.js:\d+/);
  await expectAlive();
}

const post = (path: string, body: object | string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  request(`${app.url}${path}`, { body, headers });

let connectors = 0;
const create = (config: Record<string, string>): Promise<Answer> =>
  post('/connectors', { name: `bad_${++connectors}`, config });

function mysqlConfig(
  address: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    'connector.class': 'MySqlCdcSource',
    'database.hostname': address.host,
    'database.port': String(address.port),
    'database.user': address.user,
    'database.password': address.password,
    'topic.prefix': 'bad',
    ...more,
  };
}

const requests: readonly (Expected & { readonly name: string; readonly send: () => Promise<Answer> })[] = [
  {
    name: 'broken SQL',
    send: () => post('/ksql', { ksql: 'CREATE TABLE t AS SELEC id FROM items;' }),
    status: 400,
    code: 'syntax-error',
    says: [/line 1|1:/, /SELEC/],
  },
  {
    name: 'a column that is not there',
    send: () => post('/ksql', { ksql: 'CREATE TABLE t AS SELECT titel FROM items;' }),
    status: 400,
    code: 'invalid-statement',
    says: [/titel/, /title/],
  },
  {
    name: 'an unknown table in a pull query',
    send: () => post('/query', { ksql: 'SELECT * FROM itemz;' }),
    status: 400,
    code: 'unknown-table',
    says: [/itemz/, /items/],
  },
  {
    name: 'an unknown table in a read',
    send: () => post('/v1/read', { reads: [{ table: 'itemz', key: '1' }] }),
    status: 404,
    code: 'unknown-table',
    says: [/itemz/, /"hint":/],
  },
  {
    name: 'a key of the wrong type',
    send: () => request(`${app.url}/v1/tables/items/rows/abc`),
    status: 400,
    code: 'bad-key',
    says: [/abc/, /BIGINT/, /"hint":/],
  },
  {
    name: 'a body that is not JSON',
    send: () => post('/v1/read', '{"reads": ['),
    status: 400,
    code: 'bad-request',
    says: [/JSON/],
  },
  {
    name: 'a body of 10 MB',
    send: () => post('/v1/read', Buffer.alloc(10 * 1024 * 1024, 'x')),
    status: 413,
    code: 'body-too-large',
    says: [/http\.body-bytes-max/],
  },
  {
    name: 'a page of a foreign origin',
    send: () => post('/ksql', { ksql: 'DROP TABLE items;' }, { origin: 'https://evil.example' }),
    status: 403,
    code: 'foreign-origin',
    says: [/evil\.example/, /http\.allowed-origins/],
  },
  {
    name: 'a foreign name for this address (DNS rebinding)',
    send: () => request(`${app.url}/v1/tables`, { headers: { host: 'evil.example' } }),
    status: 403,
    code: 'foreign-origin',
    says: [/evil\.example/, /http\.allowed-hosts/],
  },
  {
    name: 'a place that is no event id',
    send: () => request(`${app.url}/v1/tables/items/changes`, { headers: { 'last-event-id': 'yesterday' } }),
    status: 400,
    code: 'bad-request',
    says: [/yesterday/, /"hint":/],
  },
  {
    name: 'a connector without a class',
    send: () => create({ 'database.file': 'x' }),
    status: 400,
    code: 'bad-connector-config',
    says: [/connector\.class/],
  },
  {
    name: 'an empty property name',
    send: () => create({ 'connector.class': 'SqliteCdcSource', 'database.file': join(folder, 'shop.db'), '': 'x' }),
    status: 400,
    code: 'bad-connector-config',
    says: [/without a name/],
  },
  {
    name: 'an unknown property',
    send: () =>
      create({
        'connector.class': 'SqliteCdcSource',
        'database.file': join(folder, 'shop.db'),
        'table.include.lists': 'items',
      }),
    status: 400,
    code: 'bad-connector-config',
    says: [/table\.include\.lists/, /did you mean \\?"table\.include\.list\\?"/],
  },
  {
    name: 'an unknown table in the filter',
    send: () =>
      create({
        'connector.class': 'SqliteCdcSource',
        'database.file': join(folder, 'shop.db'),
        'table.include.list': 'itemz',
      }),
    status: 400,
    code: 'filter-matches-nothing',
    says: [/itemz/, /did you mean \\?"items\\?"/],
  },
];

describe('bad requests', () => {
  it.each(requests)('$name: $code', async ({ send, ...expected }) => {
    await expectRefused(await send(), expected);
  });

  it('garbage bytes on the port get an answer and a closed connection', async () => {
    const { hostname, port } = new URL(app.url);
    for (const garbage of [
      '\u0016\u0003\u0001\u0002\u0000\u0001',
      'hello\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
    ]) {
      const text = await new Promise<string>((resolve, reject) => {
        let all = '';
        const socket = connect(Number(port), hostname, () => socket.write(garbage));
        socket.setTimeout(10_000, () => reject(new Error('the connection stays open')));
        socket.on('data', (part: Buffer) => (all += part.toString('latin1')));
        socket.on('error', () => resolve(all)); // reset: closed, too
        socket.on('close', () => resolve(all));
      });
      expect(text).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
      await expectAlive();
    }
  });
});

describe.skipIf(server.missing)('bad connectors to MySQL', () => {
  it('a wrong password', async () => {
    const { mysql } = server;
    const user = await createUser(mysql, { grants: [] });
    const answer = await create(mysqlConfig({ ...mysql, user: user.user, password: 'wrong' }));
    await expectRefused(answer, {
      status: 403,
      code: 'source-access-denied',
      says: [new RegExp(user.user), /password/],
    });
    expect(answer.text).not.toContain('wrong');
  });

  it('missing grants', async () => {
    const { mysql } = server;
    const database = await createDatabase(mysql, 'bad');
    const user = await createUser(mysql, { grants: [`SELECT ON ${database.name}.*`] });
    const answer = await create(mysqlConfig({ ...mysql, ...user }, { 'database.include.list': database.name }));
    await expectRefused(answer, {
      status: 403,
      code: 'source-missing-grant',
      says: [/GRANT REPLICATION CLIENT ON/, /GRANT REPLICATION SLAVE ON/],
    });
    await database.drop();
  });

  it('filters that cannot match each other', async () => {
    const { mysql } = server;
    await withConnection(mysql, (connection) =>
      connection.query(
        'CREATE DATABASE IF NOT EXISTS employees; CREATE TABLE IF NOT EXISTS employees.departments (id INT PRIMARY KEY)',
      ),
    );
    const config = mysqlConfig(mysql, {
      'database.whitelist': 'employee',
      'table.includelist': 'employees.departments',
    });
    await expectRefused(await create(config), {
      status: 400,
      code: 'filter-matches-nothing',
      says: [/employee\b/, /employees\.departments/],
    });
  });

  it('an unreachable server', async () => {
    const config = mysqlConfig({ host: '127.0.0.1', port: 1, user: 'root', password: '' });
    await expectRefused(await create(config), { status: 503, code: 'source-unreachable', says: [/127\.0\.0\.1/] });
  });

  it('a session that switches to statement format stops its connector aloud, and only that', async () => {
    const { mysql } = server;
    const database = await createDatabase(mysql, 'bad');
    const run = (sql: string) => withConnection(mysql, (connection) => connection.query(sql));
    await run(`CREATE TABLE ${database.name}.sessions (id INT PRIMARY KEY)`);
    const config = mysqlConfig(mysql, { 'database.include.list': database.name, 'output.shape': 'flat' });
    await requestJson(`${app.url}/connectors`, { body: { name: 'sessions', config } });
    await waitForTables(app.url, [{ name: 'sessions' }]);
    await run(`USE ${database.name}; SET SESSION binlog_format = 'STATEMENT'; INSERT INTO sessions VALUES (7)`);
    const status = await waitFor('the connector to fail', async () => {
      const text = (await request(`${app.url}/connectors/sessions/status`)).text;
      return text.includes('FAILED') ? text : undefined;
    });
    expect(status).toContain('statement-format-change');
    await expectAlive();
    await request(`${app.url}/connectors/sessions`, { method: 'DELETE' });
    await database.drop();
  });

  it('a server that logs statements', { timeout: 120_000 }, async () => {
    const own = await startMysql({ serverArgs: ['--binlog-format=STATEMENT'] });
    try {
      await withConnection(own, (connection) =>
        connection.query('CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY)'),
      );
      const answer = await create(mysqlConfig(own, { 'database.include.list': 'shop' }));
      await expectRefused(answer, {
        status: 400,
        code: 'source-misconfigured',
        says: [/binlog_format/, /SET (GLOBAL|PERSIST) binlog_format/],
      });
    } finally {
      await own.close();
    }
  });
});
