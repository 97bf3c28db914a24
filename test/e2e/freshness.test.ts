// What is said of the age of rows in every state of a real source, on every way of asking: an answer is never older than it says, and what
// nobody knows to be fresh is called so by none. Each answer is compared with the writer's own journal of commits. MySQL, MariaDB and the
// states of a first start stand side by side, since all of them mostly wait; within one they come one after the other on one server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/sqlite/database.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { said } from '../support/harness/said.js';
import { openSlowLink, type SlowLink } from '../support/harness/slow-link.js';
import { waitFor } from '../support/harness/wait-for.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import type { SqlServer } from '../support/servers/sql-server.js';

const readyLagMs = 1_500;
const env = { WRITETHROUGH_READY_LAG_MS: String(readyLagMs) };
/** Of network, threads and a busy machine: what an answer that says 0 may lag behind a COMMIT that has just returned. */
const slackMs = 1_500;
const slowRate = 300_000;
const dayMs = 86_400_000;
const servers = await sharedServers('mysql', 'mariadb');

interface Expected {
  /** Any one of them, as a state may pass into the next while it is asked for. */
  readonly standing: readonly string[];
  readonly mark: RegExp;
  readonly reason: RegExp;
}

/** All ways of asking say so, and that the rows may be as old as they are: nothing committed since `sinceMs` is in them. */
async function expectOld(app: App, sinceMs: number, { standing, mark, reason }: Expected): Promise<void> {
  await waitFor(`${standing.join()} to be over the limit`, async () => (await ready(app)) === 503);
  const askedMs = Date.now();
  const all = await said(app.url);
  const told = JSON.stringify(all);
  for (const { way, lagMs, stale } of [...all.rows, all.status]) {
    expect(lagMs, `${way} of ${told}`).toBeGreaterThan(askedMs - sinceMs - slackMs);
    expect(standing, `${way} of ${told}`).toContain(stale);
  }
  expect(all.metricMs, told).toBeGreaterThan(askedMs - sinceMs - slackMs);
  expect(all.ready, told).toBe(503);
  expect(all.mark, told).toMatch(mark);
  expect(standing, told).toContain(all.markCause);
  expect(all.reason, told).toMatch(reason);
}

async function expectFresh(app: App): Promise<void> {
  await waitFor('readiness', async () => (await ready(app)) === 200);
  const all = await said(app.url);
  const told = JSON.stringify(all);
  expect(
    [...all.rows, all.status].map(({ lagMs }) => lagMs),
    told,
  ).toEqual([0, 0, 0, 0]);
  expect(
    all.rows.map(({ stale }) => stale),
    told,
  ).toEqual([undefined, undefined, undefined]);
  expect([all.mark, all.metricMs, all.ready, all.status.state], told).toEqual(['caught-up', 0, 200, 'running']);
}

const ready = async ({ url }: App) => (await request(`${url}/readyz`)).status;
const readyText = async ({ url }: App) => (await request(`${url}/readyz`)).text;

async function connectorOf({ url }: App): Promise<string> {
  const [name] = await requestJson<string[]>(`${url}/connectors`);
  return `${url}/connectors/${name}`;
}

const isFailed = async (app: App) =>
  (await request(`${await connectorOf(app)}/status`)).text.includes('"state":"FAILED"');

