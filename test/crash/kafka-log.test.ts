// Whatever is killed at whatever moment, the writer or the broker: every append that was reported durable is in the topics, whole,
// once and in order, as Kafka's own console consumer (read_committed) and our reader see it, and nothing is there in part.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import type { KafkaLog } from '../../src/stream/kafka/kafka-log.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { appendChunk, recordsOf } from '../support/chunk.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { startKafka, type KafkaServer } from '../support/servers/kafka.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const dist = resolve(import.meta.dirname, '../../dist');

type Mode = 'appends' | 'sinks';

interface Run {
  /** The last number that the writer reported durable; 0: none. */
  readonly reported: number;
}

/** Runs the writer until it dies: by a failpoint, or `ms` after its first durable append. */
async function runUntilKilled(options: {
  serviceId: string;
  mode: Mode;
  failpoint?: string;
  ms?: number;
}): Promise<Run> {
  const { serviceId, mode, failpoint, ms } = options;
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'kafka-child.mjs'), dist, servers.kafka.brokers.join(','), serviceId, mode],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(failpoint === undefined ? {} : { WRITETHROUGH_FAILPOINT: failpoint }) },
    },
  );
  const ended = new Promise<NodeJS.Signals | null>((done) => child.on('exit', (_code, signal) => done(signal)));
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    if (output === '' && ms !== undefined) setTimeout(() => child.kill('SIGKILL'), ms);
    output += data.toString('latin1');
  });
  await new Promise((done) => child.stdout.on('end', done));
  expect(await ended).toBe('SIGKILL');
  const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  return { reported: Number(lines.at(-2) ?? 0) };
}

/** What append n holds; as kafka-child.mjs writes it. */
function expectedOf(n: number): { topic: 'a' | 'b'; partition: number; value: string }[] {
  return Array.from({ length: (n % 4) + 1 }, (_, i) => ({
    topic: i % 2 === 0 ? 'a' : 'b',
    partition: i % 2 === 0 ? 0 : n % 2,
    value: `${n}.${i}`,
  }));
}

async function expectExactly(serviceId: string, mode: Mode, upTo: number): Promise<void> {
  const all = Array.from({ length: upTo }, (_, i) => expectedOf(i + 1)).flat();
  for (const topic of ['a', 'b'] as const) {
    const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic: `${serviceId}.${mode}-${topic}` });
    for (const partition of topic === 'a' ? [0] : [0, 1]) {
      const found = records.filter((record) => record.partition === partition).map((record) => record.value);
      const expected = all.filter((record) => record.topic === topic && record.partition === partition);
      expect(found).toEqual(expected.map((record) => record.value));
    }
  }
}

