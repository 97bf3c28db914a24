// Throughput: a binlog written beforehand is drained while nothing else happens. The clock runs from the first record seen to the
// last, so the start of the process does not count; records already there at the first look are left out.
import { openLiveDatabase, type LiveDatabase } from './live-table.js';
import { median, spread, type BenchEnv, type Figure } from './bench.js';
import { sqliteRate, zongjiRate } from './baselines.js';
import { appliedCount, hasRow, recordCount, until, usage } from './observe.js';
import { prepare, type Prepared } from './prepared.js';

const markerId = 9_999_999_999;

export interface Drain {
  readonly perSecond: number;
  /** Of the whole process, all threads, µs for each row event; less noisy than the clock on a busy machine. */
  readonly cpuMicros: number;
  readonly rssMb: number;
}

export interface Load {
  /** Events to write. */
  readonly load: (database: LiveDatabase, events: number) => Promise<void>;
  readonly events: number;
}

export interface DrainOptions extends Load {
  readonly product?: 'mariadb' | undefined;
  readonly topicsOnly: boolean;
}

/** `counted`: how many records have come, where only topics are written; undefined: until the last row is there. */
async function drainOnce(
  prepared: Prepared,
  events: number,
  counted: ((url: string) => Promise<number>) | undefined,
): Promise<Drain> {
  const app = await prepared.open();
  try {
    await app.start({ waitReady: false });
    const total = events + 1;
    const count = counted ?? recordCount;
    const first = await until('the first record', async () => (await count(app.url)) || undefined, 5);
    const firstMs = performance.now();
    const before = await usage(app.url);
    if (counted) await until('the last record', async () => (await counted(app.url)) >= total);
    else await until('the last row', () => hasRow(app.url, markerId));
    const seconds = (performance.now() - firstMs) / 1000;
    const after = await usage(app.url);
    const drained = total - first;
    return {
      perSecond: drained / seconds,
      cpuMicros: ((after.cpuSeconds - before.cpuSeconds) / drained) * 1e6,
      rssMb: after.rssMb,
    };
  } finally {
    await app.close();
  }
}

/** The figures of `capture`, `small-transactions` and the first half of `end-to-end`. */
export async function measureDrain(env: BenchEnv, options: DrainOptions): Promise<readonly Figure[]> {
  const { events, topicsOnly } = options;
  const runs = env.number('runs', 3);
  const database = await openLiveDatabase(await env.pool.get(options.product ?? 'mysql'));
  try {
    const prepared = await prepare(database, { topicsOnly });
    try {
      const from = await write(env, database, options);
      const drains: Drain[] = [];
      const zongji: number[] = [];
      const sqlite: number[] = [];
      // In turns, so that a neighbour's load falls on all alike.
      for (let run = 1; run <= runs; run++) {
        zongji.push(await zongjiRate(database, from, markerId));
        sqlite.push(sqliteRate(Math.min(events, 200_000)));
        drains.push(await drainOnce(prepared, events, topicsOnly ? recordCount : undefined));
        env.say(
          `run ${run}: ${Math.round(drains.at(-1)!.perSecond)}/s, zongji ${Math.round(zongji.at(-1)!)}/s, SQLite ${Math.round(sqlite.at(-1)!)}/s`,
        );
      }
      const rates = drains.map(({ perSecond }) => perSecond);
      const value = median(rates);
      const unit = 'row events/s';
      const against = { name: 'zongji decode', value: median(zongji) };
      const figures: Figure[] = [
        {
          name: topicsOnly ? 'binlog to log' : 'binlog to queryable row',
          value,
          unit,
          baseline: against,
          note: spread(rates),
        },
      ];
      if (!topicsOnly)
        figures.push({ name: 'the same', value, unit, baseline: { name: 'SQLite upserts', value: median(sqlite) } });
      return [...figures, ...costs(drains)];
    } finally {
      prepared.close();
    }
  } finally {
    await database.drop();
  }
}

/** Into Kafka, topics only. What a run has written stays in the broker, so each has a database of its own. */
export async function measureKafkaDrain(env: BenchEnv, options: Load): Promise<readonly Figure[]> {
  const runs = env.number('runs', 3);
  const server = await env.pool.get('mysql');
  const { brokers } = await env.pool.get('kafka');
  const drains: Drain[] = [];
  const zongji: number[] = [];
  for (let run = 1; run <= runs; run++) {
    const database = await openLiveDatabase(server);
    try {
      const prepared = await prepare(database, { topicsOnly: true, stream: `kafka://${brokers.join(',')}` });
      try {
        const from = await write(env, database, options);
        zongji.push(await zongjiRate(database, from, markerId));
        drains.push(await drainOnce(prepared, options.events, appliedCount));
        env.say(`run ${run}: ${Math.round(drains.at(-1)!.perSecond)}/s, zongji ${Math.round(zongji.at(-1)!)}/s`);
      } finally {
        prepared.close();
      }
    } finally {
      await database.drop();
    }
  }
  const rates = drains.map(({ perSecond }) => perSecond);
  return [
    {
      name: 'binlog to Kafka, and applied',
      value: median(rates),
      unit: 'row events/s',
      baseline: { name: 'zongji decode', value: median(zongji) },
      note: spread(rates),
    },
    ...costs(drains),
  ];
}

/** What is drained; the place in the binlog where it begins. */
async function write(env: BenchEnv, database: LiveDatabase, { events, load }: Load) {
  const from = await database.position();
  env.say(`writing ${events} row events`);
  await load(database, events);
  await database.insert(markerId);
  return from;
}

function costs(drains: readonly Drain[]): readonly Figure[] {
  return [
    { name: 'processor time', value: median(drains.map(({ cpuMicros }) => cpuMicros)), unit: 'µs/event' },
    { name: 'RSS at the end', value: median(drains.map(({ rssMb }) => rssMb)), unit: 'MB' },
  ];
}
