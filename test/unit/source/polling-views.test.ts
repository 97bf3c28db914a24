// Views, and the query of the configuration, polled in an SQLite file; the servers' side is in test/e2e/polling-views.test.ts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statedKeysProperty, type StatedKey } from '../../../src/core/stated-key.js';
import { handsOver, PolledFile, recordTexts } from '../../support/source/polled-file.js';
import { keyed } from '../../support/source/stated-keys.js';
import { completed, foldAppends } from '../../support/source-run.js';
import type { Database } from '../../support/sqlite-driver.js';

let file: PolledFile;
let app: Database;

beforeEach(() => {
  file = new PolledFile();
  ({ app } = file);
});
afterEach(() => file.close());

const source = (config: Record<string, string>) => file.source(config);
const start = (config: Record<string, string>, kept?: number) => file.start(config, kept);

describe('a query', () => {
  const query = { query: 'SELECT o.id, o.n, c.name FROM o JOIN c ON c.id = o.c WHERE o.n > 0 -- joined', mode: 'bulk' };

  beforeEach(() => {
    app.exec(
      'CREATE TABLE c (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE o (id INTEGER PRIMARY KEY, c INT, n INT)',
    );
    app.exec(
      "INSERT INTO c VALUES (1, 'Ann'), (2, 'Ben'); INSERT INTO o VALUES (3, 1, 5), (1, 2, 6), (2, 1, 7), (4, 1, 0)",
    );
  });

  it('is one table, named by topic.prefix, with the types of the columns that it reads', async () => {
    // It is looked at again between two polls.
    const run = start({ ...query, ...keyed('id'), 'table.poll.interval.ms': '10' });
    await completed(run);
    expect(recordTexts(run).slice(0, 3)).toEqual([
      '{"id":1,"n":6,"name":"Ben"}',
      '{"id":2,"n":7,"name":"Ann"}',
      '{"id":3,"n":5,"name":"Ann"}',
    ]);
    expect(run.tables.get('polled')?.columns.map(({ type, nullable }) => [type.kind, nullable])).toEqual([
      ['BIGINT', false],
      ['BIGINT', true],
      ['STRING', true],
    ]);
    app.exec("UPDATE c SET name = 'Eve' WHERE id = 2");
    await handsOver(run, '{"id":1,"n":6,"name":"Eve"}');
  });

  it('has the types that CAST names', async () => {
    const casts = ['INTEGER', 'TEXT', 'REAL', 'BLOB', 'NUMERIC', 'DECIMAL(9, 2)'];
    const columns = casts.map((type, i) => `CAST(n AS ${type}) AS c${i}`);
    const config = { ...query, query: `SELECT id, ${columns.join(', ')} FROM o WHERE id = 1`, ...keyed('id') };
    const run = start(config);
    await completed(run);
    expect(run.tables.get('polled')?.columns.map(({ type }) => type.kind)).toEqual([
      'BIGINT',
      'BIGINT',
      'STRING',
      'DOUBLE',
      'BYTES',
      'DOUBLE',
      'DOUBLE',
    ]);
  });

  it('is asked for what is behind a place, in a mode that counts, over restarts; its key is then the column that counts', async () => {
    const config = { ...query, mode: 'incrementing', 'incrementing.column.name': 'id' };
    const first = start(config);
    await completed(first);
    await first.stop();
    expect(recordTexts(first)).toHaveLength(3);
    // The first part alone was durable.
    const second = start(config, 1);
    await completed(second);
    expect(recordTexts(second)).toEqual(['{"id":3,"n":5,"name":"Ann"}']);
    app.exec('INSERT INTO o VALUES (5, 1, 1)');
    await handsOver(second, '{"id":5,"n":1,"name":"Ann"}');
    expect(recordTexts(second)).toHaveLength(2);
  });

  it('is followed by its suffix, behind the order', async () => {
    const run = start({ ...query, mode: 'incrementing', 'incrementing.column.name': 'id', 'query.suffix': 'LIMIT 1' });
    await completed(run);
    await run.until(() => recordTexts(run).length >= 3, 'all rows');
    expect(run.appends.slice(0, 3).map(({ records }) => records.length)).toEqual([1, 1, 1]);
  });

  it('stands still aloud where its key does not tell rows apart, over the end of a part, too', async () => {
    const config = { ...query, query: 'SELECT * FROM (SELECT c AS k, id FROM o UNION ALL SELECT 9, 9)' };
    const twice = start({ ...config, ...keyed('k') });
    expect(await twice.tableFailure()).toMatchObject({
      code: 'keyless-table',
      message: 'rows of the query are not told apart by k',
    });
    expect(foldAppends(twice.appends).get('polled')).toBeUndefined();
    app.exec('DELETE FROM o; INSERT INTO o VALUES (1, 1, 1), (2, 2, 1), (3, 2, 1)');
    expect(await start({ ...config, ...keyed('k') }).tableFailure()).toMatchObject({ code: 'keyless-table' });
    const without = start({ ...query, query: 'SELECT NULL AS k, 1 AS n', ...keyed('k') });
    expect(await without.tableFailure()).toMatchObject({ code: 'unconvertible-value' });
  });

  it('tells text apart by its bytes, whatever the columns say', async () => {
    app.exec(
      "CREATE TABLE w (word TEXT COLLATE NOCASE, n INT); INSERT INTO w VALUES ('b', 1), ('A', 2), ('a', 3), ('B', 4), ('0', 5)",
    );
    const config = { ...query, query: 'SELECT * FROM w', ...keyed('word') };
    const run = start(config);
    await completed(run);
    await run.stop();
    expect(foldAppends(run.appends).get('polled')?.size).toBe(5);
    // Behind a place, too: the first part, which ends with 'A', alone was durable.
    const rest = start(config, 1);
    await completed(rest);
    expect(foldAppends([...run.appends.slice(0, 1), ...rest.appends]).get('polled')?.size).toBe(5);
  });

  it('is refused with what SQLite says, and needs a key, and nothing beside it', async () => {
    const problem = (config: Record<string, string>) => source({ ...query, ...config }).validate();
    await expect(problem({})).rejects.toMatchObject({
      code: 'keyless-table',
      message: 'nothing tells the rows of the query apart',
    });
    await expect(problem({ ...keyed('id'), query: 'SELECT nope FROM o' })).rejects.toMatchObject({
      code: 'bad-connector-config',
      message: expect.stringContaining('no such column: nope') as string,
      place: { path: 'query' },
    });
    await expect(problem({ ...keyed('id'), query: 'SELECT 1 AS id; DELETE FROM o' })).rejects.toMatchObject({
      code: 'bad-connector-config',
    });
    await expect(problem(keyed('nope'))).rejects.toMatchObject({
      message: 'the query has no column nope, which its key needs',
      hint: 'its columns are id, n, name',
    });
    expect(app.prepare('SELECT COUNT(*) AS n FROM o').get()).toEqual({ n: 4 });
    expect(() => source({ ...query, 'table.include.list': 'o' })).toThrow('asked instead of tables');
    expect(() => source({ mode: 'bulk', 'query.suffix': 'LIMIT 1' })).toThrow('no query');
    expect(await problem({ ...keyed('id'), query: 'SELECT id, COUNT(*) AS n FROM o GROUP BY id;\n' })).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        code: 'untyped-column',
        message: 'the query: SQLite tells no type of n, so what is there is read as text',
      }),
    );
  });
});

