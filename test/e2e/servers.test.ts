// The test servers themselves: each answers with its version, Kafka's own consumer reads back what kafkajs wrote, and a
// server of a test's own survives a crash with its data.
import { Kafka, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';
import { afterAll, describe, expect, it } from 'vitest';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, createUser, uniqueName, withConnection } from '../support/servers/sql-client.js';

const servers = await sharedServers('mysql', 'mariadb', 'kafka');

describe.skipIf(servers.missing)('the test servers', () => {
  it.each(['mysql', 'mariadb'] as const)('%s writes full row events', async (name) => {
    const server = servers[name];
    expect(server.version).toMatch(name === 'mysql' ? /^(8|9|\d\d)\./ : /MariaDB/);
    await withConnection(server, async (connection) => {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        'SELECT @@log_bin AS log, @@binlog_format AS format, @@binlog_row_image AS image, @@binlog_row_metadata AS metadata',
      );
      expect(rows).toEqual([{ log: 1, format: 'ROW', image: 'FULL', metadata: 'FULL' }]);
    });
  });

  it('give a test a database and a user of its own', async () => {
    const database = await createDatabase(servers.mysql, 'servers');
    const user = await createUser(servers.mysql, { grants: [`SELECT ON ${database.name}.*`] });
    const connection = await mysql.createConnection(`${user.url}/${database.name}`);
    await expect(connection.query('CREATE TABLE t (id INT PRIMARY KEY)')).rejects.toThrow(/denied/);
    await connection.end();
    await database.drop();
  });

  it('Kafka hands committed records, and only those, to its own consumer', async () => {
    const kafka = new Kafka({ brokers: [...servers.kafka.brokers], logLevel: logLevel.NOTHING });
    const topic = uniqueName('servers');
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    const producer = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const kept = await producer.transaction();
    const headers = { op: 'c', bytes: Buffer.from([0, 255]) };
    await kept.send({ topic, messages: [{ partition: 1, key: 'a\tb', value: 'line\nnext \\ é', headers }] });
    await kept.send({ topic, messages: [{ partition: 0, key: 'gone', value: null }] });
    await kept.commit();
    const dropped = await producer.transaction();
    await dropped.send({ topic, messages: [{ partition: 1, key: 'never', value: 'seen' }] });
    await dropped.abort();
    await producer.disconnect();
    await admin.disconnect();

    const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic });

    const plain = records.map(({ partition, offset, key, value }) => ({ partition, offset, key, value }));
    expect(plain.toSorted((one, other) => one.partition - other.partition)).toEqual([
      { partition: 0, offset: 0n, key: 'gone', value: null },
      { partition: 1, offset: 0n, key: 'a\tb', value: 'line\nnext \\ é' },
    ]);
    const list = records.find(({ partition }) => partition === 1)?.headerList;
    expect(list).toEqual([
      { name: 'op', value: Buffer.from('c') },
      { name: 'bytes', value: Buffer.from([0, 255]) },
    ]);
  });
});

describe.skipIf(servers.missing)('a server of the test own', async () => {
  const server = servers.missing === false ? await startMariadb() : undefined;
  afterAll(() => server?.close());

  it('keeps its data and its port over a crash', async () => {
    if (server === undefined) return;
    const database = await createDatabase(server);
    const { pid } = server;
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.start();
    expect(server.pid).not.toBe(pid);
    await database.drop(); // fails if the database were gone
  });
});
