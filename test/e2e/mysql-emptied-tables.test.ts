// Statements that take away all rows of a table and name none of them: the rows that are served go with them, in the order of the binlog,
// on both products; also of tables about which nothing has come since a start, and also when the process is killed on the way.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, withConnection, type TestDatabase } from '../support/servers/sql-client.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Topic {
  readonly records: readonly { readonly key: unknown; readonly value: unknown }[];
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('tables that lose all rows, on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'emptied');
    await query(
      'CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))',
      "INSERT INTO a VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three')",
      'CREATE TABLE b (name VARCHAR(20), big BIGINT UNSIGNED, cost DECIMAL(10,2), at DATETIME(6), v INT, PRIMARY KEY (name, big, cost, at))',
      `INSERT INTO b VALUES ('é', 18446744073709551615, 1.50, '2024-01-02 03:04:05.678901', 1),
        ('', 0, -0.01, '1969-12-31 23:59:59.999999', 2)`,
    );
    app = await openApp({ args: ['--source', database.url] });
    await app.start();
    await shows('a', 3);
    await shows('b', 2);
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  async function count(table: string): Promise<number | string> {
    const { status, text } = await request(`${app.url}/v1/tables/${table}/rows?limit=100000`);
    return status === 200 ? (JSON.parse(text) as { rows: unknown[] }).rows.length : text;
  }
  const shows = (table: string, rows: number) =>
    waitFor(`${rows} rows of ${table}`, async () => (await count(table)) === rows);

  async function states(): Promise<readonly string[]> {
    const names = await requestJson<string[]>(`${app.url}/connectors`);
    const found = names.map((name) =>
      requestJson<{ connector: { state: string }; tasks: { state: string }[] }>(`${app.url}/connectors/${name}/status`),
    );
    return (await Promise.all(found)).flatMap(({ connector, tasks }) => [
      connector.state,
      ...tasks.map((t) => t.state),
    ]);
  }

  async function sql(text: string): Promise<void> {
    const { status, text: answer } = await request(`${app.url}/ksql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ksql: text }),
    });
    expect(status, answer).toBe(200);
  }

  it('TRUNCATE and what comes behind it', { timeout: 60_000 }, async () => {
    await sql('CREATE TABLE per_g AS SELECT g, COUNT(*) AS n FROM a GROUP BY g EMIT CHANGES;');
    await shows('per_g', 2);
    await query('TRUNCATE TABLE a', "INSERT INTO a VALUES (2, 7, 'again')", 'TRUNCATE b');
    await shows('a', 1);
    await shows('b', 0);
    await shows('per_g', 1);
    const { rows } = await requestJson<{ rows: unknown[] }>(`${app.url}/v1/tables/a/rows`);
    expect(rows).toMatchObject([{ id: 2, g: 7, text: 'again' }]);
    const { topics } = await requestJson<{ topics: readonly { name: string }[] }>(`${app.url}/v1/topics`);
    const name = topics.map((topic) => topic.name).find((each) => each.endsWith('.b'))!;
    const { records } = await requestJson<Topic>(`${app.url}/v1/topics/${name}/records?limit=100`);
    expect(records.map(({ value }) => value === null)).toEqual([false, false, true, true]);
    expect(new Set(records.map(({ key }) => JSON.stringify(key))).size).toBe(2);
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it('DROP, a table of the same name behind it, and scratch tables', { timeout: 60_000 }, async () => {
    await query(
      'CREATE TABLE tmp1 (id INT PRIMARY KEY)',
      'DROP TABLE tmp1',
      'CREATE TABLE tmp2 (id INT PRIMARY KEY)',
      'INSERT INTO tmp2 VALUES (1), (2)',
      'DROP TABLE tmp2, a',
      'CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))',
      "INSERT INTO a VALUES (9, 9, 'new')",
      `CREATE DATABASE ${database.name}_other`,
      `CREATE TABLE ${database.name}_other.a (id INT PRIMARY KEY)`,
      `DROP DATABASE ${database.name}_other`,
      "UPDATE b SET v = 5 WHERE name = 'é'",
    );
    await shows('a', 1);
    await shows('tmp2', 0);
    await shows('b', 2);
    const { rows } = await requestJson<{ rows: unknown[] }>(`${app.url}/v1/tables/a/rows`);
    expect(rows).toMatchObject([{ id: 9, text: 'new' }]);
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it('DROP DATABASE, and the same tables made again', { timeout: 60_000 }, async () => {
    await query(
      `DROP DATABASE ${database.name}`,
      `CREATE DATABASE ${database.name}`,
      `USE ${database.name}`,
      'CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))',
      "INSERT INTO a VALUES (5, 5, 'five')",
    );
    await shows('a', 1);
    await shows('b', 0);
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it.runIf(product === 'mariadb')('CREATE OR REPLACE, as often as one likes', { timeout: 60_000 }, async () => {
    const replace = 'CREATE OR REPLACE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))';
    await query(replace, "INSERT INTO a VALUES (2, 2, 'again')", replace, "INSERT INTO a VALUES (6, 6, 'six')");
    await waitFor('the row of the last one', async () => {
      const { rows } = await requestJson<{ rows: { id: number }[] }>(`${app.url}/v1/tables/a/rows`);
      return rows.length === 1 && rows[0]!.id === 6;
    });
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it('a table that goes and comes as fast as the server can', { timeout: 90_000 }, async () => {
    const rounds = 25;
    await withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      for (let i = 1; i <= rounds; i++) {
        await connection.query('DROP TABLE a');
        await connection.query('CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))');
        await connection.query(`INSERT INTO a VALUES (${i}, ${i}, 'round')`);
      }
    });
    await waitFor('the row of the last round', async () => {
      const { rows } = await requestJson<{ rows: { id: number }[] }>(`${app.url}/v1/tables/a/rows`);
      return rows.length === 1 && rows[0]!.id === rounds;
    });
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it('while nothing runs, about tables of which nothing has come since', { timeout: 60_000 }, async () => {
    await app.kill();
    await query(
      'TRUNCATE a',
      'DROP TABLE b',
      'CREATE TABLE tmp1 (id INT PRIMARY KEY)',
      'DROP TABLE tmp1',
      "INSERT INTO a VALUES (4, 4, 'four')",
    );
    await app.start();
    await shows('a', 1);
    await shows('b', 0);
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });

  it(
    'of a table that was dropped here: its topic is emptied, and so is the table that comes back',
    { timeout: 60_000 },
    async () => {
      await sql('DROP TABLE b;');
      await query('TRUNCATE b', "INSERT INTO a VALUES (4, 4, 'four')");
      await shows('a', 4);
      const { topics } = await requestJson<{ topics: readonly { name: string }[] }>(`${app.url}/v1/topics`);
      const name = topics.map((topic) => topic.name).find((each) => each.endsWith('.b'))!;
      const told = async () =>
        (await requestJson<Topic>(`${app.url}/v1/topics/${name}/records?limit=100`)).records.map(
          ({ value }) => value === null,
        );
      await waitFor('the deletes', async () => (await told()).join() === 'false,false,true,true');
      await query("INSERT INTO b VALUES ('x', 1, 1, '2024-01-01', 1), ('y', 1, 1, '2024-01-01', 1)");
      await waitFor('new rows', async () => (await told()).length === 6);
      await app.kill();
      // It is a table again with the first that comes of it, filled from its topic.
      await query('TRUNCATE b', "INSERT INTO b VALUES ('z', 1, 1, '2024-01-01', 1)");
      await app.start();
      await shows('b', 1);
      expect((await told()).filter((isDelete) => isDelete)).toHaveLength(4);
      expect(await states()).toEqual(['RUNNING', 'RUNNING']);
    },
  );

  it('of many rows, killed anywhere on the way', { timeout: 120_000 }, async () => {
    await query(
      'CREATE TABLE large (id INT PRIMARY KEY, text VARCHAR(200))',
      `INSERT INTO large SELECT y.n * 100 + z.n, REPEAT('x', 150) FROM
        (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 39) SELECT n FROM s) y,
        (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 99) SELECT n FROM s) z`,
    );
    await shows('large', 4_000);
    for (let i = 0; i < 3; i++) {
      await query('TRUNCATE large', `INSERT INTO large VALUES (${i}, 'after')`);
      await new Promise((resolve) => setTimeout(resolve, i * 60));
      await app.kill();
      await app.start();
      await shows('large', 1);
      await query(
        `INSERT INTO large SELECT 100 + x.n * 100 + y.n, REPEAT('y', 150) FROM
          (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 39) SELECT n FROM s) x,
          (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 99) SELECT n FROM s) y`,
      );
      await shows('large', 4_001);
    }
    expect(await states()).toEqual(['RUNNING', 'RUNNING']);
  });
});
