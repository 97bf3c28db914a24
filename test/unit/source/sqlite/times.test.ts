// Times behind the second: what a framework writes by default is captured whole, a captured table keeps its unit, and what does
// not fit says why.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapturedFile } from '../../../support/captured-file.js';
import { completed, type SourceRun } from '../../../support/source-run.js';
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

const start = (config: Record<string, string> = {}, position: string | null = null): SourceRun =>
  captured.start(config, position).run;

const rows = (run: SourceRun) => run.appends.flatMap((a) => a.records.map((r) => JSON.parse(r.value!) as unknown));
const digitsOf = (run: SourceRun, table: string) =>
  run.tables.get(table)!.columns.flatMap(({ type }) => ('digits' in type ? [type.digits] : []));

/** Makes the installation one from before digits were recorded. */
const forgetDigits = () => app.exec('ALTER TABLE _wt_shop_tables DROP COLUMN digits');

describe('a column that declares no precision', () => {
  it('holds six digits, as Django and SQLAlchemy write them, in snapshot and stream', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, at datetime NOT NULL, day_time TIME, up TIMESTAMP)');
    const insert = app.prepare('INSERT INTO a (at, day_time, up) VALUES (?, ?, ?)');
    insert.run('2024-05-06 07:08:09.123456', '07:08:09.123456', '2024-05-06 07:08:09');
    const run = start();
    await completed(run);
    insert.run('2024-05-06 07:08:09.123457', null, '2024-05-06T07:08:09.5Z');
    await run.until(() => rows(run).length === 2, 'the streamed row');
    expect(rows(run)).toEqual([
      { id: 1, at: 1714979289123456, day_time: 25689123456, up: 1714979289000000 },
      { id: 2, at: 1714979289123457, day_time: null, up: 1714979289500000 },
    ]);
    expect(digitsOf(run, 'a')).toEqual([6, 6, 6]);
  });

  it('holds three where sqlite.timestamp.digits says so; a declared precision counts before it', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x DATETIME, y DATETIME(6), z TIME(3))');
    app.exec("INSERT INTO a VALUES (1, '1970-01-01 00:00:01', '1970-01-01 00:00:01', '00:00:01')");
    const run = start({ 'sqlite.timestamp.digits': '3' });
    await completed(run);
    expect(rows(run)).toEqual([{ id: 1, x: 1000, y: 1_000_000, z: 1000 }]);
  });
});

