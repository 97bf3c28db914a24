// What is the same source, whatever its address: one server under several addresses, a replica that was promoted, a file that was moved;
// and what is not, whatever its name. Real servers; the program is asked through HTTP and by its log.
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { openDatabase } from '../../src/sqlite/database.js';
import { guardTables } from '../../src/sqlite/guarded-tables.js';
import { guarded } from '../../src/store/sqlite/guarded-store.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request } from '../support/harness/http-client.js';
import { openSwitchedLink } from '../support/harness/switched-link.js';
import { waitFor } from '../support/harness/wait-for.js';
import { freePort } from '../support/servers/command.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource, type TestAppend } from '../support/source-run.js';

const { missing } = await sharedServers('mysql', 'mariadb');

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(async () => {
  await app.close();
});

/** Runs with this source from here on. */
async function follow(source: string, waitReady = true): Promise<void> {
  if (app.running) await app.stop();
  await app.start({ env: { WRITETHROUGH_SOURCE: source }, waitReady });
  if (!waitReady) await waitFor('an answer', async () => (await status('/livez')) === 200);
}

async function status(path: string): Promise<number> {
  return (await request(`${app.url}${path}`).catch(() => ({ status: 0 }))).status;
}

async function json<T>(path: string): Promise<T> {
  return JSON.parse((await request(`${app.url}${path}`)).text) as T;
}

async function text(table: string, id: number): Promise<string | undefined> {
  const { status: code, text: body } = await request(`${app.url}/v1/tables/${table}/rows/${id}`);
  return code === 200 ? (JSON.parse(body) as { text: string }).text : undefined;
}

const isRow = (table: string, id: number, expected: string) =>
  waitFor(`row ${id} of ${table} to be ${expected}`, async () => (await text(table, id)) === expected);

async function connectors(): Promise<Readonly<Record<string, string>>> {
  const states: Record<string, string> = {};
  for (const name of (await json<string[]>('/connectors')).toSorted()) {
    states[name] = (await json<{ connector: { state: string } }>(`/connectors/${name}/status`)).connector.state;
  }
  return states;
}

async function tables(): Promise<readonly string[]> {
  const { tables: all } = await json<{ tables: readonly { name: string }[] }>('/v1/status');
  return all.map(({ name }) => name).toSorted();
}

