// `end-to-end`: the drain of the mix to queryable rows, then the delay from a commit to a subscriber at a steady rate. `latency` is its
// second half alone, `latency-kafka` on Kafka; `subscribers` the same with many listeners. Beside the delays those of zongji and a bare `node:http` server.
import { openApp } from '../support/harness/app-process.js';
import { percentile } from '../support/harness/figures.js';
import type { KafkaAddress } from '../support/servers/kafka.js';
import type { Bench, BenchEnv, Figure } from './bench.js';
import { startBareEvents, syncTimes } from './baselines.js';
import { measureDrain } from './drain.js';
import { listen, type Listening } from './listen.js';
import { openLiveDatabase } from './live-table.js';
import { rowCount, until, usage, type Usage } from './observe.js';

export const endToEnd: Bench = {
  summary: 'binlog to queryable row, and commit to subscriber (events, runs, rate, seconds)',
  run: async (env) => {
    const drained = await measureDrain(env, {
      topicsOnly: false,
      events: env.number('events', 500_000),
      load: (database, events) => database.mix(events, 1),
    });
    return [...drained, ...(await measureDelays(env, { listeners: 1, rate: 500, seconds: 20 }))];
  },
};

export const latency: Bench = {
  summary: 'commit to subscriber alone (rate, seconds)',
  run: (env) => measureDelays(env, { listeners: 1, rate: 500, seconds: 20 }),
};

export const latencyKafka: Bench = {
  summary: 'the same with the stream on Kafka (rate, seconds)',
  run: async (env) => measureDelays(env, { listeners: 1, rate: 500, seconds: 20, kafka: await env.pool.get('kafka') }),
};

export const subscribers: Bench = {
  summary: 'commit to each of many listeners (listeners, rate, seconds)',
  run: (env) => measureDelays(env, { listeners: env.number('listeners', 1000), rate: 20, seconds: 20 }),
};

interface Measured extends Listening {
  readonly cpuShare: number;
  readonly before: Usage;
  readonly after: Usage;
}

async function measureDelays(
  env: BenchEnv,
  usual: { readonly listeners: number; readonly rate: number; readonly seconds: number; readonly kafka?: KafkaAddress },
): Promise<readonly Figure[]> {
  const { listeners } = usual;
  const rate = env.number('rate', usual.rate);
  const seconds = env.number('seconds', usual.seconds);
  const database = await openLiveDatabase(await env.pool.get('mysql'));
  try {
    const load = { listeners, rate, seconds };
    env.say(`${rate} commits/s for ${seconds} s, ${listeners} listeners of zongji and node:http`);
    const bare = await startBareEvents(database);
    let plain: Listening;
    try {
      plain = await listen(database, { ...load, url: bare.url, firstId: 1_000_000_000 });
    } finally {
      await bare.close();
    }
    const syncs = syncTimes();
    env.say('the same to listeners of ours');
    const stream = usual.kafka === undefined ? [] : ['--stream', `kafka://${usual.kafka.brokers.join(',')}`];
    const app = await openApp({ args: ['--source', database.url, ...stream] });
    let ours: Measured;
    try {
      await app.start();
      await until('the table', async () => (await rowCount(app.url)) !== undefined);
      const before = await usage(app.url);
      const startMs = performance.now();
      const heard = await listen(database, {
        ...load,
        url: `${app.url}/v1/tables/live/changes`,
        firstId: 2_000_000_000,
      });
      const after = await usage(app.url);
      ours = {
        ...heard,
        before,
        after,
        cpuShare: ((after.cpuSeconds - before.cpuSeconds) * 1000) / (performance.now() - startMs),
      };
    } finally {
      await app.close();
    }
    const delay = (name: string, share: number): Figure => ({
      name: `commit to subscriber, ${name}`,
      value: percentile(ours.delaysMs, share),
      unit: 'ms',
      baseline: { name: 'zongji, node:http', value: percentile(plain.delaysMs, share) },
    });
    return [
      { ...delay('p50', 0.5), note: `${listeners} x ${ours.rate.toFixed(0)} events/s` },
      delay('p99', 0.99),
      delay('max', 1),
      // Each commit of ours waits for one: on a disk that others use, this is where long delays come from.
      { name: 'a sync of the disk, p50', value: percentile(syncs, 0.5), unit: 'ms' },
      { name: 'a sync of the disk, p99', value: percentile(syncs, 0.99), unit: 'ms' },
      { name: 'events lost', value: ours.lost, unit: '' },
      { name: 'processor time', value: ours.cpuShare * 100, unit: '% of a core' },
      {
        name: 'RSS with listeners',
        value: ours.after.rssMb,
        unit: 'MB',
        baseline: { name: 'without', value: ours.before.rssMb },
      },
    ];
  } finally {
    await database.drop();
  }
}
