// A broker that stops answering (SIGSTOP: its connections stay open, and say nothing) holds up what needs it, and nothing else.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import type { KafkaLog } from '../../src/stream/kafka/kafka-log.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { appendChunk } from '../support/chunk.js';
import { TestEngine, until } from '../support/engine.js';
import { startKafka, type KafkaServer } from '../support/servers/kafka.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
let broker: KafkaServer;

beforeAll(async () => {
  if (servers.missing === false) broker = await startKafka({ heap: '256m' });
}, 120_000);
afterAll(async () => {
  signal('SIGCONT');
  await broker?.close();
});

function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
  if (broker?.pid === undefined) return;
  process.kill(broker.pid, name);
  // All of its threads have to stand.
  const stands = () => / T /.test(readFileSync(`/proc/${broker.pid}/stat`, 'utf8'));
  while (name === 'SIGSTOP' && existsSync('/proc/self/stat') && !stands());
}

it.skipIf(servers.missing)(
  'in the middle of a rebuild: rows are read, statements are refused, and the engine stops',
  { timeout: 120_000 },
  async ({ skip }) => {
    if (broker.pid === undefined) skip('a broker in a container is not stopped by a signal');
    const stream = { kind: 'kafka', url: `kafka://${broker.brokers.join(',')}` } as const;
    const engine = await new TestEngine({ serviceId: 'silence', stream, rowsPerStep: 5 }).open();
    try {
      await engine.run(
        `CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', FORMAT='JSON', PARTITIONS=2);`,
      );
      const ids = Array.from({ length: 100 }, (_, id) => id);
      await Promise.all(ids.map((id) => engine.run(`INSERT INTO t (id, v) VALUES (${id}, 1);`)));
      signal('SIGSTOP');
      await engine.api.rebuild('t');
      // For so long it is watched: that its question goes on without an answer is told by nothing.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect((await engine.api.rebuilds()).map(({ state }) => state)).toEqual(['building']);
      expect(engine.rows('t')).toHaveLength(100);
      expect(await engine.tryRun('CREATE TABLE u AS SELECT nope FROM t;')).toBe('invalid-statement');
      const startMs = performance.now();
      await engine.stop();
      expect(performance.now() - startMs).toBeLessThan(2000);
      signal('SIGCONT');
      await engine.open();
      await until(
        async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'),
        'the rebuild',
        60_000,
      );
      expect(engine.rows('t')).toHaveLength(100);
      expect(engine.failed).toBeUndefined();
    } finally {
      signal('SIGCONT');
      await engine.remove();
    }
  },
);

describe.skipIf(servers.missing)('a log whose brokers say nothing', () => {
  const deadlines = { connect: 500, request: 600, call: 1000, delivery: 1500 };
  let log: KafkaLog;

  beforeEach(async ({ skip }) => {
    if (broker.pid === undefined) skip('a broker in a container is not stopped by a signal');
    log = await openKafkaLog({ brokers: broker.brokers, serviceId: 'mute', logger: silentLogger, deadlines });
    await log.createTopic({ name: 'there', partitions: 1, cleanup: 'delete' });
    signal('SIGSTOP');
  });
  afterEach(async () => {
    signal('SIGCONT');
    await log.close();
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ['make a topic', () => log.createTopic({ name: 'new', partitions: 1, cleanup: 'delete' })],
    ['delete a topic', () => log.deleteTopic('there')],
    ['tell the topics', () => log.topics()],
    ['see a topic', () => log.seeTopic('there')],
    ['tell the partitions of a topic', () => log.partitions('there', 'now')],
    ['tell a position', () => log.producerPosition('p')],
    ['tell where derived records stand', () => log.sinkPosition()],
    ['tell the head', () => log.headSeq()],
    ['give records of a topic', () => log.readTopic('there', 0, 0, 1)],
  ])('is log-unreachable within its deadline when it is to %s', { timeout: 30_000 }, async (_what, call) => {
    const startMs = performance.now();
    await expect(call()).rejects.toMatchObject({
      code: 'log-unreachable',
      retriable: true,
      hint: expect.stringContaining('brokers') as string,
    });
    expect(performance.now() - startMs).toBeLessThan(2500);
  });

  it('ends at once, whatever waits: readers, producers, openings', { timeout: 30_000 }, async () => {
    signal('SIGCONT');
    const producer = await log.openProducer('p');
    signal('SIGSTOP');
    const write = producer.write(appendChunk('1', [{ topic: 'there', key: 'k', value: 'v' }]));
    const waiting = [write, producer.flush(), log.openProducer('q')].map((each) => each.catch(() => 'ended'));
    const following = (async () => {
      for await (const _ of log.read(0, { follow: true }));
      return 'ended';
    })();
    const stop = new AbortController();
    const read = (async () => {
      for await (const _ of log.read(0, { follow: false, signal: stop.signal }));
      return 'ended';
    })();
    const stopMs = performance.now();
    stop.abort();
    expect(await read).toBe('ended');
    expect(performance.now() - stopMs).toBeLessThan(500);
    const closeMs = performance.now();
    await log.close();
    expect(await Promise.all([...waiting, following])).toEqual(['ended', 'ended', 'ended', 'ended']);
    // What producers have closed is waited for, for a while.
    expect(performance.now() - closeMs).toBeLessThan(6500);
  });
});

it.skipIf(servers.missing)(
  'a statement whose append the brokers do not take is answered within delivery.timeout.ms',
  { timeout: 60_000 },
  async ({ skip }) => {
    if (broker.pid === undefined) skip('a broker in a container is not stopped by a signal');
    const parameters = 'delivery.timeout.ms=1200&default.api.timeout.ms=1000&request.timeout.ms=600';
    const url = `kafka://${broker.brokers.join(',')}?${parameters}`;
    const engine = await new TestEngine({ serviceId: 'late', stream: { kind: 'kafka', url } }).open();
    try {
      await engine.run(
        `CREATE TABLE late (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='late', FORMAT='JSON', PARTITIONS=1);`,
      );
      signal('SIGSTOP');
      for (const sql of ['INSERT INTO late (id, v) VALUES (1, 1);', 'CREATE TABLE later AS SELECT id, v FROM late;']) {
        const startMs = performance.now();
        await expect(engine.run(sql), sql).rejects.toMatchObject({ code: 'log-unreachable' });
        expect(performance.now() - startMs, sql).toBeLessThan(4000);
      }
      signal('SIGCONT');
      // The one that was only late has taken effect.
      await until(() => engine.rows('late').length === 1, 'the row is there', 30_000);
      expect(engine.failed).toBeUndefined();
    } finally {
      signal('SIGCONT');
      await engine.remove();
    }
  },
);
