// Statements of many clients at once against the whole program, which is killed and restarted under them: each takes effect whole at its
// place in the one order or leaves nothing, whatever the moment. After each life: the process is up, the catalogue, the topics (on Kafka
// the brokers'), the tables and the state in the data file are what the order says, and every derived table holds what its source gives.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../support/harness/app-process.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import type { Figures } from '../support/harness/figures.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import {
  printSource,
  runStorm,
  StormModel,
  stormNames,
  stormSource,
  type StormTarget,
} from '../support/harness/statement-storm.js';
import { waitFor } from '../support/harness/wait-for.js';
import { withKafkaAdmin } from '../support/kafka-admin.js';
import { ownerless } from '../support/ownerless.js';

export interface StatementsOptions {
  readonly seed: number;
  readonly clients: number;
  /** In all lives together. */
  readonly sequences: number;
  readonly kills: number;
  /** Orderly ends under load, besides. */
  readonly stops: number;
  /** No new sequence begins after so long. */
  readonly seconds: number;
  readonly kafka?: { readonly brokers: readonly string[] };
  readonly tell: (line: string) => void;
}

const names = new Set(stormNames);
const itemsMax = 40;

export async function runStatements(options: StatementsOptions): Promise<Figures> {
  const { seed, kafka } = options;
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-statements-'));
  const source = openSqliteSource(join(folder, 'shop.db'));
  await source.execute(`CREATE TABLE ${stormSource} (id INTEGER PRIMARY KEY, name TEXT)`);
  const app = await openApp({
    args: kafka === undefined ? [] : ['--stream', `kafka://${kafka.brokers.join(',')}`],
    env: { WRITETHROUGH_SERVICE_ID: `storm-${seed}-${Date.now()}`, WRITETHROUGH_SOURCE: source.url },
  });
  try {
    return await new StatementRun(options, app, source).run();
  } catch (error) {
    const tail = app.log().trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(
      `statements, seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    await app.close();
    await source.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class StatementRun {
  readonly #options: StatementsOptions;
  readonly #app: App;
  readonly #source: ReturnType<typeof openSqliteSource>;
  readonly #dice: Dice;
  #model = new StormModel();
  #isOver = () => false;

  constructor(options: StatementsOptions, app: App, source: ReturnType<typeof openSqliteSource>) {
    this.#options = options;
    this.#app = app;
    this.#source = source;
    this.#dice = createDice(options.seed);
  }

  async run(): Promise<Figures> {
    const { clients, sequences, kills, stops, seconds, tell } = this.#options;
    await this.#app.start();
    const ends = [...Array<'kill'>(kills).fill('kill'), ...Array<'stop'>(stops).fill('stop')];
    const total = { sequences: 0, statements: 0, applied: 0, unknown: 0, lives: 0, kills: 0, stops: 0 };
    const begun = performance.now();
    this.#isOver = () => performance.now() - begun > seconds * 1000;
    for (let life = 0; total.sequences < sequences && !this.#isOver(); life++) {
      const end = ends.length === 0 ? 'none' : ends.splice(this.#dice.between(0, ends.length - 1), 1)[0]!;
      const share = end === 'none' ? sequences - total.sequences : Math.ceil(sequences / (kills + stops + 1));
      const lifeMs = performance.now();
      const storm = await this.#live(end, Math.min(share, sequences - total.sequences), clients);
      this.#model = storm.model;
      total.lives++;
      if (end !== 'none') total[`${end}s`]++;
      for (const key of ['sequences', 'statements', 'applied', 'unknown'] as const) total[key] += storm[key];
      tell(
        `life ${life + 1} (${end}): ${storm.statements} statements, ${storm.applied} applied, ${storm.unknown} without an answer, ${(performance.now() - lifeMs).toFixed(0)} ms`,
      );
      if (storm.breaches.length > 0)
        throw new Error(
          `${storm.breaches.length} breaches:\n${[...storm.breaches.slice(0, 15), ...storm.story].join('\n')}`,
        );
      await this.#judge();
    }
    const took = (performance.now() - begun) / 1000;
    const code = await this.#app.stop();
    if (code !== 0) throw new Error(`the program ended with ${code} after SIGTERM`);
    this.#checkLog();
    const { kafka, seed } = this.#options;
    return { seed, log: kafka === undefined ? 'embedded' : 'kafka', ...total, seconds: took };
  }

  /** The clients of one life, with its end in the middle of them, and what is there when the next life has begun. */
  async #live(end: 'none' | 'kill' | 'stop', sequences: number, clients: number) {
    let over = false;
    const changes = this.#changeItems(() => over);
    const ending = end === 'none' ? undefined : this.#endAmid(end);
    try {
      return await runStorm(this.#target(), this.#dice, {
        clients,
        sequences,
        isOver: this.#isOver,
        model: this.#model,
        seen: async () => {
          over = true;
          await changes;
          await ending;
          if (!this.#app.running) await this.#restart();
          return { catalogue: await this.#catalogue(), topics: await this.#topics() };
        },
      });
    } finally {
      over = true;
      await changes;
      await ending;
    }
  }

  async #endAmid(end: 'kill' | 'stop'): Promise<void> {
    await sleep(this.#dice.between(100, 2_500));
    if (end === 'kill') return await this.#app.kill();
    const code = await this.#app.stop();
    if (code !== 0) throw new Error(`the program ended with ${code} after SIGTERM`);
  }

  async #restart(): Promise<void> {
    const { state } = await this.#app.start();
    if (state !== 'ready') throw new Error('the program ended at its start');
  }

  /** Rows that come and go while tables over them are made and dropped. */
  async #changeItems(isOver: () => boolean): Promise<void> {
    const session = await this.#source.openSession();
    try {
      while (!isOver()) {
        const id = this.#dice.between(0, itemsMax - 1);
        await session.begin();
        if (this.#dice.chance(0.2)) await session.run('DELETE FROM items WHERE id = ?', [id]);
        else await session.run('INSERT OR REPLACE INTO items VALUES (?, ?)', [id, `g${this.#dice.between(0, 6)}`]);
        await session.commit();
        await sleep(this.#dice.between(0, 30));
      }
    } finally {
      await session.close();
    }
  }

  #target(): StormTarget {
    const { url } = this.#app;
    return {
      seq: async () => seqOf((await requestJson<{ version: string }>(`${url}/v1/status`)).version),
      run: async (sql) => {
        const answer = await request(`${url}/ksql`, { body: { ksql: sql }, timeoutMs: 60_000 }).catch(
          (error: unknown) => {
            if (/no answer from/.test(String(error))) throw error;
            return undefined;
          },
        );
        if (answer === undefined || answer.status >= 500) return { code: 'unknown' };
        const code = answer.headers['writethrough-error-code'];
        if (code !== undefined) return { code: String(code) };
        const [entity] = JSON.parse(answer.text) as readonly Entity[];
        if (entity === undefined) return { code: 'ok' };
        const message = entity.commandStatus?.message ?? entity.message;
        if (entity['@type'] !== 'warning_entity') return { code: 'ok', seq: entity.commandSequenceNumber, message };
        return { code: message?.startsWith('Cannot add') === true ? 'left-alone' : 'absent' };
      },
    };
  }

  async #catalogue(): Promise<readonly string[]> {
    const entities = await requestJson<readonly Listing[]>(`${this.#app.url}/ksql`, {
      body: { ksql: 'SHOW STREAMS; SHOW TABLES; SHOW QUERIES;' },
    });
    const queries = entities.flatMap(({ queries: of = [] }) => of);
    const reads = new Map(
      queries.flatMap(({ sinks, queryString }) => sinks.map((sink) => [sink, readBy(queryString)] as const)),
    );
    const all = entities.flatMap(({ streams = [], tables = [] }) => [...streams, ...tables]);
    return all.filter(({ name }) => names.has(name)).map(({ name }) => printSource(name, reads.get(name)));
  }

  async #topics(): Promise<readonly string[]> {
    const { topics } = await requestJson<{ topics: readonly Named[] }>(`${this.#app.url}/v1/topics`);
    return topics.map(({ name }) => name).filter((name) => names.has(name));
  }

  async #judge(): Promise<void> {
    const { kafka } = this.#options;
    let left: readonly string[] = [];
    await waitFor('everything to have an owner', () => {
      left = ownerless(join(this.#app.dataDir, 'writethrough.db'));
      return left.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`without an owner: ${left.join()}`, { cause: error });
    });
    if (kafka !== undefined) {
      const wanted = [...this.#model.topics].toSorted().join();
      let there = '';
      await withKafkaAdmin(kafka.brokers, (admin) =>
        waitFor('the topics of the brokers', async () => {
          there = (await admin.listTopics())
            .filter((name) => names.has(name))
            .toSorted()
            .join();
          return there === wanted;
        }),
      ).catch((error: unknown) => {
        throw new Error(`the brokers have the topics ${there}, the order says ${wanted}`, { cause: error });
      });
    }
    for (const [name, of] of this.#model.sources) if (of !== null && !of.startsWith('s')) await this.#compare(name, of);
  }

  /** A derived table with what its source gives. */
  async #compare(name: string, of: string): Promise<void> {
    let found = '';
    let expected = '';
    await waitFor(`${name} to hold what ${of} gives`, async () => {
      const rows = of === stormSource ? await this.#items() : await this.#rows(of);
      expected = of.startsWith('d') ? print(rows) : counted(rows);
      found = print(await this.#rows(name));
      return found === expected;
    }).catch((error: unknown) => {
      const { cause } = error as Error;
      const why = cause instanceof Error ? ` (${cause.message})` : '';
      throw new Error(`${name} over ${of} holds ${found}, its source gives ${expected}${why}`, { cause: error });
    });
  }

  async #items(): Promise<readonly Row[]> {
    const rows = await this.#source.select('SELECT name FROM items');
    return rows.map(([name]) => ({ v: name }));
  }

  async #rows(table: string): Promise<readonly Row[]> {
    return (await requestJson<{ rows: readonly Row[] }>(`${this.#app.url}/v1/tables/${table}/rows?limit=1000`)).rows;
  }

  #checkLog(): void {
    const bug = this.#app
      .log()
      .split('\n')
      .find((line) => line.includes('broken invariant') || line.includes('"code":"internal"'));
    if (bug !== undefined) throw new Error(`the program's log speaks of a bug: ${bug}`);
  }
}

interface Named {
  readonly name: string;
}

interface Listing {
  readonly streams?: readonly Named[];
  readonly tables?: readonly Named[];
  readonly queries?: readonly { readonly queryString: string; readonly sinks: readonly string[] }[];
}

interface Entity {
  readonly '@type': string;
  readonly message?: string;
  readonly commandStatus?: { readonly message: string };
  readonly commandSequenceNumber?: number;
}

interface Row {
  readonly v?: unknown;
  readonly n?: unknown;
}

function seqOf(version: string): number {
  return Number(version.slice(version.lastIndexOf(':') + 1));
}

/** What a query of the storm reads. */
function readBy(queryString: string): string {
  const [, name] = /\bFROM (\w+)/.exec(queryString) ?? [];
  if (name === undefined) throw new Error(`a query without a source: ${queryString}`);
  return name;
}

function print(rows: readonly Row[]): string {
  return rows
    .map(({ v, n }) => `${String(v)}=${String(n)}`)
    .toSorted()
    .join();
}

function counted(rows: readonly Row[]): string {
  const counts = new Map<unknown, number>();
  for (const { v } of rows) counts.set(v, (counts.get(v) ?? 0) + 1);
  return print([...counts].map(([v, n]) => ({ v, n })));
}
