// Several processes on one log: who comes second is refused, or follows; a follower serves the same rows at the same version and sends
// changes to the leader; when the leader is killed, a follower takes over and nothing is lost or told twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson, openStream } from '../support/harness/http-client.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { waitFor } from '../support/harness/wait-for.js';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const { missing, kafka } = await sharedServers('kafka');
const timeout = 180_000;

interface Status {
  readonly role: string;
  readonly leader: string | null;
  readonly version: string;
  readonly lagMs: number;
}

let apps: App[] = [];
let folder: string | undefined;
afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

async function openSource(): Promise<SourceDatabase> {
  folder = mkdtempSync(join(tmpdir(), 'writethrough-follow-'));
  const source = openSqliteSource(join(folder, 'shop.db'));
  await source.execute('CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER)');
  for (let id = 1; id <= 20; id++) await source.execute(`INSERT INTO items VALUES (${id}, 1)`);
  return source;
}

let services = 0;
/** Processes of one service of its own. */
function service(): (args?: readonly string[]) => Promise<App> {
  const id = `follow${process.pid}-${Date.now()}-${++services}`;
  return async (args = []) => {
    const app = await openApp({
      args: ['--stream', `kafka://${kafka.brokers.join(',')}`, ...args],
      env: { WRITETHROUGH_SERVICE_ID: id },
    });
    apps.push(app);
    return app;
  };
}

const ksql = (app: App, sql: string) => request(`${app.url}/ksql`, { body: { ksql: sql } });
const statusOf = (app: App) => requestJson<Status>(`${app.url}/v1/status`);
const rowsOf = async (app: App, table: string, atLeast?: string): Promise<string> => {
  const { text } = await request(`${app.url}/v1/tables/${table}/rows?limit=1000`, {
    headers: atLeast === undefined ? {} : { 'Writethrough-At-Least': atLeast },
  });
  return JSON.stringify((JSON.parse(text) as { rows: unknown }).rows);
};

const sumsSql = 'CREATE TABLE sums AS SELECT n, COUNT(*) AS items FROM items GROUP BY n;';

