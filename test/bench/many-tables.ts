// `many-tables`: the first reading of hundreds of tables of one row, and one row by key by both ways of asking, beside the same with
// one table: what is known of other tables may not cost those who do not ask for them.
import { openApp, type App } from '../support/harness/app-process.js';
import { request } from '../support/harness/http-client.js';
import { percentile } from '../support/harness/figures.js';
import { createDatabase, withConnection, type SqlAddress } from '../support/servers/sql-client.js';
import type { Bench, BenchEnv } from './bench.js';
import { until } from './observe.js';

const warmUpRequests = 500;

interface Measured {
  readonly readableMs: number;
  readonly byPathMs: number;
  readonly bySqlMs: number;
}

export const manyTables: Bench = {
  summary: 'first reading of many small tables, one row by key (tables, requests)',
  run: async (env) => {
    const tables = env.number('tables', 500);
    const one = await measure(env, 1);
    const many = await measure(env, tables);
    const against = (value: number) => ({ name: 'one table', value });
    return [
      {
        name: `start to ${tables} tables readable`,
        value: many.readableMs,
        unit: 'ms',
        baseline: against(one.readableMs),
        note: `${((many.readableMs - one.readableMs) / (tables - 1)).toFixed(1)} ms a table`,
      },
      { name: 'a row by its path, p50', value: many.byPathMs, unit: 'ms', baseline: against(one.byPathMs) },
      { name: 'a row by /query, p50', value: many.bySqlMs, unit: 'ms', baseline: against(one.bySqlMs) },
    ];
  },
};

async function measure(env: BenchEnv, tables: number): Promise<Measured> {
  const address = await env.pool.get('mysql');
  const database = await createDatabase(address, 'bench');
  try {
    await fill(address, database.name, tables);
    env.say(`${tables} tables`);
    const app = await openApp({ args: ['--source', database.url] });
    try {
      const startMs = performance.now();
      await app.start();
      await until('the last table', async () => {
        const { status } = await request(`${app.url}/v1/tables/t${tables}/rows/1`);
        return status === 200 || undefined;
      });
      const readableMs = performance.now() - startMs;
      const requests = env.number('requests', 2_000);
      return {
        readableMs,
        byPathMs: await p50(requests, () => request(`${app.url}/v1/tables/t1/rows/1`)),
        bySqlMs: await p50(requests, () => query(app)),
      };
    } finally {
      await app.close();
    }
  } finally {
    await database.drop();
  }
}

async function fill(address: SqlAddress, database: string, tables: number): Promise<void> {
  await withConnection(address, async (connection) => {
    await connection.query(`USE ${database}`);
    for (let i = 1; i <= tables; i++)
      await connection.query(
        `CREATE TABLE t${i} (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO t${i} VALUES (1, 'one')`,
      );
  });
}

async function query(app: App): Promise<{ readonly status: number }> {
  return request(`${app.url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.ksql.v1+json' },
    body: JSON.stringify({ ksql: 'SELECT * FROM t1 WHERE id = 1;' }),
  });
}

/** One request after the other, so that it is the time that one takes. */
async function p50(requests: number, ask: () => Promise<{ readonly status: number }>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < warmUpRequests + requests; i++) {
    const startMs = performance.now();
    const { status } = await ask();
    if (status !== 200) throw new Error(`a request by key was answered with ${status}`);
    if (i >= warmUpRequests) times.push(performance.now() - startMs);
  }
  return percentile(times, 0.5);
}
