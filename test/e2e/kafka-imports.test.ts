// Topics that others write: a stream or table over one has what Kafka's own clients put there, once and alike in every data folder.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Message } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteTopicsOf, withKafkaAdmin } from '../support/kafka-admin.js';
import { KafkaEngine } from '../support/kafka-engine.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const poll = { timeout: 30_000, interval: 50 };

let serviceId: string;
let topic: string;
let engines: KafkaEngine[] = [];

async function open(): Promise<KafkaEngine> {
  const engine = new KafkaEngine({ brokers: servers.kafka.brokers, serviceId });
  engines.push(engine);
  return engine.open();
}

beforeEach(() => {
  serviceId = `imports-${randomBytes(5).toString('hex')}`;
  topic = `${serviceId}.made-by-others`;
});
afterEach(async () => {
  for (const engine of engines) await engine.remove();
  engines = [];
  if (servers.missing === false) await deleteTopicsOf(servers.kafka.brokers, serviceId);
});

const create = (numPartitions: number) =>
  withKafkaAdmin(servers.kafka.brokers, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false }),
  );

/** As any other program would; `aborted`: in a transaction that is not committed. */
async function produce(messages: readonly Message[], aborted = false): Promise<void> {
  const kafka = new Kafka({ brokers: [...servers.kafka.brokers], logLevel: logLevel.NOTHING });
  // Idempotent: what is sent again to a topic that was just made must not be there twice.
  const once = { idempotent: true, maxInFlightRequests: 1 };
  const options = aborted ? { transactionalId: `${topic}-t`, ...once } : once;
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options });
  await producer.connect();
  if (aborted) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [...messages] });
    await transaction.abort();
  } else await producer.send({ topic, messages: [...messages] });
  await producer.disconnect();
}

const order = (id: number, amount: number | null, partition?: number): Message => ({
  key: String(id),
  value: amount === null ? null : JSON.stringify({ amount }),
  ...(partition === undefined ? {} : { partition }),
});

describe.skipIf(servers.missing)('a topic that others write', () => {
  it('fills a stream and a table with all its partitions, deletes included, also after a restart and in another folder', async () => {
    await create(2);
    await produce([order(1, 10, 0), order(2, 20, 1), order(3, 30, 0), order(4, 40, 1)]);
    await produce([order(9, 90, 0)], true);
    const engine = await open();
    await engine.run(
      `CREATE TABLE orders (id INT PRIMARY KEY, amount INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='JSON', VALUE_FORMAT='JSON');
       CREATE STREAM entries (id INT KEY, amount INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='JSON', VALUE_FORMAT='JSON');
       CREATE TABLE counted AS SELECT id, COUNT(*) AS n FROM entries GROUP BY id EMIT CHANGES;`,
    );
    const both = (at: KafkaEngine) => ({ orders: at.rows('orders'), counted: at.rows('counted') });
    const whole = {
      orders: [
        [1, 10],
        [2, 20],
        [3, 30],
        [4, 40],
      ],
      counted: [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    };
    await expect.poll(() => both(engine), poll).toEqual(whole);
    await produce([order(1, 11, 0), order(4, null, 1)]);
    const after = {
      orders: [
        [1, 11],
        [2, 20],
        [3, 30],
      ],
      counted: [
        [1, 2],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    };
    await expect.poll(() => both(engine), poll).toEqual(after);
    await engine.restart();
    await produce([order(5, 50, 1)]);
    const last = { orders: [...after.orders, [5, 50]], counted: [...after.counted, [5, 1]] };
    await expect.poll(() => both(engine), poll).toEqual(last);
    const [described] = await engine.run('DESCRIBE orders;');
    expect(described).toMatchObject({ source: { imported: true, partitions: 2 } });
    await expect(engine.run('INSERT INTO entries (id, amount) VALUES (6, 60);')).rejects.toThrow(/others write topic/);
    await engine.stop();
    const other = await open();
    await expect.poll(() => both(other), poll).toEqual(last);
    await produce([order(6, 60, 0)]);
    await expect.poll(() => other.rows('orders'), poll).toEqual([...last.orders, [6, 60]]);
    // Declared again, it has everything that is there.
    await other.run('DROP TABLE counted; DROP STREAM entries; DROP TABLE orders;');
    await produce([order(7, 70, 0)]);
    await other.run(
      `CREATE TABLE orders (id INT PRIMARY KEY, amount INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='JSON', VALUE_FORMAT='JSON');`,
    );
    await expect.poll(() => other.rows('orders'), poll).toEqual([...last.orders, [6, 60], [7, 70]]);
    await other.stop();
    await engine.open();
    await expect.poll(() => engine.rows('orders'), poll).toEqual([...last.orders, [6, 60], [7, 70]]);
    engines = [engine];
  });

  it('stands still with its readers when it was deleted, and everything else goes on, also after a restart', async () => {
    await create(1);
    const engine = await open();
    await engine.run(
      `CREATE TABLE orders (id INT PRIMARY KEY, amount INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='JSON', VALUE_FORMAT='JSON');
       CREATE TABLE own (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='${serviceId}.own', KEY_FORMAT='JSON', VALUE_FORMAT='JSON', PARTITIONS=1);`,
    );
    await produce([order(1, 10)]);
    await expect.poll(() => engine.rows('orders'), poll).toEqual([[1, 10]]);
    await withKafkaAdmin(servers.kafka.brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
    await expect.poll(() => engine.state('orders'), poll).toBe('ERROR');
    const reason = (await engine.api.queries()).find(({ sink }) => sink === 'orders')?.reason;
    expect(reason).toMatch(/^unknown-topic: .*made-by-others/);
    await engine.restart();
    await engine.run('INSERT INTO own (id, v) VALUES (1, 1);');
    expect(engine.rows('own')).toEqual([[1, 1]]);
    expect(engine.rows('orders')).toEqual([[1, 10]]);
    expect(await engine.state('orders')).toBe('ERROR');
    expect(engine.failed).toBeUndefined();
  });
});
