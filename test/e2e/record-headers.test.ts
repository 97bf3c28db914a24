// Headers that a connector adds to its records, on both servers and both logs: each tells of its own change, over a restart and a snapshot that
// is read again, and the table is what it is without them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { rowsAgree } from '../support/harness/served-rows.js';
import { waitFor } from '../support/harness/wait-for.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf, debeziumClasses } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
const kafka = await sharedServers('kafka');

type Headers = Readonly<Record<string, string>>;

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('headers of records of %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'headers');
    await query('CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20))', "INSERT INTO people VALUES (1, 'Ann')");
    app = await openApp({ args: [] });
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  async function create(): Promise<void> {
    const config = {
      'connector.class': debeziumClasses[product],
      ...connectionOf(database.url),
      'topic.prefix': database.name,
      'database.include.list': database.name,
      'output.data.format': 'JSON',
      'output.key.format': 'JSON',
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.add.headers': 'op,table:of,source.ts_ms,source.file',
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'headed', config } });
  }

  async function records(): Promise<{ key: string; value: string | null; timestamp: number; headers: Headers }[]> {
    const topic = `${database.name}.${database.name}.people`;
    const { status, text } = await request(`${app.url}/v1/topics/${topic}/records?offset=0&limit=1000`);
    return status === 200 ? (JSON.parse(text) as { records: [] }).records : [];
  }
  const told = async () => (await records()).map(({ key, headers }) => [key, headers['__op'], headers['__of']]);

  async function tell(): Promise<void> {
    await app.start();
    await create();
    await waitFor('the snapshot', async () => (await told()).length === 1);
    await query(
      "INSERT INTO people VALUES (2, 'Bob')",
      "UPDATE people SET name = 'Bea' WHERE id = 2",
      'UPDATE people SET id = 3 WHERE id = 2',
      'DELETE FROM people WHERE id = 1',
    );
    await waitFor('the changes', async () => (await told()).length === 6);
    await app.kill();
    await query("INSERT INTO people VALUES (4, 'Dan')", 'TRUNCATE people', "INSERT INTO people VALUES (5, 'Eve')");
    await app.start();
    await waitFor('what came meanwhile', async () => (await told()).length === 10);
    const [id, all] = [(n: number) => `{"id":${n}}`, await told()];
    expect(all.slice(0, 7)).toEqual([
      [id(1), 'r', 'people'],
      [id(2), 'c', 'people'],
      [id(2), 'u', 'people'],
      [id(2), 'd', 'people'],
      [id(3), 'c', 'people'],
      [id(1), 'd', 'people'],
      [id(4), 'c', 'people'],
    ]);
    // In the order of the keys that are held.
    expect(all.slice(7)).toEqual([
      [id(3), 'd', 'people'],
      [id(4), 'd', 'people'],
      [id(5), 'c', 'people'],
    ]);
    for (const { headers, timestamp } of (await records()).slice(1)) {
      expect(Number(headers['__source_ts_ms'])).toBe(Number(timestamp));
      expect(headers['__source_file']).toMatch(/\.\d{6}$/);
    }
    await waitFor('the table', () => rowsAgree(servers[product], database.name, app.url, 'people'));
  }

  it('tell of their changes, also behind a kill', { timeout: 90_000 }, tell);

  it.skipIf(kafka.missing)('do so on Kafka', { timeout: 120_000 }, async () => {
    await app.close();
    const { brokers } = kafka.kafka;
    app = await openApp({
      args: ['--stream', `kafka://${brokers.join(',')}`],
      env: { WRITETHROUGH_SERVICE_ID: database.name },
    });
    try {
      await tell();
    } finally {
      await app.close();
      await deleteTopicsOf(brokers, database.name);
    }
  });
});
