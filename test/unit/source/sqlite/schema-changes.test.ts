// What an application does to the schema of its file while it is captured: nothing of it is refused because of capture, and capture goes
// on with each table as it is now. Beside the property test, which looks for what nobody has thought of.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CapturedFile } from '../../../support/captured-file.js';
import { foldAppends, type SourceRun } from '../../../support/source-run.js';
import { Database } from '../../../support/sqlite-driver.js';

let captured: CapturedFile;
let app: Database;

beforeEach(() => {
  captured = new CapturedFile();
  ({ app } = captured);
  app.pragma('journal_mode = WAL');
});

afterEach(() => captured.close());

const start = (config: Record<string, string> = {}, position: string | null = null) =>
  captured.start(config, position).run;
const kinds = (run: SourceRun) => run.appends.flatMap(({ control }) => (control ? [control.kind] : []));
const completed = (run: SourceRun, times = 1) =>
  run.until(
    () => kinds(run).filter((kind) => kind === 'snapshot-completed').length >= times,
    `table ${times} that is read`,
  );
const called = (run: SourceRun) =>
  run.appends.flatMap(({ control }) => (control?.kind === 'tables-called' ? control.tables : []));
const rowsOf = (runs: readonly SourceRun[], table: string) =>
  [
    ...(foldAppends(runs.flatMap(({ appends }) => appends))
      .get(table)
      ?.values() ?? []),
  ].map((text) => JSON.parse(text) as Record<string, unknown>);
const inFile = (table: string) => app.prepare(`SELECT * FROM ${table}`).all();
const same = (runs: readonly SourceRun[], table: string) =>
  runs.at(-1)!.until(() => {
    const [ours, theirs] = [rowsOf(runs, table), inFile(table)].map((rows) =>
      rows.map((row) => JSON.stringify(row)).sort(),
    );
    return String(ours) === String(theirs);
  }, `table ${table} as it is in the file`);

const schema =
  "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, t TEXT); INSERT INTO a VALUES (1, 10, 'x'), (2, 20, 'y')";
const rebuilt = (columns: string, select: string) =>
  `CREATE TABLE b2 (${columns}); INSERT INTO b2 ${select}; DROP TABLE a; ALTER TABLE b2 RENAME TO a`;

