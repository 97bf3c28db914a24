// `end-to-end`: the drain of the mix to queryable rows, then the delay of single-row commits at a steady rate: from the return of the
// writer's COMMIT to the event in a subscriber's hands, on one clock. An event that is here before the writer knows of its commit
// counts as 0. Beside it the delay to zongji's event in this process, at the same rate.
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp } from '../support/harness/app-process.js';
import { percentile } from '../support/harness/figures.js';
import { openStream } from '../support/harness/http-client.js';
import type { Bench, BenchEnv, Figure } from './bench.js';
import { followByZongji } from './baselines.js';
import { measureDrain } from './drain.js';
import { insertSql, liveRow, openLiveDatabase, type LiveDatabase } from './live-table.js';
import { rowCount, until, usage } from './observe.js';

const firstId = 1_000_000_000;
const writers = 8;
const warmUpSeconds = 2;

export const endToEnd: Bench = {
  summary: 'binlog to queryable row, and commit to subscriber (events, runs, rate, seconds)',
  run: async (env) => {
    const drained = await measureDrain(env, {
      topicsOnly: false,
      events: env.number('events', 500_000),
      load: (database, events) => database.mix(events, 1),
    });
    return [...drained, ...(await measureLatency(env))];
  },
};

export const latency: Bench = {
  summary: 'commit to subscriber alone (rate, seconds)',
  run: (env) => measureLatency(env),
};

async function measureLatency(env: BenchEnv): Promise<readonly Figure[]> {
  const rate = env.number('rate', 500);
  const seconds = env.number('seconds', 20);
  const database = await openLiveDatabase(await env.pool.get('mysql'));
  try {
    env.say(`${rate} commits/s for ${seconds} s, heard by zongji`);
    const plain = await zongjiDelays(database, rate, seconds);
    env.say(`${rate} commits/s for ${seconds} s, heard by a subscriber`);
    const { delays, cpuShare } = await subscriberDelays(database, rate, seconds);
    const against = (share: number) => ({ name: 'zongji event', value: percentile(plain, share) });
    const lost = rate * (seconds - warmUpSeconds) - delays.length;
    return [
      {
        name: `commit to subscriber, p50`,
        value: percentile(delays, 0.5),
        unit: 'ms',
        baseline: against(0.5),
        note: `${rate} commits/s`,
      },
      { name: 'commit to subscriber, p99', value: percentile(delays, 0.99), unit: 'ms', baseline: against(0.99) },
      { name: 'commit to subscriber, max', value: percentile(delays, 1), unit: 'ms', baseline: against(1) },
      { name: 'events lost', value: lost, unit: '' },
      { name: 'processor time', value: cpuShare * 100, unit: '% of a core' },
    ];
  } finally {
    await database.drop();
  }
}

async function zongjiDelays(database: LiveDatabase, rate: number, seconds: number): Promise<number[]> {
  const arrived = new Map<number, number>();
  const last = firstId + rate * seconds - 1;
  let done: () => void = () => {};
  const started = new Promise<void>((resolve) => (done = resolve));
  const heard = followByZongji(
    database,
    await database.position(),
    (_type, row) => {
      arrived.set(row.id!, performance.now());
      return row.id === last;
    },
    done,
  );
  await started;
  const committed = await writeSteadily(database, firstId, rate, seconds);
  await heard;
  return delaysOf(committed, arrived, firstId + rate * warmUpSeconds);
}

async function subscriberDelays(
  database: LiveDatabase,
  rate: number,
  seconds: number,
): Promise<{ readonly delays: number[]; readonly cpuShare: number }> {
  const app = await openApp({ args: ['--source', database.url] });
  try {
    await app.start();
    await until('the table', async () => (await rowCount(app.url)) !== undefined);
    const stream = await openStream(`${app.url}/v1/tables/live/changes`, { accept: 'text/event-stream' });
    const arrived = new Map<number, number>();
    const from = firstId * 2;
    const last = from + rate * seconds - 1;
    const heard = (async () => {
      let rest = '';
      for await (const part of stream.text) {
        const now = performance.now();
        rest += part;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const id = Number(/"after":\{"id":"(\d+)"/.exec(rest.slice(0, end))?.[1] ?? -1);
          rest = rest.slice(end + 2);
          arrived.set(id, now);
        }
        if (arrived.has(last)) break;
      }
    })();
    const before = await usage(app.url);
    const startMs = performance.now();
    const committed = await writeSteadily(database, from, rate, seconds);
    await Promise.race([heard, sleep(10_000)]);
    const after = await usage(app.url);
    stream.close();
    const cpuShare = ((after.cpuSeconds - before.cpuSeconds) * 1000) / (performance.now() - startMs);
    return { delays: delaysOf(committed, arrived, from + rate * warmUpSeconds), cpuShare };
  } finally {
    await app.close();
  }
}

/** Single-row commits, evenly over the time; gives when the writer knew of each. */
export async function writeSteadily(
  database: LiveDatabase,
  from: number,
  rate: number,
  seconds: number,
): Promise<ReadonlyMap<number, number>> {
  const committed = new Map<number, number>();
  const connections = await Promise.all(Array.from({ length: writers }, () => database.connect()));
  const startMs = performance.now();
  const total = rate * seconds;
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < total) {
        const i = next++;
        const waitMs = startMs + (i * 1000) / rate - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        await connection.query(insertSql, [[liveRow(from + i)]]);
        committed.set(from + i, performance.now());
      }
      await connection.end();
    }),
  );
  return committed;
}

function delaysOf(
  committed: ReadonlyMap<number, number>,
  arrived: ReadonlyMap<number, number>,
  fromId: number,
): number[] {
  const delays: number[] = [];
  for (const [id, at] of committed) {
    const there = arrived.get(id);
    if (id >= fromId && there !== undefined) delays.push(Math.max(0, there - at));
  }
  return delays;
}
