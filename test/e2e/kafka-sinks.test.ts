// Topics of derived streams and tables on Kafka: each record is in its topic exactly once, whichever data folder and process derived it,
// and a topic that cannot be written stops its query alone.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteTopicsOf, withKafkaAdmin } from '../support/kafka-admin.js';
import { KafkaEngine, type KafkaEngineOptions } from '../support/kafka-engine.js';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const poll = { timeout: 60_000, interval: 50 };

let serviceId: string;
let engines: KafkaEngine[] = [];

async function open(options: Partial<KafkaEngineOptions> = {}): Promise<KafkaEngine> {
  const engine = new KafkaEngine({ brokers: servers.kafka.brokers, serviceId, ...options });
  engines.push(engine);
  return engine.open();
}

beforeEach(() => {
  serviceId = `sinks-${randomBytes(5).toString('hex')}`;
});
afterEach(async () => {
  for (const engine of engines) await engine.remove();
  engines = [];
  if (servers.missing === false) await deleteTopicsOf(servers.kafka.brokers, serviceId);
});

const name = (topic: string) => `${serviceId}.${topic}`;
const source = (topic: string) =>
  `CREATE STREAM ${topic} (k STRING KEY, v INT) WITH (KAFKA_TOPIC='${name(topic)}', VALUE_FORMAT='JSON', PARTITIONS=1);`;
const derived = (kind: 'STREAM' | 'TABLE', sink: string, select: string) =>
  `CREATE ${kind} ${sink} WITH (KAFKA_TOPIC='${name(sink)}') AS ${select};`;

async function insert(engine: KafkaEngine, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) await engine.run(`INSERT INTO s (k, v) VALUES ('k${i % 3}', ${i});`);
}

async function values(topic: string, atLeast = 0) {
  const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic: name(topic), atLeast });
  return records.map(({ key, value }) => `${JSON.parse(key!) as string}=${value}`);
}

const deleteTopic = (topic: string) =>
  withKafkaAdmin(servers.kafka.brokers, (admin) => admin.deleteTopics({ topics: [name(topic)] }));

describe.skipIf(servers.missing)('derived records', () => {
  it('are written once, also by an empty data folder on the same log, and by a second one', async () => {
    // Steps of four rows: the table over a table is filled in several, each an append of its own.
    const first = await open({ rowsPerStep: 4, rowsAtOnce: 2 });
    await first.run(source('s'));
    await insert(first, 7);
    await first.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await first.run(
      `CREATE TABLE base (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='${name('base')}', VALUE_FORMAT='JSON', PARTITIONS=1);`,
    );
    for (let i = 0; i < 11; i++) await first.run(`INSERT INTO base (k, v) VALUES ('b${i}', ${i});`);
    await first.run(derived('TABLE', 't', 'SELECT k, v * 2 AS w FROM base'));
    await insert(first, 5, 7);
    for (let i = 0; i < 4; i++) await first.run(`INSERT INTO base (k, v) VALUES ('b${i}', ${i + 100});`);
    await expect.poll(() => first.rows('t').length, poll).toBe(11);
    const d = await values('d', 12);
    const t = await values('t', 15);
    expect(d).toHaveLength(12);
    expect(t).toHaveLength(15);
    await first.stop();

    const second = await open({ rowsPerStep: 4, rowsAtOnce: 2 });
    await expect.poll(() => second.rows('t').length, poll).toBe(11);
    await insert(second, 1, 12);
    expect(await values('d', 13)).toEqual([...d, 'k0={"v":12}']);
    expect(await values('t')).toEqual(t);
    await first.open();
    expect(second.rows('t')).toEqual(first.rows('t'));
  });

  it('go on where they were left when a process died between its commit and their sending, also in another folder', async () => {
    const first = await open();
    await first.run(source('s'));
    await first.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await insert(first, 3);
    await values('d', 3);
    // What Kafka has is forgotten here a moment later.
    await expect.poll(() => first.unsent(), poll).toBe(0);
    // As if it died before anything was sent: what it commits from here on stays in its outbox.
    await first.api.stopSending();
    await insert(first, 4, 3);
    expect(await first.unsent()).toBe(4);
    const second = await open();
    expect(await values('d', 7)).toHaveLength(7);
    await insert(second, 1, 7);
    await values('d', 8);
    await second.stop();
    await first.restart();
    await expect.poll(() => first.unsent(), poll).toBe(0);
    await insert(first, 1, 8);
    expect(await values('d', 9)).toHaveLength(9);
    await second.open();
  });
});

