// Full load over small limits: a source file that always holds more than is read, and beside it a sampler that looks at the data file
// from outside. The change feed, a topic limited in bytes, a derived stream limited by its statement, compacted topics and the data file
// stay within a fifth of their limits all the time, also over kills; afterwards nothing lies there without an owner and the tables equal
// the source's. Told: the most that each took as a part of its limit, and what upkeep cost.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../support/harness/app-process.js';
import { compareRows, sourceRows, tableRows } from '../support/harness/checker.js';
import { bigint, text } from '../support/harness/columns.js';
import { createDice } from '../support/harness/dice.js';
import type { Figures } from '../support/harness/figures.js';
import { request, requestJson } from '../support/harness/http-client.js';
import type { LoadTable } from '../support/harness/load-tables.js';
import { readMarks, waitForMarks, waitForTables } from '../support/harness/progress.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { waitFor } from '../support/harness/wait-for.js';
import { ownerless } from '../support/ownerless.js';
import { Database } from '../support/sqlite-driver.js';

export interface LimitsOptions {
  readonly seed: number;
  readonly source: SourceDatabase;
  readonly seconds: number;
  readonly kills: number;
  readonly tell?: (line: string) => void;
}

const mb = 1024 * 1024;
const feedBytes = 24 * mb;
const topicBytes = 12 * mb;
const overMost = 1.2;
const rows = 2_000;
const rowsPerTransaction = 40;
/** Committed at the source and not applied yet: seldom none, and little, since an SQLite source may hand all of it over as one append. */
const aheadMost = 40;
const sampleMs = 50;

const note = text({ mysql: 'VARCHAR(400)', sqlite: 'TEXT' }, 0);
const table = (name: string): LoadTable => ({
  name,
  columns: [
    { name: 'id', kind: bigint, nullable: false },
    { name: 'note', kind: note, nullable: false },
  ],
  key: [0],
});
/** Its topic is compacted; that of `facts` is cut. */
const hot = table('hot');
const facts = table('facts');
const loud = table('loud');

