// The law of the SQLite source: whatever an application does to its tables, folding the records per key gives exactly the tables.
// More: after EVERY append the fold is a state that the file had at some commit, in the order of the commits; a delete is
// told only of a row that was there; and all that across restarts from any durable append, with pruning on. And the
// application does not notice: each statement ends, and counts its changes, as it does in a file whose triggers do nothing.
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createSqliteSource } from '../../src/source/sqlite/sqlite-source.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';
import { Database } from '../support/sqlite-driver.js';

interface TestTable {
  readonly name: string;
  readonly ddl: string;
  readonly key: readonly string[];
  /** Column -> kind of its values. */
  readonly columns: Readonly<Record<string, 'int' | 'text'>>;
}

const testTables: readonly TestTable[] = [
  {
    name: 'plain',
    ddl: `CREATE TABLE plain (id INTEGER PRIMARY KEY, a TEXT, u INT UNIQUE, v INT, w INT, UNIQUE (v, w));
          CREATE TRIGGER plain_clear BEFORE INSERT ON plain WHEN NEW.w = 1 BEGIN UPDATE plain SET u = NULL WHERE u = NEW.u; END;
          CREATE TRIGGER plain_shift BEFORE INSERT ON plain WHEN NEW.w = 2 BEGIN UPDATE plain SET id = id + 10 WHERE u = NEW.u; END`,
    key: ['id'],
    columns: { id: 'int', a: 'text', u: 'int', v: 'int', w: 'int' },
  },
  {
    name: 'pair',
    ddl: 'CREATE TABLE pair (a INT, k TEXT NOT NULL, n INT NOT NULL, u TEXT COLLATE NOCASE UNIQUE, PRIMARY KEY (n, k)) WITHOUT ROWID',
    key: ['n', 'k'],
    columns: { a: 'int', k: 'text', n: 'int', u: 'text' },
  },
  {
    name: 'loose',
    ddl: `CREATE TABLE loose (k TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, u INT, e TEXT NOT NULL DEFAULT 'a' UNIQUE ON CONFLICT REPLACE);
          CREATE UNIQUE INDEX loose_low ON loose (lower(e)) WHERE u > 2`,
    key: ['k'],
    columns: { k: 'text', u: 'int', e: 'text' },
  },
  {
    name: 'tree',
    ddl: `CREATE TABLE tree (id INTEGER PRIMARY KEY, up INT REFERENCES tree ON DELETE CASCADE ON UPDATE CASCADE, u INT UNIQUE, touched INT);
          CREATE TRIGGER tree_touch AFTER UPDATE OF u ON tree BEGIN UPDATE tree SET touched = ifnull(touched, 0) + 1 WHERE id = NEW.id; END;
          CREATE TRIGGER tree_cut AFTER INSERT ON tree WHEN NEW.u = 4 BEGIN DELETE FROM tree WHERE id = NEW.id + 1; END`,
    key: ['id'],
    columns: { id: 'int', up: 'int', u: 'int', touched: 'int' },
  },
];

const valueOf = (kind: 'int' | 'text') =>
  kind === 'int'
    ? fc.constantFrom('NULL', '0', '1', '2', '3', '4', '5')
    : fc.constantFrom('NULL', "'a'", "'A'", "'b'", "'B'", "'c'");

const orClause = fc.constantFrom('', '', 'OR REPLACE', 'OR REPLACE', 'OR IGNORE', 'OR FAIL', 'OR ABORT');

