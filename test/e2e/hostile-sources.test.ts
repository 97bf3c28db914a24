// What whoever may send connectors, and whatever answers at the address of a database, can do to the built program: what it may not reach is
// refused, and what it says ends or stops nobody but who asked it.
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { misbehaviours, startFakeMysql } from '../support/fake-mysql.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { startSilentServer } from '../support/silent-server.js';
import { Database } from '../support/sqlite-driver.js';

let app: App;
const elsewhere = mkdtempSync(join(tmpdir(), 'wt-elsewhere-'));

function makeFile(file: string): void {
  const database = new Database(file);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE items (id INTEGER PRIMARY KEY); INSERT INTO items VALUES (1)');
  database.close();
}

const sqlite = (file: string) => ({ 'connector.class': 'SqliteCdcSource', 'database.file': file, 'topic.prefix': 'p' });
const mysql = ({ host, port }: { readonly host: string; readonly port: number }) => ({
  'connector.class': 'MySqlCdcSource',
  'database.hostname': host,
  'database.port': String(port),
  'database.user': 'root',
  'database.password': 'secret',
  'database.ssl.mode': 'disabled',
  'connect.timeout.ms': '800',
  'database.query.timeout.ms': '800',
});
const put = (name: string, body: object) => request(`${app.url}/connectors/${name}/config`, { method: 'PUT', body });
const stateOf = async (name: string) =>
  (await requestJson<{ tasks: { state: string; trace?: string }[] }>(`${app.url}/connectors/${name}/status`)).tasks[0];

beforeAll(async () => {
  app = await openApp({
    // The defaults, but for one name.
    env: {
      WRITETHROUGH_SOURCES_ALLOWED: '',
      WRITETHROUGH_SECRETS_ENV: 'LISTED_*',
      LISTED_FILE: 'shop.db',
      OTHER: 'shop.db',
    },
  });
  makeFile(join(app.dir, 'shop.db'));
  makeFile(join(elsewhere, 'shop.db'));
  await app.start();
  const { status, text } = await put('good', sqlite('${env:LISTED_FILE}'));
  expect([status, text]).toEqual([201, expect.any(String)]);
  await waitFor('its table', async () => (await request(`${app.url}/v1/tables/items/rows/1`)).status === 200);
});
afterAll(async () => {
  await app.close();
  rmSync(elsewhere, { recursive: true });
});

describe('a connector that comes over HTTP', () => {
  it('is refused what the operator has not let it have, however it is named', async () => {
    const own = join(app.dataDir, 'writethrough.db');
    symlinkSync(own, join(app.dir, 'symbolic.db'));
    linkSync(own, join(app.dir, 'hard.db'));
    mkdirSync(join(app.dir, 'links'));
    symlinkSync(elsewhere, join(app.dir, 'links', 'out'));
    const asked: Record<string, object> = {
      own: sqlite(own),
      relative: sqlite('data/../data/writethrough.db'),
      symbolic: sqlite('symbolic.db'),
      hard: sqlite('hard.db'),
      polled: {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'connection.url': 'jdbc:sqlite:file:hard.db',
        mode: 'bulk',
      },
      elsewhere: sqlite(join(elsewhere, 'shop.db')),
      above: sqlite(`links/out/shop.db`),
      environment: sqlite('${env:OTHER}'),
    };
    for (const [name, config] of Object.entries(asked)) {
      const answers = [
        await put(name, config),
        await request(`${app.url}/connectors`, { body: { name, config } }),
        await request(`${app.url}/connector-plugins/SqliteCdcSource/config/validate`, {
          method: 'PUT',
          body: { ...config, 'connector.class': (config as Record<string, string>)['connector.class']! },
        }),
      ];
      // The plug-in of the path is another one than that of the polled file.
      expect([name, answers.map(({ status }) => status)]).toEqual([name, [403, 403, name === 'polled' ? 400 : 403]]);
    }
    expect((await requestJson<string[]>(`${app.url}/connectors`)).toSorted()).toEqual(['good']);
    // The file was neither opened for writing nor switched to another mode.
    expect(readFileSync(join(elsewhere, 'shop.db')).includes('_wt_')).toBe(false);
  });

  it(
    'that was made when it was let is FAILED with the reason where it is not any more',
    { timeout: 60_000 },
    async () => {
      await app.stop();
      await app.start({ env: { WRITETHROUGH_SOURCES_ALLOWED: `sqlite:.,sqlite:${elsewhere}` } });
      expect((await put('outside', sqlite(join(elsewhere, 'shop.db')))).status).toBe(201);
      await app.stop();
      await app.start({ waitReady: false });
      const task = await waitFor('the failure', async () => {
        const found = await stateOf('outside');
        return found?.state === 'FAILED' && found;
      });
      expect(task.trace).toMatch(/^not-allowed: database\.file: .* does not lie in a folder/);
      expect((await stateOf('good'))?.state).toBe('RUNNING');
      expect((await request(`${app.url}/connectors/outside`, { method: 'DELETE' })).status).toBe(204);
    },
  );
});

