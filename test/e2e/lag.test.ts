// How old an answer may be: the header tells it, and readiness follows, also where the source cannot say anything.
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import type { SqlServer } from '../support/servers/sql-server.js';

const { missing } = await sharedServers('mysql');
const readyLagMs = 1_500;
let server: SqlServer;
let app: App;

beforeAll(async () => {
  if (missing) return;
  server = await startMysql();
  await query('CREATE DATABASE shop', 'CREATE TABLE shop.items (id INT PRIMARY KEY, n INT)');
  await query('INSERT INTO shop.items VALUES (1, 1)');
  const { host, port, user, password } = server;
  const url = `mysql://${user}:${password}@${host}:${port}/shop`;
  app = await openApp({ args: ['--source', url], env: { WRITETHROUGH_READY_LAG_MS: String(readyLagMs) } });
}, 120_000);

afterAll(async () => {
  await app?.close();
  await server?.close();
});

async function query(...statements: string[]): Promise<void> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({ host, port, user, password });
  try {
    for (const sql of statements) await connection.query(sql);
  } finally {
    await connection.end();
  }
}

async function row(): Promise<{ readonly n: number; readonly lagMs: number }> {
  const { status, text, headers } = await request(`${app.url}/v1/tables/items/rows/1`);
  expect(status, text).toBe(200);
  return { n: (JSON.parse(text) as { n: number }).n, lagMs: Number(headers['writethrough-lag-ms']) };
}

async function readiness(): Promise<number> {
  return (await request(`${app.url}/readyz`)).status;
}

it.skipIf(missing)('an answer is never said to be newer than it is known to be', { timeout: 120_000 }, async () => {
  await app.start();
  await waitFor('the row', async () => (await row()).n === 1);
  await waitFor('the source to be current', async () => (await row()).lagMs === 0);

  // A source that rests is current, however long ago its last commit was.
  await new Promise((resolve) => setTimeout(resolve, 2 * readyLagMs));
  expect(await row()).toEqual({ n: 1, lagMs: 0 });
  expect(await readiness()).toBe(200);

  await server.kill();
  const killedMs = Date.now();
  await waitFor('the lag to be over the limit', async () => (await readiness()) === 503);
  expect((await row()).lagMs).toBeGreaterThan(readyLagMs);

  // A new process knows no more than the old one.
  await app.kill();
  await app.start({ waitReady: false });
  await waitFor('an answer', async () => (await request(`${app.url}/livez`).catch(() => undefined))?.status === 200);
  await waitFor('the row', async () => (await request(`${app.url}/v1/tables/items/rows/1`)).status === 200);
  // Nothing was known to be fresh since the server died, whatever has started since.
  const goneMs = Date.now() - killedMs;
  expect((await row()).lagMs).toBeGreaterThanOrEqual(goneMs);
  expect(await readiness()).toBe(503);

  await server.start();
  await query('UPDATE shop.items SET n = 2');
  await waitFor('readiness', async () => (await readiness()) === 200);
  await waitFor('the change', async () => (await row()).n === 2);
  await waitFor('the source to be current', async () => (await row()).lagMs === 0);
});
