// The law of the projector, over a whole engine: whatever is written, created, dropped, rebuilt, failed and restarted in between, at
// every commit each readable derived table is what its query, run by plain SQLite, gives over the base tables of the same cut; at the
// end a query made after the fact gives the same rows as the one that ran all the time. Base tables are whole appends at every cut.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BIGINT, STRING } from '../../src/core/data-type.js';
import type { ReadSession } from '../../src/store/state-store.js';
import { TestEngine, until, type TestRow } from '../support/engine.js';
import { poisonQueries } from '../support/poison.js';
import { Database } from '../support/sqlite-driver.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const runs = Number(process.env['PROPERTY_RUNS'] ?? 40);

interface Query {
  readonly name: string;
  readonly sql: string;
  /** The same over the base tables alone, for SQLite, in key order. */
  readonly oracle: string;
}
const byG = `SELECT g, COUNT(*) AS n, SUM(v) AS s FROM a WHERE g IS NOT NULL GROUP BY g`;
const queries: readonly Query[] = [
  {
    name: 'by_g',
    sql: `SELECT g, COUNT(*) AS n, SUM(v) AS s FROM a GROUP BY g`,
    oracle: `${byG} ORDER BY 1`,
  },
  {
    name: 'big',
    sql: `SELECT id, v + 1 AS v, name FROM a WHERE v > 5`,
    oracle: `SELECT id, v + 1, name FROM a WHERE v > 5 ORDER BY 1`,
  },
  {
    name: 'joined',
    sql: `SELECT a.id AS id, a.v AS v, b.w AS w FROM a JOIN b ON a.g = b.id`,
    oracle: `SELECT a.id, a.v, b.w FROM a JOIN b ON a.g = b.id ORDER BY 1`,
  },
  {
    name: 'outer_joined',
    sql: `SELECT a.id AS id, a.v AS v, b.w AS w FROM a LEFT JOIN b ON a.id = b.id`,
    oracle: `SELECT a.id, a.v, b.w FROM a LEFT JOIN b ON a.id = b.id ORDER BY 1`,
  },
  // Chained.
  {
    name: 'sizes',
    sql: `SELECT n, COUNT(*) AS groups FROM by_g GROUP BY n`,
    oracle: `SELECT n, COUNT(*) FROM (${byG}) GROUP BY n ORDER BY 1`,
  },
  {
    name: 'both',
    sql: `SELECT big.id AS id, by_g.s AS s FROM big JOIN by_g ON big.v = by_g.g`,
    oracle: `SELECT big.id, by_g.s FROM (SELECT id, v + 1 AS v FROM a WHERE v > 5) big JOIN (${byG}) by_g ON big.v = by_g.g ORDER BY 1`,
  },
];

type Step =
  | { readonly kind: 'write'; readonly rows: readonly TestRow[]; readonly wait: boolean }
  | { readonly kind: 'create' | 'drop' | 'rebuild'; readonly name: string }
  | { readonly kind: 'poison'; readonly name: string; readonly key: number }
  | { readonly kind: 'restart' };

const ids = fc.integer({ min: 1, max: 9 });
const small = fc.option(fc.integer({ min: 0, max: 9 }), { nil: null });
const rowOfA = fc
  .tuple(ids, small, fc.integer({ min: 0, max: 12 }), fc.constantFrom('', 'x'))
  .map(([id, g, v, name]): TestRow => ({ table: 'a', key: id, row: { id, g, v, name } }));