it('reads a table without a primary key, once its key is stated', async () => {
  app.exec('CREATE TABLE log (host TEXT, n INT, line TEXT, at DATETIME NOT NULL)');
  app.exec(
    "INSERT INTO log VALUES ('a', 1, 'x', '2024-01-01 00:00:00'), ('b', 1, 'y', '2024-01-01 00:00:00'), ('a', 2, 'z', '2024-01-01 00:00:00')",
  );
  const config = { mode: 'timestamp', 'timestamp.column.name': 'at' };
  expect((await source(config).validate()).map(({ code, object, severity }) => [severity, code, object])).toEqual([
    ['warning', 'keyless-table', 'log'],
    ['warning', 'deletes-unseen', undefined],
    ['error', 'filter-matches-nothing', undefined],
  ]);
  const run = start({ ...config, ...keyed('host', 'n') });
  await completed(run);
  expect([...foldAppends(run.appends).get('log')!.keys()]).toEqual([
    '{"host":"a","n":1}',
    '{"host":"a","n":2}',
    '{"host":"b","n":1}',
  ]);
  app.exec("INSERT INTO log VALUES ('a', 3, 'new', '2024-01-02 00:00:00')");
  await run.until((appends) => foldAppends(appends).get('log')!.size === 4, 'the new row');
  const twice = start({ mode: 'bulk', ...keyed('host') });
  expect(await twice.tableFailure()).toMatchObject({
    code: 'keyless-table',
    message: 'rows of table log are not told apart by host',
  });
});

