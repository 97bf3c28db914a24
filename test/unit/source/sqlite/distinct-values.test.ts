// Values that are different in the file stay different here, or their table stands still: none is merged with another in silence.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapturedFile } from '../../../support/captured-file.js';
import { completed, foldAppends, type SourceRun } from '../../../support/source-run.js';
import type { Database } from '../../../support/sqlite-driver.js';

let captured: CapturedFile;
let app: Database;

beforeEach(() => {
  captured = new CapturedFile();
  ({ app } = captured);
});

afterEach(() => captured.close());

/** Not before: the encoding of a file is chosen while it is empty. */
function start(config: Record<string, string> = {}, position: string | null = null): SourceRun {
  app.pragma('journal_mode = WAL');
  return captured.start(config, position).run;
}

const rowsOf = (run: SourceRun) => [...(foldAppends(run.appends).get('a')?.values() ?? [])];

/** How a connector that runs, and then one whose snapshot has both, refuse the second value of a key. */
async function refuses(declared: string, kept: string, refused: string, config = {}): Promise<unknown[]> {
  app.exec(`CREATE TABLE a (k ${declared} PRIMARY KEY, v TEXT); INSERT INTO a (k) VALUES (${kept})`);
  const live = start(config);
  await completed(live);
  expect(rowsOf(live)).toHaveLength(1);
  app.exec(`INSERT INTO a (k) VALUES (${refused})`);
  const streamed = await live.tableFailure();
  const snapshot = await start(config).tableFailure();
  return [streamed, snapshot];
}

describe('a key', () => {
  it.each([
    ['DATETIME', "'2024-01-01 00:00:00'", "'2024-01-01'", 'is not in the form YYYY-MM-DD HH:MM:SS[.fff[fff]]'],
    ['DATETIME', "'2024-01-01 00:00:00'", "'2024-01-01T00:00:00Z'", 'is not in the form'],
    ['DATETIME', "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000'", 'is not in the form'],
    ['TIMESTAMP', "'2024-01-01 00:00:00.500'", "'2024-01-01 00:00:00.5'", 'is not in the form'],
    ['TIMESTAMP(6)', "'2024-01-01 00:00:00.500'", "'2024-01-01 00:00:00.500000'", 'is not in the form'],
    ['TIME', "'10:00:00'", "'10:00'", 'is not in the form HH:MM:SS[.fff[fff]]'],
    ['TIME', "'10:00:00.250'", "'10:00:00.25'", 'is not in the form'],
  ])('of type %s in another form makes its table stand still: %s and %s', async (declared, kept, refused, message) => {
    for (const error of await refuses(declared, kept, refused)) {
      expect(error).toMatchObject({
        code: 'unconvertible-value',
        message: expect.stringContaining(message) as string,
        hint: 'read the column as text: sqlite.text.columns=a\\.k',
      });
      const written = JSON.stringify(refused.slice(1, -1));
      expect(error).toMatchObject({ message: expect.stringContaining(`table a, column k: ${written} in`) as string });
    }
  });

  it.each([
    ['', '1', "'1'", 'TEXT'],
    ['', "'1'", '1', 'number'],
    ['', "'1.0'", '1.0', 'number'],
    ['TIMESTAMP', "'2024-01-01 00:00:00'", '1704067200', 'number'],
  ])(
    'declared as "%s" that mixes storage classes makes its table stand still: %s and %s',
    async (declared, kept, refused, found) => {
      const [streamed, snapshot] = await refuses(declared, kept, refused);
      expect(streamed).toMatchObject({
        code: 'unconvertible-value',
        message: expect.stringMatching(
          new RegExp(`^table a, column k: .* is a ${found} where the key held a `),
        ) as string,
      });
      expect(snapshot).toMatchObject({
        code: 'unconvertible-value',
        message: 'table a, column k: number and TEXT in one key column',
      });
    },
  );

  it('without a type is still known to hold one storage class when the connector was started again', async () => {
    app.exec('CREATE TABLE a (k PRIMARY KEY); INSERT INTO a VALUES (1)');
    const first = start();
    await completed(first);
    await first.stop();
    app.exec("INSERT INTO a VALUES ('1'); DELETE FROM a WHERE k = '1'");
    expect(await start({}, first.appends.at(-1)!.position).tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      message:
        'table a, column k: "1" in the primary key is a TEXT where the key held a number, and can have the same text as one',
    });
  });

  it('that is read as text keeps every form apart, but for a text that reads as a BLOB', async () => {
    app.exec(
      "CREATE TABLE a (k DATETIME PRIMARY KEY); INSERT INTO a VALUES ('2024-01-01'), ('2024-01-01 00:00:00'), (1704067200)",
    );
    const config = { 'sqlite.text.columns': 'a\\.k' };
    const run = start(config);
    await completed(run);
    expect(rowsOf(run)).toHaveLength(3);
    app.exec(`INSERT INTO a VALUES ('X''FF''')`);
    expect(await run.tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      message: expect.stringContaining('has the same text as a BLOB would have') as string,
    });
  });

  it('in the one form of its type is taken, and so is any form outside the key', async () => {
    app.exec(`CREATE TABLE a (d DATE, t TIME, s DATETIME, v DATETIME, PRIMARY KEY (d, t, s));
      INSERT INTO a VALUES ('2024-01-01', '10:00:00', datetime('2024-01-01'), '2024-01-01'),
        ('2024-01-01', '10:00:00.250', '2024-01-01 00:00:00.250', '2024-01-01T00:00Z')`);
    const run = start();
    await completed(run);
    expect(rowsOf(run)).toHaveLength(2);
  });
});

