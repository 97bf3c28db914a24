// Chaos: rounds in which a real process, the way to its server, and the servers themselves fail while everything is written. Each round has
// dice of its own (seed + round), a first fault that every kind gets in turn, and perhaps more; an XA transaction may stay prepared over
// all of it. Behind each round: what is served is what the server has, a subscriber that never began anew holds the same rows, what is
// derived is right, and `writethrough verify` finds nothing. An error that ends the connector counts only if it is one of those that are
// stated, and its remedy has to lead on in place.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2';
import { openApp, type App } from '../../support/harness/app-process.js';
import { compareRows, tableRows } from '../../support/harness/checker.js';
import { createDice, type Dice } from '../../support/harness/dice.js';
import { percentile, type Figures } from '../../support/harness/figures.js';
import { request, requestJson } from '../../support/harness/http-client.js';
import { keyOf, printRow, readSourceRow, selectSql, type LoadTable } from '../../support/harness/load-tables.js';
import { waitForMarks } from '../../support/harness/progress.js';
import { subscribe, type Subscriber } from '../../support/harness/subscriber.js';
import { openSwitchedLink, type SwitchedLink } from '../../support/harness/switched-link.js';
import { waitFor } from '../../support/harness/wait-for.js';
import { projectRoot } from '../../support/servers/cache.js';
import { ReplicatedPair } from '../../support/servers/replicated-pair.js';
import { withConnection, type SqlProduct } from '../../support/servers/sql-client.js';
import { falsifyAndRepair } from './falsified-rows.js';
import { faults, type FaultName, type Scene } from './faults.js';
import { ledgerDatabase, ledgerSql, ledgerTables, LedgerWriter, type LedgerTables } from './ledger.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly product: SqlProduct;
  readonly rounds: number;
  /** No round begins after that; 0: as many as are asked for. */
  readonly seconds: number;
  /** This fault alone, in each round. */
  readonly only?: string;
  readonly tell?: (line: string) => void;
}

