// `snapshot-threads`: the first reading of several tables, from the connector's beginning to all of them being readable, with one thread
// and with several. `delay`: milliseconds that a network adds each way.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { openApp } from '../support/harness/app-process.js';
import { requestJson } from '../support/harness/http-client.js';
import { createDatabase, withConnection, type SqlAddress } from '../support/servers/sql-client.js';
import { median, spread, type Bench, type BenchEnv } from './bench.js';
import { until, usage } from './observe.js';

export const snapshotThreads: Bench = {
  summary: 'first reading of several tables at once (tables, rows, threads, runs, delay)',
  run: async (env) => {
    const [tables, rows] = [env.number('tables', 200), env.number('rows', 50)];
    const [threads, runs, delayMs] = [env.number('threads', 4), env.number('runs', 5), env.number('delay', 0)];
    const server = await env.pool.get('mysql');
    const database = await createDatabase(server, 'bench');
    const link = await openDistance(server, delayMs);
    try {
      env.say(`filling ${tables} tables with ${rows} rows each`);
      await fill(server, database.name, tables, rows);
      const source = { ...server, port: link.port, database: database.name };
      const one: Measured[] = [];
      const several: Measured[] = [];
      // In turn, so that what else the machine does meets both.
      for (let run = 1; run <= runs; run++) {
        one.push(await measure(env, source, tables, 1));
        several.push(await measure(env, source, tables, threads));
      }
      const figure = (name: string, unit: string, of: (measured: Measured) => number) => {
        const [before, after] = [one.map(of), several.map(of)];
        return {
          name,
          value: median(after),
          unit,
          baseline: { name: 'one thread', value: median(before) },
          note: `${spread(after)}; one thread ${spread(before)}`,
        };
      };
      return [
        figure(`${tables} tables with ${threads} threads`, 'ms', ({ ms }) => ms),
        figure('of that, reading', 'ms', ({ readingMs }) => readingMs),
        figure('RSS at the end', 'MB', ({ rssMb }) => rssMb),
      ];
    } finally {
      await link.close();
      await database.drop();
    }
  },
};

interface Measured {
  readonly ms: number;
  /** From where all tables are defined. */
  readonly readingMs: number;
  readonly rssMb: number;
}

async function measure(
  env: BenchEnv,
  source: SqlAddress & { readonly database: string },
  tables: number,
  threads: number,
): Promise<Measured> {
  const app = await openApp();
  try {
    await app.start();
    const startMs = performance.now();
    await requestJson(`${app.url}/connectors/c/config`, {
      method: 'PUT',
      body: {
        'connector.class': 'MySqlCdcSource',
        'database.hostname': source.host,
        'database.port': String(source.port),
        'database.user': source.user,
        'database.password': source.password,
        'database.include.list': source.database,
        'snapshot.max.threads': String(threads),
      },
    });
    const listed = async () => (await requestJson<{ tables: { visible: boolean }[] }>(`${app.url}/v1/tables`)).tables;
    await until('all tables to be defined', async () => (await listed()).length >= tables, 5);
    const definedMs = performance.now();
    await until('all tables to be readable', async () => (await listed()).every(({ visible }) => visible), 5);
    const endMs = performance.now();
    const measured = { ms: endMs - startMs, readingMs: endMs - definedMs, rssMb: (await usage(app.url)).rssMb };
    env.say(`${threads} threads: ${measured.ms.toFixed(0)} ms, reading ${measured.readingMs.toFixed(0)} ms`);
    return measured;
  } finally {
    await app.close();
  }
}

async function fill(server: SqlAddress, database: string, tables: number, rows: number): Promise<void> {
  await withConnection(server, async (connection) => {
    await connection.query(`USE ${database}`);
    for (let t = 1; t <= tables; t++) {
      await connection.query(
        `CREATE TABLE t${t} (id BIGINT PRIMARY KEY, qty INT NOT NULL, amount DECIMAL(12,2) NOT NULL, name VARCHAR(64), note VARCHAR(200), at DATETIME(6))`,
      );
      for (let from = 1; from <= rows; from += 1000)
        await connection.query(`INSERT INTO t${t} VALUES ?`, [
          Array.from({ length: Math.min(1000, rows - from + 1) }, (_, i) => [
            from + i,
            i,
            `${i}.50`,
            `name of row ${from + i}`,
            `a note of middling length about row number ${from + i}, to make the record as wide as many real ones are`,
            '2026-01-10 12:34:56.123456',
          ]),
        ]);
    }
    await connection.query(`ANALYZE TABLE ${Array.from({ length: tables }, (_, t) => `t${t + 1}`).join(', ')}`);
  });
}

/** A way to the server on which everything takes so long, however much it is. */
async function openDistance({ host, port }: SqlAddress, delayMs: number) {
  const sockets = new Set<Socket>();
  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (data) => {
      if (delayMs === 0) to.write(data);
      else setTimeout(() => to.writable && to.write(data), delayMs);
    });
    from.on('error', () => {}); // the other end is told by `close`
    from.on('close', () => {
      sockets.delete(from);
      to.destroySoon();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(port, host);
    relay(client, upstream);
    relay(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