describe('TEXT that is not valid', () => {
  it.each([
    ['in the key', "CAST(X'ff' AS TEXT), 1", 'table a, column k', "X'ff'", 'table.exclude.list=a'],
    [
      'beside it',
      "'x', CAST(X'61f09f9862' AS TEXT)",
      'table a, column v',
      "X'61f09f9862'",
      'column.exclude.list=a\\.v',
    ],
  ])('%s makes its table stand still with its bytes', async (_name, values, place, bytes, hint) => {
    app.exec(
      "CREATE TABLE a (k TEXT PRIMARY KEY, v TEXT); INSERT INTO a VALUES ('a', 'b'), ('valid \uFFFD', '\uFFFD')",
    );
    const live = start();
    await completed(live);
    app.exec("UPDATE a SET v = '\uFFFD and more' WHERE k <> 'a'");
    app.exec(`INSERT INTO a VALUES (${values})`);
    for (const error of [await live.tableFailure(), await start().tableFailure()]) {
      expect(error).toMatchObject({
        code: 'unconvertible-value',
        message: `${place}: TEXT that is not valid UTF-8`,
        detail: expect.stringContaining(`holds the bytes ${bytes}`) as string,
        hint: expect.stringContaining(hint) as string,
      });
    }
  });

  it('is not what U+FFFD itself is, in any encoding of the file', async () => {
    app.pragma("encoding = 'UTF-16le'");
    app.exec("CREATE TABLE a (k TEXT PRIMARY KEY); INSERT INTO a VALUES ('é \uFFFD')");
    const run = start();
    await completed(run);
    app.exec("INSERT INTO a VALUES ('\uFFFD')");
    await run.until(() => rowsOf(run).length === 2, 'the change');
    expect(rowsOf(run)).toEqual(['{"k":"é \uFFFD"}', '{"k":"\uFFFD"}']);
    app.exec("INSERT INTO a VALUES (CAST(X'00D8' AS TEXT))");
    expect(await run.tableFailure()).toMatchObject({ message: 'table a, column k: TEXT that is not valid UTF-16le' });
  });

  it('is none in a column that is read as text either', async () => {
    app.exec("CREATE TABLE a (k INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, CAST(X'fe' AS TEXT))");
    expect(await start({ 'sqlite.type.mismatch': 'text' }).tableFailure()).toMatchObject({
      code: 'unconvertible-value',
      detail: "the row with k = 1 holds the bytes X'fe'",
    });
  });
});