describe('a captured table', () => {
  it.each([
    ['ADD COLUMN', "ALTER TABLE a ADD COLUMN m TEXT DEFAULT 'new'", 'its columns have changed'],
    ['RENAME COLUMN', 'ALTER TABLE a RENAME COLUMN n TO m', 'its columns have changed'],
    ['DROP COLUMN', 'ALTER TABLE a DROP COLUMN n', 'its columns have changed'],
    ['ADD and DROP COLUMN', 'ALTER TABLE a ADD COLUMN m; ALTER TABLE a DROP COLUMN t', 'its columns have changed'],
    ['CREATE UNIQUE INDEX', 'CREATE UNIQUE INDEX i ON a (n)', 'its primary key or a unique index has changed'],
    [
      'another type',
      `BEGIN; ${rebuilt('id INTEGER PRIMARY KEY, n TEXT, t TEXT', 'SELECT * FROM a WHERE id > 1')}; COMMIT`,
      'its columns have changed',
    ],
    [
      'the same, built anew with fewer rows',
      rebuilt('id INTEGER PRIMARY KEY, n INT, t TEXT', 'SELECT * FROM a WHERE id > 1'),
      'it was built anew, without its triggers',
    ],
    ['a dropped trigger', 'DROP TRIGGER _wt_shop_t1_update', 'it was built anew, without its triggers'],
  ])('is followed through %s, with its rows and its later changes', async (_name, ddl, cause) => {
    app.exec(schema);
    const run = start({ 'table.include.list': 'a' });
    await completed(run);
    app.exec("UPDATE a SET t = 'z' WHERE id = 1");
    app.exec(ddl);
    app.exec('INSERT INTO a (id) VALUES (5)');
    await completed(run, 2);
    await same([run], 'a');
    expect(called(run)).toEqual([{ table: 'shop.a', cause }]);
    app.exec('INSERT INTO a (id) VALUES (6); DELETE FROM a WHERE id = 2');
    await same([run], 'a');
    expect(kinds(run)).toEqual(['snapshot-completed', 'tables-called', 'snapshot-completed']);
  });

  it('is followed when all that happens while capture stands', async () => {
    app.exec(schema);
    const first = start();
    await completed(first);
    await first.stop();
    app.exec("INSERT INTO a VALUES (3, 30, 'z'); DELETE FROM a WHERE id = 1; ALTER TABLE a DROP COLUMN n");
    app.exec('CREATE TABLE c (id INTEGER PRIMARY KEY); INSERT INTO c VALUES (7)');
    const second = start({}, first.appends.at(-1)!.position);
    await completed(second);
    await same([first, second], 'a');
    await same([first, second], 'c');
    // What was recorded in front of the change is told as it was then.
    expect(second.appends[0]!.records.map(({ op, key }) => `${op} ${key}`)).toEqual(['c {"id":3}', 'd {"id":1}']);
  });

  const undone = [
    [
      'a unique index',
      "CREATE UNIQUE INDEX i ON a (n); INSERT OR REPLACE INTO a VALUES (3, 10, 'z'); DROP INDEX i; VACUUM",
    ],
    [
      'a new name of a column',
      "ALTER TABLE a RENAME COLUMN t TO m; UPDATE a SET m = 'z'; ALTER TABLE a RENAME COLUMN m TO t",
    ],
  ];
  it.each(undone)(
    'is read again when it was written under %s that is undone before capture looks',
    async (_name, sql) => {
      app.exec(`${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY)`);
      const run = start();
      await completed(run);
      app.exec(sql);
      await same([run], 'a');
      await completed(run, 2);
      expect(called(run).map(({ table }) => table)).toEqual(['shop.a']);
    },
  );

  it.each(undone)('is read again when that was so while capture stood: %s', async (_name, sql) => {
    app.exec(schema);
    const first = start();
    await completed(first);
    await first.stop();
    app.exec(sql);
    const second = start({}, first.appends.at(-1)!.position);
    await completed(second);
    expect(called(second).map(({ table }) => table)).toEqual(['shop.a']);
    await same([first, second], 'a');
  });

  it('is not read again for what does not concern its rows', async () => {
    app.exec(schema);
    const run = start();
    await completed(run);
    app.exec('CREATE INDEX i ON a (n); CREATE VIEW v AS SELECT * FROM a; ANALYZE; DROP INDEX i; DROP VIEW v');
    app.exec('CREATE TRIGGER own AFTER INSERT ON a BEGIN UPDATE a SET n = 0 WHERE id = NEW.id; END; VACUUM; REINDEX');
    const looks = run.confirmed.length;
    await vi.waitFor(() => expect(run.confirmed.length).toBeGreaterThan(looks + 1), 10_000);
    app.exec("INSERT INTO a VALUES (3, 5, 'z')");
    await same([run], 'a');
    app.exec("CREATE INDEX j ON a (t); INSERT INTO a VALUES (4, 5, 'z')");
    await same([run], 'a');
    expect(kinds(run)).toEqual(['snapshot-completed']);
  });

  it.each([
    ['DROP TABLE', 'DROP TABLE a'],
    ['RENAME', 'ALTER TABLE a RENAME TO z'],
  ])('loses its rows with %s, and goes on when there is one of its name again', async (_name, ddl) => {
    app.exec(schema);
    const run = start();
    await completed(run);
    app.exec(ddl);
    await run.until(() => rowsOf([run], 'a').length === 0, 'the deletes');
    if (ddl.includes('RENAME')) await same([run], 'z');
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, other TEXT); INSERT INTO a VALUES (9, NULL)');
    await same([run], 'a');
    app.exec("UPDATE a SET other = 'x'");
    await same([run], 'a');
  });

  it('without a key is left out alone, also when it is made by CREATE TABLE AS SELECT, or loses its key', async () => {
    app.exec(`${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY)`);
    const run = start();
    await completed(run);
    app.exec('CREATE TABLE copied AS SELECT * FROM a');
    app.exec(rebuilt('id INT, n INT, t TEXT', 'SELECT * FROM a'));
    expect(await run.tableFailure()).toMatchObject({ code: 'keyless-table' });
    app.exec('INSERT INTO other VALUES (1)');
    await same([run], 'other');
    expect(run.tables.has('copied')).toBe(false);
    app.exec(rebuilt('id INTEGER PRIMARY KEY, n INT, t TEXT', 'SELECT * FROM a WHERE id = 2'));
    await same([run], 'a');
  });

  it.each([
    ['cannot be captured any more', rebuilt('id INT, n INT, t TEXT', 'SELECT * FROM a'), 'DROP TABLE a'],
    ['has a value that does not fit', "UPDATE a SET n = 'many' WHERE id = 1", 'ALTER TABLE a RENAME TO z'],
  ])('that stands still since it %s loses its rows with the table', async (_name, refused, ddl) => {
    app.exec(schema);
    const first = start();
    await completed(first);
    app.exec(refused);
    await first.tableFailure();
    expect(rowsOf([first], 'a')).toHaveLength(2);
    await first.stop();
    const second = start({}, first.appends.at(-1)!.position);
    app.exec(ddl);
    await second.until(() => rowsOf([first, second], 'a').length === 0, 'the deletes');
  });

  it('that loses its key between being called for and being read stands still, and nothing waits for it', async () => {
    app.exec(`${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY)`);
    const first = start();
    await completed(first);
    app.exec('ALTER TABLE a ADD COLUMN m');
    await first.until(() => called(first).length > 0, 'the call');
    await first.stop();
    app.exec(rebuilt('id INT, n INT, t TEXT, m', 'SELECT * FROM a'));
    const call = first.appends.find(({ control }) => control?.kind === 'tables-called')!;
    const second = start({}, call.position);
    expect(await second.tableFailure()).toMatchObject({ code: 'keyless-table' });
    await vi.waitFor(() => expect(second.confirmed).not.toEqual([]), 10_000);
  });

  it('is followed where another connection has attached the file, and in every form of table', async () => {
    app.exec(`CREATE TABLE w (k TEXT PRIMARY KEY, n INT, twice INT AS (n * 2) STORED, thrice INT AS (n * 3)) WITHOUT ROWID;
      CREATE TABLE s (id INTEGER PRIMARY KEY, v ANY, t TEXT NOT NULL) STRICT;
      CREATE TABLE child (id INTEGER PRIMARY KEY, up INT REFERENCES s ON DELETE CASCADE);
      INSERT INTO w VALUES ('a', 1); INSERT INTO s VALUES (1, 'v', 't'); INSERT INTO child VALUES (1, 1), (2, 1)`);
    const run = start();
    await completed(run);
    const other = new Database(join(captured.folder, 'other.db'));
    other.pragma('foreign_keys = ON');
    other.exec(`ATTACH '${captured.file}' AS shop; ALTER TABLE shop.w ADD COLUMN m INT DEFAULT 3`);
    other.exec("INSERT OR REPLACE INTO shop.w (k, n) VALUES ('a', 5), ('b', 6); DELETE FROM shop.s");
    other.close();
    for (const table of ['w', 's', 'child']) await same([run], table);
    expect(rowsOf([run], 'w')[0]).toMatchObject({ n: 5, twice: 10, thrice: 15, m: 3 });
    expect(rowsOf([run], 'child')).toEqual([]);
  });
});

