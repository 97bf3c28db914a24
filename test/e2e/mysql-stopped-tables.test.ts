// A value that has no form here stops its table alone: in the snapshot, in the stream, over a kill; the others go on. What repairs it (another
// configuration, a statement) has the table read again, and what is derived from it follows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Stopped {
  readonly table: string;
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly hint: string;
}

interface Status {
  readonly tasks: readonly { readonly state: string }[];
  readonly stopped?: readonly Stopped[];
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('a value without a form, on %s', (product) => {
  let database: TestDatabase;
  let app: App;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'stopped');
    await query(
      'CREATE TABLE good (id INT PRIMARY KEY)',
      'INSERT INTO good VALUES (1)',
      'CREATE TABLE born (id INT PRIMARY KEY, day DATE)',
      "INSERT INTO born VALUES (1, '2000-01-01'), (7, '0000-00-00')",
      'CREATE TABLE shifts (id INT PRIMARY KEY, day DATE, t TIME)',
      "INSERT INTO shifts VALUES (1, '2000-01-01', '07:30:00'), (2, '2000-01-02', '07:30:00')",
    );
    app = await openApp({});
    await app.start();
    await put({});
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) =>
    runStatements(servers[product], database.name, ["SET sql_mode = ''", ...statements]);

  const put = (more: object) =>
    requestJson(`${app.url}/connectors/c/config`, {
      method: 'PUT',
      body: {
        'connector.class': 'MySqlCdcSourceV2',
        ...mysqlConfig(servers[product], database.name),
        name: 'c',
        'topic.prefix': 'p',
        'output.data.format': 'JSON',
        'output.key.format': 'JSON',
        'after.state.only': 'true',
        'time.range.handling.mode': 'stop',
        ...more,
      },
    });

  async function rows(table: string): Promise<readonly Record<string, unknown>[] | string> {
    const { status, text } = await request(`${app.url}/v1/tables/${table}/rows`);
    return status === 200 ? (JSON.parse(text) as { rows: Record<string, unknown>[] }).rows : text;
  }
  const shows = (table: string, ...ids: readonly number[]) =>
    waitFor(
      `rows ${ids.join()} of ${table}`,
      async () => {
        const found = await rows(table);
        return Array.isArray(found) && found.map((row) => (row as { id: number }).id).join() === ids.join();
      },
      { timeoutMs: 10_000 },
    );

  const status = () => requestJson<Status>(`${app.url}/connectors/c/status`);
  async function stopped(...tables: readonly string[]): Promise<readonly Stopped[]> {
    const names = async () => ((await status()).stopped ?? []).map(({ table }) => table);
    await waitFor(`${tables.join()} to stand still`, async () => (await names()).sort().join() === tables.join(), {
      timeoutMs: 10_000,
    });
    const { tasks, stopped: found = [] } = await status();
    expect(tasks).toMatchObject([{ state: 'RUNNING' }]);
    return found;
  }

  it('in the snapshot leaves the other tables whole, and says what it is', async () => {
    await shows('good', 1);
    await shows('shifts', 1, 2);
    expect(await stopped('born')).toMatchObject([
      {
        code: 'unconvertible-value',
        message: expect.stringMatching(/\.born\.day .*row of .*\.born with id 7, read in the snapshot/) as string,
        detail: expect.stringMatching(/^bytes [0-9a-f]+$/) as string,
        hint: expect.stringContaining('zero.date.handling.mode=null') as string,
      },
    ]);
    expect(await rows('born')).toContain('born');
  });

