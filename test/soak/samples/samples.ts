// The sample databases as a user meets the program: one `start --source`, on a database with everything in it, while the application
// writes by its stored procedures, migrations of four tools are run, and the process is killed now and then. It never stops, and at the
// end every table is the source's, and every derived table what its query gives there, or it stands still and says why.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { compare } from '../../capture/compare.js';
import { readTables } from '../../capture/source-sql.js';
import { servedRows } from '../../capture/service.js';
import { openApp, type App } from '../../support/harness/app-process.js';
import { createDice } from '../../support/harness/dice.js';
import type { Figures } from '../../support/harness/figures.js';
import { request, requestJson } from '../../support/harness/http-client.js';
import { createDatabase, withConnection, type SqlAddress } from '../../support/servers/sql-client.js';
import { createApplication } from './application.js';
import { migration, type Table } from './orm-migrations.js';
import type { Sample } from './sample.js';

export interface SamplesOptions {
  readonly seed: number;
  readonly server: SqlAddress;
  readonly sample: Sample;
  readonly size: number;
  readonly migrations: number;
  readonly kills: number;
  readonly tell?: (line: string) => void;
}

const looksEvery = 25;
const agreeDeadlineMs = 180_000;

export async function runSample(options: SamplesOptions): Promise<Figures> {
  const { seed, server, sample, size, migrations, kills, tell } = options;
  const dice = createDice(seed);
  const database = await createDatabase(server, sample.name);
  const app = await openApp({ args: ['--source', database.url] });
  const use = <T>(work: (connection: Connection) => Promise<T>) =>
    withConnection(server, async (connection) => {
      await connection.query(`USE ${database.name}`);
      return work(connection);
    });
  const application = createApplication(sample, createDice(seed + 1), use);
  let refused = 0;
  let detached: readonly string[] = [];
  try {
    await use(async (connection) => {
      await connection.query(`ALTER DATABASE ${database.name} CHARACTER SET utf8mb4`);
      for (const statement of sample.schema(server.product)) await connection.query(statement);
      for (const statement of sample.fill(dice, size)) await connection.query(statement);
    });
    await app.start();
    for (const { create } of sample.derived) await requestJson(`${app.url}/ksql`, { body: { ksql: create } });
    application.begin();
    const killEvery = Math.max(1, Math.floor(migrations / (kills + 1)));
    for (let n = 1; n <= migrations; n++) {
      await use(async (connection) => {
        for (const statement of migration(dice, await tablesOf(connection))) {
          try {
            await connection.query(statement);
          } catch {
            // What the server refuses changes nothing, and the dice throw again.
            refused++;
            await connection.query('ROLLBACK');
          }
        }
      });
      if (n % killEvery === 0 && n < migrations) {
        await app.kill();
        await app.start({ waitReady: false });
      }
      if (n % looksEvery !== 0 && n !== migrations) continue;
      await application.pause();
      detached = await agree(app, { server, database: database.name, sample, where: `migration ${n}` });
      tell?.(
        `${sample.name} on ${server.product}: migration ${n}, ${application.done()} transactions, ${refused} statements refused`,
      );
      application.begin();
    }
    return { migrations, kills, refused, transactions: application.done(), detached: detached.length };
  } finally {
    await application.pause();
    await app.close();
    await database.drop();
  }
}

async function tablesOf(connection: Connection): Promise<readonly Table[]> {
  const [rows] = await connection.query(
    `SELECT c.TABLE_NAME AS t, c.COLUMN_NAME AS name, c.COLUMN_TYPE AS type, c.COLUMN_KEY AS k FROM information_schema.COLUMNS c
      JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME AND t.TABLE_TYPE = 'BASE TABLE'
      WHERE c.TABLE_SCHEMA = DATABASE() ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
  );
  const columns = rows as { t: string; name: string; type: string; k: string }[];
  return [...new Set(columns.map(({ t }) => t))].map((table) => ({
    name: table,
    columns: columns.filter(({ t }) => t === table).map(({ name, type, k }) => ({ name, type, isKey: k === 'PRI' })),
  }));
}

interface Look {
  readonly server: SqlAddress;
  readonly database: string;
  readonly sample: Sample;
  readonly where: string;
}

/** The derived tables that stand still. */
async function agree(app: App, look: Look): Promise<readonly string[]> {
  const end = Date.now() + agreeDeadlineMs;
  for (;;) {
    const difference = await differenceOf(app, look).catch((error: unknown) => String(error));
    if (typeof difference !== 'string') return difference;
    if (Date.now() > end) {
      const status = await request(`${app.url}/v1/status`).catch((error: unknown) => ({ text: String(error) }));
      throw new Error(
        `${look.where} of ${look.sample.name} on ${look.server.product}: ${difference}\n${status.text.slice(0, 3_000)}`,
      );
    }
    await sleep(100);
  }
}

async function differenceOf(app: App, { server, database, sample }: Look): Promise<string | readonly string[]> {
  const connectors = await requestJson<Record<string, { status: { tasks: { state: string; trace?: string }[] } }>>(
    `${app.url}/connectors?expand=status`,
  );
  const [[label, { status }] = ['', { status: { tasks: [] } }]] = Object.entries(connectors);
  const failed = status.tasks.find(({ state }) => state === 'FAILED');
  if (failed !== undefined) return `the connector has failed: ${failed.trace}`;
  const { difference, unserved, keyless } = await compare(app, {
    label,
    run: () => Promise.reject(new Error('nothing is run here')),
    connector: () => Promise.resolve({}),
    tables: () => withConnection(server, (connection) => readTables(connection, [database])),
    names: () => [],
    drop: () => Promise.resolve(),
  });
  if (difference !== undefined) return difference;
  if (unserved.length > 0) return `not served: ${unserved.map(({ table }) => table).join(', ')}`;
  if (keyless.length > 0) return `without a key: ${keyless.join(', ')}`;
  const detached: string[] = [];
  for (const { name, ask } of sample.derived) {
    if (await standsStill(app, name)) {
      detached.push(name);
      continue;
    }
    const asked = await withConnection(server, async (connection) => {
      await connection.query(`USE ${database}`);
      const [rows] = await connection.query({ sql: ask, rowsAsArray: true, typeCast: (field) => field.string() });
      return (rows as string[][]).map((row) => row.join()).toSorted();
    });
    const served = (await servedRows(app, name)).map((row) => [...row.values()].map(String).join()).toSorted();
    if (asked.join('\n') !== served.join('\n'))
      return `${name} differs: ${asked.length} rows at the source, ${served.length} here`;
  }
  return detached;
}

/** Its query has been given up by a change of its source, and is said to have been. */
async function standsStill(app: App, name: string): Promise<boolean> {
  const { tables } = await requestJson<{ tables: { name: string; standing: string }[] }>(`${app.url}/v1/status`);
  return tables.find((each) => each.name === name)?.standing === 'detached';
}