describe('a column that the application drops', () => {
  it('is dropped at once, and what is written before capture looks again fails nothing and misses nothing', () => {
    app.exec(
      `CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, t TEXT, "odd ""one" BLOB, u INT); CREATE UNIQUE INDEX i ON a (u)`,
    );
    app.exec("INSERT INTO a VALUES (1, 10, 'x', x'00', 1), (2, 20, 'y', NULL, 2)");
    const run = start();
    return completed(run).then(async () => {
      app.exec('BEGIN; DROP INDEX i; ALTER TABLE a DROP COLUMN u; ALTER TABLE a DROP COLUMN "odd ""one"');
      app.exec("INSERT OR REPLACE INTO a VALUES (2, 21, 'yy'), (3, 30, 'z'); UPDATE a SET id = 9, n = 0 WHERE id = 1");
      app.exec('ALTER TABLE a DROP COLUMN n; DELETE FROM a WHERE id = 2; ALTER TABLE a DROP COLUMN t; COMMIT');
      await same([run], 'a');
      expect(rowsOf([run], 'a')).toEqual([{ id: 3 }, { id: 9 }]);
    });
  });
});

describe('a table with a value that does not fit', () => {
  it('stands still alone, from its change on, and goes on by itself when its row is corrected', async () => {
    app.exec(`${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY)`);
    const run = start();
    await completed(run);
    app.exec(
      "UPDATE a SET t = 'before' WHERE id = 1; UPDATE a SET n = 'many' WHERE id = 2; DELETE FROM a WHERE id = 1",
    );
    app.exec('INSERT INTO other VALUES (1)');
    expect(await run.tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      message: 'table a, column n: a value of storage class TEXT does not fit BIGINT (declared INT)',
    });
    await same([run], 'other');
    expect(rowsOf([run], 'a')).toEqual([
      { id: 1, n: 10, t: 'before' },
      { id: 2, n: 20, t: 'y' },
    ]);
    app.exec('UPDATE a SET n = 7 WHERE id = 2; INSERT INTO other VALUES (2)');
    await same([run], 'a');
    expect(called(run)).toEqual([{ table: 'shop.a', cause: 'rows of it have changed since it stands still' }]);
    await same([run], 'other');
  });

  it('does not keep the others from being read the first time, and is tried again at the next start', async () => {
    app.exec(
      `${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (1); UPDATE a SET n = 'x'`,
    );
    const first = start();
    await completed(first);
    expect(kinds(first)).toEqual(['table-failed', 'snapshot-completed']);
    await same([first], 'other');
    await first.stop();
    const position = first.appends.at(-1)!.position;
    const second = start({}, position);
    expect(await second.tableFailure()).toMatchObject({ code: 'unconvertible-value' });
    await second.stop();
    const third = start({ 'sqlite.text.columns': 'a\\.n' }, second.appends.at(-1)!.position);
    await same([first, second, third], 'a');
  });
});

