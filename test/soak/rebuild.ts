// A large projection is rebuilt while writes go on and a subscriber listens. Told: how long the engine paused, the longest time
// that a client waited between two answers with and without a rebuild, how old another table's answers were, rows per second.
// Right: afterwards the projection equals what the source itself computes, and so does what the subscriber has folded.
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../support/harness/app-process.js';
import { compareRows, tableRows } from '../support/harness/checker.js';
import { bigint, text } from '../support/harness/columns.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import { percentile, type Figures } from '../support/harness/figures.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { printRow, type LoadTable } from '../support/harness/load-tables.js';
import { waitForMarks, waitForTables } from '../support/harness/progress.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { subscribe } from '../support/harness/subscriber.js';
import { waitFor } from '../support/harness/wait-for.js';

export interface RebuildOptions {
  readonly seed: number;
  readonly source: SourceDatabase;
  readonly rows: number;
  /** Transactions per second. */
  readonly rate: number;
  /** How long the client is watched without a rebuild. */
  readonly quietSeconds: number;
  readonly rebuilds: number;
  readonly tell?: (line: string) => void;
}

interface Progress {
  readonly table: string;
  readonly state: string;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly pauseMs?: number;
  readonly error?: string;
}

const title = text({ mysql: 'VARCHAR(40)', sqlite: 'TEXT' }, 0);
const projection: LoadTable = {
  name: 'facts_view',
  columns: [
    { name: 'id', kind: bigint, nullable: false },
    { name: 'twice', kind: bigint, nullable: true },
    { name: 'loud', kind: title, nullable: true },
  ],
  key: [0],
};
const projectionSql =
  'CREATE TABLE facts_view AS SELECT id, amount * 2 AS twice, UCASE(title) AS loud FROM facts WHERE amount >= 100;';

