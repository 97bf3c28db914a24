// One cell of correctness: a source and a log, random transactions for some seconds, and at the end every table equals the
// source row by row and column by column, every topic holds exactly the writer's journal in order per key, and subscribers
// that resume by Last-Event-ID hold the same rows and saw every version once. Meanwhile, as asked: kill -9 at random moments,
// every failpoint, restarts of database and broker.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../support/harness/app-process.js';
import { openFleet, type Fleet } from '../support/harness/fleet.js';
import { killAtFailpoint, type FailpointPlan } from '../support/harness/failpoint-walk.js';
import {
  compareRows,
  compareVersions,
  journalRows,
  kafkaRecords,
  sourceRows,
  tableRows,
  tapRecords,
  topicVersions,
} from '../support/harness/checker.js';
import { createDice } from '../support/harness/dice.js';
import { percentile, type Figures } from '../support/harness/figures.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { loadTables, type LoadTables } from '../support/harness/load-tables.js';
import { LoadWriter } from '../support/harness/load-writer.js';
import { appliedTransactions, waitForMarks, waitForTables } from '../support/harness/progress.js';
import { compareSink, sinkSql } from '../support/harness/followed-sink.js';
import { compareProjection, projectionName, projectionSql } from '../support/harness/projection.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { subscribe, type Subscriber } from '../support/harness/subscriber.js';
import { waitFor } from '../support/harness/wait-for.js';
import { ownerless } from '../support/ownerless.js';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CorrectnessOptions {
  readonly seed: number;
  /** Shortest time of load; kills and failpoints may need more. */
  readonly seconds: number;
  readonly kills?: number;
  readonly failpoints?: readonly FailpointPlan[];
  /** Undefined: a SQLite file of the run's own. */
  readonly source?: SourceDatabase;
  readonly kafka?: { readonly brokers: readonly string[] };
  /**
   * Who reads the captured topics on Kafka for the comparison: its own console consumer (the default), a program to be started for each,
   * or the tap. The topic of the sink is always read by the consumer.
   */
  readonly reader?: 'console' | 'tap';
  /** So many on one log, of which one leads and is the one that is killed. Undefined: one alone. */
  readonly processes?: number;
  /** So often the leader of several sleeps until another leads. */
  readonly sleeps?: number;
  /** Called one after the other in the middle of the load: restarts of servers. */
  readonly disturbances?: readonly { readonly name: string; readonly run: () => Promise<void> }[];
  readonly initialRows?: number;
  /** Transactions per second. */
  readonly rate?: number;
  /** Write while the first snapshot runs, too. */
  readonly writeDuringSnapshot?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** What happens, line by line. */
  readonly tell?: (line: string) => void;
}

