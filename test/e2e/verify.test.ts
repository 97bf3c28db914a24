// Tables compared with their source while both are written: nothing is reported that is no difference, each row that was falsified is found,
// and what is repaired comes through the stream, so that derived tables follow.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { VerifyStatus } from '../../src/connect/connect-facade.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { rowsAgree } from '../support/harness/served-rows.js';
import { waitFor } from '../support/harness/wait-for.js';
import { projectRoot } from '../support/servers/cache.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { Database } from '../support/sqlite-driver.js';

const servers = await sharedServers('mysql', 'mariadb');
const numbers = (count: number) =>
  `WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < ${count - 1}) SELECT`;
/** Rows from here on are the application's. */
const hot = 1_000_000;

/** The command line, with its exit code. */
async function cli(url: string, ...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const child = spawn(process.execPath, [join(projectRoot(), 'dist', 'main.js'), '--url', url, ...args]);
  let out = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (out += text.toString()));
  const code = await new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? -1)));
  return { code, out };
}

async function verify(app: App, body: object = {}): Promise<VerifyStatus> {
  const [name] = await requestJson<string[]>(`${app.url}/connectors`);
  const path = `${app.url}/connectors/${name!}/verify`;
  await requestJson(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return waitFor('the end of the verification', async () => {
    const status = await requestJson<VerifyStatus>(path);
    return status.state !== 'running' && status;
  });
}

const summary = ({ tables }: VerifyStatus) =>
  Object.fromEntries(
    tables.map(({ table, state, missing, ghosts, different, repaired }) => [
      table.replace(/^.*\./, ''),
      [state, missing, ghosts, different, repaired],
    ]),
  );

async function execute(app: App, sql: string): Promise<void> {
  const answer = await request(`${app.url}/ksql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: { ksql: sql },
  });
  expect(answer.status, answer.text).toBe(200);
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('verify on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'verify');
    await query(
      'CREATE TABLE items (id INT PRIMARY KEY, grp INT, n BIGINT, price DECIMAL(12,3), f FLOAT, at DATETIME(3), j JSON, b BLOB)',
      `INSERT INTO items ${numbers(900)} i, i % 7, i * 1000003, i / 8, i / 3, '2024-01-01' + INTERVAL i MINUTE, JSON_OBJECT('i', i), UNHEX(LPAD(HEX(i), 8, '0')) FROM s`,
      "CREATE TABLE texts (a VARCHAR(30) CHARACTER SET utf8mb4, e ENUM('x','y','z'), v TEXT, PRIMARY KEY (e, a))",
      `INSERT INTO texts ${numbers(600)} CONCAT('Zeile ', i, ' ä'), i % 3 + 1, REPEAT('v', i % 50) FROM s`,
    );
    app = await openApp({ args: ['--source', database.url] });
    await app.start();
    await agreed('texts');
    await execute(app, 'CREATE TABLE totals AS SELECT grp, SUM(n) AS total, COUNT(*) AS c FROM items GROUP BY grp;');
    await waitFor('the totals', async () => (await totals()).length > 0);
  }, 60_000);
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
  const agreed = (table: string) =>
    waitFor(`${table} to be as at the server`, () => rowsAgree(servers[product], database.name, app.url, table), {
      timeoutMs: 30_000,
    });

  async function totals(): Promise<readonly unknown[]> {
    const { status, text } = await request(`${app.url}/v1/tables/totals/rows`);
    return status === 200 ? (JSON.parse(text) as { rows: unknown[] }).rows : [];
  }

  /** Writes rows of its own until it is stopped. */
  function write(): { stop(): Promise<number> } {
    let ends = false;
    const done = withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      let i = 0;
      for (; !ends; i++) {
        const id = hot + (i % 200);
        await connection.query(
          `START TRANSACTION; REPLACE INTO items (id, grp, n) VALUES (${id}, ${i % 7}, ${i}); UPDATE items SET n = n + 1 WHERE id IN (${id}, ${hot + ((i * 7) % 200)}); REPLACE INTO texts VALUES ('hot ${i % 40}', 'y', '${i}'); COMMIT; DELETE FROM items WHERE id = ${hot + ((i * 3) % 200)}; DELETE FROM texts WHERE a = 'hot ${(i * 3) % 40}'`,
        );
        await setTimeout(2);
      }
      return i;
    });
    return {
      stop: () => {
        ends = true;
        return done;
      },
    };
  }

  it('reports nothing while everything is written, and finds and repairs each of 100 falsified rows', async () => {
    const writer = write();
    const sound = { items: ['equal', 0, 0, 0, 0], texts: ['equal', 0, 0, 0, 0] };
    for (let round = 0; round < 1; round++) {
      const status = await verify(app);
      expect(status.differences).toEqual([]);
      expect(summary(status)).toMatchObject(sound);
      expect(status.tables.find(({ table }) => table.endsWith('.items'))!.rows).toBeGreaterThanOrEqual(900);
    }
    await query(
      'SET SESSION sql_log_bin = 0',
      'UPDATE items SET price = price + 0.001, n = n + 1 WHERE id < 30',
      'DELETE FROM items WHERE id BETWEEN 100 AND 119',
      `INSERT INTO items (id, grp, n) ${numbers(20)} 2000 + i, 3, 5 FROM s`,
      "UPDATE texts SET v = 'other' WHERE a IN ('Zeile 1 ä', 'Zeile 2 ä', 'Zeile 3 ä', 'Zeile 4 ä', 'Zeile 5 ä', 'Zeile 6 ä', 'Zeile 7 ä', 'Zeile 8 ä', 'Zeile 9 ä', 'Zeile 10 ä')",
      "DELETE FROM texts WHERE a LIKE 'Zeile 20_ ä'",
      `INSERT INTO texts ${numbers(10)} CONCAT('new ', i), 'z', 'w' FROM s`,
    );
    const found = await verify(app);
    expect(summary(found)).toMatchObject({ items: ['different', 20, 20, 30, 0], texts: ['different', 10, 10, 10, 0] });
    expect(found.differences.filter(({ table }) => !/totals/.test(table))).toHaveLength(100);
    expect(found.differences.find(({ key }) => key === '{"id":5}')).toMatchObject({
      kind: 'different',
      ours: expect.stringContaining('"price":"0.625"') as string,
      source: expect.stringContaining('"price":"0.626"') as string,
    });
    const repaired = await verify(app, { repair: true, tables: [`${database.name}.items`] });
    expect(summary(repaired)).toEqual({ items: ['repaired', 20, 20, 30, 70] });
    const left = await cli(app.url, 'verify');
    expect([left.code, left.out]).toEqual([1, expect.stringMatching(/^\S+\.texts +different +\d+ +10 +10 +10 +0$/m)]);
    const rest = await cli(app.url, 'verify', '--repair', '--json');
    expect(rest.code, rest.out).toBe(0);
    expect(summary(await verify(app))).toMatchObject(sound);
    expect(await writer.stop()).toBeGreaterThan(0);
    await agreed('texts');
    const wanted = await withConnection(servers[product], async (connection) => {
      const [rows] = await connection.query(
        `SELECT grp, CAST(SUM(n) AS CHAR) AS total, COUNT(*) AS c FROM ${database.name}.items GROUP BY grp ORDER BY grp`,
      );
      return rows as readonly unknown[];
    });
    const told = (rows: readonly unknown[]) =>
      (rows as Record<string, unknown>[]).map((row) => Object.values(row).join());
    await waitFor(
      'the totals to follow',
      async () =>
        told(await totals())
          .toSorted()
          .join() === told(wanted).toSorted().join(),
    );
  }, 60_000);

  it('finds what was changed in the file of the process, and says what cannot be compared', async () => {
    await app.stop();
    const file = new Database(join(app.dataDir, 'writethrough.db'));
    const [{ name }] = file
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%\\_v%' ESCAPE '\\' AND sql LIKE '%price%'",
      )
      .all() as [{ name: string }];
    file.exec(`UPDATE ${name} SET grp = 99 WHERE id < 8; DELETE FROM ${name} WHERE id BETWEEN 500 AND 503`);
    file.close();
    await app.start();
    const status = await verify(app, { repair: true, rowsPerSecond: 100_000 });
    expect(status).toMatchObject({ state: 'done' });
    expect(summary(status)).toMatchObject({ items: ['repaired', 4, 0, 8, 12], texts: ['equal', 0, 0, 0, 0] });
    await agreed('texts');
    expect(summary(await verify(app))).toMatchObject({ items: ['equal', 0, 0, 0, 0] });
    expect(await verify(app, { tables: [`${database.name}.itemz`] })).toMatchObject({
      state: 'failed',
      error: { code: 'unknown-table', hint: `did you mean "${database.name}.items"?` },
    });
    expect((await request(`${app.url}/metrics`)).text).toMatch(/writethrough_verify_repaired_total\{[^}]*\} 12/);
  }, 40_000);
});

describe('verify on an SQLite file', () => {
  let app: App;
  let folder: string;
  let source: Database;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wt-verify-'));
    source = new Database(join(folder, 'shop.db'));
    source.pragma('journal_mode = WAL');
    source.exec(`
      CREATE TABLE items (id INTEGER PRIMARY KEY, grp INT, v TEXT, at DATETIME, r REAL);
      INSERT INTO items ${numbers(3500)} i, i % 7, 'v' || i, '2024-01-01 10:00:00', i / 3.0 FROM s;
      CREATE TABLE texts (a TEXT NOT NULL, d DATE NOT NULL, b BLOB, PRIMARY KEY (d, a)) WITHOUT ROWID;
      INSERT INTO texts ${numbers(300)} 'row ' || i, date('2024-01-01', (i % 50) || ' days'), randomblob(20) FROM s;
      CREATE TABLE bad (id INTEGER PRIMARY KEY, n INT);
      INSERT INTO bad VALUES (1, 'no number');`);
    app = await openApp({ args: ['--source', `sqlite:${join(folder, 'shop.db')}`] });
    await app.start({ waitReady: false });
    await readable();
  }, 60_000);
  afterAll(async () => {
    await app?.close();
    source?.close();
    rmSync(folder, { recursive: true });
  });

  // A table that stands still is there, so it is never ready as a whole.
  const readable = () =>
    waitFor('the rows', async () => {
      const { status } = await request(`${app.url}/v1/tables/texts/rows/2024-01-01,row%200`);
      return status === 200 && (await request(`${app.url}/v1/tables/items/rows/3499`)).status === 200;
    });

  it('reports nothing while it is written, and finds and repairs each falsified row', async () => {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const id = hot + (i % 50);
        source.exec(
          `BEGIN; REPLACE INTO items (id, grp, v) VALUES (${id}, 1, '${i}'); DELETE FROM items WHERE id = ${hot + ((i * 3) % 50)}; REPLACE INTO texts VALUES ('hot ${i % 20}', '2024-02-01', x'00'); DELETE FROM texts WHERE a = 'hot ${(i * 3) % 20}'; COMMIT`,
        );
        await setTimeout(2);
      }
    })();
    const sound = { items: ['equal', 0, 0, 0, 0], texts: ['equal', 0, 0, 0, 0], bad: ['skipped', 0, 0, 0, 0] };
    for (let round = 0; round < 2; round++) {
      const status = await verify(app);
      expect(status.differences).toEqual([]);
      expect(summary(status)).toEqual(sound);
    }
    await app.stop();
    const file = new Database(join(app.dataDir, 'writethrough.db'));
    const named = (column: string) => {
      const sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%\\_v%' ESCAPE '\\' AND sql LIKE ?";
      return (file.prepare(sql).get(`%"${column}"%`) as { name: string }).name;
    };
    const [items, texts] = [named('grp'), named('b')];
    file.exec(`
      UPDATE ${items} SET v = 'other' WHERE id < 40;
      DELETE FROM ${items} WHERE id BETWEEN 100 AND 129;
      INSERT INTO ${items} (id, grp, v, wt_rowtime) ${numbers(20)} 5000 + i, 1, 'ghost', 0 FROM s;
      UPDATE ${texts} SET b = x'01' WHERE a LIKE 'row 10%';`);
    file.close();
    await app.start({ waitReady: false });
    await readable();
    const found = await verify(app);
    expect(summary(found)).toMatchObject({ items: ['different', 30, 20, 40, 0], texts: ['different', 0, 0, 11, 0] });
    expect(found.differences).toHaveLength(101);
    const repaired = await verify(app, { repair: true });
    expect(summary(repaired)).toMatchObject({ items: ['repaired', 30, 20, 40, 90], texts: ['repaired', 0, 0, 11, 11] });
    expect(summary(await verify(app))).toEqual(sound);
    stop.abort();
    await writing;
    expect((await request(`${app.url}/v1/tables/items/rows/5`)).text).toContain('"v":"v5"');
    expect((await request(`${app.url}/v1/tables/items/rows/5001`)).status).toBe(404);
  }, 60_000);
});