function statementOf(table: TestTable): fc.Arbitrary<string> {
  const names = Object.keys(table.columns);
  const column = fc.constantFrom(...names);
  const assignment = column.chain((name) =>
    fc.oneof(
      valueOf(table.columns[name]!).map((value) => `${name} = ${value}`),
      fc.constant(table.columns[name] === 'int' ? `${name} = ${name} + 1` : `${name} = lower(${name})`),
    ),
  );
  const condition = fc.oneof(
    fc.constant('true'),
    column.chain((name) =>
      fc
        .tuple(fc.constantFrom('=', '>', 'IS NOT'), valueOf(table.columns[name]!))
        .map(([op, value]) => `${name} ${op} ${value}`),
    ),
  );
  const row = fc.tuple(...names.map((name) => valueOf(table.columns[name]!))).map((values) => `(${values.join(', ')})`);
  const rows = fc.array(row, { minLength: 1, maxLength: 3 }).map((list) => list.join(', '));
  const upsert = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    fc.constant(' ON CONFLICT DO NOTHING'),
    assignment.map((set) => ` ON CONFLICT (${table.key.join(', ')}) DO UPDATE SET ${set}`),
    assignment.map((set) => ` ON CONFLICT DO UPDATE SET ${set}`),
  );
  const insert = fc
    .tuple(orClause, rows, upsert)
    .map(([or, values, clause]) => `INSERT ${or} INTO ${table.name} (${names.join(', ')}) VALUES ${values}${clause}`);
  const update = fc
    .tuple(orClause, fc.array(assignment, { minLength: 1, maxLength: 2 }), condition)
    .map(([or, sets, where]) => `UPDATE ${or} ${table.name} SET ${sets.join(', ')} WHERE ${where}`);
  const remove = condition.map((where) => `DELETE FROM ${table.name} WHERE ${where}`);
  return fc.oneof({ weight: 4, arbitrary: insert }, { weight: 3, arbitrary: update }, { weight: 1, arbitrary: remove });
}

const statement = fc.oneof(...testTables.map(statementOf));
const savepoint = fc
  .tuple(fc.array(statement, { maxLength: 3 }), fc.constantFrom('ROLLBACK TO s', 'RELEASE s'))
  .map(([inner, end]) => ['SAVEPOINT s', ...inner, end]);
const transaction = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: statement.map((sql) => [sql]) }, savepoint), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.constantFrom('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK'),
  )
  .map(([parts, end]) => ['BEGIN', ...parts.flat(), end]);

type Action =
  | { readonly kind: 'write'; readonly sql: readonly string[] }
  | { readonly kind: 'settle' }
  | { readonly kind: 'breathe' }
  /** The last `lost` appends were not durable when the process ended. */
  | { readonly kind: 'restart'; readonly lost: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .oneof(
        statement.map((sql) => [sql]),
        transaction,
      )
      .map((sql) => ({ kind: 'write', sql }) as const),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'breathe' } as const) },
  { weight: 1, arbitrary: fc.nat(3).map((lost) => ({ kind: 'restart', lost }) as const) },
);

const scenario = fc.record({
  before: fc.array(statement, { maxLength: 12 }),
  actions: fc.array(action, { minLength: 5, maxLength: 40 }),
  recursive: fc.boolean(),
  foreignKeys: fc.boolean(),
  chunkBytes: fc.constantFrom(200, 64 * 1024),
});

const runs = Number(process.env['PROPERTY_RUNS'] ?? 100);

it(
  'folds every append to a state that the file had, across restarts, with pruning',
  { timeout: runs * 1_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const folder = mkdtempSync(join(tmpdir(), 'wt-law-'));
        const apps = {
          captured: new Database(join(folder, 'app.db')),
          plain: given.recursive ? null : new Database(':memory:'),
        };
        try {
          await checkScenario(apps, join(folder, 'app.db'), given);
        } finally {
          apps.captured.close();
          apps.plain?.close();
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: runs },
    );
  },
);

interface Apps {
  readonly captured: Database;
  readonly plain: Database | null;
}

