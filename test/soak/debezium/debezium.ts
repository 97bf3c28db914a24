// The same connector files, on the same database, given to this program and to a Kafka Connect worker with Debezium: the topics of both are
// compared record by record, for each key in its order. What may differ is written down in differences.ts.
import { Kafka, logLevel } from 'kafkajs';
import { openApp, type App } from '../../support/harness/app-process.js';
import type { Figures } from '../../support/harness/figures.js';
import { request, requestJson } from '../../support/harness/http-client.js';
import { waitFor } from '../../support/harness/wait-for.js';
import { createDatabase, withConnection, type SqlAddress } from '../../support/servers/sql-client.js';
import { comparable, type KeyedRecord } from './differences.js';
import { connectorFiles, type File } from './files.js';
import { startWorker, type ConnectWorker } from './worker.js';

export interface DebeziumOptions {
  readonly server: SqlAddress;
  readonly brokers: readonly string[];
  /** Folder of the jars. */
  readonly jars: string;
  /** Names of files; none: all. */
  readonly only?: readonly string[];
  readonly tell?: (line: string) => void;
}

const before = [
  `CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40), pay DECIMAL(10,2), big BIGINT, huge BIGINT UNSIGNED, born DATE,
    wakes TIME(3), seen DATETIME(6), stamped TIMESTAMP NULL, kind ENUM('a','b','c'), flags SET('x','y','z'), doc JSON, picture VARBINARY(20),
    bit1 BIT(1), bit9 BIT(9), ratio DOUBLE, small FLOAT, flag TINYINT(1), made YEAR, notes TEXT)`,
  'CREATE TABLE orders (id INT, line INT, what VARCHAR(20), price DECIMAL(8,2) NOT NULL, PRIMARY KEY (id, line))',
  `INSERT INTO people VALUES (1, 'Ann Äß', 10.50, 9007199254740993, 12, '1999-12-31', '23:59:59.123', '2024-02-29 01:02:03.456789',
    '2024-01-01 00:00:00', 'b', 'x,z', '{"a": [1, 2.5, null], "b": "ü"}', X'00FF10', b'1', b'100000001', 0.1, 1.5, 1, 2024, 'some notes')`,
  'CREATE TABLE outbox (id INT PRIMARY KEY, aggregatetype VARCHAR(20), aggregateid VARCHAR(20), type VARCHAR(20), payload TEXT)',
  `INSERT INTO outbox VALUES (1, 'order', '1', 'placed', '{"n":1,"lines":["pen","ink"]}'), (2, 'stock', '7', 'taken', 'plain text'),
    (3, 'order', '1', 'paid', '')`,
  'INSERT INTO people (id) VALUES (2)',
  "INSERT INTO orders VALUES (1, 1, 'pen', 1.20), (1, 2, 'ink', 0.99), (2, 1, NULL, 100.00)",
];
const streaming = [
  "INSERT INTO people (id, name, pay, seen, doc) VALUES (3, 'Cid', -1.05, '1969-12-31 23:59:59.999999', '[]')",
  "UPDATE people SET name = 'Bob', pay = 0.00, kind = 'c', flags = '', picture = X'' WHERE id = 2",
  'UPDATE people SET id = 20 WHERE id = 2',
  'BEGIN',
  "INSERT INTO orders VALUES (3, 1, 'cup', 5.00), (3, 2, 'pot', 15.25)",
  `INSERT INTO outbox VALUES (4, 'order', '3', 'placed', '{"n":2,"lines":[],"of":{"a":1.5}}'), (5, 'stock', '8', 'taken', NULL)`,
  'UPDATE orders SET price = 5.55 WHERE id = 3 AND line = 1',
  "UPDATE orders SET what = 'tea pot' WHERE id = 3 AND line = 2",
  'UPDATE orders SET line = 9 WHERE id = 1 AND line = 1',
  'COMMIT',
  'DELETE FROM people WHERE id = 1',
  'DELETE FROM orders WHERE id = 1',
  'ALTER TABLE people ADD COLUMN age INT',
  "UPDATE people SET age = 33, notes = 'longer notes' WHERE id = 3",
  "UPDATE outbox SET type = 'other' WHERE id = 1",
  'DELETE FROM outbox WHERE id < 3',
  "INSERT INTO outbox VALUES (6, 'order', '999', 'placed', '{}')",
  "INSERT INTO orders VALUES (999, 1, 'the last', 0.01)",
];
/** Of `orders`, at the end. */
const lastKey = '999';
const deadlineMs = 240_000;

