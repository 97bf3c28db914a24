// A database of full size is read for the first time while its application writes, and the process is killed on the way: what is served at
// the end is exactly the source's, and the memory never grew with the tables.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { openApp, type App } from '../../support/harness/app-process.js';
import { createDice } from '../../support/harness/dice.js';
import type { Figures } from '../../support/harness/figures.js';
import { requestJson } from '../../support/harness/http-client.js';
import { waitFor } from '../../support/harness/wait-for.js';
import { createDatabase, withConnection, type SqlAddress } from '../../support/servers/sql-client.js';
import { createApplication } from './application.js';
import { compareInOrder } from './ordered-compare.js';
import { staff } from './staff.js';

export interface LargeSnapshotOptions {
  readonly seed: number;
  readonly server: SqlAddress;
  /** 1000: 3.9 million rows. */
  readonly size: number;
  readonly kills: number;
  readonly tell?: (line: string) => void;
}

const snapshotDeadlineMs = 1_800_000;
const agreeDeadlineMs = 120_000;
const tables = ['employees', 'departments', 'dept_manager', 'dept_emp', 'titles', 'salaries'];

export async function runLargeSnapshot({ seed, server, size, kills, tell }: LargeSnapshotOptions): Promise<Figures> {
  const database = await createDatabase(server, staff.name);
  const app = await openApp({ args: ['--source', database.url] });
  const use = <T>(work: (connection: Connection) => Promise<T>) =>
    withConnection(server, async (connection) => {
      await connection.query(`USE ${database.name}`);
      return work(connection);
    });
  const application = createApplication(staff, createDice(seed + 1), use);
  let peakMb = 0;
  const kill = async (): Promise<void> => {
    peakMb = Math.max(peakMb, peakOf(app));
    await app.kill();
  };
  try {
    await use(async (connection) => {
      await connection.query(`ALTER DATABASE ${database.name} CHARACTER SET utf8mb4`);
      for (const statement of staff.schema(server.product)) await connection.query(statement);
      for (const statement of staff.fill(createDice(seed), size)) await connection.query(statement);
    });
    tell?.('the source is filled');
    const begunMs = performance.now();
    await app.start({ waitReady: false });
    application.begin();
    for (let n = 1; n <= kills; n++) {
      // The snapshot of all is longer than this, at whatever speed the machine reads.
      await sleep(2_000 + (size * 20 * n) / kills);
      const ready = await isReady(app);
      await kill();
      tell?.(`killed after ${Math.round(performance.now() - begunMs)} ms${ready ? ', when all was read' : ''}`);
      await app.start({ waitReady: false });
    }
    await waitFor('the snapshot', () => isReady(app), { timeoutMs: snapshotDeadlineMs, intervalMs: 200 });
    const seconds = (performance.now() - begunMs) / 1000;
    tell?.(`read after ${seconds.toFixed(1)} s`);
    await application.pause();
    peakMb = Math.max(peakMb, peakOf(app));
    let rows = 0;
    for (const table of tables) rows += await agree(app, { server, database: database.name, table });
    return {
      rows,
      seconds: Math.round(seconds),
      kills,
      transactions: application.done(),
      'peak RSS MB': Math.round(peakMb),
      // All rows are read for the comparison, 10,000 a page.
      'peak RSS MB with that reading': Math.round(Math.max(peakMb, peakOf(app))),
    };
  } finally {
    await application.pause();
    await app.close();
    await database.drop();
  }
}

async function agree(app: App, of: Parameters<typeof compareInOrder>[1]): Promise<number> {
  const end = Date.now() + agreeDeadlineMs;
  for (;;) {
    const { rows, difference } = await compareInOrder(app, of);
    if (difference === undefined) return rows;
    if (Date.now() > end) throw new Error(difference);
    await sleep(500);
  }
}

async function isReady(app: App): Promise<boolean> {
  if (!app.running) throw new Error(`the program has ended\n${app.log().slice(-2_000)}`);
  const answer = await requestJson<{ tables: { visible: boolean }[] }>(`${app.url}/v1/tables`).catch(() => undefined);
  return answer !== undefined && answer.tables.length >= tables.length && answer.tables.every(({ visible }) => visible);
}

/** The most that the process ever had, MB, as Linux tells it. */
function peakOf(app: App): number {
  const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