async function checkScenario(
  apps: Apps,
  file: string,
  given: typeof scenario extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  const app = apps.captured;
  app.pragma('journal_mode = WAL');
  for (const database of [apps.captured, ...(apps.plain ? [apps.plain] : [])]) {
    database.pragma('synchronous = OFF');
    database.pragma(`recursive_triggers = ${given.recursive ? 'ON' : 'OFF'}`);
    database.pragma(`foreign_keys = ${given.foreignKeys ? 'ON' : 'OFF'}`);
    for (const { ddl } of testTables) database.exec(ddl);
  }
  // Triggers alone can make SQLite visit the rows of an UPDATE in another order, which shows in what OR FAIL leaves behind; so
  // the file without capture has triggers too, that do nothing.
  for (const { name } of testTables) {
    for (const event of ['BEFORE INSERT', 'BEFORE UPDATE', 'AFTER INSERT', 'AFTER UPDATE', 'AFTER DELETE']) {
      const trigger = `${name}_${event.replace(' ', '_')}`;
      apps.plain?.exec(`CREATE TRIGGER ${trigger} ${event} ON ${name} BEGIN SELECT 1; END`);
    }
  }
  for (const sql of given.before) execute(apps, sql);

  const states: string[] = [stateOf(app)];
  let durable: TestAppend[] = [];
  let tables: SourceRun['tables'] = new Map();
  const startRun = () => {
    const connector = createSqliteSource({ name: 'law', 'database.file': file }, silentLogger);
    const options = { chunkBytes: given.chunkBytes, after: { appends: durable, tables } };
    return { connector, run: runSource(connector, durable.at(-1)?.position ?? null, options) };
  };
  let current = startRun();
  const settle = async () => {
    await current.run.until(
      (appends) => [...durable, ...appends].some((append) => append.control?.kind === 'snapshot-completed'),
      'the snapshot',
    );
    const top = Number(app.prepare('SELECT max(seq) FROM _wt_law_changes').pluck().get());
    await current.run.until((appends) => sequenceOf(appends.at(-1) ?? durable.at(-1)) >= top, `change ${top}`);
  };
  try {
    for (const step of given.actions) {
      if (step.kind === 'write') {
        for (const sql of step.sql) execute(apps, sql);
        expect(app.inTransaction).toBe(false);
        states.push(stateOf(app));
      } else if (step.kind === 'settle') {
        await settle();
        const last = [...durable, ...current.run.appends].at(-1);
        if (last) current.connector.confirmed(last.position!);
        // What is confirmed is durable: only later appends can be lost.
        durable = [...durable, ...current.run.appends];
        await current.run.stop();
        tables = new Map([...tables, ...current.run.tables]);
        current = startRun();
        if (last) current.connector.confirmed(last.position!);
      } else if (step.kind === 'breathe') await setImmediate();
      else {
        await current.run.stop();
        // What the source has waited for is in the log.
        const kept = Math.max(current.run.flushed, current.run.appends.length - step.lost);
        durable = [...durable, ...current.run.appends.slice(0, kept)];
        tables = new Map([...tables, ...current.run.tables]);
        current = startRun();
      }
    }
    await settle();
  } finally {
    await current.run.stop();
  }
  const appends = [...durable, ...current.run.appends];
  expect(printFold(appends)).toBe(stateOf(app));
  if (apps.plain) expect(stateOf(app)).toBe(stateOf(apps.plain));
  checkCuts(appends, states, given.foreignKeys);
}

/** `twiceAllowed`: a cascade can make a delete be told twice (triggers.ts). From the end of the snapshot on, each append leads to a state that the file had, and never back to an earlier one. */
function checkCuts(appends: readonly TestAppend[], states: readonly string[], twiceAllowed: boolean): void {
  const complete = appends.findIndex((append) => append.control?.kind === 'snapshot-completed');
  let at = 0;
  const present = new Set<string>();
  appends.forEach((append, i) => {
    for (const { table, key, value } of append.records) {
      const row = `${table} ${key}`;
      if (value !== null) present.add(row);
      else if (!present.delete(row) && i > complete && !twiceAllowed)
        expect.unreachable(`delete of ${row}, which was not there`);
    }
    if (i < complete) return;
    const state = printFold(appends.slice(0, i + 1));
    const found = states.indexOf(state, at);
    if (found < 0) expect.unreachable(`append ${i} leads to a state that the file never had: ${state}`);
    at = found;
  });
}

/** Runs the statement in the captured file and in one without capture; errors are part of an application's life. */
function execute(apps: Apps, sql: string): void {
  const outcome = (app: Database) => {
    try {
      const { changes, lastInsertRowid } = app.prepare(sql).run();
      return `${changes} changes, last ${lastInsertRowid}`;
    } catch (error) {
      return error instanceof Database.SqliteError ? `${error.code}: ${error.message}` : `${String(error)}`;
    }
  };
  const captured = outcome(apps.captured);
  // With recursive_triggers on, SQLite checks an UPDATE OR REPLACE once more behind the DELETE triggers of the rows that it
  // displaces, and can then refuse it, as soon as there is any DELETE trigger: no comparison there.
  if (apps.plain) expect(captured, sql).toBe(outcome(apps.plain));
}