  it('in the stream lets the table stand as it was before the transaction, and stays so over a kill', async () => {
    await requestJson(`${app.url}/ksql`, {
      method: 'POST',
      body: { ksql: 'CREATE TABLE per_t AS SELECT t, COUNT(*) AS id FROM shifts GROUP BY t EMIT CHANGES;' },
    });
    await shows('per_t', 2);
    await query(
      'BEGIN',
      "INSERT INTO shifts VALUES (3, '2000-01-03', '08:00:00')",
      'INSERT INTO good VALUES (2)',
      "INSERT INTO shifts VALUES (4, '2000-01-04', '08:00:00'), (5, '2000-00-00', '08:00:00')",
      'INSERT INTO good VALUES (3)',
      'COMMIT',
      "INSERT INTO shifts VALUES (6, '2000-01-06', '09:00:00')",
      'DELETE FROM shifts WHERE id = 1',
      'INSERT INTO good VALUES (4)',
    );
    await shows('good', 1, 2, 3, 4);
    const [, found] = await stopped('born', 'shifts');
    expect(found!.message).toMatch(/\.shifts\.day .*row of .*\.shifts with id 5 in the event of the binlog/);
    const there = await request(`${app.url}/v1/tables/shifts/rows?stale=ok`);
    expect(there.text).toContain('"id":2');
    expect(there.text).not.toContain('"id":3');
    await app.kill();
    await app.start({ waitReady: false });
    await query('INSERT INTO good VALUES (5)', "INSERT INTO shifts VALUES (7, '2000-01-07', '09:00:00')");
    await shows('good', 1, 2, 3, 4, 5);
    expect((await stopped('born', 'shifts'))[1]).toEqual(found);
  });

  it('is as another configuration says from then on, with what is derived', async () => {
    await put({ 'zero.date.handling.mode': 'null' });
    await shows('born', 1, 7);
    await shows('shifts', 2, 3, 4, 5, 6, 7);
    expect((await rows('born'))[1]).toEqual({ id: 7, day: null });
    await shows('per_t', 1, 3, 2);
    await query("UPDATE shifts SET t = '09:00:00' WHERE id = 2");
    await shows('per_t', 3, 3);
    await stopped();
  });

  it('comes back with the statement that takes it away', async () => {
    await query("UPDATE shifts SET t = '36:00:00' WHERE id = 3", 'INSERT INTO good VALUES (6)');
    await shows('good', 1, 2, 3, 4, 5, 6);
    const [found] = await stopped('shifts');
    expect(found).toMatchObject({ hint: expect.stringContaining('time.range.handling.mode') as string });
    await query('ALTER TABLE shifts MODIFY t VARCHAR(10)', "INSERT INTO shifts VALUES (8, NULL, '40:00')");
    await shows('shifts', 2, 3, 4, 5, 6, 7, 8);
    await query('ALTER TABLE born ADD COLUMN t TIME', "UPDATE born SET t = '-01:00:00' WHERE id = 1");
    await stopped('born');
    await query('TRUNCATE born', "INSERT INTO born VALUES (9, '2000-01-01', '01:00:00')");
    await shows('born', 9);
    await query("UPDATE born SET t = '-01:00:00'");
    await stopped('born');
    await query('DROP TABLE born', 'INSERT INTO good VALUES (7)');
    await shows('good', 1, 2, 3, 4, 5, 6, 7);
    await shows('born');
    await stopped();
  });

  it('stops with its table those whose rows follow it unlogged, and all come back together', async () => {
    const follow = 'parent INT, FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE';
    await query(
      'CREATE TABLE parents (id INT PRIMARY KEY, t TIME)',
      `CREATE TABLE children (id INT PRIMARY KEY, ${follow})`,
      'INSERT INTO parents (id) VALUES (1), (2), (3)',
      'INSERT INTO children VALUES (10, 1), (20, 2), (30, 3)',
    );
    await shows('parents', 1, 2, 3);
    await shows('children', 10, 20, 30);
    await query("UPDATE parents SET t = '36:00:00' WHERE id = 1", 'DELETE FROM parents WHERE id = 2');
    // MySQL logs what follows.
    await stopped(...(product === 'mariadb' ? ['children', 'parents'] : ['parents']));
    await query('ALTER TABLE parents MODIFY t VARCHAR(10)', 'DELETE FROM parents WHERE id = 3');
    await shows('parents', 1);
    await shows('children', 10);
    await stopped();
  });
});
