// The SQLite source against real files, written by a second connection as an application would.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../../src/sqlite/database.js';
import { createStoreTables } from '../../../../src/store/sqlite/store-tables.js';
import { CapturedFile } from '../../../support/captured-file.js';
import {
  completed,
  foldAppends,
  rowsOf,
  runSource,
  type SourceRun,
  type SourceRunOptions,
} from '../../../support/source-run.js';
import { Database } from '../../../support/sqlite-driver.js';

let captured: CapturedFile;
let folder: string;
let file: string;
let app: Database;

beforeEach(() => {
  captured = new CapturedFile();
  ({ folder, file, app } = captured);
  app.pragma('journal_mode = WAL');
});

afterEach(() => captured.close());

const source = (config: Record<string, string> = {}) => captured.source(config);
const start = (config: Record<string, string> = {}, position: string | null = null, options: SourceRunOptions = {}) =>
  captured.start(config, position, options);

const records = (run: SourceRun, from = 0) =>
  run.appends.slice(from).flatMap((a) => a.records.map((r) => `${r.op} ${r.table} ${r.key} ${r.value ?? 'gone'}`));

/** Waits until everything that is committed now has come. */
async function caughtUp(run: SourceRun): Promise<void> {
  const top = app.prepare('SELECT max(seq) FROM _wt_shop_changes').pluck().get() as number | null;
  if (top === null) return;
  await run.until(
    (appends) => (JSON.parse(appends.at(-1)?.position ?? '{"sequence":0}') as { sequence: number }).sequence >= top,
    `sequence ${top}`,
  );
}

describe('the snapshot', () => {
  it('hands over all rows, and says with the last append that the tables are complete', async () => {
    app.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO a VALUES (1, 'x'), (2, NULL)");
    app.exec('CREATE TABLE b (k TEXT PRIMARY KEY) WITHOUT ROWID');
    const { run } = start();
    await completed(run);
    expect(records(run)).toEqual(['r a {"id":1} {"id":1,"t":"x"}', 'r a {"id":2} {"id":2,"t":null}']);
    expect(run.appends.at(-1)?.control).toEqual({ kind: 'snapshot-completed', connector: 'shop', topics: ['a', 'b'] });
    expect(run.tables.get('a')?.database).toBe('shop');
  });

  it('is one cut: changes in front of it are not told twice, changes behind it follow', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, n INT)');
    app.exec(
      'WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 20000) INSERT INTO a SELECT i, 0 FROM s',
    );
    const { run } = start();
    await run.until((appends) => appends.length > 0, 'the first append');
    app.exec('UPDATE a SET n = 1 WHERE id % 1000 = 0; DELETE FROM a WHERE id = 1');
    await completed(run);
    await caughtUp(run);
    expect(foldAppends(run.appends).get('a')!.size).toBe(19_999);
    expect(rowsOf(run, 'a').filter((row) => row['n'] === 1)).toHaveLength(20);
  });

  it('is read again after a stop in its middle, and rows that went in between leave no ghosts', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, n INT)');
    app.exec(
      'WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40000) INSERT INTO a SELECT i, 0 FROM s',
    );
    const first = start().run;
    await first.until((appends) => appends.length > 0, 'the first append');
    await first.stop();
    expect(first.appends.some((a) => a.control)).toBe(false);
    app.exec('DELETE FROM a WHERE id <= 100; UPDATE a SET id = 100000 WHERE id = 200');
    const second = start({}, first.appends.at(-1)!.position).run;
    await completed(second);
    const all = foldAppends([...first.appends, ...second.appends]).get('a')!;
    expect(all.size).toBe(39_900);
    expect(all.has('{"id":200}')).toBe(false);
  });

  it('is left out by snapshot.mode=no_data, and the tables are visible at once', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1)');
    const { run } = start({ 'snapshot.mode': 'no_data' });
    await completed(run);
    app.exec('INSERT INTO a VALUES (2)');
    await caughtUp(run);
    expect(records(run)).toEqual(['c a {"id":2} {"id":2}']);
  });
});