for (const product of ['mysql', 'mariadb'] as const) {
  describe.skipIf(servers.missing).concurrent(product, { timeout: 180_000 }, () => {
    let server: SqlServer;
    let link: SlowLink;
    let detour: SlowLink;
    let app: App;
    /** Processes whose clocks are off by two days, straight beside the source. */
    let ahead: App;
    let behind: App;
    let connection: mysql.Connection;
    let written = 1;
    /** When each n was committed, by our clock. */
    const committedMs = [0, 0];
    /** Answers that were older than they said: a probe that is waited for may fail, so they are gathered. */
    const breaches: string[] = [];
    afterEach(() => expect(breaches.splice(0)).toEqual([]));

    const url = (port: number) => `${product}://wt:right@127.0.0.1:${port}/shop`;

    beforeAll(async () => {
      server = await (product === 'mysql' ? startMysql() : startMariadb());
      await connect();
      for (const sql of [
        'CREATE DATABASE shop',
        'CREATE TABLE shop.items (id INT PRIMARY KEY, n INT, pad MEDIUMTEXT)',
        "INSERT INTO shop.items VALUES (1, 1, '')",
        "CREATE USER wt@'%' IDENTIFIED BY 'right'",
        "GRANT ALL ON *.* TO wt@'%'",
      ])
        await connection.query(sql);
      link = await openSlowLink(server);
      detour = await openSlowLink(server);
      app = await openApp({ env: { ...env, WRITETHROUGH_SOURCE: url(link.port) } });
      [ahead, behind] = await Promise.all([withClock(2 * dayMs), withClock(-2 * dayMs)]);
      await Promise.all([app, ahead, behind].map((each) => each.start()));
    }, 240_000);
    afterAll(async () => {
      await Promise.all([app, ahead, behind].map((each) => each?.close()));
      await Promise.all([link?.close(), detour?.close()]);
      connection?.destroy();
      await server?.close();
    });

    async function connect(): Promise<void> {
      const { host, port, user, password } = server;
      connection = await mysql.createConnection({ host, port, user, password });
    }

    async function withClock(off: number): Promise<App> {
      const other = await openApp({ args: ['--source', url(server.port)], env });
      const preload = join(other.dir, 'clock.mjs');
      const shifted = `const now = Date.now; Date.now = () => now() + ${off};
const origin = performance.timeOrigin; Object.defineProperty(performance, 'timeOrigin', { get: () => origin + ${off} });`;
      writeFileSync(preload, shifted);
      return { ...other, start: () => other.start({ env: { NODE_OPTIONS: `--import ${preload}` } }) };
    }

    async function commit(bytes = 0): Promise<void> {
      const n = ++written;
      await connection.query('UPDATE shop.items SET n = ?, pad = ? WHERE id = 1', [n, 'x'.repeat(bytes)]);
      committedMs[n] = Date.now();
    }

    /** The oldest commit that is not in the answer was made after the answer says that all is in it. */
    async function check(of = app): Promise<{ readonly n: number; readonly lagMs: number }> {
      const askedMs = Date.now();
      const { status, text, headers } = await request(`${of.url}/v1/tables/items/rows/1`);
      expect(status, text.slice(0, 500)).toBe(200);
      const { n } = JSON.parse(text) as { n: number };
      const lagMs = Number(headers['writethrough-lag-ms']);
      const missed = committedMs[n + 1];
      if (missed !== undefined && missed < askedMs && missed < askedMs - lagMs - slackMs)
        breaches.push(`n ${n + 1} was committed ${askedMs - missed} ms ago, and the answer says ${lagMs} ms`);
      return { n, lagMs };
    }

    async function current(of = app): Promise<void> {
      await waitFor('the source to be current', async () => {
        const { n, lagMs } = await check(of);
        return lagMs === 0 && n === written;
      });
      await expectFresh(of);
    }

    /** Old on every way of asking while it comes, never older than said, then current. */
    async function arrives(sinceMs: number): Promise<void> {
      const first = written;
      await expectOld(app, sinceMs, catchingUp);
      let worstMs = 0;
      await waitFor('the backlog', async () => {
        const { n, lagMs } = await check();
        worstMs = Math.max(worstMs, lagMs);
        if (n < first && lagMs === 0) breaches.push(`n ${n} of ${written} is said to be current`);
        return n === written;
      });
      expect(worstMs).toBeGreaterThan(readyLagMs);
      link.rate = Infinity;
      detour.rate = Infinity;
      await current();
    }

    const catchingUp: Expected = {
      standing: ['catching-up', 'connecting', 'snapshot'],
      mark: /behind/,
      reason: /is catching up|is being connected/,
    };
    const unreachable: Expected = { standing: ['unreachable'], mark: /stopped/, reason: /cannot reach its source/ };

    it.sequential('behind a slow link with a backlog', async () => {
      await current();
      link.rate = slowRate;
      const sinceMs = Date.now();
      for (let i = 0; i < 3; i++) await commit(400_000);
      await Promise.all([arrives(sinceMs), current(ahead), current(behind)]);
    });

    it.sequential('over a connection that is cut without a word, from its last sign of life', async () => {
      link.dead = true;
      const sinceMs = Date.now();
      await commit();
      await expectOld(app, sinceMs, { ...catchingUp, standing: [...catchingUp.standing, 'unreachable'] });
      await waitFor('the silence to be taken for its end', async () =>
        (await readyText(app)).includes('cannot reach its source'),
      );
      await expectOld(app, sinceMs, unreachable);
      link.dead = false;
      await current();
    });

    it.sequential('after a restart with a backlog', async () => {
      await app.kill();
      link.rate = slowRate;
      const sinceMs = Date.now();
      for (let i = 0; i < 2; i++) await commit(400_000);
      await app.start({ waitReady: false });
      await waitFor('an answer', async () => (await request(`${app.url}/v1/tables/items/rows/1`)).status === 200);
      // Rows are answered a moment before the process says that it has started.
      await waitFor('the start', async () => !(await request(`${app.url}/readyz`)).text.includes('is starting'));
      await arrives(sinceMs);
    });

    it.sequential('of a source that is stopped, also where our clock is two days ahead or behind', async () => {
      const everywhere = [app, ahead, behind];
      await Promise.all(everywhere.map((each) => current(each)));
      await server.kill();
      const sinceMs = Date.now();
      await Promise.all(everywhere.map((each) => expectOld(each, sinceMs, unreachable)));
      for (const each of everywhere) expect((await check(each)).lagMs).toBeLessThan(Date.now() - sinceMs + 5_000);
      await server.start();
      connection.destroy();
      await connect();
      await commit();
      await Promise.all(everywhere.map((each) => current(each)));
      await Promise.all([ahead.stop(), behind.stop()]);
    });

    it.sequential('of a connector that is paused', async () => {
      await request(`${await connectorOf(app)}/pause`, { method: 'PUT' });
      const sinceMs = Date.now();
      await commit();
      await expectOld(app, sinceMs, { standing: ['paused'], mark: /stopped/, reason: /is paused/ });
      await request(`${await connectorOf(app)}/resume`, { method: 'PUT' });
      await current();
    });

    it.sequential('of one that failed later, as its password is no longer right', async () => {
      await connection.query("ALTER USER wt@'%' IDENTIFIED BY 'other'");
      await request(`${await connectorOf(app)}/restart`, { method: 'POST' });
      await waitFor('the failure', () => isFailed(app));
      const sinceMs = Date.now();
      await commit();
      await expectOld(app, sinceMs, { standing: ['failed'], mark: /stopped/, reason: /has failed/ });
      await connection.query("ALTER USER wt@'%' IDENTIFIED BY 'right'");
      await request(`${await connectorOf(app)}/restart?includeTasks=true`, { method: 'POST' });
      await current();
    });

    it.sequential(
      'of one that is moved to another address of its source, which does not answer at first and is slow then',
      async () => {
        const name = await connectorOf(app);
        await app.stop();
        const sinceMs = Date.now();
        for (let i = 0; i < 2; i++) await commit(400_000);
        // At its earlier address there is nobody any more: else its connector would read on there until it is moved.
        link.dead = true;
        detour.dead = true;
        detour.rate = slowRate;
        await app.start({ waitReady: false, env: { WRITETHROUGH_SOURCE: url(detour.port) } });
        await waitFor('an answer', async () => (await request(`${app.url}/v1/tables/items/rows/1`)).status === 200);
        const undecided: Expected = {
          standing: ['connecting', 'unreachable'],
          mark: /behind|stopped/,
          reason: /is starting|does not answer yet/,
        };
        await expectOld(app, sinceMs, undecided);
        detour.dead = false;
        await waitFor('it to be read', async () => /is catching up|is being connected/.test(await readyText(app)));
        await arrives(sinceMs);
        expect(await connectorOf(app)).toBe(name);
        expect(app.log()).toContain('the source has another address now');
      },
    );

    it.sequential('of one that is deleted', async () => {
      await request(await connectorOf(app), { method: 'DELETE' });
      const sinceMs = Date.now();
      await commit();
      await expectOld(app, sinceMs, { standing: ['deleted'], mark: /stopped/, reason: /was deleted/ });
    });
  });
}

