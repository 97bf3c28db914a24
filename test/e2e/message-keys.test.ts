// message.key.columns on both servers: rows are one by the key that was made, in topic and table, also where one of its columns changes, a
// table is read again, or is emptied.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('message.key.columns on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'keys');
    await query(
      'CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(20), tenant VARCHAR(8) NOT NULL)',
      "INSERT INTO orders VALUES (1, 'one', 'b'), (2, 'two', 'a'), (3, 'three', 'b'), (4, 'four', 'a')",
    );
    app = await openApp({ args: [] });
    await app.start();
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  function config(columns: string): Record<string, string> {
    return {
      'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
      ...connectionOf(database.url),
      'topic.prefix': 'shop',
      'database.include.list': database.name,
      'snapshot.fetch.size': '2',
      'after.state.only': 'true',
      'message.key.columns': `${database.name}.orders:${columns}`,
    };
  }

  const rows = async () => {
    const { status, text } = await request(`${app.url}/v1/tables/orders/rows`);
    const found = status === 200 ? (JSON.parse(text) as { rows: Record<string, unknown>[] }).rows : [];
    return found.map(({ tenant, id, note }) => `${String(tenant)} ${String(id)} ${String(note)}`);
  };
  const shows = (...wanted: string[]) =>
    waitFor(wanted.join(', '), async () => (await rows()).join() === wanted.join());

  it('a superset of the primary key is the key of rows', { timeout: 60_000 }, async () => {
    await requestJson(`${app.url}/connectors`, { body: { name: 'keys', config: config('tenant,id') } });
    await shows('a 2 two', 'a 4 four', 'b 1 one', 'b 3 three');
    await query("UPDATE orders SET tenant = 'c' WHERE id = 1", "UPDATE orders SET note = 'n' WHERE id = 2");
    await shows('a 2 n', 'a 4 four', 'b 3 three', 'c 1 one');
    // What the binlog does not tell: the row under its old key goes when the table is read again.
    await query('SET sql_log_bin = 0', "UPDATE orders SET tenant = 'd' WHERE id = 4", 'SET sql_log_bin = 1');
    await requestJson(`${app.url}/connectors/keys/snapshot`, { body: { tables: ['orders'] } });
    await shows('a 2 n', 'b 3 three', 'c 1 one', 'd 4 four');
    const { records } = await requestJson<{ records: { key: string; value: string | null }[] }>(
      `${app.url}/v1/topics/shop.${database.name}.orders/records?offset=0&limit=100`,
    );
    const folded = new Map(
      records.map(({ key, value }) => [key, value === null || value.includes('"__deleted":"true"')]),
    );
    expect(
      [...folded]
        .filter(([, gone]) => !gone)
        .map(([key]) => key)
        .toSorted(),
    ).toEqual(['{"tenant":"a","id":2}', '{"tenant":"b","id":3}', '{"tenant":"c","id":1}', '{"tenant":"d","id":4}']);
    await query('DELETE FROM orders WHERE id = 2');
    await shows('b 3 three', 'c 1 one', 'd 4 four');
    // A primary key that the made key does not hold: the table stands still, and the rows stay.
    await query(
      'ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (note)',
      "UPDATE orders SET id = 1, tenant = 'x'",
    );
    await waitFor('the table stands still', async () =>
      (await request(`${app.url}/connectors/keys/status`)).text.includes('not told apart'),
    );
    expect(await rows()).toEqual(['b 3 three', 'c 1 one', 'd 4 four']);
  });

  it.skipIf(product === 'mariadb')(
    'any other one is refused with the way, and the key may become the primary key again',
    { timeout: 60_000 },
    async () => {
      const answer = await request(`${app.url}/connectors`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'keys', config: config('tenant') }),
      });
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/by which rows are not told apart.*name the rest of its primary key, too \(id\)/s);
      // The primary key again: the table is read anew in its form.
      await requestJson(`${app.url}/connectors`, { body: { name: 'keys', config: config('tenant,id') } });
      await shows('a 2 two', 'a 4 four', 'b 1 one', 'b 3 three');
      const { 'message.key.columns': _, ...plain } = config('');
      const changed = await request(`${app.url}/connectors/keys/config`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(plain),
      });
      expect([changed.status, changed.text]).toEqual([200, expect.any(String)]);
      await shows('b 1 one', 'a 2 two', 'b 3 three', 'a 4 four');
      await query("UPDATE orders SET tenant = 'c' WHERE id = 1");
      await shows('c 1 one', 'a 2 two', 'b 3 three', 'a 4 four');
    },
  );
});
