// The process beside servers that go silent: the connector tries again and says why, its rows grow old, everything else goes on, and the
// process ends without waiting for them.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import type { Writethrough } from '../../src/index.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { projectRoot } from '../support/servers/cache.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import { startSilencedServer, startSilentServer, type SilentServer } from '../support/silent-server.js';

const servers = await sharedServers('mariadb');
const database = `hush_${randomBytes(4).toString('hex')}`;
let app: App | undefined;
let silent: SilentServer | undefined;

afterEach(async () => {
  await app?.close();
  await silent?.close();
  if (servers.missing === false)
    await withConnection(servers.mariadb, (connection) => connection.query(`DROP DATABASE IF EXISTS ${database}`));
});

async function ends(): Promise<void> {
  const startMs = performance.now();
  expect(await app!.stop()).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(6_000);
}

it.skipIf(servers.missing)('a source that goes silent', { timeout: 120_000 }, async () => {
  await withConnection(servers.mariadb, async (connection) => {
    await connection.query(`CREATE DATABASE ${database}`);
    await connection.query(`CREATE TABLE ${database}.items (id INT PRIMARY KEY, n INT)`);
    await connection.query(`INSERT INTO ${database}.items VALUES (1, 1)`);
  });
  const proxy = await startSilencedServer(servers.mariadb, 'hush now');
  silent = proxy;
  app = await openApp();
  await app.start();
  const { user, password } = servers.mariadb;
  const config = {
    'connector.class': 'MySqlCdcSource',
    'database.server.name': 'h',
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'after.state.only': 'true',
    'database.hostname': proxy.host,
    'database.port': String(proxy.port),
    'database.user': user,
    'database.password': password,
    'database.include.list': database,
    'connect.timeout.ms': '700',
  };
  const made = await request(`${app.url}/connectors/h/config`, { method: 'PUT', body: config });
  expect(made.status, made.text).toBe(201);
  const row = () => request(`${app!.url}/v1/tables/items/rows/1`);
  await waitFor('the row to be current', async () => (await row()).headers['writethrough-lag-ms'] === '0');
  await withConnection({ ...servers.mariadb, host: proxy.host, port: proxy.port }, async (connection) => {
    connection.query("SELECT 'hush now'").catch(() => {});
    await waitFor('silence', () => proxy.silent);
    connection.destroy();
  });
  await waitFor('the rows to grow old, with the cause', async () => {
    const { headers, status } = await row();
    return (
      status === 200 &&
      Number(headers['writethrough-lag-ms']) > 2_000 &&
      String(headers['writethrough-stale']).includes('unreachable')
    );
  });
  const { connectors } = await requestJson<{
    readonly connectors: readonly { readonly source: { readonly phase: string; readonly reason?: string } }[];
  }>(`${app.url}/v1/status`);
  expect(connectors[0]!.source).toMatchObject({
    phase: 'waiting',
    reason: expect.stringMatching(/has not answered for 0\.7 s/) as string,
  });
  const again = await request(`${app.url}/connectors/other/config`, {
    method: 'PUT',
    body: { ...config, name: 'other' },
  });
  expect(again.status, again.text).toBe(503);
  expect(again.headers['writethrough-error-code']).toBe('source-unreachable');
  await ends();
});

it(
  'a source that never says anything, of --source: statements are served meanwhile',
  { timeout: 120_000 },
  async () => {
    silent = await startSilentServer();
    app = await openApp({ args: ['--source', `mysql://u:p@${silent.host}:${silent.port}/shop`] });
    await app.start({ waitReady: false });
    await waitFor('an answer', async () => (await request(`${app!.url}/livez`).catch(() => undefined))?.status === 200);
    await waitFor('the source to be asked', () => silent!.connections > 0);
    const made = await request(`${app.url}/ksql`, {
      body: { ksql: `CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', FORMAT='JSON', PARTITIONS=1);` },
    });
    expect(made.status, made.text).toBe(200);
    expect((await request(`${app.url}/readyz`)).status).toBe(503);
    await ends();
  },
);

it('brokers that never say anything: the process ends while it starts', { timeout: 60_000 }, async () => {
  silent = await startSilentServer();
  app = await openApp({ args: ['--stream', `kafka://${silent.host}:${silent.port}`] });
  await app.start({ waitReady: false });
  await waitFor('the brokers to be asked', () => silent!.connections > 0);
  await ends();
});

it('a program that embeds it stops it while it starts', { timeout: 60_000 }, async () => {
  silent = await startSilentServer();
  const data = mkdtempSync(join(tmpdir(), 'writethrough-silent-'));
  const { createWritethrough } = (await import(pathToFileURL(join(projectRoot(), 'dist', 'index.js')).href)) as {
    createWritethrough: (options: object) => Pick<Writethrough, 'start' | 'stop'>;
  };
  try {
    const writethrough = createWritethrough({ source: `mysql://u:p@${silent.host}:${silent.port}/db`, data, port: 0 });
    const started = writethrough.start().then(
      () => 'started',
      (error: unknown) => (error as { readonly code: string }).code,
    );
    await waitFor('the source to be asked', () => silent!.connections > 0);
    const startMs = performance.now();
    await writethrough.stop();
    expect(performance.now() - startMs).toBeLessThan(6_000);
    expect(await started).toBe('not-ready');
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
