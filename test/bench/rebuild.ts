// `rebuild`: a table derived again from the log while the old one is read, beside plain inserts into SQLite; and the pause of the
// engine at the swap.
import { requestJson } from '../support/harness/http-client.js';
import type { Bench } from './bench.js';
import { sqliteInsertRate } from './baselines.js';
import { loadedTable } from './loaded.js';
import { until } from './observe.js';

interface Rebuild {
  readonly table: string;
  readonly state: string;
  readonly pauseMs?: number | null;
}

export const rebuild: Bench = {
  summary: 'a table derived again from the log (rows)',
  run: async (env) => {
    const { prepared, rows } = await loadedTable(env);
    const app = await prepared.open();
    try {
      await app.start();
      const startMs = performance.now();
      await requestJson(`${app.url}/v1/tables/live/rebuild`, { method: 'POST' });
      const ended = await until(
        'the rebuild',
        async () => {
          const { rebuilds } = await requestJson<{ readonly rebuilds: readonly Rebuild[] }>(`${app.url}/v1/rebuilds`);
          const last = rebuilds.findLast(({ table }) => table === 'live');
          if (last?.state === 'failed') throw new Error(`the rebuild failed: ${JSON.stringify(last)}`);
          return last?.state === 'done' && last;
        },
        50,
      );
      const seconds = (performance.now() - startMs) / 1000;
      const plain = sqliteInsertRate(Math.min(rows, 300_000));
      return [
        {
          name: 'rows built again',
          value: rows / seconds,
          unit: 'rows/s',
          baseline: { name: 'SQLite inserts', value: plain },
        },
        { name: 'pause at the swap', value: ended.pauseMs ?? Number.NaN, unit: 'ms' },
      ];
    } finally {
      await app.close();
    }
  },
};