export async function runChaos(options: ChaosOptions): Promise<Figures> {
  const { product, seed } = options;
  const pair = await ReplicatedPair.open(product);
  const link = await openSwitchedLink(pair.primary);
  const app = await openApp();
  const chaos = new Chaos(options, pair, link, app);
  try {
    return await chaos.run();
  } catch (error) {
    const tail = app.log().trimEnd().split('\n').slice(-25).join('\n');
    throw new Error(
      `chaos on ${product}, seed ${seed}, ${chaos.where}: ${String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    await chaos.close();
    await app.close();
    await link.close();
    await pair.close();
  }
}

const connector = 'chaos';
const totals =
  'CREATE TABLE totals AS SELECT account, COUNT(*) AS orders, SUM(amount) AS amount FROM orders GROUP BY account;';
/** What may end a connector, and what its hint then says to do. */
const stated = ['source-position-lost', 'source-rewound'];

interface ConnectorStatus {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
  readonly source: { readonly phase: string; readonly snapshot?: object };
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

interface PreparedXa {
  readonly xid: string;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #pair: ReplicatedPair;
  readonly #link: SwitchedLink;
  readonly #app: App;
  readonly #tables: LedgerTables;
  readonly #writer: LedgerWriter;
  #dice: Dice;
  #subscribers: Subscriber[] = [];
  #prepared: PreparedXa[] = [];
  #xids = 0;
  #snapshotMode = 'initial';
  #mark = 0n;
  readonly #counts = new Map<string, number>();
  readonly #caughtUpMs: number[] = [];
  where = 'before the first round';

  constructor(options: ChaosOptions, pair: ReplicatedPair, link: SwitchedLink, app: App) {
    this.#options = options;
    this.#pair = pair;
    this.#link = link;
    this.#app = app;
    this.#tables = ledgerTables(options.product);
    this.#dice = createDice(options.seed);
    this.#writer = new LedgerWriter(() => pair.primary, this.#dice.fork('writer'));
  }

  async close(): Promise<void> {
    await this.#writer.pause();
    await this.#unsubscribe();
  }

  async run(): Promise<Figures> {
    const { rounds, seconds, seed, product, tell = () => undefined } = this.#options;
    const end = seconds === 0 ? Infinity : performance.now() + seconds * 1000;
    await this.#query(...ledgerSql());
    await this.#begin();
    await this.#settle();
    await this.#subscribe(false);
    let round = 0;
    for (; round < rounds && performance.now() < end; round++) {
      const begun = performance.now();
      this.where = `round ${round} (its seed is ${seed + round})`;
      const names = await this.#round(seed + round);
      tell(`round ${round}: ${((performance.now() - begun) / 1000).toFixed(1)} s: ${names.join('; ')}`);
    }
    this.where = 'the falsified rows';
    await this.#unsubscribe();
    // What is still to come would mend some of them.
    await this.#settle();
    const falsified = await falsifyAndRepair({
      app: this.#app,
      primary: this.#pair.primary,
      verify: (...args) => this.#verify(...args),
    });
    await this.#settle();
    await this.#compare();
    return {
      seed,
      server: product,
      rounds: round,
      transactions: this.#writer.transactions,
      ...Object.fromEntries([...this.#counts].toSorted(([one], [other]) => (one < other ? -1 : 1))),
      ...falsified,
      'caught up p50 ms': percentile(this.#caughtUpMs, 0.5),
      'caught up max ms': percentile(this.#caughtUpMs, 1),
    };
  }

  async #round(seed: number): Promise<readonly string[]> {
    const dice = (this.#dice = createDice(seed));
    const happened: string[] = [];
    await this.#ensureMode(dice.pick(['initial', 'when_needed']));
    this.#writer.start();
    await sleep(dice.between(100, 400));
    if (dice.chance(0.5)) await this.#prepare(happened);
    for (const name of this.#faultsOf(dice, seed)) {
      this.#count(name);
      happened.push(name);
      this.where = `${this.where}; ${name}`;
      await faults[name](this.#scene(happened));
      await sleep(dice.between(50, 400));
    }
    await this.#writer.pause();
    if (dice.chance(0.75)) await this.#endPrepared(happened);
    await this.#settle(happened);
    await this.#compare();
    if (this.#subscribers.length === 0) await this.#subscribe(false);
    const writes = dice.chance(0.5);
    if (writes) this.#writer.start();
    const { code, out } = await this.#verify();
    if (code !== 0) throw new Error(`verify ends with ${code}:\n${out}`);
    await this.#writer.pause();
    this.#checkLog();
    return happened;
  }

  #faultsOf(dice: Dice, seed: number): readonly FaultName[] {
    const all = Object.keys(faults) as FaultName[];
    const { only } = this.#options;
    if (only) return all.filter((name) => name === only);
    return [all[seed % all.length]!, ...Array.from({ length: dice.pick([0, 0, 1, 2]) }, () => dice.pick(all))];
  }

  #scene(happened: string[]): Scene {
    return {
      app: this.#app,
      link: this.#link,
      pair: this.#pair,
      writer: this.#writer,
      dice: this.#dice,
      connector,
      mend: () => this.#mend(happened),
      beginAnew: async () => {
        await this.#unsubscribe();
        await this.#app.kill();
        rmSync(this.#app.dataDir, { recursive: true });
        await this.#begin();
      },
    };
  }

  /** An empty folder, and a first snapshot that is not waited for. */
  async #begin(): Promise<void> {
    await this.#app.start({ waitReady: false });
    await waitFor('the process to listen', async () => (await request(`${this.#app.url}/livez`)).status === 200);
    await this.#putConfig();
  }

  async #putConfig(): Promise<void> {
    const config = {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': '127.0.0.1',
      'database.port': String(this.#link.port),
      'database.user': 'root',
      'database.password': '',
      'database.include.list': ledgerDatabase,
      'snapshot.mode': this.#snapshotMode,
      'snapshot.fetch.size': '25',
      'connect.timeout.ms': '5000',
      'database.query.timeout.ms': '10000',
      'topic.prefix': 'chaos',
      'output.data.format': 'JSON',
      'output.key.format': 'JSON',
    };
    await waitFor(
      'the configuration to be taken',
      async () => {
        const answer = await request(`${this.#app.url}/connectors/${connector}/config`, {
          method: 'PUT',
          body: config,
        });
        if (answer.status >= 300) throw new Error(answer.text);
        return true;
      },
      { intervalMs: 200 },
    );
  }

  async #ensureMode(mode: string): Promise<void> {
    if (mode === this.#snapshotMode) return;
    this.#snapshotMode = mode;
    await this.#putConfig();
  }

  /** Until all that the server has committed is applied and nothing is being read; a stated error gets its remedy on the way. */
  async #settle(happened: string[] = []): Promise<void> {
    const begun = performance.now();
    if (!this.#app.running) throw new Error('the process has ended by itself');
    this.#mark++;
    await this.#query(`USE ${ledgerDatabase}`, `REPLACE INTO marks VALUES (1, ${this.#mark}, 0)`);
    let ended = false;
    const watching = this.#mendUntil(() => ended, happened);
    try {
      await waitForMarks(this.#app.url, new Map([['1', this.#mark]]), 90_000);
      await waitFor('the end of readings', async () => {
        const { source } = await this.#status();
        return source.phase === 'streaming' && source.snapshot === undefined;
      });
    } catch (error) {
      const status = await this.#status().catch(String);
      throw new Error(`${String(error)}\n${JSON.stringify(status)}`, { cause: error });
    } finally {
      ended = true;
      await watching;
    }
    this.#caughtUpMs.push(performance.now() - begun);
    const derived = await request(`${this.#app.url}/v1/tables/totals`);
    if (derived.status === 404) await requestJson(`${this.#app.url}/ksql`, { body: { ksql: totals } });
  }

  async #mendUntil(ended: () => boolean, happened: string[]): Promise<void> {
    while (!ended()) {
      await this.#mend(happened).catch(() => undefined); // asked again
      await sleep(100);
    }
  }

  /** What the hint of a stated error says. */
  async #mend(happened: string[]): Promise<void> {
    const { error } = await this.#status();
    if (error === undefined || !stated.includes(error.code) || !error.hint?.includes('when_needed')) return;
    this.#count(`${error.code}, mended as its hint says`);
    happened.push(error.code);
    await this.#ensureMode('when_needed');
  }

  #status(): Promise<ConnectorStatus> {
    return requestJson<ConnectorStatus>(`${this.#app.url}/connectors/${connector}/status`);
  }

  async #compare(): Promise<void> {
    const problems: string[] = [];
    for (const [i, table] of Object.values(this.#tables).entries()) {
      const there = await this.#serverRows(table);
      problems.push(...compareRows(`table ${table.name}`, there, await tableRows(this.#app.url, table)));
      const subscriber = this.#subscribers[i];
      if (subscriber === undefined) continue;
      // The table has it; the event may still be on its way.
      await waitFor('the last event', () => compareRows('', there, subscriber.rows).length === 0, {
        timeoutMs: 10_000,
      }).catch(() => undefined);
      problems.push(...subscriber.faults, ...compareRows(`subscriber of ${table.name}`, there, subscriber.rows));
    }
    problems.push(...(await this.#compareTotals()));
    if (problems.length > 0) throw new Error(`${problems.length} differences:\n${problems.slice(0, 25).join('\n')}`);
  }

  async #serverRows(table: LoadTable): Promise<Map<string, string>> {
    return withConnection(this.#pair.primary, async (connection) => {
      await connection.query(`USE ${ledgerDatabase}`);
      const [rows] = await connection.query({ sql: selectSql(table, this.#options.product), rowsAsArray: true });
      return new Map(
        (rows as unknown[][]).map((row) => {
          const canonical = readSourceRow(table, row);
          return [keyOf(table, canonical), printRow(canonical)];
        }),
      );
    });
  }

  async #compareTotals(): Promise<string[]> {
    const wanted = await withConnection(this.#pair.primary, async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT CONCAT_WS('|', account, COUNT(*), SUM(amount)) AS line FROM ${ledgerDatabase}.orders GROUP BY account`,
      );
      return rows.map((row) => String(row['line'])).toSorted();
    });
    // A table that was made a moment ago is being built.
    const url = `${this.#app.url}/v1/tables/totals/rows?limit=10000`;
    const text = await waitFor('the totals', async () => {
      const answer = await request(url);
      return answer.status === 200 && answer.text;
    });
    const { rows } = JSON.parse(text) as { rows: { account: number; orders: string; amount: string }[] };
    const found = rows.map(({ account, orders, amount }) => `${account}|${orders}|${amount}`).toSorted();
    return compareRows(
      'totals',
      new Map(wanted.map((line) => [line, line])),
      new Map(found.map((line) => [line, line])),
    );
  }

  async #subscribe(lenient: boolean): Promise<void> {
    this.#subscribers = Object.values(this.#tables).map((table: LoadTable) =>
      subscribe(() => this.#app.url, table, { lenient }),
    );
    await Promise.all(this.#subscribers.map((each) => each.caughtUp));
  }

  async #unsubscribe(): Promise<void> {
    await Promise.all(this.#subscribers.splice(0).map((each) => each.close()));
  }

  /** The command line, as it is called by hand; again where it says that the source was not connected at that moment. */
  async #verify(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    return waitFor('a verification', async () => {
      const answer = await this.#callVerify(args);
      return answer.out.startsWith('source-unreachable') ? undefined : answer;
    });
  }

  async #callVerify(args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const main = join(projectRoot(), 'dist', 'main.js');
    const child = spawn(process.execPath, [main, '--url', this.#app.url, 'verify', ...args]);
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (out += text.toString()));
    const code = await new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? -1)));
    return { code, out };
  }

  /** Rows of an XA transaction that is left prepared; its session goes. */
  async #prepare(happened: string[]): Promise<void> {
    const xid = `chaos ${++this.#xids}`;
    const id = this.#xids * 10;
    await this.#query(
      `USE ${ledgerDatabase}`,
      `XA START '${xid}'`,
      `INSERT INTO prepared VALUES (${id}, 1), (${id + 1}, 2)`,
      ...(this.#dice.chance(0.5) ? [`UPDATE prepared SET n = n + 1 WHERE id = ${id}`] : []),
      `XA END '${xid}'`,
      `XA PREPARE '${xid}'`,
    );
    this.#prepared.push({ xid });
    happened.push('XA PREPARE');
    this.#count('XA transactions prepared');
  }

  /** At whoever is primary now; one that got lost with its server is unknown there. */
  async #endPrepared(happened: string[]): Promise<void> {
    for (const { xid } of this.#prepared.splice(0)) {
      const verb = this.#dice.chance(0.8) ? 'XA COMMIT' : 'XA ROLLBACK';
      happened.push(verb);
      await this.#query(`${verb} '${xid}'`).catch((error: unknown) => {
        if ((error as { errno?: number }).errno !== 1397) throw error;
        happened.push('(unknown)');
      });
    }
  }

  async #query(...statements: readonly string[]): Promise<void> {
    await withConnection(this.#pair.primary, async (connection) => {
      for (const sql of statements) await connection.query(sql);
    });
  }

  #checkLog(): void {
    const bug = this.#app
      .log()
      .split('\n')
      .find((line) => line.includes('broken invariant') || line.includes('"code":"internal"'));
    if (bug !== undefined) throw new Error(`the program's log speaks of a bug: ${bug}`);
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}
