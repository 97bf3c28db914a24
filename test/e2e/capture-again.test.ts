// Tables whose names fall together, and connectors that are made again: rows of one never end up among those of another, and what
// cannot be told apart is refused with a way out.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { join } from 'node:path';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { Database } from '../support/sqlite-driver.js';

let app: App;
let file: string;

beforeEach(async () => {
  app = await openApp();
  file = join(app.dir, 'shop.db');
  source('PRAGMA journal_mode = WAL');
  await app.start();
});
afterEach(() => app.close());

function source(...statements: string[]): void {
  const database = new Database(file);
  for (const sql of statements) database.exec(sql);
  database.close();
}

async function create(name: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const body = {
    'connector.class': 'SqliteCdcSource',
    'database.file': file,
    'topic.prefix': 'p',
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'output.shape': 'flat',
    'output.key.shape': 'bare',
    ...more,
  };
  await requestJson(`${app.url}/connectors/${name}/config`, { method: 'PUT', body });
}

async function trace(name: string): Promise<string | undefined> {
  interface Status {
    readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
  }
  const { tasks } = await requestJson<Status>(`${app.url}/connectors/${name}/status`);
  return tasks.find(({ state }) => state === 'FAILED')?.trace;
}

async function ids(table: string): Promise<unknown[]> {
  const { status, text } = await request(`${app.url}/v1/tables/${encodeURIComponent(table)}/rows`);
  if (status !== 200) throw new Error(`${table}: ${text}`);
  return (JSON.parse(text) as { rows: { id: unknown }[] }).rows.map(({ id }) => id);
}

async function ksql(sql: string): Promise<{ readonly status: number; readonly text: string }> {
  return request(`${app.url}/ksql`, { body: { ksql: sql } });
}

async function holds(table: string, expected: readonly string[]): Promise<void> {
  await waitFor(`${table} to hold ${expected.join()}`, async () => String(await ids(table)) === String(expected));
}

it('tables whose names give one topic name have a topic each, also behind a restart', { timeout: 60_000 }, async () => {
  source(
    'CREATE TABLE "order items" (id INTEGER PRIMARY KEY)',
    'CREATE TABLE order_items (id INTEGER PRIMARY KEY)',
    'CREATE TABLE "tä" (id INTEGER PRIMARY KEY)',
    'CREATE TABLE "tö" (id INTEGER PRIMARY KEY)',
    'INSERT INTO "order items" VALUES (1), (2)',
    'INSERT INTO order_items VALUES (2), (3)',
    'INSERT INTO "tä" VALUES (1)',
    'INSERT INTO "tö" VALUES (2)',
  );
  await create('c');
  await holds('order_items', ['2', '3']);
  await holds('order items', ['1', '2']);
  await holds('tä', ['1']);
  await holds('tö', ['2']);
  await app.kill();
  source('DELETE FROM "order items" WHERE id = 2', 'INSERT INTO order_items VALUES (4)', 'DELETE FROM "tö"');
  await app.start();
  await holds('order items', ['1']);
  await holds('order_items', ['2', '3', '4']);
  await holds('tö', []);
  await holds('tä', ['1']);
});

it(
  'another connector over the topics of one that is gone is refused, and has a way out',
  { timeout: 60_000 },
  async () => {
    source('CREATE TABLE t (id INTEGER PRIMARY KEY)', 'INSERT INTO t VALUES (1), (2)');
    await create('one');
    await holds('t', ['1', '2']);
    expect((await ksql('DROP TABLE t DELETE TOPIC;')).text).toContain('written by connector one');
    await request(`${app.url}/connectors/one`, { method: 'DELETE' });
    source('DELETE FROM t WHERE id = 1');

    await create('two');
    expect(await waitFor('the refusal', () => trace('two'))).toContain('topic p.shop.t holds shop.t as connector one');
    await holds('t', ['1', '2']);

    expect((await ksql('DROP TABLE t DELETE TOPIC;')).status).toBe(200);
    await requestJson(`${app.url}/connectors/two/restart`, { method: 'POST', body: {} }).catch(() => undefined);
    await holds('t', ['2']);
  },
);

it('a connector deleted with its topics and made again begins with a snapshot', { timeout: 60_000 }, async () => {
  source('CREATE TABLE t (id INTEGER PRIMARY KEY)', 'INSERT INTO t VALUES (1), (2)');
  await create('c');
  await holds('t', ['1', '2']);
  expect((await ksql('CREATE TABLE big AS SELECT id FROM t WHERE id > 1;')).status).toBe(200);

  // A query would be left without its table: nothing happens.
  const refused = await request(`${app.url}/connectors/c?topics=true`, { method: 'DELETE' });
  expect(refused.text).toContain('drop big first');
  expect((await request(`${app.url}/connectors/c?cascade=true`, { method: 'DELETE' })).status).toBe(400);
  expect((await ksql('CREATE TABLE larger AS SELECT id FROM big WHERE id > 5;')).status).toBe(200);
  const both = await request(`${app.url}/connectors/c?topics=true`, { method: 'DELETE' });
  expect(both.text).toContain('drop larger, big first, in this order; or --cascade');
  source('ALTER TABLE t ADD COLUMN more TEXT', 'DELETE FROM t WHERE id = 1');
  await holds('t', ['2']);

  const options = 'topics=true&cascade=true&uninstall=true';
  expect((await request(`${app.url}/connectors/c?${options}`, { method: 'DELETE' })).status).toBe(204);
  for (const table of ['t', 'big', 'larger'])
    expect((await request(`${app.url}/v1/tables/${table}/rows`)).status).toBe(404);
  await create('c');
  await holds('t', ['2']);
  await app.kill();
  source("INSERT INTO t VALUES (3, 'x')");
  await app.start();
  await holds('t', ['2', '3']);
});

it('only the connector writes its topic', { timeout: 60_000 }, async () => {
  source('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)', "INSERT INTO t VALUES (1, 'true')");
  await create('c');
  await holds('t', ['1']);
  await ksql(
    "CREATE STREAM s (id BIGINT KEY, v STRING) WITH (KAFKA_TOPIC='p.shop.t', KEY_FORMAT='JSON', VALUE_FORMAT='JSON');",
  );
  const { status, text } = await ksql("INSERT INTO s (id, v) VALUES (1, 'false');");
  expect(status).toBe(400);
  expect(text).toContain('connector c writes topic p.shop.t');
});