export async function runLimits(options: LimitsOptions): Promise<Figures> {
  const { source, seed, seconds, kills, tell = () => undefined } = options;
  const dice = createDice(seed);
  await prepare(source);
  const app = await openApp({
    env: {
      WRITETHROUGH_FEED_RETENTION_BYTES: String(feedBytes),
      WRITETHROUGH_TOPIC_COMPACTION_BYTES: String(topicBytes),
    },
  });
  const writer = new Writer(source);
  let sampler: Sampler | undefined;
  let upkeepSeconds = 0;
  try {
    await app.start({ waitReady: false });
    await waitFor('the program', async () => (await request(`${app.url}/v1/tables`)).status === 200);
    await connect(app, source);
    await waitForTables(app.url, [hot, facts, { name: 'marks' }]);
    await define(app);
    await waitForTables(app.url, [loud]);
    sampler = new Sampler(app, fileOf(app));
    sampler.start();
    writer.start(() => readMarks(app.url).then((marks) => marks?.get('0')));
    const endMs = Date.now() + seconds * 1000;
    const killTimes = Array.from({ length: kills }, () => Date.now() + dice.next() * seconds * 1000).toSorted(
      (a, b) => a - b,
    );
    let toldMs = Date.now();
    while (Date.now() < endMs) {
      await sleep(200);
      writer.check();
      sampler.check();
      if (killTimes[0] !== undefined && Date.now() >= killTimes[0]) {
        killTimes.shift();
        upkeepSeconds += await upkeep(app);
        await app.kill();
        await app.start();
        tell('killed and started again');
      }
      if (Date.now() - toldMs < 30_000) continue;
      toldMs = Date.now();
      tell(`${writer.rows} rows written; ${sampler.most()}`);
    }
    await writer.stop();
    await waitForMarks(app.url, new Map([['0', BigInt(writer.transactions)]]));
    upkeepSeconds += await upkeep(app);
    sampler.stop();
    sampler.check();
    await checkRows(app, source);
    let found: readonly string[] = [];
    await waitFor('nothing without an owner', async () => (found = ownerless(fileOf(app))).length === 0, {
      timeoutMs: 30_000,
    }).catch((cause: unknown) => {
      throw new Error(`without an owner: ${found.join(', ')}`, { cause });
    });
    return {
      seed,
      seconds,
      'rows written': writer.rows,
      'rows/s': writer.rows / seconds,
      'samples with a backlog %': 100 * writer.busyShare,
      kills,
      samples: sampler.samples,
      ...sampler.figures(),
      'upkeep, seconds of the engine': upkeepSeconds,
    };
  } catch (error) {
    const { text: metrics } = await request(`${app.url}/metrics`).catch(() => ({ text: '' }));
    tell([...metrics.matchAll(/^writethrough_housekeeping_.*$/gmu), sampler?.most()].join('\n  '));
    const tail = app.log().trimEnd().split('\n').slice(-10).join('\n');
    throw new Error(
      `limits, seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    sampler?.stop();
    await writer.stop().catch(() => undefined);
    await app.close();
    await source.drop();
  }
}

const fileOf = (app: App): string => join(app.dataDir, 'writethrough.db');

async function prepare(source: SourceDatabase): Promise<void> {
  for (const { name } of [hot, facts])
    await source.execute(`CREATE TABLE ${name} (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(400) NOT NULL)`);
  await source.execute('CREATE TABLE marks (writer BIGINT NOT NULL PRIMARY KEY, tx BIGINT NOT NULL)');
  const session = await source.openSession();
  await session.begin();
  await session.run('INSERT INTO marks VALUES (0, 0)', []);
  for (const { name } of [hot, facts])
    for (let id = 0; id < rows; id++) await session.run(`INSERT INTO ${name} VALUES (?, ?)`, [id, 'first']);
  await session.commit();
  await session.close();
}

async function connect(app: App, source: SourceDatabase): Promise<void> {
  const config = {
    ...source.connector,
    'topic.prefix': 'p',
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'output.shape': 'flat',
    'output.key.shape': 'bare',
    'topic.creation.groups': 'cut',
    'topic.creation.cut.include': '.*facts',
    'topic.creation.cut.cleanup.policy': 'delete',
    'topic.creation.cut.retention.bytes': String(topicBytes),
  };
  await requestJson(`${app.url}/connectors/limits/config`, { method: 'PUT', body: config });
}

async function define(app: App): Promise<void> {
  const { topics } = await requestJson<{ topics: readonly { readonly name: string }[] }>(`${app.url}/v1/topics`);
  const topic = topics.find(({ name }) => name.endsWith('facts'))?.name;
  const ksql = `CREATE TABLE loud AS SELECT id, UCASE(note) AS note FROM hot;
    CREATE STREAM facts_raw (id BIGINT KEY, note STRING) WITH (KAFKA_TOPIC='${topic}', FORMAT='JSON');
    CREATE STREAM facts_cut WITH (RETENTION_BYTES=${topicBytes}) AS SELECT * FROM facts_raw WHERE id < ${rows / 2};`;
  await requestJson(`${app.url}/ksql`, { body: { ksql }, timeoutMs: 60_000 });
}

async function checkRows(app: App, source: SourceDatabase): Promise<void> {
  const wanted = await sourceRows(source, hot);
  const shouted = new Map([...wanted].map(([key, row]) => [key, row.toUpperCase()]));
  const problems = [
    ...compareRows('hot', wanted, await tableRows(app.url, hot)),
    ...compareRows('facts', await sourceRows(source, facts), await tableRows(app.url, facts)),
    ...compareRows('loud', shouted, await tableRows(app.url, loud)),
  ];
  if (problems.length > 0) throw new Error(`${problems.length} differences:\n${problems.join('\n')}`);
}

async function upkeep(app: App): Promise<number> {
  const { text: samples } = await request(`${app.url}/metrics`);
  let seconds = 0;
  for (const [, value] of samples.matchAll(/^writethrough_housekeeping_seconds_total\{[^}]*\} (\S+)$/gmu))
    seconds += Number(value);
  return seconds;
}

/** Updates as many rows as it can, always some transactions ahead of what the program shows. */
class Writer {
  transactions = 0;
  rows = 0;
  readonly #source: SourceDatabase;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  #failed: unknown;
  #looks = 0;
  #busy = 0;

  constructor(source: SourceDatabase) {
    this.#source = source;
  }

  /** Of the looks at how far the program is, those that found something to do. */
  get busyShare(): number {
    return this.#busy / Math.max(1, this.#looks);
  }

  start(applied: () => Promise<bigint | undefined>): void {
    this.#running = this.#write(applied);
    this.#running.catch((error: unknown) => (this.#failed = error));
  }

  check(): void {
    if (this.#failed !== undefined) throw this.#failed as Error;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #write(applied: () => Promise<bigint | undefined>): Promise<void> {
    const session = await this.#source.openSession();
    try {
      while (!this.#stopping) {
        // While it is killed nothing is told; then nothing is written either.
        const seen = Number((await applied().catch(() => undefined)) ?? -1);
        if (seen >= 0) {
          this.#looks++;
          if (seen < this.transactions) this.#busy++;
        }
        if (seen < 0 || this.transactions - seen >= aheadMost) await sleep(5);
        else for (let i = seen + aheadMost - this.transactions; i > 0 && !this.#stopping; i--) await this.#one(session);
      }
    } finally {
      await session.close();
    }
  }

  async #one(session: Awaited<ReturnType<SourceDatabase['openSession']>>): Promise<void> {
    const tx = this.transactions + 1;
    const filler = `${tx} `.padEnd(300, 'abcdefgh');
    await session.begin();
    for (const { name } of [hot, facts]) {
      const from = (tx * rowsPerTransaction) % rows;
      await session.run(`UPDATE ${name} SET note = ? WHERE id >= ? AND id < ?`, [
        `${name} ${filler}`,
        from,
        from + rowsPerTransaction,
      ]);
    }
    await session.run('UPDATE marks SET tx = ? WHERE writer = 0', [tx]);
    await session.commit();
    this.transactions = tx;
    this.rows += 2 * rowsPerTransaction;
  }
}

interface Watched {
  readonly limit: number;
  most: number;
}

/** Looks at the file on a connection of its own, so that it sees what the program would not tell. */
class Sampler {
  samples = 0;
  readonly #app: App;
  readonly #file: string;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #failed: Error | undefined;
  #walMost = 0;
  #fileLimit = 0;

  constructor(app: App, file: string) {
    this.#app = app;
    this.#file = file;
  }

  start(): void {
    this.#timer = setInterval(() => {
      try {
        this.#look();
      } catch (error) {
        this.#failed ??= error as Error;
      }
    }, sampleMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  check(): void {
    if (this.#failed !== undefined) throw this.#failed;
    for (const [name, { most, limit }] of this.#watched)
      if (most > limit * overMost)
        throw new Error(`${name} took ${most} bytes, ${(most / limit).toFixed(2)} of its limit of ${limit}`);
  }

  #look(): void {
    if (!this.#app.running) return;
    const database = new Database(this.#file, { readonly: true, timeout: 20_000 });
    try {
      const [[feed]] = database.prepare('SELECT feed_bytes FROM wt_frontier').raw().all() as [[number]];
      const topics = database
        .prepare(
          `SELECT t.name, t.cleanup, sum(b.bytes) FROM wt_topic t JOIN wt_batch b INDEXED BY wt_batch_offset ON b.topic_id = t.id
           WHERE t.deleted = 0 GROUP BY t.id`,
        )
        .raw()
        .all() as [string, string, number][];
      this.#note('feed', feed, feedBytes);
      let all = feedBytes;
      for (const [name, cleanup, bytes] of topics) {
        // What is live of a compacted one is less than this.
        const limit = cleanup === 'compact' ? topicBytes + mb : topicBytes;
        this.#note(`topic ${name}`, bytes, limit);
        if (bytes > mb) all += limit;
      }
      // Beside them: live rows, catalogue, and half-empty pages.
      this.#fileLimit = Math.max(this.#fileLimit, all + 8 * mb);
      this.#note('file', statSync(this.#file).size, this.#fileLimit);
      this.#walMost = Math.max(this.#walMost, statSync(`${this.#file}-wal`).size);
      this.samples++;
    } finally {
      database.close();
    }
  }

  #note(name: string, bytes: number, limit: number): void {
    const known = this.#watched.get(name);
    this.#watched.set(name, { limit, most: Math.max(bytes, known?.most ?? 0) });
  }

  most(): string {
    return [...this.#watched].map(([name, { most, limit }]) => `${name} ${(most / limit).toFixed(2)}`).join(', ');
  }

  figures(): Figures {
    const parts = [...this.#watched].map(([name, { most, limit }]) => [
      `${name}, most / limit`,
      (most / limit).toFixed(3),
    ]);
    return { ...(Object.fromEntries(parts) as Figures), 'write-ahead log most, MB': this.#walMost / mb };
  }
}