async function putConfig(name: string, change: Readonly<Record<string, string>>): Promise<number> {
  const config = { ...(await json<Record<string, string>>(`/connectors/${name}/config`)), ...change };
  const { status: code, text: body } = await request(`${app.url}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  if (code === 409) expect(body).toContain('another source');
  return code;
}

/** A way to the server under another port, which may begin to work later. */
class Detour {
  #server: Server | undefined;
  readonly port: number;
  readonly #to: number;

  constructor(port: number, to: number) {
    this.port = port;
    this.#to = to;
  }

  async open(): Promise<this> {
    this.#server = createServer((socket) => {
      const onward = connect(this.#to, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const each of [socket, onward]) each.on('error', () => each.destroy());
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve));
    expect((this.#server.address() as AddressInfo).port).toBe(this.port);
    return this;
  }

  close(): void {
    this.#server?.close();
  }
}

async function run(server: SqlServer, ...statements: readonly string[]): Promise<void> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({ host, port, user, password });
  try {
    for (const sql of statements) await connection.query(sql);
  } finally {
    await connection.end();
  }
}

const made = ['CREATE DATABASE shop', 'CREATE TABLE shop.items (id INT PRIMARY KEY, text VARCHAR(40))'];
/** Its rows come from the log of a server that is gone, or of the one that took over. */
const prepare = [
  "XA START 'over'",
  "INSERT INTO shop.items VALUES (20, 'prepared before')",
  "XA END 'over'",
  "XA PREPARE 'over'",
];
const put = (id: number, value: string) => `REPLACE INTO shop.items VALUES (${id}, '${value}')`;

describe.skipIf(missing).each([
  {
    product: 'mysql',
    begin: startMysql,
    replicate: (port: number) => [
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${port}, SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1`,
      'START REPLICA',
    ],
    promote: ['STOP REPLICA', 'RESET REPLICA ALL'],
  },
  {
    product: 'mariadb',
    begin: startMariadb,
    replicate: (port: number) => [
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos`,
      'START SLAVE',
    ],
    promote: ['STOP SLAVE', 'RESET SLAVE ALL'],
  },
])('$product: the server decides', { timeout: 240_000 }, ({ product, begin, replicate, promote }) => {
  let server: SqlServer;
  let other: SqlServer;
  let name: string;
  const url = (host: string, port: number) => `${product}://root@${host}:${port}/shop`;

  beforeAll(async () => {
    [server, other] = [await begin(), await begin()];
    name = `${product}-127.0.0.1-${server.port}-shop`;
    await run(server, ...made, put(1, 'one'));
    await run(other, ...made, put(1, 'theirs'), put(2, 'theirs'), put(3, 'theirs'), put(4, 'theirs'));
  });
  afterAll(async () => {
    await server.close();
    await other.close();
  });

  it('under other addresses its connector goes on where it was, with its tables', async () => {
    const detour = await new Detour(await freePort(), server.port).open();
    try {
      await follow(url('127.0.0.1', server.port));
      await isRow('items', 1, 'one');
      for (const [id, host, port] of [
        [11, 'localhost', server.port],
        [12, '127.0.0.1', detour.port],
        [13, '127.0.0.1', detour.port],
        [14, '127.0.0.1', server.port],
      ] as const) {
        await app.stop();
        await run(server, put(id, 'later'), `DELETE FROM shop.items WHERE id = ${id - 1}`);
        await follow(url(host, port));
        await isRow('items', id, 'later');
        expect(await text('items', id - 1), 'a delete that a new snapshot would not have told').toBeUndefined();
        expect([await connectors(), await tables()]).toEqual([{ [name]: 'RUNNING' }, ['items']]);
      }
      expect(app.log().split('the source has another address now').length - 1).toBe(3);
    } finally {
      detour.close();
    }
  });

  it('another one gets a connector of its own, which is said, and the first is paused, which is said too', async () => {
    await follow(url('127.0.0.1', server.port));
    await waitFor('rows', async () => (await text('items', 1)) === 'one');
    await follow(url('127.0.0.1', other.port));
    await waitFor('their rows', async () => (await text('shop_items', 1)) === 'theirs');
    expect(await connectors()).toEqual({ [name]: 'PAUSED', [`${product}-127.0.0.1-${other.port}-shop`]: 'RUNNING' });
    expect(await text('items', 1)).toBe('one');
    expect(app.log()).toContain('the connector of an earlier --source is paused: its tables stand still');
    expect(app.log()).not.toContain('the source has another address now');
  });

  it('an update that leads to another one is refused, and to another address of the same one is not', async () => {
    await follow(url('127.0.0.1', server.port));
    await isRow('items', 1, 'one');
    expect(await putConfig(name, { 'database.port': String(other.port) })).toBe(409);
    expect(await putConfig(name, { 'database.hostname': 'localhost' })).toBe(200);
    await run(server, put(5, 'on'));
    await isRow('items', 5, 'on');
  });

  it('while the new address does not answer nothing is decided, and then it is', async () => {
    await follow(url('127.0.0.1', server.port));
    await isRow('items', 1, 'one');
    const detour = new Detour(await freePort(), server.port);
    try {
      await follow(url('127.0.0.1', detour.port), false);
      await waitFor('the line in the log', () => app.log().includes('the source does not answer yet'));
      expect(await status('/readyz')).toBe(503);
      expect(Object.keys(await connectors())).toEqual([name]);
      await detour.open();
      await waitFor('readiness', async () => (await status('/readyz')) === 200);
      await run(server, put(6, 'through'));
      await isRow('items', 6, 'through');
      expect([await connectors(), await tables()]).toEqual([{ [name]: 'RUNNING' }, ['items']]);
    } finally {
      detour.close();
    }
  });

  it.each([
    ['its stream', 'no_data'],
    ['its first snapshot', 'initial'],
  ])('is not mixed with another one to which its address leads for a moment: %s', async (_, mode) => {
    const link = await openSwitchedLink(server);
    let detour = false;
    let led = 0;
    link.target = {
      host: '127.0.0.1',
      get port() {
        if (!detour) return server.port;
        led++;
        return other.port;
      },
    };
    let runs = 0;
    const config = mysqlConfig({ ...server, port: link.port }, 'shop', { 'snapshot.mode': mode });
    const source = runSource(createMysqlSource(config, silentLogger), null, {
      // All connections behind the first one of this run.
      onSideRecords: () => {
        if (runs++ === 0) detour = true;
        return Promise.resolve();
      },
    });
    try {
      await expect.poll(() => source.states.some(({ phase }) => phase === 'waiting'), { interval: 5 }).toBe(true);
      detour = false;
      await expect.poll(() => source.states.some(({ caughtUp }) => caughtUp === true), { timeout: 20_000 }).toBe(true);
      await run(server, `DELETE FROM shop.items WHERE id = 8`, put(8, mode));
      const isThere = (appends: readonly TestAppend[]) =>
        foldAppends(appends).get('items')?.get('{"id":8}')?.includes(mode) === true;
      await source.until(isThere, 'the row behind it');
      expect(runs).toBe(2);
      expect(led).toBeGreaterThan(0);
      expect(JSON.stringify(source.appends)).not.toContain('theirs');
      expect(source.states.map(({ reason }) => reason).join()).toContain('another server');
    } finally {
      await source.stop();
      await link.close();
    }
  });

  it('a replica that was promoted is the same source, with what was prepared, also for a folder from before identities were kept', async () => {
    const replica = await begin({
      serverArgs: ['--server-id=2', product === 'mysql' ? '--log-replica-updates=ON' : '--log-slave-updates=ON'],
    });
    try {
      await run(replica, ...replicate(server.port));
      await follow(url('127.0.0.1', server.port));
      await isRow('items', 1, 'one');
      await run(server, ...prepare);
      await run(server, put(7, 'before'));
      await isRow('items', 7, 'before');
      await waitFor('the replica', async () => (await rowOf(replica, 7)) === 'before');
      await app.stop();
      if (product === 'mysql') forgetIdentity();
      await run(replica, ...promote, put(7, 'after'));
      await follow(url('127.0.0.1', replica.port));
      await isRow('items', 7, 'after');
      expect([await connectors(), await tables()]).toEqual([{ [name]: 'RUNNING' }, ['items']]);
      expect(await text('items', 20)).toBeUndefined();
      await run(replica, "XA COMMIT 'over'");
      await isRow('items', 20, 'prepared before');
    } finally {
      await replica.close();
    }
  });

  async function rowOf(at: SqlServer, id: number): Promise<string | undefined> {
    const { host, port, user, password } = at;
    const connection = await mysql.createConnection({ host, port, user, password });
    try {
      const [rows] = await connection.query(`SELECT text FROM shop.items WHERE id = ${id}`);
      return (rows as { text: string }[])[0]?.text;
    } catch {
      return undefined; // the table is not there yet
    } finally {
      await connection.end();
    }
  }
});