describe('streaming', () => {
  const streamed = async (schema: string, ...statements: string[]) => {
    app.exec(schema);
    const { run } = start();
    await completed(run);
    const from = run.appends.length;
    for (const statement of statements) app.exec(statement);
    await caughtUp(run);
    return records(run, from);
  };

  it('tells insert, update and delete in order', async () => {
    const told = await streamed(
      'CREATE TABLE a (id INTEGER PRIMARY KEY, n INT)',
      'INSERT INTO a (n) VALUES (7)',
      'UPDATE a SET n = 8',
      'DELETE FROM a',
    );
    expect(told).toEqual(['c a {"id":1} {"id":1,"n":7}', 'u a {"id":1} {"id":1,"n":8}', 'd a {"id":1} gone']);
  });

  it('keeps the order of the writers across tables', async () => {
    const told = await streamed(
      'CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY)',
      'BEGIN; INSERT INTO b VALUES (1); INSERT INTO a VALUES (1); INSERT INTO b VALUES (2); COMMIT',
    );
    expect(told.map((text) => text.slice(0, 12))).toEqual(['c b {"id":1}', 'c a {"id":1}', 'c b {"id":2}']);
  });

  it('makes a tombstone and a new row of a changed key', async () => {
    const told = await streamed(
      "CREATE TABLE a (x TEXT, y INT, PRIMARY KEY (y, x)); INSERT INTO a VALUES ('p', 1)",
      "UPDATE a SET y = 2, x = 'q'",
    );
    expect(told).toEqual(['d a {"y":1,"x":"p"} gone', 'c a {"y":2,"x":"q"} {"x":"q","y":2}']);
  });

  it('shows nothing of what was rolled back', async () => {
    const told = await streamed(
      'CREATE TABLE a (id INTEGER PRIMARY KEY)',
      'BEGIN; INSERT INTO a VALUES (1); ROLLBACK',
      'BEGIN; SAVEPOINT s; INSERT INTO a VALUES (2); ROLLBACK TO s; INSERT INTO a VALUES (3); COMMIT',
    );
    expect(told).toEqual(['c a {"id":3} {"id":3}']);
  });

  it('tells rows that INSERT OR REPLACE displaces through another unique column', async () => {
    const told = await streamed(
      "CREATE TABLE a (id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INT UNIQUE); INSERT INTO a VALUES (1, 'x', 1), (2, 'y', 2)",
      "INSERT OR REPLACE INTO a VALUES (3, 'x', 2)",
    );
    expect(told.sort()).toEqual(['c a {"id":3} {"id":3,"u":"x","v":2}', 'd a {"id":1} gone', 'd a {"id":2} gone']);
  });

  it('tells rows that UPDATE OR REPLACE displaces', async () => {
    const told = await streamed(
      "CREATE TABLE a (id INTEGER PRIMARY KEY, u TEXT UNIQUE); INSERT INTO a VALUES (1, 'x'), (2, 'y'), (3, 'z')",
      "UPDATE OR REPLACE a SET u = 'x' WHERE id = 2",
      'UPDATE OR REPLACE a SET id = 3 WHERE id = 2',
    );
    expect(told).toEqual([
      'd a {"id":1} gone',
      'u a {"id":2} {"id":2,"u":"x"}',
      'd a {"id":2} gone',
      'c a {"id":3} {"id":3,"u":"x"}',
    ]);
  });

  it('tells rows displaced through partial, expression and NOCASE indexes, and through a default put for NULL', async () => {
    const told = await streamed(
      `CREATE TABLE a (id INTEGER PRIMARY KEY, e TEXT, n TEXT, w INT, d TEXT NOT NULL DEFAULT 'dd' UNIQUE);
       CREATE UNIQUE INDEX a1 ON a (lower(e) /* ), */) WHERE w > 0 -- only some
       ;
       CREATE UNIQUE INDEX a2 ON a (n COLLATE NOCASE DESC);
       INSERT INTO a VALUES (1, 'E', NULL, 1, 'd1'), (2, 'F', 'n', 0, 'd2'), (3, 'F', NULL, 0, 'dd')`,
      "INSERT OR REPLACE INTO a VALUES (4, 'e', NULL, 1, 'd4')",
      "INSERT OR REPLACE INTO a VALUES (5, 'F', 'N', 0, 'd5')",
      "INSERT OR REPLACE INTO a VALUES (6, 'F', NULL, 0, NULL)",
    );
    expect(told.filter((text) => text.startsWith('d'))).toEqual([
      'd a {"id":1} gone',
      'd a {"id":2} gone',
      'd a {"id":3} gone',
    ]);
  });

  it('tells a displaced row whose key differs only in what the key column ignores', async () => {
    const told = await streamed(
      "CREATE TABLE a (k TEXT COLLATE NOCASE PRIMARY KEY, n INT); INSERT INTO a VALUES ('a', 1)",
      "INSERT OR REPLACE INTO a VALUES ('A', 2)",
      "UPDATE a SET k = 'a'",
    );
    expect(told).toEqual([
      'd a {"k":"a"} gone',
      'c a {"k":"A"} {"k":"A","n":2}',
      'd a {"k":"A"} gone',
      'c a {"k":"a"} {"k":"a","n":2}',
    ]);
  });

  it('tells the row as it stands after the triggers of the application', async () => {
    const told = await streamed(
      `CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, touched INT);
       CREATE TRIGGER a_touch AFTER UPDATE OF n ON a BEGIN UPDATE a SET touched = NEW.n * 10 WHERE id = NEW.id; END;
       CREATE TRIGGER a_brief AFTER INSERT ON a WHEN NEW.n < 0 BEGIN DELETE FROM a WHERE id = NEW.id; END;
       INSERT INTO a VALUES (1, 1, 0)`,
      'UPDATE a SET n = 2',
      'INSERT INTO a VALUES (2, -1, 0)',
    );
    expect(told.filter((text) => text.startsWith('u')).at(-1)).toBe('u a {"id":1} {"id":1,"n":2,"touched":20}');
    expect(told.at(-1)).toBe('d a {"id":2} gone');
  });

  it('tells what foreign keys do, in a table that refers to itself too', async () => {
    app.pragma('foreign_keys = ON');
    const told = await streamed(
      `CREATE TABLE a (id INTEGER PRIMARY KEY, up INT REFERENCES a ON DELETE CASCADE);
       CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a ON DELETE SET NULL);
       INSERT INTO a VALUES (1, NULL), (2, 1), (3, 2); INSERT INTO b VALUES (1, 3)`,
      'DELETE FROM a WHERE id = 1',
    );
    expect(told.sort()).toEqual([
      'd a {"id":1} gone',
      'd a {"id":2} gone',
      'd a {"id":3} gone',
      'u b {"id":1} {"id":1,"a":null}',
    ]);
  });

  it('works with recursive_triggers on', async () => {
    app.pragma('recursive_triggers = ON');
    const told = await streamed(
      "CREATE TABLE a (id INTEGER PRIMARY KEY, u TEXT UNIQUE); INSERT INTO a VALUES (1, 'x')",
      "INSERT OR REPLACE INTO a VALUES (2, 'x')",
    );
    expect(told).toEqual(['d a {"id":1} gone', 'c a {"id":2} {"id":2,"u":"x"}']);
  });

  it('captures generated columns, odd names and every storage class', async () => {
    const told = await streamed(
      `CREATE TABLE "o'dd ""t" ("k ""1" ANY PRIMARY KEY NOT NULL, "select" BLOB, g TEXT AS (upper("k ""1")) VIRTUAL, h BLOB AS ("select") STORED)`,
      `INSERT INTO "o'dd ""t" VALUES ('a', x'00ff')`,
    );
    expect(told).toEqual([`c o'dd "t {"k \\"1":"a"} {"k \\"1":"a","select":"AP8=","g":"A","h":"AP8="}`]);
  });

  it('passes integers beyond 2^53 on exactly', async () => {
    const told = await streamed(
      'CREATE TABLE a (id INTEGER PRIMARY KEY)',
      'INSERT INTO a VALUES (9007199254740993), (-9223372036854775808)',
    );
    expect(told).toEqual([
      'c a {"id":9007199254740993} {"id":9007199254740993}',
      'c a {"id":-9223372036854775808} {"id":-9223372036854775808}',
    ]);
  });

  it('leaves last_insert_rowid and changes of the application as they are', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, u TEXT UNIQUE)');
    const { run } = start();
    await completed(run);
    expect(app.prepare("INSERT INTO a VALUES (77, 'x')").run()).toEqual({ changes: 1, lastInsertRowid: 77 });
    expect(app.prepare("INSERT OR REPLACE INTO a VALUES (78, 'x')").run()).toEqual({ changes: 1, lastInsertRowid: 78 });
    expect(app.prepare("INSERT OR IGNORE INTO a VALUES (79, 'x')").run().changes).toBe(0);
  });

  it('gives the whole old row to a shape that wants it', async () => {
    app.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO a VALUES (1, 'x')");
    const { run } = start({}, null, { wantsOldRow: true });
    await completed(run);
    app.exec('DELETE FROM a');
    await caughtUp(run);
    expect(records(run).slice(1)).toEqual(['d a {"id":1} {"id":1,"t":"x","__deleted":"true"}', 'd a {"id":1} gone']);
  });

  it('takes a poll as one append even when it needs several chunks', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT)');
    const { run } = start();
    await completed(run);
    const from = run.appends.length;
    app.exec(
      "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 9000) INSERT INTO a SELECT i, printf('%080d', i) FROM s",
    );
    await caughtUp(run);
    expect(run.appends.slice(from).map((a) => a.records.length)).toEqual([9000]);
    const lagMs = Date.now() - run.appends.at(-1)!.commitTimeUs / 1000;
    expect(lagMs).toBeGreaterThanOrEqual(-1);
    expect(lagMs).toBeLessThan(10_000);
  });
});

