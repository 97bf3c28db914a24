// Statements that take away rows and name none of them, about tables that are captured to their topics only: what a topic holds goes, each
// key once, in the order of the binlog, on both products and both logs, in every form of records, and also when the process is killed on
// the way. The connector goes on whatever comes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf, debeziumClasses } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
const kafka = await sharedServers('kafka');

const json = 'org.apache.kafka.connect.json.JsonConverter';
const avro = 'io.confluent.connect.avro.AvroConverter';
const plain = {
  'key.converter': json,
  'key.converter.schemas.enable': 'false',
  'value.converter': json,
  'value.converter.schemas.enable': 'false',
};
const flat = {
  transforms: 'unwrap',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
};

interface Record {
  readonly key: string;
  readonly value: string | null;
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('topics that lose all rows, on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'emptied_topics');
    await query(
      'CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))',
      "INSERT INTO a VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three')",
      'CREATE TABLE b (name VARCHAR(20), big BIGINT UNSIGNED, at DATETIME(6), v INT, PRIMARY KEY (name, big, at))',
      `INSERT INTO b VALUES ('é', 18446744073709551615, '2024-01-02 03:04:05.678901', 1), ('', 0, '1969-12-31 23:59:59.999999', 2)`,
    );
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  async function begin(more: object, stream: Parameters<typeof openApp>[0] = {}): Promise<void> {
    app = await openApp({ args: [], ...stream });
    await app.start();
    const config = {
      'connector.class': debeziumClasses[product],
      ...connectionOf(database.url),
      'topic.prefix': 'p',
      'database.include.list': database.name,
      'table.create': 'false',
      ...more,
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'c', config } });
    await holds('a', 3);
    await holds('b', 2);
  }

  async function records(table: string): Promise<Record[]> {
    const all: Record[] = [];
    for (const partition of [0, 1, 2]) {
      for (let offset = '0'; ;) {
        const url = `${app.url}/v1/topics/p.${database.name}.${table}/records?partition=${partition}&offset=${offset}&limit=10000`;
        const { status, text } = await request(url);
        if (status !== 200) break;
        const page = JSON.parse(text) as { records: Record[]; nextOffset: string };
        if (page.records.length === 0) break;
        all.push(...page.records);
        offset = page.nextOffset;
      }
    }
    return all;
  }
  const keysOf = (of: readonly Record[]) => {
    const held = new Map(of.map(({ key, value }) => [key, value]));
    return [...held].flatMap(([key, value]) => (value === null ? [] : [key]));
  };
  const keys = (...ids: readonly number[]) => ids.map((id) => JSON.stringify({ id })).join();
  const holds = (table: string, rows: number) =>
    waitFor(`${rows} keys in the topic of ${table}`, async () => keysOf(await records(table)).length === rows);
  const deletes = async (table: string) => (await records(table)).filter(({ value }) => value === null).length;

  async function goesOn(): Promise<void> {
    const { connector, tasks } = await requestJson<{ connector: { state: string }; tasks: { state: string }[] }>(
      `${app.url}/connectors/c/status`,
    );
    expect([connector.state, ...tasks.map(({ state }) => state)]).toEqual(['RUNNING', 'RUNNING']);
  }

  async function emptied(): Promise<void> {
    await query('TRUNCATE TABLE a', "INSERT INTO a VALUES (2, 7, 'again')", 'TRUNCATE b');
    await holds('a', 1);
    await holds('b', 0);
    expect([await deletes('a'), await deletes('b')]).toEqual([3, 2]);
    await query(
      'DROP TABLE a',
      'CREATE TABLE a (id INT PRIMARY KEY, g INT, text VARCHAR(20))',
      "INSERT INTO a VALUES (2, 9, 'new'), (9, 9, 'new')",
      "INSERT INTO b VALUES ('x', 1, '2024-01-01', 1)",
      'RENAME TABLE b TO c',
    );
    await holds('a', 2);
    await holds('b', 0);
    await holds('c', 1);
    expect(await deletes('a')).toBe(4);
    await goesOn();
    await app.kill();
    await query('TRUNCATE a', 'DROP TABLE c', "INSERT INTO a VALUES (4, 4, 'four')");
    await app.start();
    await holds('a', 1);
    await holds('c', 0);
    expect(await deletes('a')).toBe(6);
    await goesOn();
  }

  // What differs between the products is how statements are told, not the form of records.
  const forms: readonly (readonly [string, object])[] = [
    ['flat', { ...plain, ...flat }],
    ['envelopes', plain],
    [
      'AVRO, of three partitions',
      { 'key.converter': avro, 'value.converter': avro, 'topic.creation.default.partitions': '3' },
    ],
    [
      'rows that are marked',
      { ...plain, ...flat, 'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone' },
    ],
  ];
  it.each(product === 'mysql' ? forms : forms.slice(0, 1))(
    'by TRUNCATE, DROP and RENAME: %s',
    { timeout: 120_000 },
    async (_, more) => {
      await begin(more);
      await emptied();
    },
  );

  it.runIf(product === 'mysql')('with the rows that they were, in envelopes', { timeout: 60_000 }, async () => {
    await begin(plain);
    await query("UPDATE a SET text = 'other' WHERE id = 2", 'DELETE FROM a WHERE id = 3', 'TRUNCATE a');
    await holds('a', 0);
    const told = (await records('a')).flatMap(({ value }) =>
      value === null ? [] : [JSON.parse(value) as { op: string; before: unknown }],
    );
    expect(told.filter(({ op }) => op === 'd').map(({ before }) => before)).toEqual([
      { id: 3, g: 2, text: 'three' },
      { id: 1, g: 1, text: 'one' },
      { id: 2, g: 1, text: 'other' },
    ]);
  });

  it('by partitions, and rows that are gone when a table is read again', { timeout: 120_000 }, async () => {
    await begin({ ...plain, ...flat });
    await query(
      'CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN (100))',
      'INSERT INTO parts VALUES (1, 1), (2, 2), (11, 11), (12, 12)',
    );
    await holds('parts', 4);
    await query('ALTER TABLE parts TRUNCATE PARTITION low');
    await holds('parts', 2);
    await query('ALTER TABLE parts DROP PARTITION high');
    await holds('parts', 0);
    expect(await deletes('parts')).toBe(4);
    // Left out of the binlog, so that only reading the table again tells.
    await query('SET SESSION sql_log_bin = 0', 'DELETE FROM a WHERE id = 2', 'SET SESSION sql_log_bin = 1');
    await query('ALTER TABLE a MODIFY g VARCHAR(30)');
    await holds('a', 2);
    await goesOn();
  });

  it('as far as rows have gone while the place was given up', { timeout: 60_000 }, async () => {
    await begin({ ...plain, ...flat });
    const call = (method: string, tail: string) => request(`${app.url}/connectors/c/${tail}`, { method });
    await call('PUT', 'stop');
    await query('DELETE FROM a WHERE id > 1', "INSERT INTO a VALUES (7, 7, 'seven')", 'DROP TABLE b');
    const { status, text } = await call('DELETE', 'offsets');
    expect(status, text).toBe(200);
    await call('PUT', 'resume');
    await holds('b', 0);
    await waitFor('what is there', async () => keysOf(await records('a')).join() === keys(1, 7));
    expect([await deletes('a'), await deletes('b')]).toEqual([2, 2]);
    await query('INSERT INTO a VALUES (8, 8, NULL)', 'TRUNCATE a');
    await holds('a', 0);
    await goesOn();
  });

  it('of many rows, killed anywhere on the way', { timeout: 180_000 }, async () => {
    // Without compaction, so that each delete is still there to be counted.
    await begin({ ...plain, ...flat, 'topic.creation.default.cleanup.policy': 'delete' });
    const fill = (from: number) =>
      query(
        `INSERT INTO large SELECT ${from} + y.n * 100 + z.n, REPEAT('x', 150) FROM
          (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 39) SELECT n FROM s) y,
          (WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 99) SELECT n FROM s) z`,
      );
    await query('CREATE TABLE large (id INT PRIMARY KEY, text VARCHAR(200))');
    for (let i = 0; i < 3; i++) {
      await fill(100);
      await holds('large', 4_000);
      const before = await deletes('large');
      await query('TRUNCATE large', `INSERT INTO large VALUES (${i}, 'after')`);
      await new Promise((resolve) => setTimeout(resolve, i * 60));
      await app.kill();
      await app.start();
      await holds('large', 1);
      expect((await deletes('large')) - before).toBe(4_000);
      await query('DELETE FROM large');
      await holds('large', 0);
    }
    await goesOn();
  });

  it.skipIf(kafka.missing || product === 'mariadb')('on Kafka', { timeout: 180_000 }, async () => {
    const { brokers } = kafka.kafka;
    const stream = {
      args: ['--stream', `kafka://${brokers.join(',')}`],
      env: { WRITETHROUGH_SERVICE_ID: database.name },
    };
    try {
      await begin({ ...plain, ...flat, 'topic.prefix': 'p', 'topic.creation.default.partitions': '3' }, stream);
      await emptied();
    } finally {
      await app.close();
      await deleteTopicsOf(brokers, database.name);
      await deleteTopicsOf(brokers, `p.${database.name}`);
    }
  });
});