export async function runCorrectness(options: CorrectnessOptions): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-load-'));
  const source = options.source ?? openSqliteSource(join(folder, 'shop.db'));
  try {
    return await new Cell(options, source).run();
  } catch (error) {
    throw new Error(
      `correctness ${source.dialect}, seed ${options.seed}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    await source.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** It dies at so many failpoints one behind the other, before it is looked at what is left behind. */
const failpointsPerStart = 3;
const connectorName = 'load';
/** Two cells of one process may have the same source and seed: each has a log of its own. */
let cells = 0;

class Cell {
  readonly #options: CorrectnessOptions;
  readonly #source: SourceDatabase;
  readonly #tables: LoadTables;
  readonly #writer: LoadWriter;
  readonly #subscribers: Subscriber[] = [];
  readonly #figures: Figures = {};
  /** Topics of one run on a shared broker must not meet another's. */
  readonly #prefix: string;

  constructor(options: CorrectnessOptions, source: SourceDatabase) {
    this.#options = options;
    this.#source = source;
    this.#tables = loadTables(source.dialect);
    this.#prefix = `load-${source.name}-${options.seed}-${++cells}`;
    this.#writer = new LoadWriter(source, this.#tables, {
      dice: createDice(options.seed),
      initialRows: options.initialRows ?? 300,
      rate: options.rate ?? 200,
      // SQLite has none, and while a snapshot runs it would stop the connector.
      truncates: source.dialect === 'sqlite' || options.writeDuringSnapshot === true ? undefined : 0.004,
    });
  }

  async run(): Promise<Figures> {
    const { seed, kafka, env } = this.#options;
    await this.#writer.prepare();
    const args = kafka === undefined ? [] : ['--stream', `kafka://${kafka.brokers.join(',')}`];
    const program = { args, env: { WRITETHROUGH_SERVICE_ID: this.#prefix, ...env } };
    const app =
      this.#options.processes === undefined
        ? await openApp(program)
        : await openFleet(program, this.#options.processes, createDice(seed).fork('fleet'));
    try {
      Object.assign(this.#figures, {
        seed,
        source: this.#source.dialect,
        log: kafka === undefined ? 'embedded' : 'kafka',
      });
      await this.#load(app);
      await this.#check(app);
      await this.#checkLogLines(app);
      return this.#figures;
    } catch (error) {
      const tail = app.log().trimEnd().split('\n').slice(-15).join('\n');
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
        { cause: error },
      );
    } finally {
      await this.#writer.stop().catch(() => undefined);
      await Promise.all(this.#subscribers.map((subscriber) => subscriber.close()));
      await app.close();
    }
  }

  async #load(app: App): Promise<void> {
    const {
      seconds,
      kills = 0,
      sleeps = 0,
      failpoints = [],
      disturbances = [],
      seed,
      tell = () => undefined,
    } = this.#options;
    const dice = createDice(seed).fork('chaos');
    const { ms } = await app.start();
    this.#figures['start ms'] = ms;
    if (this.#options.writeDuringSnapshot === true) this.#writer.start();
    await requestJson(`${app.url}/connectors`, { body: { name: connectorName, config: this.#connectorConfig() } });
    await waitForTables(app.url, this.#tables.all);
    await requestJson(`${app.url}/ksql`, { body: { ksql: `${projectionSql}${sinkSql(this.#sinkTopic)}` } });
    for (const table of this.#tables.all)
      this.#subscribers.push(subscribe(() => app.url, table, { lenient: this.#options.writeDuringSnapshot === true }));
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.caughtUp));
    if (this.#options.writeDuringSnapshot !== true) this.#writer.start();
    const begun = performance.now();
    const restartsMs: number[] = [];
    let done = 0;
    for (; done < kills; done++) {
      await this.#secondOfAppliedWrites(app);
      await sleep(dice.between(0, 500));
      await app.kill();
      const { ms: restartMs } = await app.start();
      restartsMs.push(restartMs);
      tell(`kill ${done + 1}: ready after ${restartMs.toFixed(0)} ms`);
    }
    for (let i = 0; i < sleeps; i++) {
      await this.#secondOfAppliedWrites(app);
      const ms = await (app as Fleet).replaceSleeping(() => this.#secondOfAppliedWrites(app));
      tell(`sleep ${i + 1}: another leads after ${ms.toFixed(0)} ms`);
    }
    for (const [i, plan] of failpoints.entries()) {
      if (i % failpointsPerStart === 0) {
        await this.#secondOfAppliedWrites(app, 300);
        await app.kill();
      }
      const diedMs = await killAtFailpoint(app, plan, dice);
      tell(`${plan.name}: died after ${diedMs.toFixed(0)} ms`);
      if ((i + 1) % failpointsPerStart !== 0 && i + 1 < failpoints.length) continue;
      const { ms: restartMs } = await app.start();
      await this.#everythingIsOwned(app, plan.name);
      tell(`ready after ${restartMs.toFixed(0)} ms`);
    }
    for (const { name, run } of disturbances) {
      await this.#secondOfAppliedWrites(app);
      const begun = performance.now();
      await run();
      const upMs = performance.now() - begun;
      await this.#secondOfAppliedWrites(app);
      tell(
        `${name}: up after ${upMs.toFixed(0)} ms, a second of writes applied after ${(performance.now() - begun).toFixed(0)} ms`,
      );
    }
    const left = seconds * 1000 - (performance.now() - begun);
    if (left > 0) await sleep(left);
    await this.#writer.stop();
    const writtenMs = performance.now() - begun;
    const caughtUpMs = await waitForMarks(app.url, this.#writer.newest);
    Object.assign(this.#figures, {
      'load seconds': writtenMs / 1000,
      transactions: this.#writer.transactions,
      'rolled back': this.#writer.rollbacks,
      'row changes': this.#writer.journal.changes,
      kills: done,
      sleeps,
      failpoints: failpoints.length,
      disturbances: disturbances.length,
      'caught up after ms': caughtUpMs,
      ...(done === 0
        ? {}
        : {
            'ready after kill p50 ms': percentile(restartsMs, 0.5),
            'ready after kill max ms': Math.max(...restartsMs),
          }),
    });
  }

  #connectorConfig(): Record<string, string> {
    return {
      ...this.#source.connector,
      'topic.prefix': this.#prefix,
      'table.include.list': this.#tables.all.map(({ name }) => `${this.#source.name}.${name}`).join(','),
      'output.data.format': 'JSON',
      'output.key.format': 'JSON',
      'output.shape': 'flat',
      'output.key.shape': 'bare',
      'cleanup.policy': 'delete',
    };
  }

  async #everythingIsOwned(app: App, after: string): Promise<void> {
    let found: readonly string[] = [];
    const nothing = () => (found = ownerless(join(app.dataDir, 'writethrough.db'))).length === 0;
    await waitFor('an owner', nothing, { timeoutMs: 60_000 }).catch((cause: unknown) => {
      throw new Error(`after ${after} without an owner: ${found.join('; ')}`, { cause });
    });
  }

  async #secondOfAppliedWrites(app: App, ms = 1000): Promise<void> {
    const before = await waitFor('the first applied write', () => appliedTransactions(app.url));
    const begun = performance.now();
    await waitFor(
      'a second of applied writes',
      async () => (await appliedTransactions(app.url)) > before && performance.now() - begun >= ms,
      {
        intervalMs: 50,
        timeoutMs: 90_000,
      },
    );
  }

  async #check(app: App): Promise<void> {
    const problems: string[] = [];
    const { journal } = this.#writer;
    let rows = 0;
    for (const [i, table] of this.#tables.all.entries()) {
      const fromSource = await sourceRows(this.#source, table);
      rows += fromSource.size;
      problems.push(
        ...compareRows(
          `source ${table.name} (the writer's journal is wrong)`,
          journalRows(journal.table(table.name)),
          fromSource,
        ),
      );
      problems.push(...compareRows(`table ${table.name}`, fromSource, await tableRows(app.url, table)));
      const law = this.#options.writeDuringSnapshot === true ? 'joined' : 'exact';
      problems.push(
        ...compareVersions(`topic ${table.name}`, journal.table(table.name), await this.#topicOf(app, i), law),
      );
      problems.push(...(await this.#checkSubscriber(this.#subscribers[i]!, fromSource, i)));
    }
    if ('followers' in app) problems.push(...(await this.#checkFollowers((app as Fleet).followers)));
    problems.push(...(await compareProjection(app.url, journal.table('stock'))));
    if (this.#options.writeDuringSnapshot !== true) {
      const [items] = this.#tables.captured;
      const records = await this.#records(app, this.#sinkTopic);
      problems.push(...compareSink(items!, journal.table(items!.name), records));
      this.#figures['sink records'] = records.length;
    }
    problems.push(...(await this.#checkFilter(app)));
    this.#figures['rows compared'] = rows;
    this.#figures['events'] = this.#subscribers.reduce((sum, { events }) => sum + events, 0);
    this.#figures['subscriber connections'] = this.#subscribers.reduce((sum, { connections }) => sum + connections, 0);
    const latencies = this.#subscribers.flatMap(({ latenciesMs }) => latenciesMs);
    this.#figures['commit -> subscriber p50 ms'] = percentile(latencies, 0.5);
    this.#figures['commit -> subscriber p99 ms'] = percentile(latencies, 0.99);
    if (problems.length > 0) throw new Error(`${problems.length} differences:\n${problems.slice(0, 25).join('\n')}`);
  }

  /** The same rows at every process. */
  async #checkFollowers(urls: readonly string[]): Promise<string[]> {
    const problems: string[] = [];
    for (const url of urls) {
      await waitForMarks(url, this.#writer.newest);
      for (const table of this.#tables.all) {
        const fromSource = await sourceRows(this.#source, table);
        problems.push(...compareRows(`table ${table.name} of ${url}`, fromSource, await tableRows(url, table)));
      }
      problems.push(...(await compareProjection(url, this.#writer.journal.table('stock'))));
    }
    this.#figures['followers compared'] = urls.length;
    return problems;
  }

  async #topicOf(app: App, index: number) {
    const table = this.#tables.all[index]!;
    const topic = `${this.#prefix}.${this.#source.name}.${table.name}`;
    const tapped = this.#options.reader === 'tap';
    return topicVersions(table, await (tapped ? tapRecords(app.url, topic) : this.#records(app, topic)));
  }

  get #sinkTopic(): string {
    return `${this.#prefix}-item-changes`;
  }

  #records(app: App, topic: string) {
    const { kafka } = this.#options;
    return kafka === undefined ? tapRecords(app.url, topic) : kafkaRecords(kafka.brokers, topic);
  }

  async #checkSubscriber(
    subscriber: Subscriber,
    expected: ReadonlyMap<string, string>,
    index: number,
  ): Promise<string[]> {
    const table = this.#tables.all[index]!;
    // The table has it; the event may still be on its way.
    await waitFor('the last event', () => compareRows('', expected, subscriber.rows).length === 0, {
      timeoutMs: 10_000,
    }).catch(() => undefined);
    return [
      ...subscriber.faults,
      ...compareRows(`subscriber of ${table.name}`, expected, subscriber.rows),
      ...(this.#options.writeDuringSnapshot === true
        ? []
        : compareVersions(
            `events of ${table.name}`,
            this.#writer.journal.table(table.name),
            subscriber.versions,
            'exact',
          )),
    ];
  }

  /** What the connector file leaves out must be nowhere. */
  async #checkFilter(app: App): Promise<string[]> {
    const { secret } = this.#tables;
    const table = await request(`${app.url}/v1/tables/${secret.name}`);
    const { topics } = await requestJson<{ topics: { name: string }[] }>(`${app.url}/v1/topics`);
    return [
      ...(table.status === 404 ? [] : [`table ${secret.name} is there though the filter leaves it out`]),
      ...topics
        .filter(({ name }) => name.endsWith(secret.name))
        .map(({ name }) => `topic ${name} is there though the filter leaves it out`),
      ...((await request(`${app.url}/v1/tables/${projectionName}`)).status === 200
        ? []
        : [`table ${projectionName} is missing`]),
    ];
  }

  /** An orderly end, and no line that speaks of a bug. */
  async #checkLogLines(app: App): Promise<void> {
    const code = await app.stop();
    if (code !== 0) throw new Error(`the program ended with ${code} after SIGTERM`);
    const bug = app
      .log()
      .split('\n')
      .find((line) => line.includes('broken invariant') || line.includes('"code":"internal"'));
    if (bug !== undefined) throw new Error(`the program's log speaks of a bug: ${bug}`);
  }
}