describe('restart and pruning', () => {
  it('goes on behind its position, and confirmed changes leave the file', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    const first = start();
    await completed(first.run);
    app.exec('INSERT INTO a VALUES (1)');
    await caughtUp(first.run);
    await first.run.stop();
    const position = first.run.appends.at(-1)!.position;
    app.exec('INSERT INTO a VALUES (2)');
    const second = start({}, position);
    await second.run.until((appends) => appends.length > 0);
    expect(records(second.run)).toEqual(['c a {"id":2} {"id":2}']);
    second.connector.confirmed(second.run.appends.at(-1)!.position!);
    await expect
      .poll(() => app.prepare('SELECT count(*) FROM _wt_shop_changes').pluck().get(), { timeout: 5000 })
      .toBe(1);
    app.exec('INSERT INTO a VALUES (3)');
    await second.run.until((appends) => appends.length > 1);
    await second.run.stop();
    const late = runSource(source(), position);
    expect(await late.failure()).toMatchObject({ code: 'source-position-lost' });
  });

  it('misses nothing behind OR FAIL and pruning, where AUTOINCREMENT would give a number twice', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, u INT UNIQUE)');
    const { connector, run } = start();
    await completed(run);
    expect(() => app.exec('INSERT OR FAIL INTO a VALUES (1, 1), (2, 1)')).toThrow('UNIQUE');
    await caughtUp(run);
    connector.confirmed(run.appends.at(-1)!.position!);
    await expect.poll(() => app.prepare("SELECT value FROM _wt_shop_meta WHERE name = 'pruned'").pluck().get()).toBe(1);
    app.exec('INSERT INTO a VALUES (3, 3)');
    await caughtUp(run);
    expect(records(run)).toEqual(['c a {"id":1} {"id":1,"u":1}', 'c a {"id":3} {"id":3,"u":3}']);
  });

  it('does not wait for a writer when it prunes', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    const { connector, run } = start();
    await completed(run);
    app.exec('INSERT INTO a VALUES (1)');
    await caughtUp(run);
    app.exec('BEGIN IMMEDIATE');
    connector.confirmed(run.appends.at(-1)!.position!);
    await new Promise((resolve) => setTimeout(resolve, 100));
    app.exec('INSERT INTO a VALUES (2); COMMIT');
    await expect.poll(() => app.prepare("SELECT value FROM _wt_shop_meta WHERE name = 'pruned'").pluck().get()).toBe(1);
  });

  it('notices that the file was replaced', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    const { run } = start();
    await completed(run);
    const other = join(folder, 'other.db');
    const copy = new Database(other);
    copy.pragma('journal_mode = WAL');
    copy.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    copy.close();
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix);
    renameSync(other, file);
    expect(await run.failure()).toMatchObject({ code: 'source-position-lost' });
  });

  it('refuses a position that the file has not reached', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    const { run } = start();
    await completed(run);
    await run.stop();
    const position = { ...(JSON.parse(run.appends.at(-1)!.position!) as object), sequence: 99 };
    expect(await start({}, JSON.stringify(position)).run.failure()).toMatchObject({ code: 'source-rewound' });
  });

  it('takes away all that it had installed', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, u UNIQUE)');
    const { connector, run } = start();
    await completed(run);
    await run.stop();
    await connector.uninstall!();
    const left = app.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%wt%'").all();
    expect(left).toEqual([]);
  });
});