export async function runDebezium({ server, brokers, jars, only = [], tell }: DebeziumOptions): Promise<Figures> {
  const database = await createDatabase(server, 'debezium');
  const files = connectorFiles(server, database.name, brokers).filter(
    ({ name }) => only.length === 0 || only.includes(name),
  );
  const app = await openApp();
  let worker: ConnectWorker | undefined;
  const query = (statements: readonly string[]) =>
    withConnection(server, async (connection) => {
      await connection.query(`USE ${database.name}`);
      await connection.query("SET time_zone = '+00:00'");
      for (const statement of statements) await connection.query(statement);
    });
  try {
    await query([`ALTER DATABASE ${database.name} CHARACTER SET utf8mb4`, ...before]);
    worker = await startWorker(jars, brokers);
    tell?.('the worker runs');
    await app.start();
    for (const { name, config } of files) {
      await requestJson(`${worker.url}/connectors`, { body: { name, config } });
      // Of two replicas of one id a server keeps one.
      const ownId = { 'database.server.id': String(Number(config['database.server.id']) + 500) };
      await requestJson(`${app.url}/connectors`, { body: { name, config: { ...config, ...ownId } } });
    }
    for (const file of files) for (const { url } of [worker, app]) await isStreaming(url, file);
    // Debezium tells of a task that runs, not of a snapshot that is done: its topics do.
    for (const file of files)
      for (const [i, topic] of file.topics.entries())
        await until(
          `the snapshot of ${file.name}`,
          async () => (await theirs(brokers, topic)).length >= file.first[i]!,
        );
    tell?.('all files have their snapshots');
    await query(streaming);
    const differences: string[] = [];
    let records = 0;
    for (const file of files) {
      const last = file.topics.at(-1)!;
      const hasLast = (list: readonly KeyedRecord[]) => list.some(({ key }) => key.includes(lastKey));
      await until(`the last record of ${file.name} by Debezium`, async () => hasLast(await theirs(brokers, last)));
      await until(`the last record of ${file.name}`, async () => hasLast(await ours(app, last)));
      for (const topic of file.topics) {
        const [here, there] = [await ours(app, topic), await theirs(brokers, topic)];
        records += there.length;
        const found = compareTopics(here, there);
        differences.push(...found.map((difference) => `${file.name}, ${topic}: ${difference}`));
        tell?.(`${file.name}, ${topic}: ${here.length} records, ${found.length} differences`);
      }
    }
    if (differences.length > 0) throw new Error(differences.join('\n'));
    return { files: files.length, records, differences: 0 };
  } finally {
    await app.close();
    await worker?.close();
    await database.drop();
  }
}

function compareTopics(here: readonly KeyedRecord[], there: readonly KeyedRecord[]): readonly string[] {
  const [own, theirs] = [byKey(here), byKey(there)];
  return [...new Set([...own.keys(), ...theirs.keys()])].flatMap((key) => {
    const [mine, other] = [own.get(key) ?? [], theirs.get(key) ?? []];
    const count = Math.max(mine.length, other.length);
    const at = Array.from({ length: count }, (_, i) => i).find((i) => mine[i] !== other[i]);
    return at === undefined ? [] : [`key ${key}, record ${at}:\n  ours   ${mine[at]}\n  theirs ${other[at]}`];
  });
}

function byKey(records: readonly KeyedRecord[]): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const record of records) {
    const { key, value } = comparable(record);
    const list = lists.get(key);
    if (list) list.push(value);
    else lists.set(key, [value]);
  }
  return lists;
}

async function ours(app: App, topic: string): Promise<readonly KeyedRecord[]> {
  const { status, text } = await request(`${app.url}/v1/topics/${topic}/records?offset=0&limit=1000`);
  return status === 200 ? (JSON.parse(text) as { records: KeyedRecord[] }).records : [];
}

async function theirs(brokers: readonly string[], topic: string): Promise<readonly KeyedRecord[]> {
  const kafka = new Kafka({ clientId: 'compare', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic).catch(() => []);
  await admin.disconnect();
  const wanted = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  if (wanted === 0) return [];
  const consumer = kafka.consumer({ groupId: `compare-${topic}-${Date.now()}` });
  await consumer.connect();
  const records: KeyedRecord[] = [];
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, value?.toString() ?? null]);
        records.push({
          key: message.key!.toString(),
          value: message.value?.toString() ?? null,
          headers: Object.fromEntries(headers) as KeyedRecord['headers'],
        });
        return Promise.resolve();
      },
    });
    await until(`${wanted} records of ${topic}`, () => Promise.resolve(records.length >= wanted));
    return records;
  } finally {
    await consumer.disconnect();
  }
}

const until = (what: string, condition: () => Promise<boolean>) =>
  waitFor(what, condition, { timeoutMs: deadlineMs, intervalMs: 300 });

async function isStreaming(url: string, { name }: File): Promise<void> {
  const trace = await waitFor(
    `connector ${name} at ${url}`,
    async () => {
      const { tasks } = await requestJson<{ tasks: { state: string; trace?: string }[] }>(
        `${url}/connectors/${name}/status`,
      );
      const failed = tasks.find(({ state }) => state === 'FAILED');
      if (failed !== undefined) return failed.trace ?? 'without a word';
      return tasks[0]?.state === 'RUNNING' ? '' : undefined;
    },
    { timeoutMs: deadlineMs, intervalMs: 300 },
  );
  if (trace !== '') throw new Error(`connector ${name} at ${url} has failed: ${trace.slice(0, 2_000)}`);
}