describe('a table that is captured', () => {
  it('keeps milliseconds when it was captured before digits were recorded; a table that comes later has six', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME)');
    const first = start({ 'sqlite.timestamp.digits': '3' });
    await completed(first);
    await first.stop();
    forgetDigits();
    app.exec("INSERT INTO a VALUES (1, '1970-01-01 00:00:01.5')");
    app.exec('CREATE TABLE b (id INTEGER PRIMARY KEY, at DATETIME)');
    const second = start({}, first.appends.at(-1)!.position!.replace(/,"schema":\d+/, ''));
    await completed(second);
    expect(rows(second)).toEqual([{ id: 1, at: 1500 }]);
    expect([digitsOf(second, 'a'), digitsOf(second, 'b')]).toEqual([[3], [6]]);
    await second.stop();
    const third = start({}, second.appends.at(-1)!.position);
    app.exec("INSERT INTO b VALUES (1, '1970-01-01 00:00:01.000001')");
    await third.until(() => rows(third).length === 1, 'the row');
    expect([digitsOf(third, 'a'), digitsOf(third, 'b')]).toEqual([[3], [6]]);
  });

  it('keeps six when it was captured with them before digits were recorded', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME)');
    const config = { 'sqlite.timestamp.digits': '6' };
    const first = start(config);
    await completed(first);
    await first.stop();
    forgetDigits();
    const second = start(config, first.appends.at(-1)!.position);
    app.exec("INSERT INTO a VALUES (1, '1970-01-01 00:00:01.000001')");
    await second.until(() => rows(second).length === 1, 'the row');
    expect(rows(second)).toEqual([{ id: 1, at: 1_000_001 }]);
  });

  it('is rewound when an older copy from before digits were recorded comes back, which reading does not change', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME)');
    const first = start({ 'sqlite.timestamp.digits': '3' });
    await completed(first);
    await first.stop();
    forgetDigits();
    const copy = join(folder, 'copy.db');
    app.exec(`VACUUM INTO '${copy}'`);
    app.exec("INSERT INTO a VALUES (1, '1970-01-01 00:00:01')");
    const second = start({}, first.appends.at(-1)!.position);
    await second.until(() => rows(second).length === 1, 'the row');
    await second.stop();
    app.close();
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    renameSync(copy, file);
    app = new Database(file);
    app.pragma('journal_mode = WAL');
    const third = start({}, second.appends.at(-1)!.position);
    expect(await third.failure()).toMatchObject({ code: 'source-rewound' });
  });

  it('is read again in the other unit when that is asked for; one without such times does not care', async () => {
    app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME(6))');
    const first = start();
    await completed(first);
    await first.stop();
    const second = start({ 'sqlite.timestamp.digits': '3' }, first.appends.at(-1)!.position);
    app.exec("CREATE TABLE b (id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO b VALUES (1, '1970-01-01 00:00:01')");
    await completed(second);
    await second.stop();
    const third = start({ 'sqlite.timestamp.digits': '6' }, second.appends.at(-1)!.position);
    await completed(third);
    expect(digitsOf(third, 'b')).toEqual([6]);
    expect(rows(third)).toEqual([{ id: 1, at: 1_000_000 }]);
    expect(third.appends.flatMap(({ control }) => (control?.kind === 'tables-called' ? control.tables : []))).toEqual([
      { table: 'shop.b', cause: 'sqlite.timestamp.digits is 6 now' },
    ]);
  });
});

describe('a time that does not fit', () => {
  it.each([
    [
      'DATETIME',
      "'2024-05-06 07:08:09.123456789'",
      'a TEXT with 9 digits behind the second does not fit TIMESTAMP with 6',
      'write at most 6 digits, or read',
    ],
    [
      'DATETIME(3)',
      "'2024-05-06 07:08:09.123456'",
      'a TEXT with 6 digits behind the second does not fit TIMESTAMP with 3',
      'write at most 3 digits, declare the column with 6, or read',
    ],
    [
      'TIME',
      "'07:08:09.1234567+01:00'",
      'a TEXT with 7 digits behind the second does not fit TIME with 6',
      'write at most 6 digits',
    ],
    [
      'TIMESTAMP',
      "'2024-02-30 07:08:09'",
      'a TEXT that is not YYYY-MM-DD[ HH:MM[:SS[.digits]][Z|+HH:MM]], or no such day or time, does not fit TIMESTAMP',
      'correct the row',
    ],
    ['TIMESTAMP', '1714979289000', 'an INTEGER that is no time', 'sqlite.timestamp.unit=milliseconds'],
    ['DATE', '2460437', 'a value of storage class INTEGER does not fit DATE', 'write YYYY-MM-DD'],
  ])('says what it looks like and what can be done: %s, %s', async (declared, value, message, hint) => {
    app.exec(`CREATE TABLE a (id INTEGER PRIMARY KEY, at ${declared}); INSERT INTO a VALUES (1, ${value})`);
    expect(await start().tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      message: expect.stringContaining(`table a, column at: ${message}`) as string,
      hint: expect.stringContaining(hint) as string,
    });
  });

  it('names the setting where three digits were ours and not the declaration', async () => {
    app.exec(
      "CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO a VALUES (1, '2024-05-06 07:08:09.1234')",
    );
    expect(await start({ 'sqlite.timestamp.digits': '3' }).tableFailure()).toMatchObject({
      message: expect.stringContaining(
        'a TEXT with 4 digits behind the second does not fit TIMESTAMP with 3',
      ) as string,
      hint: expect.stringContaining('set sqlite.timestamp.digits=6') as string,
    });
  });
});