/** As the documents of an earlier version are. */
function forgetIdentity(): void {
  const database = openDatabase(join(app.dataDir, 'writethrough.db'));
  try {
    guardTables(database, [guarded.document]);
    database.exec("UPDATE wt_document SET json = json_remove(json, '$.identity') WHERE kind = 'connector'");
    expect(database.prepare("SELECT json FROM wt_document WHERE kind = 'connector'").all().join()).not.toContain(
      'identity',
    );
  } finally {
    database.close();
  }
}

describe('the capture in an SQLite file decides', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wt-identity-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, id: number, value: string): void {
    const database = openDatabase(path);
    database.exec('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, text TEXT)');
    database.prepare('INSERT OR REPLACE INTO items VALUES (?, ?)').run(id, value);
    database.close();
  }

  it('a file that was moved is followed by its connector', async () => {
    const [first, second] = [join(folder, 'app.db'), join(folder, 'moved.db')];
    write(first, 1, 'one');
    await follow(`sqlite:${first}`);
    await isRow('items', 1, 'one');
    await app.stop();
    renameSync(first, second);
    write(second, 2, 'two');
    await follow(`sqlite:${second}`);
    await isRow('items', 2, 'two');
    expect([await connectors(), await tables()]).toEqual([{ 'sqlite-app': 'RUNNING' }, ['items']]);
    expect(app.log()).toContain('the source has another address now');
  });

  it('another file of the same name gets a connector of its own, which is said, and the first goes on when it is asked for again', async () => {
    const [first, second] = ['a', 'b'].map((name) => join(mkdtempSync(join(folder, name)), 'app.db')) as [
      string,
      string,
    ];
    write(first, 1, 'one');
    write(second, 1, 'theirs');
    await follow(`sqlite:${first}`);
    await isRow('items', 1, 'one');
    await follow(`sqlite:${second}`);
    await waitFor('both', async () => (await tables()).length === 2);
    const theirs = (await tables()).find((table) => table !== 'items')!;
    await isRow(theirs, 1, 'theirs');
    expect(await text('items', 1)).toBe('one');
    expect(await connectors()).toEqual({ 'sqlite-app': 'PAUSED', 'sqlite-app-2': 'RUNNING' });
    expect(app.log()).toContain('another source than the one that was read under this name');
    expect(await putConfig('sqlite-app', { 'database.file': second })).toBe(409);

    write(first, 2, 'two');
    await follow(`sqlite:${first}`);
    await isRow('items', 2, 'two');
    expect(await connectors()).toEqual({ 'sqlite-app': 'RUNNING', 'sqlite-app-2': 'PAUSED' });
  });
});
