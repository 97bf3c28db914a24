// `snapshot`: the first reading of a table, from its first visible record to the table being readable, beside a plain
// `SELECT ... ORDER BY id` that a mysql2 client streams.
import mysql from 'mysql2';
import { openApp } from '../support/harness/app-process.js';
import type { Bench } from './bench.js';
import { openLiveDatabase, type LiveDatabase } from './live-table.js';
import { recordCount, rowCount, until, usage } from './observe.js';

export const snapshot: Bench = {
  summary: 'first reading of a table (rows)',
  run: async (env) => {
    const rows = env.number('rows', 1_000_000);
    const database = await openLiveDatabase(await env.pool.get('mysql'));
    try {
      env.say(`filling a table with ${rows} rows`);
      await database.fill(rows);
      const plain = await selectRate(database, rows);
      const app = await openApp({ args: ['--source', database.url] });
      try {
        const startMs = performance.now();
        await app.start({ waitReady: false });
        const first = await until('the first record', async () => (await recordCount(app.url)) || undefined, 5);
        const firstMs = performance.now();
        await until('all rows', async () => ((await rowCount(app.url)) ?? 0) >= rows);
        const endMs = performance.now();
        const { rssMb } = await usage(app.url);
        return [
          {
            name: 'rows read to readable',
            value: ((rows - first) / (endMs - firstMs)) * 1000,
            unit: 'rows/s',
            baseline: { name: 'plain SELECT', value: plain },
          },
          { name: 'process start to the first record', value: firstMs - startMs, unit: 'ms' },
          { name: 'RSS at the end', value: rssMb, unit: 'MB' },
        ];
      } finally {
        await app.close();
      }
    } finally {
      await database.drop();
    }
  },
};

async function selectRate(database: LiveDatabase, rows: number): Promise<number> {
  const { host, port, user, password } = database.address;
  const connection = mysql.createConnection({
    host,
    port,
    user,
    password,
    database: database.name,
    dateStrings: true,
    jsonStrings: true,
  });
  const startMs = performance.now();
  let count = 0;
  for await (const row of connection.query('SELECT * FROM live ORDER BY id').stream()) if (row !== undefined) count++;
  connection.end();
  if (count !== rows) throw new Error(`the plain SELECT gave ${count} rows of ${rows}`);
  return (rows / (performance.now() - startMs)) * 1000;
}