describe.skipIf(missing)('several processes on one log', () => {
  it(
    'a second process without --follow is refused while the first lives, and leaves it alone',
    { timeout },
    async () => {
      const open = service();
      const first = await open();
      await first.start();
      const second = await open();
      expect((await second.start()).state).toBe('ended');
      expect(second.log()).toContain('service-in-use');
      expect(second.log()).toContain(first.url);
      expect(second.log()).toContain('--follow');
      expect(
        (await ksql(first, "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"))
          .status,
      ).toBe(200);
      // A clean end lets the next one in at once, a killed one within its session.
      await first.stop();
      expect((await second.start()).state).toBe('ready');
      expect((await ksql(second, 'INSERT INTO s (a) VALUES (1);')).status).toBe(200);
      await second.kill();
      expect((await first.start()).state).toBe('ready');
    },
  );

  it(
    'a killed process that starts again takes its own place without waiting for its session to end',
    { timeout },
    async () => {
      const open = service();
      const first = await open();
      await first.start();
      await first.kill();
      const { ms } = await first.start();
      expect(ms).toBeLessThan(7_000);
    },
  );

  it('a follower has the same rows at the same version, and sends changes to the leader', { timeout }, async () => {
    const open = service();
    const source = await openSource();
    const leader = await open(['--source', source.url]);
    await leader.start();
    const follower = await open(['--follow']);
    await follower.start();
    await waitFor('the table', async () => (await request(`${leader.url}/v1/tables/items`)).status === 200);
    expect((await ksql(leader, sumsSql)).status).toBe(200);
    await source.execute('UPDATE items SET n = 2 WHERE id <= 10');
    await waitFor('the update', async () => (await rowsOf(leader, 'sums')).includes('"n":"2"'));
    const { version } = await statusOf(leader);
    const sums = await rowsOf(follower, 'sums', version);
    expect(sums).toBe(await rowsOf(leader, 'sums'));
    expect(await rowsOf(follower, 'items', version)).toBe(await rowsOf(leader, 'items'));
    await waitFor('one version', async () => (await statusOf(follower)).version === (await statusOf(leader)).version);

    expect(await statusOf(follower)).toMatchObject({ role: 'follower', leader: leader.url });
    expect(await statusOf(leader)).toMatchObject({ role: 'leader', leader: leader.url });
    await waitFor('a fresh follower', async () => (await statusOf(follower)).lagMs < 5_000);
    const far = `${version.split(':')[0]}:${Number(version.split(':')[1]) + 4096}`;
    const ahead = openStream(`${follower.url}/v1/tables/items/changes`, {
      accept: 'text/event-stream',
      'last-event-id': far,
    });
    await source.execute('UPDATE items SET n = 4 WHERE id = 20');
    const waited = await ahead;
    expect(waited.status).toBe(200);
    waited.close();
    const changes: readonly [string, string, object | undefined][] = [
      ['POST', '/ksql', { ksql: 'DROP TABLE sums;' }],
      ['POST', '/inserts-stream', { target: 'sums' }],
      ['POST', '/v1/tables/sums/rebuild', undefined],
      ['POST', '/connectors', { name: 'x', config: {} }],
      ['PUT', '/connectors/x/pause', undefined],
      ['DELETE', '/connectors/x', undefined],
      ['POST', '/subjects/x/versions', { schema: '"string"' }],
      ['PUT', '/config', { compatibility: 'NONE' }],
    ];
    for (const [method, path, body] of changes) {
      const answer = await request(follower.url + path, { method, ...(body ? { body } : {}) });
      expect([path, answer.status]).toEqual([path, 409]);
      expect(answer.headers['writethrough-leader']).toBe(leader.url);
      expect(answer.headers['writethrough-error-code']).toBe('not-leader');
      expect(answer.text).toContain(leader.url);
    }
    expect((await ksql(follower, 'SHOW TABLES;')).text).toContain('sums');
    const connectors = await requestJson<string[]>(`${follower.url}/connectors`);
    expect(connectors).toEqual(await requestJson<string[]>(`${leader.url}/connectors`));
    expect((await request(`${follower.url}/connectors/${connectors[0]}/status`)).status).toBe(200);
    expect((await request(`${follower.url}/readyz`)).status).toBe(200);
  });

  it(
    'a rebuild of the leader gives the same rows at a follower, which has built nothing until then',
    { timeout },
    async () => {
      const open = service();
      const source = await openSource();
      const leader = await open(['--source', source.url]);
      await leader.start();
      const follower = await open(['--follow']);
      await follower.start();
      await waitFor('the table', async () => (await request(`${leader.url}/v1/tables/items`)).status === 200);
      await ksql(leader, sumsSql);
      await ksql(leader, 'PAUSE ALL;');
      await source.execute('UPDATE items SET n = 7 WHERE id <= 3');
      await waitFor('the update', async () => (await rowsOf(leader, 'items')).includes('"n":"7"'));
      for (const table of ['sums', 'items'])
        expect((await request(`${leader.url}/v1/tables/${table}/rebuild`, { method: 'POST' })).status).toBe(202);
      await waitFor('the rebuilds', async () => {
        const { rebuilds } = await requestJson<{ rebuilds: { state: string }[] }>(`${leader.url}/v1/rebuilds`);
        return rebuilds.length === 2 && rebuilds.every(({ state }) => state === 'done');
      });
      await source.execute('UPDATE items SET n = 8 WHERE id = 4');
      await waitFor('the next update', async () => (await rowsOf(leader, 'sums')).includes('"n":"8"'));
      const { version } = await statusOf(leader);
      expect(await rowsOf(follower, 'sums', version)).toBe(await rowsOf(leader, 'sums'));
      expect(await rowsOf(follower, 'sums', version)).toContain('"n":"7"');
      expect(await rowsOf(follower, 'items', version)).toBe(await rowsOf(leader, 'items'));
    },
  );

  it(
    'a follower takes over from a killed leader with its connectors; a subscriber goes on at another process',
    { timeout },
    async () => {
      const open = service();
      const source = await openSource();
      const leader = await open(['--source', source.url]);
      await leader.start();
      const follower = await open(['--follow']);
      await follower.start();
      await waitFor('the table', async () => (await request(`${leader.url}/v1/tables/items`)).status === 200);
      await ksql(leader, sumsSql);
      await source.execute('UPDATE items SET n = 2 WHERE id = 1');
      await waitFor('the update', async () => (await rowsOf(leader, 'sums')).includes('"n":"2"'));
      const stream = await openStream(`${leader.url}/v1/tables/items/changes?snapshot=true`, {
        accept: 'text/event-stream',
      });
      let lastId = '';
      for await (const text of stream.text) {
        lastId = /id: ?(\S+)\n(?=[\s\S]*caught-up)/.exec(text)?.[1] ?? lastId;
        if (text.includes('caught-up')) {
          lastId = [...text.matchAll(/^id: ?(\S+)$/gm)].at(-1)![1]!;
          break;
        }
      }
      stream.close();
      await leader.kill();
      for (let id = 2; id <= 6; id++) await source.execute(`UPDATE items SET n = 3 WHERE id = ${id}`);
      await waitFor('the next leader', async () => (await statusOf(follower)).role === 'leader', { timeoutMs: 60_000 });
      await waitFor('its capture', async () => (await rowsOf(follower, 'sums')).includes('"n":"3","items":"5"'), {
        timeoutMs: 60_000,
      });
      const further = await openStream(`${follower.url}/v1/tables/items/changes`, {
        accept: 'text/event-stream',
        'last-event-id': lastId,
      });
      expect(further.status).toBe(200);
      const seen: string[] = [];
      for await (const text of further.text) {
        seen.push(...[...text.matchAll(/^data: ?(\{.*"op".*\})$/gm)].map(([, json]) => json!));
        if (seen.length >= 5) break;
      }
      further.close();
      expect(seen.map((json) => (JSON.parse(json) as { key: unknown; after: { n: unknown } }).after)).toEqual(
        [2, 3, 4, 5, 6].map((id) => expect.objectContaining({ id: String(id), n: '3' })),
      );
      // The one that was killed comes back as a follower, from an empty folder too.
      const again = await open(['--follow']);
      await again.start();
      const { version } = await statusOf(follower);
      expect(await rowsOf(again, 'items', version)).toBe(await rowsOf(follower, 'items'));
    },
  );

  it(
    'a leader that slept until another led writes nothing more, refuses what it was asked for, and follows',
    { timeout },
    async () => {
      const open = service();
      const source = await openSource();
      const old = await open(['--source', source.url, '--follow']);
      await old.start();
      const next = await open(['--follow']);
      await next.start();
      await waitFor('the table', async () => (await request(`${old.url}/v1/tables/items`)).status === 200);
      const topic = `sums-${process.pid}-${Date.now()}`;
      const changesSql = `CREATE TABLE changed WITH (KAFKA_TOPIC='${topic}', FORMAT='JSON') AS SELECT id, n FROM items;`;
      expect((await ksql(old, changesSql)).status).toBe(200);
      await source.execute('UPDATE items SET n = 2 WHERE id = 1');
      await waitFor('the update', async () => (await rowsOf(old, 'changed')).includes('"n":"2"'));

      old.sleep();
      // Waits in its socket until it wakes and takes itself for the leader.
      const asked = ksql(old, 'CREATE TABLE late AS SELECT n, COUNT(*) AS items FROM items GROUP BY n;');
      await waitFor('the next leader', async () => (await statusOf(next)).role === 'leader', { timeoutMs: 60_000 });
      for (let id = 2; id <= 6; id++) await source.execute(`UPDATE items SET n = 3 WHERE id = ${id}`);
      await waitFor('its capture', async () => (await rowsOf(next, 'changed')).split('"n":"3"').length === 6);
      old.wake();
      const { status, text } = await asked;
      expect([409, 503], text).toContain(status);
      await waitFor('it to follow', async () => (await statusOf(old)).role === 'follower');
      expect(old.log()).toContain('this process follows now');
      // The next leader has gone on with the source: that is no fault of it.
      expect(old.log()).not.toContain('"level":50');
      await source.execute('UPDATE items SET n = 4 WHERE id = 7');
      await waitFor('the last update', async () => (await rowsOf(next, 'changed')).includes('"n":"4"'));
      const { version } = await statusOf(next);
      for (const table of ['items', 'changed'])
        expect(await rowsOf(old, table, version)).toBe(await rowsOf(next, table));
      expect((await ksql(next, 'SHOW TABLES;')).text).not.toContain('late');
      const records = await consoleConsumer({ brokers: [...kafka.brokers], topic, timeoutMs: 60_000 });
      expect(records.map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual(
        [...Array.from({ length: 20 }, (_, i) => i + 1), 1, 2, 3, 4, 5, 6, 7].toSorted((a, b) => a - b),
      );
    },
  );
});