describe.concurrent('from the first start on', { timeout: 120_000 }, () => {
  /** There are no rows: what speaks of the process or the connector says why, and a read of the table does not find it fresh. */
  async function expectUnready(app: App, stale: string, reason: RegExp): Promise<void> {
    await waitFor('the reason', async () => {
      const { status, text } = await request(`${app.url}/readyz`);
      return status === 503 && reason.test(text);
    });
    const status = await request(`${app.url}/v1/status`);
    expect(status.headers['writethrough-stale']).toBe(stale);
    expect(Number(status.headers['writethrough-lag-ms'])).toBeGreaterThan(0);
    expect(JSON.parse(status.text)).toMatchObject({ state: 'degraded', stale });
    const metrics = (await request(`${app.url}/metrics`)).text;
    expect(metrics).toMatch(/writethrough_source_lag_seconds\{connector="[^"]+"\} (?!0\n)/);
    const asked = [
      request(`${app.url}/v1/tables/items/rows/1`),
      request(`${app.url}/v1/read`, { body: { reads: [{ table: 'items' }] } }),
      request(`${app.url}/query`, { body: { ksql: 'SELECT * FROM items WHERE id = 1;' } }),
      request(`${app.url}/v1/tables/items/changes?snapshot=true`, { headers: { accept: 'text/event-stream' } }),
    ];
    for (const answer of await Promise.all(asked)) expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
  }

  async function withApp(args: readonly string[], use: (app: App) => Promise<void>): Promise<void> {
    const app = await openApp({ args: ['--source', ...args], env });
    try {
      await app.start({ waitReady: false });
      await use(app);
    } finally {
      await app.close();
    }
  }

  async function withFile(use: (path: string, run: (sql: string) => void) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'wt-freshness-'));
    const database = openDatabase(join(folder, 'app.db'));
    try {
      database.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER)');
      await use(join(folder, 'app.db'), (sql) => database.exec(sql));
    } finally {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it('a source that was never reached is no fresh source', () =>
    withApp(['mysql://root@127.0.0.1:1/xx'], (app) =>
      expectUnready(app, 'never-reached', /has never reached its source: /),
    ));

  it.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)(
    '%s: a wrong password is no fresh source',
    (product) => {
      const { host, port } = servers[product];
      return withApp([`${product}://nobody:wrong@${host}:${port}/shop`], async (app) => {
        // Refused at once, and the process ends with the reason; or not ready with it.
        await waitFor('the reason', async () => {
          if (await app.ended(0)) return /refuses user|Access denied/i.test(app.log());
          return /refuses user/.test((await request(`${app.url}/readyz`)).text);
        });
      });
    },
  );

  const standing = async ({ url }: App) =>
    (await requestJson<{ tables: { name: string; standing: string }[] }>(`${url}/v1/status`)).tables.find(
      ({ name }) => name === 'items',
    )?.standing;

  it('a table that cannot be read in its snapshot stands still, and answers nothing', () =>
    withFile(async (path, run) => {
      run("INSERT INTO items VALUES (1, 1), (2, 'no number')");
      await withApp([`sqlite:${path}`], async (app) => {
        await waitFor('the stop', async () => (await standing(app)) === 'detached');
        expect(await request(`${app.url}/v1/tables/items/rows/1`)).toMatchObject({
          status: 409,
          text: expect.stringContaining('"code":"detached"') as string,
        });
        const status = await requestJson<{ state: string; reasons: string[] }>(`${app.url}/v1/status`);
        expect(status).toMatchObject({ state: 'degraded' });
        expect(status.reasons.join()).toContain('table items, column n');
      });
    }));

  it('a table that comes to stand still is no fresh table', () =>
    withFile(async (path, run) => {
      run('INSERT INTO items VALUES (1, 1)');
      await withApp([`sqlite:${path}`], async (app) => {
        await waitFor('the rows', async () => (await ready(app)) === 200);
        await expectFresh(app);
        const sinceMs = Date.now();
        run("UPDATE items SET n = 'no number'");
        await waitFor('the stop', async () => (await standing(app)) === 'detached');
        const askedMs = Date.now();
        const all = await said(app.url);
        const told = JSON.stringify(all);
        for (const { way, lagMs, stale } of all.rows) {
          expect(lagMs, `${way} of ${told}`).toBeGreaterThan(askedMs - sinceMs - slackMs);
          expect(stale, `${way} of ${told}`).toBe('detached');
        }
        expect(all.mark, told).toMatch(/stopped/);
      });
    }));
});