describe('a table that is asked for', () => {
  it('is read again in place, and whoever asked hears of it when that is durable', async () => {
    app.exec(`${schema}; CREATE TABLE other (id INTEGER PRIMARY KEY)`);
    const { connector, run } = captured.start();
    await completed(run);
    await expect(connector.snapshot!({ tables: ['A'] })).resolves.toEqual(['shop.a']);
    expect(called(run)).toEqual([{ table: 'shop.a', cause: 'it was asked for' }]);
    await completed(run, 2);
    expect(run.appends.flatMap(({ records }) => records.filter(({ op }) => op === 'r'))).toHaveLength(4);
    await expect(connector.snapshot!({ tables: [] })).resolves.toEqual(['shop.a', 'shop.other']);
    await completed(run, 3);
    app.exec('UPDATE a SET n = 5');
    await same([run], 'a');
    await expect(connector.snapshot!({ tables: ['b'] })).rejects.toMatchObject({ code: 'unknown-table' });
    await expect(connector.snapshot!({ tables: ['a'], where: 'id = 1' })).rejects.toMatchObject({
      code: 'bad-request',
    });
  });

  it('is read although snapshot.mode said that none was', async () => {
    app.exec(schema);
    const { connector, run } = captured.start({ 'snapshot.mode': 'no_data' });
    await completed(run);
    await connector.snapshot!({ tables: ['shop\\..*'] });
    await same([run], 'a');
  });
});

it('reads everything again in place when its position was given up', async () => {
  app.exec(`${schema}; CREATE TABLE gone (id INTEGER PRIMARY KEY); INSERT INTO gone VALUES (1)`);
  const first = start();
  await completed(first);
  await first.stop();
  app.exec('DROP TABLE gone; DELETE FROM a WHERE id = 1');
  const second = captured.start({}, null, { after: first }).run;
  await completed(second);
  await same([first, second], 'a');
  await second.until(() => rowsOf([first, second], 'gone').length === 0, 'the deletes');
  expect(called(second)).toEqual([{ table: 'shop.a', cause: 'the place in the file was given up' }]);
});
