// A follower that begins with an empty folder behind a long log: how fast it applies what it has missed, and in how much memory. The log
// is written by a producer of its own, many short appends to a transaction, as a capture under load does; the leader applies them too.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { silentLogger } from '../../src/core/logger.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { buildChunk, type ChunkPart } from '../support/chunk.js';
import { openApp, type App } from '../support/harness/app-process.js';
import type { Figures } from '../support/harness/figures.js';
import { requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { load } from '../bench/wrk.js';

export interface BacklogOptions {
  readonly seed: number;
  readonly appends: number;
  readonly kafka: { readonly brokers: readonly string[] };
  readonly tell: (line: string) => void;
}

const keys = 50_000;
const appendsPerChunk = 1_000;
const catchUpMs = 1_800_000;
const readSeconds = 8;

export async function runBacklog({ seed, appends, kafka, tell }: BacklogOptions): Promise<Figures> {
  const serviceId = `backlog-${seed}-${Date.now()}`;
  const program = {
    args: ['--stream', `kafka://${kafka.brokers.join(',')}`, '--follow'],
    env: { WRITETHROUGH_SERVICE_ID: serviceId },
  };
  const leader = await openApp(program);
  const follower = await openApp(program);
  try {
    await leader.start();
    const topic = `${serviceId}-items`;
    const create = `CREATE TABLE items (id INT PRIMARY KEY, n BIGINT, t STRING) WITH (KAFKA_TOPIC='${topic}', FORMAT='JSON', PARTITIONS=1);
CREATE TABLE sums AS SELECT t, COUNT(*) AS items, SUM(n) AS n FROM items GROUP BY t;`;
    await requestJson(`${leader.url}/ksql`, { body: { ksql: create } });
    const before = await seqOf(leader);
    const writing = performance.now();
    await writeAppends(kafka.brokers, serviceId, topic, appends);
    const writtenMs = performance.now() - writing;
    tell(`${appends} appends written in ${writtenMs.toFixed(0)} ms`);
    await waitFor('the leader to apply all', async () => (await lastOf(leader)) === appends - 1, {
      timeoutMs: catchUpMs,
      intervalMs: 200,
    });
    tell('the leader has applied them');
    const begun = performance.now();
    await follower.start({ waitReady: false });
    await waitFor('an answer', async () => (await seqOf(follower)) >= 0);
    const startedMs = performance.now() - begun;
    const target = await seqOf(leader);
    await waitFor('the follower to catch up', async () => (await seqOf(follower)) >= target, {
      timeoutMs: catchUpMs,
      intervalMs: 200,
    });
    const ms = performance.now() - begun;
    const rows = await Promise.all([leader, follower].map((app) => sums(app)));
    if (rows[0] !== rows[1]) throw new Error(`the follower holds ${rows[1]}, the leader ${rows[0]}`);
    const peaks = { 'follower peak MB': peakMbOf(follower), 'leader peak MB': peakMbOf(leader) };
    return {
      seed,
      appends: target - before,
      'written in s': writtenMs / 1000,
      'follower answers after s': startedMs / 1000,
      'caught up after s': ms / 1000,
      'appends/s': appends / (ms / 1000),
      ...peaks,
      ...(await readsOf([leader, follower])),
    };
  } finally {
    await follower.close();
    await leader.close();
  }
}

async function writeAppends(
  brokers: readonly string[],
  serviceId: string,
  topic: string,
  appends: number,
): Promise<void> {
  const log = await openKafkaLog({ brokers, serviceId, logger: silentLogger });
  try {
    const producer = await log.openProducer('backlog');
    for (let from = 0; from < appends; from += appendsPerChunk) {
      const items: ChunkPart[] = [];
      for (let n = from; n < Math.min(appends, from + appendsPerChunk); n++) {
        const id = n % keys;
        items.push({ topic, key: `${id}`, value: `{"id":${id},"n":${n},"t":"t${n % 7}"}` });
        items.push({ end: { position: String(n) } });
      }
      await producer.write(buildChunk(items));
    }
    await producer.flush();
    await producer.close();
  } finally {
    await log.close();
  }
}

/** Position of the last append of the backlog that is in its rows. */
async function lastOf(app: App): Promise<number> {
  const { positions } = await requestJson<{ positions: Readonly<Record<string, string>> }>(`${app.url}/v1/status`);
  return Number(positions['backlog'] ?? -1);
}

async function sums(app: App): Promise<string> {
  const { rows } = await requestJson<{ rows: unknown }>(`${app.url}/v1/tables/sums/rows?limit=10`);
  return JSON.stringify(rows);
}

async function seqOf(app: App): Promise<number> {
  const { version } = await requestJson<{ version: string }>(`${app.url}/v1/status`);
  return Number(version.slice(version.lastIndexOf(':') + 1));
}

/** Point reads of one process, and of two at once; the clients take their share of the same cores. */
async function readsOf(apps: readonly App[]): Promise<Figures> {
  const readsPerSecond = async (some: readonly App[]) => {
    const loads = await Promise.all(some.map(({ url }) => load(url, '/v1/tables/items/rows/', keys - 1, readSeconds)));
    return loads.reduce((sum, { perSecond }) => sum + perSecond, 0);
  };
  const one = await readsPerSecond(apps.slice(0, 1));
  const two = await readsPerSecond(apps.slice(0, 2));
  return { 'reads/s of one': one, 'reads/s of two': two, ratio: two / one, cores: cpus().length };
}

/** Highest resident memory of its life. */
function peakMbOf({ pid }: App): number {
  const [, kb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}
