// `memory`: resident memory and processor time of a process at rest, beside a Node that only waits; with one connector, empty and with
// many rows. `start`: from the start of the process to the first answer, beside a bare `node:http` server.
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { openApp, type App } from '../support/harness/app-process.js';
import { request } from '../support/harness/http-client.js';
import { median, spread, type Bench, type Figure } from './bench.js';
import { startBare, startBareHttp } from './baselines.js';
import { loadedTable } from './loaded.js';
import { hasRow, rowCount, until, usage } from './observe.js';

/** What follows a snapshot or a start (cleaning of the log, collections) is no rest. */
const settleMs = 15_000;

export const memory: Bench = {
  summary: 'resident memory and processor time at rest (rows, idle)',
  run: async (env) => {
    const { database, prepared, rows } = await loadedTable(env);
    const idle = env.number('idle', 60);
    const bare = await startBare('setInterval(() => {}, 1000); console.log(0)');
    await sleep(2_000);
    const plain = { name: 'waiting node', value: residentMb(bare.pid) };
    await bare.close();
    const figures: Figure[] = [];
    const rest = async (name: string, app: App) => {
      env.say(`${name}: waiting for ${idle} s`);
      await sleep(settleMs);
      const before = await usage(app.url);
      await sleep(idle * 1000);
      const after = await usage(app.url);
      figures.push({ name: `RSS ${name}`, value: after.rssMb, unit: 'MB', baseline: plain });
      const share = ((after.cpuSeconds - before.cpuSeconds) / idle) * 100;
      figures.push({ name: `processor time ${name}`, value: share, unit: '% of a core' });
    };
    const empty = await openApp();
    try {
      await empty.start();
      await rest('at rest, no connector', empty);
    } finally {
      await empty.close();
    }
    const loading = await openApp({ args: ['--source', database.url] });
    try {
      env.say(`reading ${rows} rows`);
      await loading.start({ waitReady: false });
      let most = 0;
      await until(
        'all rows',
        async () => {
          const count = await rowCount(loading.url);
          // Before it listens, and while it answers 503, there is no figure.
          const { rssMb } = await usage(loading.url).catch(() => ({ rssMb: 0 }));
          if (rssMb > most) most = rssMb;
          return (count ?? 0) >= rows;
        },
        100,
      );
      figures.push({ name: 'RSS, most during the snapshot', value: most, unit: 'MB', baseline: plain });
      await rest('at rest after the snapshot', loading);
    } finally {
      await loading.close();
    }
    const restarted = await prepared.open();
    try {
      await restarted.start();
      await until('a row', () => hasRow(restarted.url, 1));
      await rest('at rest after a restart with rows', restarted);
    } finally {
      await restarted.close();
    }
    return figures;
  },
};

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

export const start: Bench = {
  summary: 'process start to the first answer (rows, runs)',
  run: async (env) => {
    const { prepared, rows } = await loadedTable(env);
    const bare: number[] = [];
    const empty: number[] = [];
    const first: number[] = [];
    const again: number[] = [];
    for (let run = 0; run < env.number('runs', 5); run++) {
      bare.push(await bareStart());
      const app = await openApp();
      first.push(await timeToAnswer(app, () => answers(`${app.url}/v1/tables`)));
      await app.stop();
      empty.push(await timeToAnswer(app, () => answers(`${app.url}/v1/tables`)));
      await app.close();
      const full = await prepared.open();
      again.push(await timeToAnswer(full, () => hasRow(full.url, 1)));
      await full.close();
    }
    const baseline = { name: 'bare node:http', value: median(bare) };
    const figure = (name: string, values: readonly number[]): Figure => ({
      name,
      value: median(values),
      unit: 'ms',
      baseline,
      note: spread(values),
    });
    return [
      figure('first start, no data', first),
      figure('start, no connector', empty),
      figure(`start to a row of ${rows}`, again),
    ];
  },
};

async function timeToAnswer(app: App, isThere: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  await app.start({ waitReady: false });
  await until('an answer', isThere, 5);
  return performance.now() - startMs;
}

async function bareStart(): Promise<number> {
  const startMs = performance.now();
  const server = await startBareHttp(300);
  await until('an answer', () => answers(server.url), 5);
  const ms = performance.now() - startMs;
  await server.close();
  return ms;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await request(url)).status === 200;
  } catch {
    return false; // not listening yet
  }
}
