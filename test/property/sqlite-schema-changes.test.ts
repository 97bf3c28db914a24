// The law of changed schemas in SQLite files: whatever an application alters, drops, renames and builds anew between its transactions,
// with or without a transaction around it, no statement of it fails because of capture, capture goes on, also when it is started again
// at any durable append, and in the end the records fold to exactly the tables. Where a table without a key has taken the name of one
// that was captured, it stands still with the rows of that.
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { splitName } from '../../src/core/table-name.js';
import { createSqliteSource } from '../../src/source/sqlite/sqlite-source.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';
import { Database } from '../support/sqlite-driver.js';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
}

/** Chooses among what there is at the moment. */
type Choose = <T>(list: readonly T[]) => T;

/** The application: statements are made from what the file has then. */
class Application {
  readonly #database: Database;
  readonly #plain: Database;
  #next = 0;

  /** `plain`: the same without capture. */
  constructor(database: Database, plain: Database) {
    this.#database = database;
    this.#plain = plain;
  }

  tables(): string[] {
    const sql =
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_wt_*' AND name NOT GLOB 'sqlite_*' ORDER BY name";
    return this.#database.prepare(sql).pluck().all() as string[];
  }

  columns(table: string): Column[] {
    return this.#database.prepare('SELECT name, type, pk FROM pragma_table_info(?)').all(table) as Column[];
  }

  isKeyed(table: string): boolean {
    return this.columns(table).some(({ pk }) => pk > 0);
  }

  /** Keyed tables as the records fold. */
  state(): string {
    const lines = this.tables()
      .filter((table) => this.isKeyed(table))
      .map((table) => {
        const rows = this.#database.prepare(`SELECT * FROM ${table}`).all();
        return `${table}: ${rows
          .map((row) => JSON.stringify(row))
          .sort()
          .join(' ')}`;
      });
    return lines.filter((line) => !line.endsWith(': ')).join('\n');
  }

