// Tables that are read again because somebody asks: one, some of its rows, or all, in place, without ghosts, with what is derived from them;
// also when the process is killed on the way. What has changed unseen is made with `sql_log_bin = 0`.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { rowsAgree } from '../support/harness/served-rows.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';

const servers = await sharedServers('mysql', 'mariadb');
const run = promisify(execFile);

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('snapshots on demand, on %s', (product) => {
  let database: TestDatabase;
  let app: App;
  let connector: string;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'asked');
    await query(
      'CREATE TABLE items (id INT PRIMARY KEY, kind VARCHAR(9), n INT)',
      "INSERT INTO items VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (4, 'b', 4), (5, 'b', 5)",
      'CREATE TABLE others (id INT PRIMARY KEY, n INT)',
      'INSERT INTO others VALUES (1, 1), (2, 2)',
      'CREATE TABLE large (id INT PRIMARY KEY, text VARCHAR(60))',
      `INSERT INTO large WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 900)
        SELECT x.n * 900 + s.n, CONCAT('text ', s.n) FROM s, (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2) x`,
    );
    app = await openApp({ args: ['--source', database.url] });
    await app.start();
    await agree();
    [connector] = await requestJson<[string]>(`${app.url}/connectors`);
    await requestJson(`${app.url}/ksql`, {
      method: 'POST',
      body: { ksql: 'CREATE TABLE per_kind AS SELECT kind, SUM(n) AS total FROM items GROUP BY kind EMIT CHANGES;' },
    });
    await totals('a 3, b 12');
  }, 60_000);
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
  /** Nothing of it is in the binlog. */
  const unseen = (...statements: string[]) => query('SET SESSION sql_log_bin = 0', ...statements);
  const agrees = (table: string) => rowsAgree(servers[product], database.name, app.url, table);
  const within = { timeoutMs: 15_000 };
  async function agree(): Promise<void> {
    for (const table of ['items', 'others', 'large'])
      await waitFor(`${table} as on the server`, () => agrees(table), within);
  }
  const ask = (body: object) => request(`${app.url}/connectors/${connector}/snapshot`, post(body));
  const post = (body: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  async function totals(expected: string): Promise<void> {
    await waitFor(
      `totals ${expected}`,
      async () => {
        const { rows } = await requestJson<{ rows: { kind: string; total: number }[] }>(
          `${app.url}/v1/tables/per_kind/rows`,
        );
        return rows.map(({ kind, total }) => `${kind} ${total}`).join(', ') === expected;
      },
      within,
    );
  }
  const texts = async () => (await request(`${app.url}/v1/tables/items/rows`)).text;

  it('of some rows leaves the others as they are, and takes rows that are gone away', async () => {
    await unseen(
      'UPDATE items SET n = n + 10 WHERE id IN (1, 3)',
      "INSERT INTO items VALUES (6, 'b', 6)",
      'DELETE FROM items WHERE id = 4',
    );
    const answer = await ask({ tables: ['items'], where: "kind = 'b'" });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      202,
      { name: connector, tables: [`${database.name}.items`] },
    ]);
    await totals('a 3, b 24');
    expect(await texts()).toContain('"id":1,"kind":"a","n":1}');
    expect(await agrees('items')).toBe(false);
    // Changes go on meanwhile.
    await query("INSERT INTO items VALUES (7, 'a', 7)");
    await totals('a 10, b 24');
  });

  it('of one table, by the command line', async () => {
    const args = ['dist/main.js', '--url', app.url, 'snapshot', 'items'];
    const { stdout } = await run(process.execPath, args);
    expect(stdout).toBe(`Read again: ${database.name}.items\n`);
    await totals('a 20, b 24');
    expect(await agrees('items')).toBe(true);
  });

  it('of all tables, over a kill, with its progress shown', async () => {
    await unseen(
      'UPDATE items SET n = 0',
      'DELETE FROM others',
      "UPDATE large SET text = 'changed' WHERE id % 7 = 0",
      'DELETE FROM large WHERE id % 11 = 0',
      "INSERT INTO large VALUES (100000, 'new')",
    );
    expect((await ask({})).status).toBe(202);
    const metrics = (await request(`${app.url}/metrics`)).text;
    const left = Number(/writethrough_snapshot_tables_left\{[^}]*\} (\d)/.exec(metrics)?.[1]);
    await app.kill();
    expect(left).toBeGreaterThanOrEqual(0);
    await app.start();
    await agree();
    await totals('a 0, b 0');
    interface Status {
      readonly source: { readonly snapshot?: { readonly tables: readonly { readonly cause: string }[] } };
    }
    const status = () => requestJson<Status>(`${app.url}/connectors/${connector}/status`);
    await waitFor('the end of it', async () => (await status()).source.snapshot === undefined, within);
    expect((await ask({ tables: ['large'] })).status).toBe(202);
    const seen = await waitFor('its progress', async () => (await status()).source.snapshot, {
      ...within,
      intervalMs: 1,
    });
    expect(seen.tables).toMatchObject([{ table: `${database.name}.large`, cause: 'it was asked for' }]);
  });

  it("is understood as Debezium's signal says it", async () => {
    await unseen('UPDATE others SET n = n + 1', 'INSERT INTO others VALUES (8, 8), (9, 9)', 'UPDATE items SET n = 1');
    const conditions = [{ 'data-collection': `${database.name}.others`, filter: 'id = 9' }];
    const data = { 'data-collections': [`${database.name}.(others|items)`], 'additional-conditions': conditions };
    const answer = await ask({ type: 'execute-snapshot', data: { type: 'incremental', ...data } });
    expect(JSON.parse(answer.text)).toEqual({
      name: connector,
      tables: [`${database.name}.items`, `${database.name}.others`],
    });
    await agree();
  });

  it.each([
    [{ tables: ['itens'] }, 404, /no table itens/],
    [{ tables: 'items', where: 'id = 1) OR (1 = 1' }, 400, /closes a parenthesis/],
    [{ tables: ['items'], where: 'nope = 1' }, 400, /does not fit .*nope/],
    [{ tables: ['items'], where: '1; DROP TABLE items' }, 400, /more than one statement/],
    [{ tables: [7] }, 400, /list of names/],
    [{ type: 'blocking' }, 400, /incremental/],
  ])('%j is refused', async (body, status, message) => {
    const answer = await ask(body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(message) as string]);
  });

  it('is refused by a connector that does not run', async () => {
    await request(`${app.url}/connectors/${connector}/pause`, { method: 'PUT' });
    const { status, text } = await ask({});
    expect([status, text]).toEqual([400, expect.stringContaining('does not run, but is PAUSED') as string]);
  });
});