async function opened<T>(serviceId: string, use: (log: KafkaLog) => Promise<T>): Promise<T> {
  const log = await openKafkaLog({ brokers: servers.kafka.brokers, serviceId, logger: silentLogger });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

/** The producer's position once its last transaction is decided, which opening it sees to. */
function settledPosition(serviceId: string, mode: Mode): Promise<number> {
  return opened(serviceId, async (log) => {
    if (mode === 'sinks') return (await log.openSinkProducer()).position.seq;
    return Number((await log.openProducer('writer')).position ?? 0);
  });
}

describe.skipIf(servers.missing)('a writer that is killed', () => {
  afterAll(() => deleteTopicsOf(servers.kafka.brokers, 'crash-log-'));

  beforeAll(() => {
    expect(existsSync(join(dist, 'stream/kafka/kafka-log.js')), 'the program is built: npm run build').toBe(true);
  });

  const failpoints = ['kafka-before-commit-record', 'kafka-before-commit', 'kafka-after-commit'];
  const sinkFailpoints = ['outbox-before-produce', 'outbox-after-produce', 'kafka-before-commit'];

  for (const mode of ['appends', 'sinks'] as const) {
    it(`leaves its ${mode} whole and once, and goes on behind them`, async () => {
      const serviceId = `crash-log-${randomBytes(5).toString('hex')}`;
      let before = 0;
      const runs = [
        ...(mode === 'appends' ? failpoints : sinkFailpoints).map((name) => ({
          failpoint: `${name}:${3 + Math.floor(Math.random() * 20)}`,
        })),
        ...Array.from({ length: 4 }, () => ({ ms: 20 + Math.random() * 400 })),
      ];
      for (const run of runs) {
        const { reported } = await runUntilKilled({ serviceId, mode, ...run });
        const position = await settledPosition(serviceId, mode);
        expect(position, JSON.stringify(run)).toBeGreaterThanOrEqual(Math.max(before, reported));
        before = position;
      }
      expect(before).toBeGreaterThan(0);
      await expectExactly(serviceId, mode, before);
      const read = await opened(serviceId, async (log) => {
        const appends = [];
        for await (const group of log.read(0, { follow: false })) appends.push(...group);
        return appends;
      });
      // Derived records have no seq of their own: readers of the log do not see them.
      const numbers = mode === 'appends' ? Array.from({ length: before }, (_, i) => i + 1) : [];
      expect(read.map((append) => Number(append.position))).toEqual(numbers);
      for (const append of read) {
        expect(recordsOf(append.records).map((record) => record.value)).toEqual(
          expectedOf(Number(append.position)).map((record) => record.value),
        );
      }
    });
  }
});

describe.skipIf(servers.missing)('a broker that restarts', () => {
  let broker: KafkaServer;
  beforeAll(async () => {
    broker = await startKafka({
      config: { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' },
    });
  });
  afterAll(async () => {
    await broker.close();
  });

  for (const how of ['stops', 'is killed'] as const) {
    it(`and ${how} while appends are written and read costs neither a gap nor a double`, async () => {
      const serviceId = `restart-${how.replace(' ', '-')}`;
      const log = await openKafkaLog({ brokers: broker.brokers, serviceId, logger: silentLogger });
      const topic = `${serviceId}.t`;
      await log.createTopic({ name: topic, partitions: 2, cleanup: 'delete' });
      const producer = await log.openProducer('p');
      const stop = new AbortController();
      const seen: number[] = [];
      const seqs: number[] = [];
      const reading = (async () => {
        for await (const group of log.read(0, { follow: true, signal: stop.signal })) {
          for (const append of group) {
            expect(recordsOf(append.records).map((record) => record.value)).toEqual([
              `${append.position}`,
              `${append.position}`,
            ]);
            seen.push(Number(append.position));
            seqs.push(append.seq);
          }
        }
      })();
      let written = 0;
      let writing = true;
      const writer = (async () => {
        while (writing) {
          written++;
          const value = String(written);
          await producer.write(
            appendChunk(
              value,
              [0, 1].map((partition) => ({ topic, partition, key: value, value })),
            ),
          );
          await new Promise((done) => setTimeout(done, 1));
        }
      })();
      const reached = async (count: number) =>
        expect.poll(() => seen.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(count);
      await reached(50);
      for (let round = 0; round < 2; round++) {
        if (how === 'stops') await broker.restart();
        else {
          await broker.kill();
          await broker.start();
        }
        await reached(seen.length + 100);
      }
      writing = false;
      await writer;
      await producer.flush();
      await reached(written - 1);
      stop.abort();
      await reading;
      const numbers = Array.from({ length: written }, (_, i) => i + 1);
      expect(seen).toEqual(numbers);
      expect(seqs).toEqual([...new Set(seqs)].sort((x, y) => x - y));
      await log.close();
      const records = await consoleConsumer({ brokers: broker.brokers, topic });
      for (const partition of [0, 1]) {
        expect(
          records.filter((record) => record.partition === partition).map((record) => Number(record.value)),
        ).toEqual(numbers);
      }
    }, 180_000);
  }
});
