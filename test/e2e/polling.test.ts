// Tables that are asked again and again: MySQL and MariaDB by a user who may only SELECT, and a JDBC connector's file as it is, through
// the whole process, for all three.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createPolledDatabase, type PolledDatabase } from '../support/source/polled-server.js';
import { completed, rowsOf, runSource } from '../support/source-run.js';
import { Database } from '../support/sqlite-driver.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('%s', (product) => {
  let database: PolledDatabase;
  const run = (...statements: readonly string[]) => database.run(...statements);
  const source = (config: Record<string, string>) => database.source(config);

  beforeAll(async () => {
    database = await createPolledDatabase(servers[product], 'poll');
  });
  afterAll(() => database.drop());

  it('reads by time and number with exact values, over pages, and finds what changes; deletes are not seen', async () => {
    await run(
      `CREATE TABLE item (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, price DECIMAL(20,4), name VARCHAR(20) CHARACTER SET latin1,
        at DATETIME(3) NOT NULL)`,
      `INSERT INTO item VALUES (18446744073709551000, 12345678901234.5678, 'é', '2024-01-01 00:00:00.5'), (2, NULL, NULL, '2024-01-01 00:00:00.5'),
        (3, 1, 'c', '2024-01-01 00:00:00.5'), (4, 1, 'd', '2024-01-01 00:00:00.5'), (5, 1, 'e', '2023-01-01')`,
      'CREATE TABLE log (line TEXT)',
    );
    const config = { mode: 'timestamp+incrementing', 'timestamp.column.name': 'at', 'table.include.list': 'item,log' };
    const findings = await source(config).validate();
    expect(findings.map(({ code }) => code).sort()).toEqual(['deletes-unseen', 'keyless-table']);
    const first = runSource(source(config), null);
    await completed(first);
    expect(rowsOf(first, 'item').map(({ name }) => name)).toEqual(['e', null, 'c', 'd', 'é']);
    expect(first.appends.flatMap(({ records }) => records.map(({ value }) => value)).at(-1)).toContain(
      '"id":18446744073709551000,"price":12345678901234.5678',
    );
    await run("UPDATE item SET name = 'changed', at = NOW(3) WHERE id = 2", 'DELETE FROM item WHERE id = 3');
    await first.until(() => rowsOf(first, 'item').some(({ name }) => name === 'changed'), 'the change');
    expect(rowsOf(first, 'item')).toHaveLength(5);
    await first.stop();
    await run("INSERT INTO item (name, at) SELECT 'late', NOW(3)");
    const second = runSource(source(config), first.appends.at(-1)!.position, {
      after: first,
    });
    await second.until(() => rowsOf(second, 'item').some(({ name }) => name === 'late'), 'the new row');
    expect(second.appends.flatMap(({ records }) => records)).toHaveLength(1);
    await second.stop();
  });

  // The process is the same for both.
  if (product === 'mysql') return;

  it('is read through the whole process from a file of the JDBC source, and in bulk', { timeout: 60_000 }, async () => {
    await run(
      'CREATE TABLE part (a INT, b VARCHAR(5), n INT, PRIMARY KEY (a, b))',
      "INSERT INTO part VALUES (1, 'x', 1)",
    );
    const app = await openApp();
    const file = new Database(join(app.dir, 'shop.db'));
    try {
      file.exec("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note VALUES (1, 'one')");
      await app.start();
      const base = {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'tasks.max': '1',
        'poll.interval.ms': '50',
      };
      const create = (name: string, config: Readonly<Record<string, string>>) =>
        requestJson(`${app.url}/connectors`, { body: { name, config: { ...base, ...config } } });
      await create('server', {
        ...database.connection,
        'topic.prefix': 'sql-',
        'table.whitelist': `${database.name}.part`,
        mode: 'bulk',
      });
      await create('file', {
        'connection.url': `jdbc:sqlite:${join(app.dir, 'shop.db')}`,
        'topic.prefix': 'lite-',
        mode: 'incrementing',
        'incrementing.column.name': 'id',
      });
      const served = (table: string, expected: string) =>
        waitFor(`${table} to hold ${expected}`, async () =>
          (await request(`${app.url}/v1/tables/${table}/rows`)).text.includes(expected),
        );
      await served('part', '"n":1');
      await served('note', '"text":"one"');
      await run('UPDATE part SET n = 2');
      await served('part', '"n":2');
      await app.kill();
      file.exec("INSERT INTO note VALUES (2, 'two')");
      await app.start();
      await served('note', '"text":"two"');
      const topics = (await request(`${app.url}/connectors/server/topics`)).text;
      expect(topics).toContain('sql-part');
    } finally {
      file.close();
      await app.close();
    }
  });
});