function sequenceOf(append: TestAppend | undefined): number {
  return append ? (JSON.parse(append.position!) as { sequence: number }).sequence : -1;
}

function stateOf(app: Database): string {
  return testTables
    .map(({ name, columns }) => {
      const rows = app.prepare(`SELECT ${Object.keys(columns).join(', ')} FROM ${name}`).all();
      return `${name}: ${rows
        .map((row) => JSON.stringify(row))
        .sort()
        .join(' ')}`;
    })
    .join('\n');
}

function printFold(appends: readonly TestAppend[]): string {
  const tables = foldAppends(appends);
  return testTables
    .map(({ name }) => `${name}: ${[...(tables.get(name)?.values() ?? [])].sort().join(' ')}`)
    .join('\n');
}

const keyValue = fc.oneof(
  fc.constantFrom('1', "'1'", '1.0', "'1.0'", "'01'", '1.5', "'1.5'", '9e999', "'Inf'", '0', '1704067200'),
  fc.constantFrom("'2024-01-01'", "'2024-01-01 00:00'", "'2024-01-01 00:00:00'", "'2024-01-01T00:00:00Z'"),
  fc.constantFrom("'2024-01-01 01:00:00+01:00'", "'2024-01-01 00:00:00.5'", "'2024-01-01 00:00:00.500'"),
  fc.constantFrom(
    "'10:00'",
    "'10:00:00'",
    "'10:00:00.0'",
    "'10:00:00.000'",
    "'a'",
    "'A'",
    "'\uFFFD'",
    "X'ff'",
    "'X''FF'''",
  ),
  fc.constantFrom(
    "CAST(X'ff' AS TEXT)",
    "CAST(X'fe' AS TEXT)",
    "CAST(X'f09f98' AS TEXT)",
    "'2024-01-01 00:00:00.500000'",
  ),
);
const keyTable = fc.record({
  declared: fc.constantFrom(
    '',
    'TEXT',
    'DATETIME',
    'TIMESTAMP(6)',
    'TIME',
    'DATE',
    'DECIMAL(20,4)',
    'MOOD',
    'BLOB',
    'INT',
  ),
  asText: fc.boolean(),
  before: fc.array(keyValue, { minLength: 1, maxLength: 3 }),
  after: fc.array(fc.tuple(fc.constantFrom('INSERT', 'DELETE'), keyValue), { maxLength: 4 }),
});

it(
  'makes one row of every row of the file, however its key is written, or stands still',
  { timeout: runs * 1_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(keyTable, async ({ declared, asText, before, after }) => {
        const folder = mkdtempSync(join(tmpdir(), 'wt-keys-'));
        const file = join(folder, 'app.db');
        const app = new Database(file);
        app.pragma('journal_mode = WAL');
        app.pragma('synchronous = OFF');
        app.exec(`CREATE TABLE t (k ${declared} PRIMARY KEY)`);
        for (const value of before) app.exec(`INSERT OR IGNORE INTO t VALUES (${value})`);
        const config = { name: 'law', 'database.file': file, 'sqlite.type.mismatch': asText ? 'text' : 'fail' };
        const run = runSource(createSqliteSource(config, silentLogger), null);
        try {
          await run.until((appends) => appends.some((append) => append.control !== undefined), 'the snapshot');
          for (const [verb, value] of after)
            app.exec(
              verb === 'INSERT' ? `INSERT OR IGNORE INTO t VALUES (${value})` : `DELETE FROM t WHERE k = ${value}`,
            );
          const top = Number(app.prepare('SELECT max(seq) FROM _wt_law_changes').pluck().get());
          await run.until((appends) => sequenceOf(appends.at(-1)) >= top, `change ${top}`);
          const stands = run.appends.find(({ control }) => control?.kind === 'table-failed')?.control;
          if (stands) expect(stands).toMatchObject({ error: { code: 'unconvertible-value' } });
          else
            expect(foldAppends(run.appends).get('t')?.size ?? 0).toBe(
              app.prepare('SELECT count(*) FROM t').pluck().get(),
            );
        } finally {
          await run.stop();
          app.close();
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: runs },
    );
  },
);