it('lets a view stand still where text is no text', async () => {
  app.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, CAST(x'ff' AS TEXT))");
  app.exec('CREATE VIEW v AS SELECT * FROM t');
  const run = start({ mode: 'bulk', 'table.types': 'VIEW', ...keyed('id') });
  expect(await run.tableFailure()).toMatchObject({
    code: 'unconvertible-value',
    detail: expect.stringContaining("X'ff'") as string,
  });
});

describe('views', () => {
  it('are polled beside tables where they are asked for, those alone that have a key, and one that breaks stands still', async () => {
    app.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT, at DATETIME)');
    app.exec("INSERT INTO t VALUES (1, 'a', '2024-01-01 00:00:00'), (2, 'a', '2024-01-02 00:00:00')");
    app.exec(
      'CREATE VIEW sums AS SELECT g, CAST(SUM(id) AS INTEGER) AS total FROM t GROUP BY g; CREATE VIEW broken AS SELECT * FROM gone',
    );
    const config = { mode: 'bulk', ...keyed('g'), 'table.types': 'VIEW' };
    const findings = await source(config).validate();
    expect(findings.map(({ code, object }) => [code, object])).toEqual([
      ['unreadable-table', 'broken'],
      ['deletes-unseen', undefined],
    ]);
    const run = start(config);
    await handsOver(run, '{"g":"a","total":3}');
    expect([...run.tables.keys()]).toEqual(['sums']);
    app.exec("INSERT INTO t VALUES (3, 'b', NULL), (4, 'b', NULL)");
    await handsOver(run, '{"g":"b","total":7}');
    app.exec('DROP VIEW sums; CREATE VIEW sums AS SELECT g, nope AS total FROM t');
    expect(await run.tableFailure()).toMatchObject({ code: 'unreadable-table' });
  });

  it('are read by time, and have keys of their own by the name of their topic', async () => {
    app.exec('CREATE TABLE t (a INT, b INT, at DATETIME NOT NULL, PRIMARY KEY (a, b))');
    app.exec(
      "INSERT INTO t VALUES (1, 1, '2024-01-01 00:00:00'), (1, 2, '2024-01-01 00:00:00'), (1, 3, '2024-01-01 00:00:00')",
    );
    app.exec('CREATE VIEW one AS SELECT * FROM t; CREATE VIEW two AS SELECT b, at FROM t WHERE a = 1');
    const keys: StatedKey[] = [
      { topic: 'polledtwo', negate: false, fields: ['b'] },
      { topic: 'polledtwo', negate: true, fields: ['a', 'b'] },
    ];
    const run = start({
      mode: 'timestamp',
      'timestamp.column.name': 'at',
      'validate.non.null': 'false',
      'table.types': 'TABLE, VIEW',
      [statedKeysProperty]: JSON.stringify(keys),
    });
    await handsOver(run, '{"b":3,"at":1704067200000000}');
    expect(run.tables.get('one')?.keyColumns).toEqual([0, 1]);
    expect([...foldAppends(run.appends)].map(([name, held]) => [name, held.size])).toEqual([
      ['t', 3],
      ['one', 3],
      ['two', 3],
    ]);
    app.exec("UPDATE t SET at = '2024-01-02 00:00:00' WHERE b = 2");
    await handsOver(run, '{"b":2,"at":1704153600000000}');
  });
});