describe('changes of the schema', () => {
  it('adds a new table with its rows, and its later changes', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    const { run } = start();
    await completed(run);
    app.exec('CREATE TABLE b (id INTEGER PRIMARY KEY, t1, t2, t3); INSERT INTO b (id) VALUES (1)');
    await run.until(
      (appends) => appends.filter((a) => a.control?.kind === 'snapshot-completed').length === 2,
      'the second snapshot',
    );
    app.exec("INSERT INTO b VALUES (2, 'x', 'y', 'z'); INSERT INTO a VALUES (1)");
    await caughtUp(run);
    expect(rowsOf(run, 'b')).toEqual([
      { id: 1, t1: null, t2: null, t3: null },
      { id: 2, t1: 'x', t2: 'y', t3: 'z' },
    ]);
    expect(rowsOf(run, 'a')).toEqual([{ id: 1 }]);
  });
});

describe('configuration', () => {
  it('captures the tables that the lists ask for, by table, main.table or database.table', async () => {
    for (const name of ['orders', 'orders_old', 'items', 'people'])
      app.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, secret)`);
    const { run } = start({
      'table.include.list': 'Orders.*, main\\.items,shop\\.people',
      'table.exclude.list': 'orders_old',
      'column.exclude.list': 'people\\.secret',
    });
    await completed(run);
    expect([...run.tables.keys()].sort()).toEqual(['items', 'orders', 'people']);
    expect(run.tables.get('people')!.columns.map((c) => c.name)).toEqual(['id']);
    app.exec('INSERT INTO people VALUES (1, 2)');
    await caughtUp(run);
    expect(records(run)).toEqual(['c people {"id":1} {"id":1}']);
  });

  it('goes on without a table that was taken out of the list', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY)');
    const first = start().run;
    await completed(first);
    await first.stop();
    app.exec('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)');
    const second = start({ 'table.exclude.list': 'b' }, first.appends.at(-1)!.position).run;
    app.exec('INSERT INTO a VALUES (2)');
    await caughtUp(second);
    expect(records(second).map((text) => text.slice(0, 12))).toEqual(['c a {"id":1}', 'c a {"id":2}']);
    await expect
      .poll(() =>
        app.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'b'").pluck().get(),
      )
      .toBe(0);
  });

  it('reads a table again that was left out and is asked for again, without ghosts', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY)');
    app.exec('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)');
    const first = start().run;
    await completed(first);
    await first.stop();
    const second = start({ 'table.exclude.list': 'b' }, first.appends.at(-1)!.position).run;
    expect(await second.tableFailure()).toMatchObject({ code: 'detached' });
    app.exec('DELETE FROM b WHERE id = 2; INSERT INTO b VALUES (3); INSERT INTO a VALUES (2)');
    await caughtUp(second);
    await second.stop();
    const third = start({}, second.appends.at(-1)!.position).run;
    await completed(third);
    expect(records(third).filter((text) => text.includes(' b '))).toEqual([
      'r b {"id":1} {"id":1}',
      'r b {"id":3} {"id":3}',
      'd b {"id":2} gone',
    ]);
    app.exec('INSERT INTO b VALUES (4)');
    await caughtUp(third);
    expect(records(third).at(-1)).toBe('c b {"id":4} {"id":4}');
  });

  it('leaves a table without a key out, and refuses it when it is named', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE log (line TEXT)');
    const loose = await source().validate();
    expect(loose).toContainEqual(expect.objectContaining({ severity: 'warning', code: 'keyless-table' }));
    const named = await source({ 'table.include.list': 'log,a' }).validate();
    expect(named).toContainEqual(expect.objectContaining({ severity: 'error', code: 'keyless-table' }));
    expect(await start({ 'table.include.list': 'log,a' }).run.failure()).toMatchObject({ code: 'keyless-table' });
  });

  it('names the nearest table when the list matches none', async () => {
    app.exec('CREATE TABLE departments (id INTEGER PRIMARY KEY)');
    const [finding] = await source({ 'table.include.list': 'employees.department' }).validate();
    expect(finding).toMatchObject({ severity: 'error', code: 'filter-matches-nothing' });
    expect(finding!.hint).toContain('did you mean "departments"?');
  });

  it('asks for WAL mode, or sets it', async () => {
    app.pragma('journal_mode = DELETE');
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    expect(await source().validate()).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'source-misconfigured',
        hint: expect.stringContaining('PRAGMA journal_mode = WAL') as string,
      }),
    );
    expect(await start().run.failure()).toMatchObject({ code: 'source-misconfigured' });
    const { run } = start({ 'sqlite.journal.mode.wal': 'true' });
    await completed(run);
    const other = new Database(file);
    expect(other.pragma('journal_mode', { simple: true })).toBe('wal');
    other.close();
  });

  it('waits for a file that is not there yet, and for a lock', async () => {
    const later = join(folder, 'later.db');
    const { run } = start({ 'database.file': later });
    await expect.poll(() => run.states.some((state) => state.phase === 'waiting')).toBe(true);
    const made = new Database(join(folder, 'making.db'));
    made.pragma('journal_mode = WAL');
    made.exec('CREATE TABLE a (id INTEGER PRIMARY KEY)');
    made.close();
    renameSync(join(folder, 'making.db'), later);
    await completed(run);
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); BEGIN IMMEDIATE');
    const locked = start().run;
    await expect.poll(() => locked.states.some((state) => state.reason?.includes('locked'))).toBe(true);
    app.exec('COMMIT');
    await completed(locked);
  });

  it('takes no file in which a service keeps its log and its rows, under whatever name', async () => {
    const store = openDatabase(join(folder, 'copy.db'));
    createStoreTables(store);
    store.close();
    const refusal = { code: 'not-allowed', place: { path: 'database.file' } };
    const copy = { 'database.file': join(folder, 'copy.db') };
    await expect(source(copy).validate()).rejects.toMatchObject(refusal);
    await expect(start(copy).run.failure()).resolves.toMatchObject(refusal);
  });

  it('rejects validate when there is no file', async () => {
    await expect(source({ 'database.file': join(folder, 'none.db') }).validate()).rejects.toMatchObject({
      code: 'source-unreachable',
    });
  });

  it.each([
    [{ 'snapshot.mode': 'always' }, 'snapshot.mode'],
    [{ 'poll.interval.ms': 'soon' }, 'poll.interval.ms'],
    [{ 'table.include.list': 'a(' }, 'table.include.list'],
    [{ 'sqlite.timestamp.unit': 'days' }, 'sqlite.timestamp.unit'],
  ])('refuses %j', (config, property) => {
    expect(() => source(config)).toThrow(
      expect.objectContaining({ code: 'bad-connector-config', place: { path: property } }),
    );
  });
});

describe('values that do not fit', () => {
  it('make their table stand still, with table, column, key and storage class', async () => {
    app.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, n INT); INSERT INTO a VALUES (7, 'seven')");
    expect(await start().run.tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      message: 'table a, column n: a value of storage class TEXT does not fit BIGINT (declared INT)',
      detail: 'the row with id = 7 holds "seven"',
    });
  });

  it('are text where the option says so', async () => {
    app.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, n INT); INSERT INTO a VALUES (7, 'seven'), (8, 8), (9, x'ff')");
    const { run } = start({ 'sqlite.type.mismatch': 'text' });
    await completed(run);
    expect(rowsOf(run, 'a').map((row) => row['n'])).toEqual(['seven', '8', "X'FF'"]);
  });

  it('make it stand still for NULL in a primary key', async () => {
    app.exec('CREATE TABLE a (k TEXT PRIMARY KEY); INSERT INTO a VALUES (NULL)');
    expect(await start().run.tableFailure()).toMatchObject({ code: 'unconvertible-value' });
  });
});