export async function runRebuild(options: RebuildOptions): Promise<Figures> {
  const { source, seed, rows, tell = () => undefined } = options;
  const dice = createDice(seed);
  await prepare(source, rows);
  const app = await openApp({ args: ['--source', source.url], env: { WRITETHROUGH_SERVICE_ID: `rebuild-${seed}` } });
  const writer = new FactWriter(source, { rows, rate: options.rate, dice: dice.fork('writer') });
  const subscriber = subscribe(() => app.url, projection);
  const client = new GapClient(app, dice.fork('client'), rows);
  try {
    await app.start();
    await waitForTables(app.url, [{ name: 'facts' }, { name: 'marks' }], 600_000);
    tell(`${rows} rows captured`);
    await requestJson(`${app.url}/ksql`, { body: { ksql: projectionSql }, timeoutMs: 600_000 });
    await waitForTables(app.url, [projection], 600_000);
    tell('projection built');
    await subscriber.caughtUp;
    writer.start();
    client.start();
    await sleep(options.quietSeconds * 1000);
    const quiet = client.take();
    const done: Progress[] = [];
    for (let i = 0; i < options.rebuilds; i++) {
      const progress = await rebuild(app);
      done.push(progress);
      tell(
        `rebuild ${i + 1}: ${progress.rows} rows, ${Math.round(progress.rowsPerSecond)} rows/s, pause ${progress.pauseMs} ms`,
      );
    }
    const during = client.take();
    await client.stop();
    await writer.stop();
    await waitForMarks(app.url, new Map([['0', BigInt(writer.transactions)]]));
    await check(app, source, subscriber);
    const pauses = done.map(({ pauseMs }) => pauseMs ?? Number.NaN);
    return {
      seed,
      source: source.dialect,
      rows,
      rebuilds: done.length,
      'rows/s': percentile(
        done.map(({ rowsPerSecond }) => rowsPerSecond),
        0.5,
      ),
      'engine pause max ms': percentile(pauses, 1),
      'longest gap without rebuild ms': quiet.longestGapMs,
      'longest gap during rebuild ms': during.longestGapMs,
      'staleness of another table p99 ms, without': percentile(quiet.staleness, 0.99),
      'staleness of another table p99 ms, during': percentile(during.staleness, 0.99),
      transactions: writer.transactions,
      'events of the projection': subscriber.events,
      'rebuilt events': subscriber.rebuilds,
    };
  } catch (error) {
    const tail = app.log().trimEnd().split('\n').slice(-10).join('\n');
    throw new Error(
      `rebuild, seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    await client.stop();
    await writer.stop().catch(() => undefined);
    await subscriber.close();
    await app.close();
    await source.drop();
  }

  async function check(of: App, from: SourceDatabase, listener: typeof subscriber): Promise<void> {
    const asText = (column: string) =>
      from.dialect === 'sqlite' ? `CAST(${column} AS TEXT)` : `CAST(${column} AS CHAR)`;
    const wanted = await from.select(
      `SELECT ${asText('id')}, ${asText('amount * 2')}, UPPER(title) FROM facts WHERE amount >= 100`,
    );
    const expected = new Map(wanted.map((row) => [String(row[0]), printRow(row as string[])]));
    await waitFor('the last event', () => compareRows('', expected, listener.rows).length === 0, {
      timeoutMs: 20_000,
      intervalMs: 1000,
    }).catch(() => undefined);
    const problems = [
      ...compareRows('projection', expected, await tableRows(of.url, projection)),
      ...compareRows('subscriber', expected, listener.rows),
      ...listener.faults,
      ...(listener.rebuilds === options.rebuilds
        ? []
        : [`${listener.rebuilds} rebuilt events for ${options.rebuilds} rebuilds`]),
    ];
    if (problems.length > 0) throw new Error(`${problems.length} differences:\n${problems.join('\n')}`);
  }
}

async function rebuild(app: App): Promise<Progress> {
  await requestJson(`${app.url}/v1/tables/${projection.name}/rebuild`, { method: 'POST' });
  return waitFor(
    'the rebuild',
    async () => {
      const { rebuilds } = await requestJson<{ rebuilds: Progress[] }>(`${app.url}/v1/rebuilds`);
      const found = rebuilds.find((one) => one.table === projection.name);
      if (found?.state === 'failed') throw new Error(found.error);
      return found?.state === 'done' ? found : undefined;
    },
    { timeoutMs: 600_000, intervalMs: 100 },
  );
}

async function prepare(source: SourceDatabase, rows: number): Promise<void> {
  await source.execute(
    'CREATE TABLE facts (id BIGINT NOT NULL PRIMARY KEY, amount BIGINT NOT NULL, title VARCHAR(40) NOT NULL)',
  );
  await source.execute(
    'CREATE TABLE marks (writer BIGINT NOT NULL PRIMARY KEY, tx BIGINT NOT NULL, committed_us BIGINT NOT NULL)',
  );
  const session = await source.openSession();
  await session.begin();
  await session.run('INSERT INTO marks VALUES (0, 0, 0)', []);
  const size = 1000;
  for (let from = 0; from < rows; from += size) {
    const count = Math.min(size, rows - from);
    const params = Array.from({ length: count }, (_, i) => [from + i, (from + i) % 1000, `title ${from + i}`]).flat();
    await session.run(`INSERT INTO facts VALUES ${Array(count).fill('(?, ?, ?)').join(', ')}`, params);
  }
  await session.commit();
  await session.close();
}

class FactWriter {
  readonly #source: SourceDatabase;
  readonly #options: { readonly rows: number; readonly rate: number; readonly dice: Dice };
  #transactions = 0;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  constructor(source: SourceDatabase, options: { readonly rows: number; readonly rate: number; readonly dice: Dice }) {
    this.#source = source;
    this.#options = options;
  }

  get transactions(): number {
    return this.#transactions;
  }

  start(): void {
    this.#running = this.#write();
    this.#running.catch(() => undefined); // told by stop
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #write(): Promise<void> {
    const { dice, rows, rate } = this.#options;
    const session = await this.#source.openSession();
    let fresh = rows;
    try {
      while (!this.#stopping) {
        await session.begin();
        for (let i = dice.between(1, 4); i > 0; i--) {
          const kind = dice.next();
          if (kind < 0.6)
            await session.run('UPDATE facts SET amount = ? WHERE id = ?', [
              dice.between(0, 1000),
              dice.between(0, rows - 1),
            ]);
          else if (kind < 0.8)
            await session.run('INSERT INTO facts VALUES (?, ?, ?)', [fresh, dice.between(0, 1000), `new ${fresh++}`]);
          else await session.run('DELETE FROM facts WHERE id = ?', [dice.between(0, fresh)]);
        }
        await session.run('UPDATE marks SET tx = ?, committed_us = ? WHERE writer = 0', [
          this.#transactions + 1,
          Date.now() * 1000,
        ]);
        await session.commit();
        this.#transactions++;
        await sleep((2000 / rate) * dice.next());
      }
    } finally {
      await session.close();
    }
  }
}

/** Reads one row after the other, and every 20 ms how far another table is. */
class GapClient {
  readonly #app: App;
  readonly #dice: Dice;
  readonly #rows: number;
  #longestGapMs = 0;
  #staleness: number[] = [];
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(app: App, dice: Dice, rows: number) {
    this.#app = app;
    this.#dice = dice;
    this.#rows = rows;
  }

  start(): void {
    this.#running = Promise.all([this.#read(), this.#watch()]);
    this.#running.catch(() => undefined); // told by stop
  }

  /** What was seen since the last call. */
  take(): { longestGapMs: number; staleness: number[] } {
    const taken = { longestGapMs: this.#longestGapMs, staleness: this.#staleness };
    this.#longestGapMs = 0;
    this.#staleness = [];
    return taken;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #read(): Promise<void> {
    let last = performance.now();
    while (!this.#stopping) {
      const { status, text: body } = await request(
        `${this.#app.url}/v1/tables/${projection.name}/rows/${this.#dice.between(0, this.#rows)}`,
      );
      if (status !== 200 && status !== 404) throw new Error(`a point read: ${status} ${body}`);
      const now = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, now - last);
      last = now;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A mark that has not moved for some time is as old as its age less the writer's own pause; the answer's own age is told. */
  async #watch(): Promise<void> {
    while (!this.#stopping) {
      const answer = await request(`${this.#app.url}/v1/tables/marks/rows/0`);
      const us = /"committed_us":"(\d+)"/.exec(answer.text)?.[1];
      if (us !== undefined && us !== '0') this.#staleness.push(Date.now() - Number(us) / 1000);
      await sleep(20);
    }
  }
}