describe.skipIf(servers.missing)('a follower', () => {
  it('keeps what the leader has not sent, and sends exactly that when it takes over', async () => {
    const leader = await open();
    await leader.run(source('s'));
    await leader.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await insert(leader, 3);
    const follower = await open({ role: 'follower' });
    await values('d', 3);
    await expect.poll(() => follower.unsent(), poll).toBe(0);
    await leader.api.stopSending();
    await insert(leader, 4, 3);
    await expect.poll(() => follower.unsent(), poll).toBe(4);
    await follower.restart({ role: 'leader' });
    await insert(follower, 1, 7);
    expect(await values('d', 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((v) => `k${v % 3}={"v":${v}}`));
  });
});

describe.skipIf(servers.missing)('a topic that cannot be written', () => {
  it('stops its query alone when it was deleted; the rest goes on, also after a restart, and DROP and CREATE bring it back', async () => {
    const engine = await open();
    await engine.run(source('s'));
    await engine.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await engine.run(derived('STREAM', 'e', 'SELECT k, v + 1 AS v FROM s EMIT CHANGES'));
    await engine.run(derived('TABLE', 'after', 'SELECT k, COUNT(*) AS n FROM d GROUP BY k EMIT CHANGES'));
    await insert(engine, 2);
    await values('d', 2);
    await deleteTopic('d');
    await insert(engine, 2, 2);
    await expect.poll(() => engine.state('d'), poll).toBe('ERROR');
    expect(await engine.state('after')).toBe('ERROR');
    expect((await engine.api.queries()).find(({ sink }) => sink === 'd')!.reason).toMatch(/^unknown-topic: /);
    await insert(engine, 2, 4);
    const all = ['k0={"v":1}', 'k1={"v":2}', 'k2={"v":3}', 'k0={"v":4}', 'k1={"v":5}', 'k2={"v":6}'];
    expect(await values('e', 6)).toEqual(all);
    expect(engine.failed).toBeUndefined();
    await engine.restart();
    await insert(engine, 1, 6);
    expect(await values('e', 7)).toEqual([...all, 'k0={"v":7}']);
    expect(await engine.state('d')).toBe('ERROR');
    await expect.poll(() => engine.unsent(), poll).toBe(0);
    await engine.run('DROP TABLE after; DROP STREAM d;');
    await engine.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await insert(engine, 1, 7);
    // A new query over a stream begins with its first record.
    await expect.poll(async () => (await values('d', 1)).at(-1), poll).toBe('k1={"v":7}');
    expect(await engine.state('d')).toBe('RUNNING');
    // Another process comes to the same.
    const other = await open();
    expect(await other.state('d')).toBe('RUNNING');
    expect(await values('d')).toHaveLength(8);
  });

  it('stops its query alone when a record is too large for it', async () => {
    const engine = await open();
    await engine.run(
      `CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='${name('s')}', VALUE_FORMAT='JSON', PARTITIONS=1);`,
    );
    await withKafkaAdmin(servers.kafka.brokers, (admin) =>
      admin.createTopics({
        topics: [{ topic: name('d'), configEntries: [{ name: 'max.message.bytes', value: '2000' }] }],
      }),
    );
    await engine.run(derived('STREAM', 'd', 'SELECT k, v FROM s EMIT CHANGES'));
    await engine.run(derived('STREAM', 'e', 'SELECT k, LEN(v) AS n FROM s EMIT CHANGES'));
    await engine.run(`INSERT INTO s (k, v) VALUES ('a', 'short');`);
    await engine.run(`INSERT INTO s (k, v) VALUES ('b', '${'long'.repeat(1000)}');`);
    await engine.run(`INSERT INTO s (k, v) VALUES ('c', 'short');`);
    await expect.poll(() => engine.state('d'), poll).toBe('ERROR');
    expect((await engine.api.queries()).find(({ sink }) => sink === 'd')!.reason).toMatch(/^record-too-large/);
    expect(await values('e', 3)).toEqual(['a={"n":5}', 'b={"n":4000}', 'c={"n":5}']);
    expect(await values('d')).toEqual(['a={"v":"short"}']);
  });
});