  /** The same outcome in both files; only a column of a new name may have to wait until capture knows it before it can be dropped. */
  async run(...statements: readonly string[]): Promise<void> {
    for (const sql of statements) {
      const outcome = (database: Database): string => {
        try {
          database.exec(sql);
          return 'done';
        } catch (error) {
          return (error as Error).message;
        }
      };
      const expected = outcome(this.#plain);
      const deadline = Date.now() + 5_000;
      let found = outcome(this.#database);
      while (/DROP COLUMN/.test(sql) && /in trigger _wt_/.test(found) && Date.now() < deadline) {
        await sleep(5);
        found = outcome(this.#database);
      }
      expect(found, sql).toBe(expected);
    }
  }

  async change(choose: Choose): Promise<void> {
    const table = choose(this.tables());
    const columns = this.columns(table);
    const value = () => choose(['1', '2', '3', '4', '5', 'NULL']);
    const names = columns.map(({ name }) => name).join(', ');
    const set = `${choose(columns).name} = ${value()}`;
    const where = `${choose(columns).name} ${choose(['=', '>', 'IS NOT'])} ${value()}`;
    await this.run(
      choose([
        `INSERT OR ${choose(['REPLACE', 'IGNORE'])} INTO ${table} (${names}) VALUES (${columns.map(value).join(', ')}), (${columns.map(value).join(', ')})`,
        `UPDATE OR ${choose(['REPLACE', 'IGNORE'])} ${table} SET ${set} WHERE ${where}`,
        `DELETE FROM ${table} WHERE ${where}`,
      ]),
    );
  }

  async alter(choose: Choose): Promise<void> {
    const table = choose(this.tables());
    const columns = this.columns(table);
    const others = columns.filter(({ pk }) => pk === 0);
    const fresh = `n${this.#next++}`;
    const wrapped = (statements: readonly string[]) =>
      choose([true, false]) ? ['BEGIN', ...statements, 'COMMIT'] : statements;
    const steps: readonly (() => readonly string[])[] = [
      () => [`ALTER TABLE ${table} ADD COLUMN ${fresh} ${choose(['INT', 'TEXT'])} DEFAULT ${choose(['NULL', '7'])}`],
      () => others.slice(0, 1).map(({ name }) => `ALTER TABLE ${table} DROP COLUMN ${name}`),
      () => others.slice(-1).map(({ name }) => `ALTER TABLE ${table} DROP COLUMN ${name}`),
      () => [`ALTER TABLE ${table} RENAME COLUMN ${choose(columns).name} TO ${fresh}`],
      () => [`ALTER TABLE ${table} RENAME TO ${fresh}`],
      () => [`CREATE TABLE ${fresh} AS SELECT * FROM ${table}`],
      () => [`CREATE TABLE ${fresh} (id INTEGER PRIMARY KEY, a INT, b TEXT)`],
      () => [`CREATE UNIQUE INDEX u_${fresh} ON ${table} (${choose(columns).name})`],
      () => this.#indexes(table).map((index) => `DROP INDEX ${index}`),
      () => [`CREATE INDEX i_${fresh} ON ${table} (${choose(columns).name})`, 'VACUUM'],
      () => [`CREATE VIEW v_${fresh} AS SELECT 1 AS one`, `DROP VIEW v_${fresh}`],
      () => (this.tables().length > 1 ? [`DROP TABLE ${table}`] : []),
      () => wrapped(this.#rebuilt(table, choose)),
      () =>
        wrapped([
          `ALTER TABLE ${table} RENAME TO old_${fresh}`,
          `ALTER TABLE ${choose(this.tables())} RENAME TO ${table}`,
        ]),
    ];
    await this.run(...choose(steps)());
    if (this.#database.inTransaction) await this.run('ROLLBACK');
  }

  #indexes(table: string): readonly string[] {
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
    return this.#database.prepare(sql).pluck().all(table) as string[];
  }

  /** SQLite's own procedure for what ALTER TABLE cannot do. */
  #rebuilt(table: string, choose: Choose): readonly string[] {
    const columns = this.columns(table);
    const kept = columns.filter(({ pk }) => pk > 0 || choose([true, true, false]));
    const key = choose([kept.filter(({ pk }) => pk > 0), kept.slice(0, 1)]);
    const keyNames = (key.length > 0 ? key : kept.slice(0, 1)).map(({ name }) => name);
    const built = `new_${table}`;
    const body = kept.map(({ name, type }) => `${name} ${keyNames.includes(name) ? 'INT NOT NULL' : type || 'INT'}`);
    const names = kept.map(({ name }) => name).join(', ');
    return [
      `DROP TABLE IF EXISTS ${built}`,
      `CREATE TABLE ${built} (${body.join(', ')}, PRIMARY KEY (${keyNames.join(', ')}))${choose(['', ' WITHOUT ROWID', ' STRICT'])}`,
      `INSERT OR IGNORE INTO ${built} SELECT ${names} FROM ${table}`,
      `DROP TABLE ${table}`,
      `ALTER TABLE ${built} RENAME TO ${table}`,
    ];
  }
}

type Action = 'change' | 'alter' | 'wait' | 'restart' | 'settle';

const scenario = fc.record({
  actions: fc.array(
    fc.tuple(
      fc.constantFrom<Action>('change', 'change', 'change', 'change', 'alter', 'alter', 'wait', 'restart', 'settle'),
      fc.array(fc.nat(1_000), { minLength: 24, maxLength: 24 }),
    ),
    { minLength: 8, maxLength: 40 },
  ),
  recursive: fc.boolean(),
});

function chooser(seeds: readonly number[]): Choose {
  let at = 0;
  return <T>(list: readonly T[]): T => list[seeds[at++ % seeds.length]! % list.length]!;
}

/** Of the tables with rows that do not stand still without a key. */
function foldOf(appends: readonly TestAppend[], application: Application): string {
  const standing = standingTables(appends);
  const inFile = application.tables();
  return [...foldAppends(appends)]
    .filter(([, rows]) => rows.size > 0)
    .filter(([table]) => !(standing.has(table) && inFile.includes(table) && !application.isKeyed(table)))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([table, rows]) => `${table}: ${[...rows.values()].sort().join(' ')}`)
    .join('\n');
}

/** By what the appends tell of them. */
function standingTables(appends: readonly TestAppend[]): ReadonlySet<string> {
  const standing = new Set<string>();
  for (const { control } of appends) {
    if (control?.kind === 'table-failed') standing.add(splitName(control.table).table);
    else if (control?.kind === 'tables-called')
      for (const { table } of control.tables) standing.delete(splitName(table).table);
  }
  return standing;
}

/**
 * Scenarios at random are for PROPERTY_RUNS: about one in several hundred has still found something new when this was written, each
 * time in how changes of the schema fall between the steps of capture. Without it these are always the same.
 */
const asked = process.env['PROPERTY_RUNS'];
const runs = Number(asked ?? 25);

it('folds to the tables as they are, whatever was done to them', { timeout: runs * 2_000 + 20_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ actions, recursive }) => {
      const folder = mkdtempSync(join(tmpdir(), 'wt-ddl-'));
      const file = join(folder, 'app.db');
      const [database, plain] = [new Database(file), new Database(':memory:')];
      try {
        database.pragma('journal_mode = WAL');
        for (const each of [database, plain]) {
          each.pragma('synchronous = OFF');
          each.pragma(`recursive_triggers = ${recursive ? 'ON' : 'OFF'}`);
          each.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT, u INT UNIQUE)');
          each.exec('CREATE TABLE s (x INT, y TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID');
        }
        const application = new Application(database, plain);
        let durable: TestAppend[] = [];
        let tables: SourceRun['tables'] = new Map();
        const start = () =>
          runSource(
            createSqliteSource({ name: 'law', 'database.file': file, 'poll.interval.ms': '20' }, silentLogger),
            durable.at(-1)?.position ?? null,
            { after: { appends: durable, tables }, chunkBytes: 500 },
          );
        let run = start();
        const settled = async () => {
          const matches = (appends: readonly TestAppend[]) =>
            foldOf([...durable, ...appends], application) === application.state();
          await run.until(matches, `the state\n${application.state()}\n`);
        };
        try {
          for (const [kind, seeds] of actions) {
            const choose = chooser(seeds);
            if (kind === 'change') await application.change(choose);
            else if (kind === 'alter') await application.alter(choose);
            else if (kind === 'wait') await sleep(choose([0, 5, 30]));
            else if (kind === 'settle') await settled();
            else {
              await run.stop();
              // What the source has waited for is in the log.
              const kept = Math.max(run.flushed, run.appends.length - choose([0, 1, 2, 3]));
              durable = [...durable, ...run.appends.slice(0, kept)];
              tables = new Map([...tables, ...run.tables]);
              run = start();
            }
          }
          await settled();
        } finally {
          await run.stop();
        }
      } finally {
        database.close();
        plain.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: runs, endOnFailure: true, ...(asked === undefined ? { seed: 20_260_101 } : {}) },
  );
});
