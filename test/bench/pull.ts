// `pull`: GET of one row by a random key, beside a bare `node:http` server that answers a constant of the same size; both driven by
// the same client, in turns.
import { request } from '../support/harness/http-client.js';
import { median, spread, type Bench } from './bench.js';
import { startBareHttp } from './baselines.js';
import { loadedTable } from './loaded.js';
import { load, wrkPath, type Load } from './wrk.js';

const warmUpSeconds = 4;

export const pull: Bench = {
  summary: 'rows by key over HTTP (rows, runs, seconds)',
  run: async (env) => {
    wrkPath();
    const { prepared, rows } = await loadedTable(env);
    const seconds = env.number('seconds', 10);
    const app = await prepared.open();
    await app.start();
    try {
      const prefix = '/v1/tables/live/rows/';
      const { text } = await request(`${app.url}${prefix}1`);
      const bare = await startBareHttp(Buffer.byteLength(text));
      try {
        const ours: Load[] = [];
        const plain: Load[] = [];
        // Not measured: while their code is compiled both are several times slower.
        for (const url of [bare.url, app.url]) await load(url, prefix, rows, warmUpSeconds);
        for (let run = 0; run < env.number('runs', 3); run++) {
          plain.push(await load(bare.url, prefix, rows, seconds));
          ours.push(await load(app.url, prefix, rows, seconds));
        }
        const rates = ours.map(({ perSecond }) => perSecond);
        const against = (of: (load: Load) => number) => ({ name: 'bare node:http', value: median(plain.map(of)) });
        return [
          {
            name: 'rows by key',
            value: median(rates),
            unit: 'requests/s',
            baseline: against(({ perSecond }) => perSecond),
            note: spread(rates),
          },
          {
            name: 'p50',
            value: median(ours.map(({ p50Ms }) => p50Ms)),
            unit: 'ms',
            baseline: against(({ p50Ms }) => p50Ms),
          },
          {
            name: 'p99',
            value: median(ours.map(({ p99Ms }) => p99Ms)),
            unit: 'ms',
            baseline: against(({ p99Ms }) => p99Ms),
          },
        ];
      } finally {
        await bare.close();
      }
    } finally {
      await app.close();
    }
  },
};