const rowOfB = fc.tuple(ids, small).map(([id, w]): TestRow => ({ table: 'b', key: id, row: { id, w } }));
const gone = fc.tuple(fc.constantFrom('a', 'b'), ids).map(([table, key]): TestRow => ({ table, key, row: null }));
const append = fc.array(fc.oneof({ weight: 4, arbitrary: rowOfA }, { weight: 2, arbitrary: rowOfB }, gone), {
  minLength: 1,
  maxLength: 5,
});
const names = fc.constantFrom(...queries.map(({ name }) => name));
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(append, fc.boolean()).map(([rows, wait]): Step => ({ kind: 'write', rows, wait })) },
  { weight: 5, arbitrary: names.map((name): Step => ({ kind: 'create', name })) },
  { weight: 1, arbitrary: names.map((name): Step => ({ kind: 'drop', name })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('a', 'b', ...queries.map(({ name }) => name))
      .map((name): Step => ({ kind: 'rebuild', name })),
  },
  { weight: 1, arbitrary: fc.tuple(names, ids).map(([name, key]): Step => ({ kind: 'poison', name, key })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
);

const columnsOf = {
  a: [
    { name: 'id', type: BIGINT },
    { name: 'g', type: BIGINT },
    { name: 'v', type: BIGINT },
    { name: 'name', type: STRING },
  ],
  b: [
    { name: 'id', type: BIGINT },
    { name: 'w', type: BIGINT },
  ],
};

/** Rows of a table as of the cut; undefined where it is not there or not readable. */
function rowsIn(session: ReadSession, table: string): readonly (readonly unknown[])[] | undefined {
  const found = session.tables().find(({ spec, visible }) => spec.name === table && visible);
  return found && [...session.scan({ table })].map(({ row }) => row);
}

class Run {
  readonly engine = new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 });
  readonly #oracle = new Database(':memory:');
  /** Base rows behind each append, by its number. */
  readonly #appends: string[] = [];
  readonly #base: Readonly<Record<string, Map<number, unknown[]>>> = { a: new Map(), b: new Map() };
  readonly breaches: string[] = [];
  cuts = 0;

  constructor() {
    this.#oracle.exec(
      'CREATE TABLE a (id INTEGER PRIMARY KEY, g INT, v INT, name TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY, w INT)',
    );
    this.#note();
    this.engine.onCommitted = () => this.check();
  }

  #note(): void {
    const rows = (map: Map<number, unknown[]>) => [...map.values()].toSorted((x, y) => Number(x[0]) - Number(y[0]));
    this.#appends.push(JSON.stringify([rows(this.#base['a']!), rows(this.#base['b']!)]));
  }

  async write(rows: readonly TestRow[], wait: boolean): Promise<void> {
    for (const { table, key, row } of rows) {
      if (row === null) this.#base[table]!.delete(key as number);
      else this.#base[table]!.set(key as number, Object.values(row));
    }
    this.#note();
    await (wait ? this.engine.write(rows) : this.engine.send(rows));
  }

  /** One cut: base tables are whole appends, and each derived table that runs is its query over them. */
  check(): void {
    if (this.breaches.length > 0) return;
    this.engine.session((session) => {
      const a = rowsIn(session, 'a');
      const b = rowsIn(session, 'b');
      if (!a || !b) return;
      this.cuts++;
      if (!this.#appends.includes(JSON.stringify([a, b])))
        this.breaches.push(`no append ended like this: ${JSON.stringify([a, b])}`);
      this.#oracle.exec('DELETE FROM a; DELETE FROM b');
      for (const row of a) this.#oracle.prepare('INSERT INTO a VALUES (?, ?, ?, ?)').run(...row);
      for (const row of b) this.#oracle.prepare('INSERT INTO b VALUES (?, ?)').run(...row);
      const running = new Set(
        session
          .documents('query')
          .map(({ json }) => JSON.parse(json) as { sink: string; state: { kind: string } })
          .filter(({ state }) => state.kind === 'running')
          .map(({ sink }) => sink),
      );
      for (const { name, oracle } of queries) {
        for (const table of [name, `${name}_late`]) {
          const rows = running.has(table) ? rowsIn(session, table) : undefined;
          if (rows) this.#compare(table, rows, this.#oracle.prepare(oracle).raw().all());
        }
      }
    });
  }

  #compare(table: string, rows: unknown, wanted: unknown): void {
    if (JSON.stringify(rows) !== JSON.stringify(wanted))
      this.breaches.push(`${table} is ${JSON.stringify(rows)}, its query gives ${JSON.stringify(wanted)}`);
  }

  async step(step: Step): Promise<void> {
    const { engine } = this;
    const find = (name: string) => queries.find((query) => query.name === name)!;
    switch (step.kind) {
      case 'write':
        return this.write(step.rows, step.wait);
      case 'poison': {
        const row = { id: step.key, g: 1, v: 7, name: `poison ${step.name}` };
        await this.write([{ table: 'a', key: step.key, row }], true);
        return this.write([{ table: 'a', key: step.key, row: { ...row, name: '' } }], true);
      }
      case 'create':
        // Refused when it is there, or when what it reads is not there or stands still.
        return void (await engine.tryRun(`CREATE TABLE ${step.name} AS ${find(step.name).sql};`));
      case 'drop':
        return void (await engine.tryRun(`DROP TABLE ${step.name};`));
      case 'rebuild':
        return void (await engine.api.rebuild(step.name).catch(() => {}));
      case 'restart':
        await engine.producer.flush();
        return engine.restart();
    }
  }

  async #settled(): Promise<void> {
    await this.engine.producer.flush();
    await until(async () => {
      const rebuilds = await this.engine.api.rebuilds();
      const failed = new Set(
        (await this.engine.api.queries()).filter(({ state }) => state !== 'RUNNING').map(({ sink }) => sink),
      );
      const filled = this.engine.session((session) =>
        session.tables().every(({ spec, visible }) => visible || failed.has(spec.name)),
      );
      return filled && rebuilds.every(({ state }) => state === 'done' || state === 'failed');
    }, 'all builds have ended');
  }

  /** Everything that stands still is made again; then the same queries are made once more, after the fact. */
  async finish(): Promise<void> {
    const { engine } = this;
    await this.#settled();
    for (const { name } of queries.toReversed()) {
      if ((await engine.state(name)) === 'ERROR') await engine.tryRun(`DROP TABLE ${name};`);
    }
    for (const { name, sql } of queries) {
      const made = await engine.tryRun(`CREATE TABLE ${name} AS ${sql};`);
      if (made !== 'already-exists') expect([name, made]).toEqual([name, 'ok']);
      await engine.run(`CREATE TABLE ${name}_late AS ${sql};`);
    }
    await this.#settled();
    this.check();
    expect(this.breaches.join('; ')).toBe('');
    for (const { name } of queries) expect([name, engine.rows(`${name}_late`)]).toEqual([name, engine.rows(name)]);
    expect(JSON.stringify([engine.rows('a'), engine.rows('b')])).toBe(this.#appends.at(-1));
    expect(engine.failed).toBeUndefined();
  }
}

describe(`the law of the projector (PROPERTY_SEED=${seed})`, () => {
  beforeAll(() => poisonQueries());
  afterAll(() => vi.restoreAllMocks());

  it(
    'streamed = rebuilt = created after the fact = plain SQLite over the same cut, at every commit',
    { timeout: 120_000 },
    async () => {
      let cuts = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
          const run = new Run();
          await run.engine.open();
          try {
            await run.engine.capture('a', columnsOf.a);
            await run.engine.capture('b', columnsOf.b);
            for (const step of sequence) {
              await run.step(step);
              expect(run.breaches.join('; ')).toBe('');
            }
            await run.finish();
            cuts += run.cuts;
          } finally {
            await run.engine.remove();
          }
        }),
        { seed, numRuns: runs, includeErrorInReport: true },
      );
      expect(cuts).toBeGreaterThan(runs);
    },
  );
});
