// Definitions on Kafka: the brokers follow what the sequence wants, and the answer of a statement waits until they have.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTEGER } from '../../src/core/data-type.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import { output, TestEngine, until } from '../support/engine.js';
import { engineTarget, expectedOf, leftovers } from '../support/engine-storm.js';
import { createDice, randomSeed } from '../support/harness/dice.js';
import { runStorm, StormModel } from '../support/harness/statement-storm.js';
import { configsOf, deleteTopicsOf, settingOf, withKafkaAdmin } from '../support/kafka-admin.js';
import { checkPlacement } from '../support/placement.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const names = ['s', 't', 'd', 'items', 'counts'];

describe.skipIf(servers.missing)('definitions on Kafka', () => {
  let engine: TestEngine;
  let serviceId: string;

  beforeEach(async () => {
    serviceId = `defs-${randomBytes(5).toString('hex')}`;
    const url = `kafka://${servers.kafka.brokers.join(',')}`;
    await removeTopics();
    engine = await new TestEngine({ serviceId, stream: { kind: 'kafka', url } }).open();
  });
  afterEach(async () => {
    expect(engine.failed).toBeUndefined();
    await engine.remove();
    await deleteTopicsOf(servers.kafka.brokers, serviceId);
    await removeTopics();
  });

  /** Of the fixed names that the tests use. */
  function removeTopics(): Promise<void> {
    return withKafkaAdmin(servers.kafka.brokers, async (admin) => {
      const ours = (await admin.listTopics()).filter((name) => names.includes(name) || /^[std]\d$/.test(name));
      if (ours.length > 0) await admin.deleteTopics({ topics: ours });
      while ((await admin.listTopics()).some((name) => ours.includes(name)));
    });
  }

  /** None while it is being filled. */
  const rows = (table: string) => (engine.codeOf(table) === 'ok' ? engine.rows(table) : []);
  const topicIds = async () => new Map((await engine.api.topics()).map((topic) => [topic.name, topic]));

  const brokersHave = (topic: string) =>
    withKafkaAdmin(servers.kafka.brokers, async (admin) => (await admin.listTopics()).includes(topic));

  it('a topic is there when CREATE answers, gone when DROP ... DELETE TOPIC does, and rows go on in between', async () => {
    await engine.run(
      `CREATE TABLE items (id INT PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='items', PARTITIONS=3, FORMAT='JSON');`,
    );
    expect((await topicIds()).get('items')?.partitions).toBe(3);
    expect(await brokersHave('items')).toBe(true);
    await engine.run('CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM items GROUP BY v;');
    expect((await topicIds()).get('counts')?.partitions).toBe(3);
    for (let id = 0; id < 6; id++) await engine.run(`INSERT INTO items (id, v) VALUES (${id}, 'v${id % 2}');`);
    await until(() => rows('counts').length === 2 && rows('counts').every(([, n]) => n === 3), 'counts');
    await engine.run('DROP TABLE counts DELETE TOPIC;');
    expect((await topicIds()).has('counts')).toBe(false);
    expect(await brokersHave('counts')).toBe(false);
    await engine.run('CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM items GROUP BY v;');
    await until(() => rows('counts').length === 2, 'counts again');
    expect((await topicIds()).get('counts')?.partitions).toBe(3);
  });

  it('what a statement or a captured table says of retention is the setting of the topic on the brokers', async () => {
    await engine.run(
      `CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON', RETENTION_MS=86400000, RETENTION_BYTES=1000000);
       CREATE STREAM d WITH (RETENTION_MS=5000) AS SELECT * FROM s;
       CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;`,
    );
    const captured = { cleanup: 'delete', retention: { ms: 7000, bytes: null } } as const;
    const table = {
      database: 'db',
      table: 'a',
      columns: [{ name: 'id', type: INTEGER, nullable: false }],
      keyColumns: [0],
    };
    await engine.api.openTable({
      connector: 'c',
      table: table as unknown as SourceTable,
      topic: `${serviceId}.db.a`,
      output: { ...output, ...captured },
      hidden: false,
      createTable: true,
    });
    const configs = await configsOf(servers.kafka.brokers, ['s', 'd', 'counts', `${serviceId}.db.a`]);
    expect(configs).toEqual([
      { cleanup: 'delete', ms: '86400000', bytes: '1000000' },
      { cleanup: 'delete', ms: '5000', bytes: '-1' },
      { cleanup: 'compact', ms: '-1', bytes: '-1' },
      { cleanup: 'delete', ms: '7000', bytes: '-1' },
    ]);
  });

  it('an alteration reaches the brokers before it is answered, leaves other settings, and a fresh data folder knows it', async () => {
    await engine.run(`CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');`);
    await engine.api.alterTopic('s', { ms: 60_000 });
    await engine.api.alterTopic('s', { bytes: 7_000_000 });
    expect(await configsOf(servers.kafka.brokers, ['s'])).toEqual([
      { cleanup: 'delete', ms: '60000', bytes: '7000000' },
    ]);
    const [anyTime] = await settingOf(servers.kafka.brokers, ['s'], 'message.timestamp.after.max.ms');
    expect(anyTime).toBe('9223372036854775807');
    await engine.stop();
    rmSync(engine.folder, { recursive: true });
    mkdirSync(engine.folder);
    await engine.open();
    await engine.api.caughtUp();
    await expect(
      engine.run(`CREATE STREAM again (id INT KEY) WITH (KAFKA_TOPIC='s', FORMAT='JSON', RETENTION_MS=1);`),
    ).rejects.toMatchObject({ message: expect.stringContaining('(topic has 60000)') as string });
  });

  it('a statement that names a topic of others with another retention is refused, and one that says nothing takes it', async () => {
    await withKafkaAdmin(servers.kafka.brokers, (admin) =>
      admin.createTopics({
        topics: [{ topic: 's', numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '60000' }] }],
      }),
    );
    const declared = (more: string) =>
      engine.run(`CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON'${more});`);
    await expect(declared(', RETENTION_MS=5000')).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringContaining('KSQL expects 5000 retention (topic has 60000)') as string,
    });
    await declared(', RETENTION_MS=60000');
    expect(await configsOf(servers.kafka.brokers, ['s'])).toMatchObject([{ ms: '60000' }]);
  });

  it("a row lies in the partition that Kafka's murmur2 gives its key, and rows without one take turns", async () => {
    const prefix = `${serviceId.replace('-', '_')}_p`;
    await checkPlacement(engine, prefix);
    await deleteTopicsOf(servers.kafka.brokers, prefix);
  });

  it('a topic that others have made is taken as it is, and a fresh data folder comes to the same', async () => {
    await withKafkaAdmin(servers.kafka.brokers, (admin) =>
      admin.createTopics({ topics: [{ topic: 's', numPartitions: 2 }], waitForLeaders: true }),
    );
    expect(await engine.tryRun(`CREATE STREAM d (id INT KEY, v STRING) WITH (KAFKA_TOPIC='d', FORMAT='JSON');`)).toBe(
      'invalid-statement',
    );
    expect(
      await engine.tryRun(
        `CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=4, FORMAT='JSON');`,
      ),
    ).toBe('invalid-statement');
    await engine.run(`CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON');`);
    await engine.run(`CREATE TABLE d AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;`);
    await engine.run('DROP TABLE d DELETE TOPIC;');
    await engine.run(`CREATE TABLE d AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;`);
    expect(await engine.tryRun(`INSERT INTO s (id, v) VALUES (1, 'a');`)).toBe('invalid-statement');
    const kafka = new Kafka({ brokers: [...servers.kafka.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic: 's', messages: [{ key: '1', value: '{"v":"a"}' }] });
    await producer.disconnect();
    await until(() => rows('d').length === 1, 'd');
    const before = await leftovers(engine);
    const seq = engine.seq();
    await engine.stop();
    rmSync(join(engine.folder, 'writethrough.db'), { force: true });
    for (const end of ['-wal', '-shm']) rmSync(join(engine.folder, `writethrough.db${end}`), { force: true });
    await engine.open();
    await until(() => engine.seq() >= seq, 'the log is applied again');
    expect(await leftovers(engine)).toEqual(before);
    await until(() => rows('d').length === 1, 'd again');
    expect(rows('d')).toEqual([['a', 1]]);
    expect((await topicIds()).get('d')?.partitions).toBe(2);
  });

  it(
    'the answers of eight clients fit one order, and catalogue, topics, tables and states agree',
    { timeout: 240_000 },
    async () => {
      const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
      const dice = createDice(seed);
      const told = `TEST_SEED=${seed}`;
      await engine.run(
        `CREATE TABLE items (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='items', PARTITIONS=1, FORMAT='JSON');`,
      );
      let model = new StormModel();
      for (let life = 0; life < 2; life++) {
        const storm = await runStorm(engineTarget(engine), dice, { clients: 8, sequences: 75, model });
        model = storm.model;
        expect(engine.failed, told).toBeUndefined();
        expect(storm.breaches, told).toEqual([]);
        if (life === 0) await engine.restart();
        await until(
          async () => (await leftovers(engine)).ownerless.length === 0,
          `nothing is left without an owner (${told})`,
        );
        expect(await leftovers(engine), told).toEqual(expectedOf(model));
      }
    },
  );
});