describe('the own file', () => {
  it('is no --source either', async () => {
    await app.stop();
    const source = `sqlite:${join(app.dataDir, 'writethrough.db')}`;
    expect((await app.start({ env: { WRITETHROUGH_SOURCE: source } })).state).toBe('ended');
    expect(app.log()).toMatch(/not-allowed|is a file of this service/);
    await app.start();
  });
});

/** One of each kind: all of them are put to the source itself (test/unit/source/mysql/hostile-server.test.ts). */
const kinds = [
  'says nothing',
  'greets with noise without end',
  'has rows without end',
  'has a packet without end',
  'has columns without end',
  'counts its packets wrongly',
  'has nonsense',
  'drips a result',
];

describe('servers that misbehave', () => {
  it('cost nobody anything but who asks them', { timeout: 120_000 }, async () => {
    let slowestReadMs = 0;
    let slowestPauseMs = 0;
    let done = false;
    const timed = async (wanted: number, path: string, method = 'GET'): Promise<number> => {
      const begun = performance.now();
      expect((await request(`${app.url}${path}`, { method })).status).toBe(wanted);
      return performance.now() - begun;
    };
    const reads = (async () => {
      while (!done) {
        slowestReadMs = Math.max(slowestReadMs, await timed(200, '/v1/tables/items/rows/1'));
        await delay(20);
      }
    })();
    const pauses = (async () => {
      for (let i = 0; !done; i++) {
        const path = `/connectors/good/${i % 2 === 0 ? 'pause' : 'resume'}`;
        slowestPauseMs = Math.max(slowestPauseMs, await timed(202, path, 'PUT'));
        await delay(200);
      }
    })();
    await Promise.all(
      kinds.map(async (name) => {
        const server = await startFakeMysql(misbehaviours[name]!);
        const config = mysql(server);
        const created = await request(`${app.url}/connectors`, { body: { name, config } });
        expect([name, created.status]).toEqual([name, expect.toSatisfy(isRefusal)]);
        const path = `${app.url}/connector-plugins/MySqlCdcSource/config/validate`;
        const checked = await requestJson<{ error_count: number }>(path, { method: 'PUT', body: { ...config, name } });
        expect([name, checked.error_count > 0]).toEqual([name, true]);
        await server.close();
      }),
    );
    done = true;
    await Promise.all([reads, pauses]);
    // Of the machine, too; a server that says nothing used to be waited for half a minute.
    expect(slowestReadMs).toBeLessThan(5_000);

    expect(slowestPauseMs).toBeLessThan(15_000);
    const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)![1])).toBeLessThan(800 * 1024);
  });

  it('are not waited for by who stops', { timeout: 60_000 }, async () => {
    const silent = await startSilentServer();
    const config = { ...mysql(silent), 'connect.timeout.ms': '60000' };
    const pending = Array.from({ length: 40 }, (_, i) =>
      request(`${app.url}/connectors`, { body: { name: `silent-${i}`, config } }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await waitFor('those that are asked', () => silent.connections >= 16);
    // As many wait, the others were refused.
    expect(await Promise.race(pending)).toBe(503);
    const begun = performance.now();
    expect(await app.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(4_000);
    await Promise.all(pending);
    await silent.close();
  });
});

const isRefusal = (status: unknown) => typeof status === 'number' && status >= 400 && status < 600 && status !== 500;
