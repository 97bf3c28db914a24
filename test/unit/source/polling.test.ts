// The polling source over an SQLite file, which no server is needed for; the servers' side is in test/e2e/polling.test.ts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { behindPlace } from '../../../src/source/polling/pages.js';
import { dayText, timeText } from '../../../src/source/polling/time-bound.js';
import { handsOver, PolledFile, recordTexts } from '../../support/source/polled-file.js';
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

describe('mode incrementing', () => {
  it('reads rows with a higher number, each once, and goes on behind the last one', async () => {
    app.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, NULL), (2, NULL), (3, NULL)');
    const first = start({ mode: 'incrementing' });
    await completed(first);
    expect(recordTexts(first)).toEqual(['{"id":1,"v":null}', '{"id":2,"v":null}', '{"id":3,"v":null}']);
    app.exec("UPDATE t SET v = 'unseen' WHERE id = 1; INSERT INTO t VALUES (4, 'x')");
    await handsOver(first, '{"id":4,"v":"x"}');
    await first.stop();
    app.exec("INSERT INTO t VALUES (5, 'y')");
    const second = start({ mode: 'incrementing' });
    await handsOver(second, '{"id":5,"v":"y"}');
    expect(recordTexts(second)).toEqual(['{"id":5,"v":"y"}']);
    // Nothing is called fresh: deletes are not seen.
    expect(second.confirmed).toEqual([]);
  });
});

describe('mode timestamp', () => {
  const config = { mode: 'timestamp', 'timestamp.column.name': 'at' };
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

  it('loses no row of those that share a time, over pages and a restart', async () => {
    app.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME NOT NULL)');
    const insert = app.prepare('INSERT INTO t VALUES (?, ?)');
    for (let id = 1; id <= 7; id++) insert.run(8 - id, '2024-01-01 00:00:00');
    const first = start(config);
    await completed(first);
    await first.stop();
    // Two pages were durable when the process ended.
    const second = start(config, 2);
    await completed(second);
    const all = [
      ...first.appends.slice(0, 2).flatMap(({ records }) => records.map(({ key }) => key)),
      ...recordTexts(second),
    ];
    expect(all).toHaveLength(7);
    expect(recordTexts(first)).toHaveLength(7);
    expect(foldAppends([...first.appends.slice(0, 2), ...second.appends]).get('t')?.size).toBe(7);
  });

  it('waits until a second is over, so that a row that comes late in it is read too', async () => {
    app.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME NOT NULL)');
    const insert = app.prepare('INSERT OR REPLACE INTO t VALUES (?, ?)');
    const run = start(config);
    await completed(run);
    // Into the second at hand, the higher key first.
    while (Date.now() % 1000 > 500) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = at(Date.now());
    insert.run(2, second);
    await new Promise((resolve) => setTimeout(resolve, 50));
    insert.run(1, second);
    await run.until(() => recordTexts(run).length >= 2, 'both rows');
    expect(foldAppends(run.appends).get('t')?.size).toBe(2);
    insert.run(2, at(Date.now() - 1000));
    await run.until(() => recordTexts(run).length >= 3 || at(Date.now() - 1000) <= second, 'the change');
  });

  it('reads changed rows again, from timestamp.initial on, also where times are numbers or have a T', async () => {
    app.exec('CREATE TABLE n (id INTEGER PRIMARY KEY, at INTEGER NOT NULL); INSERT INTO n VALUES (1, 1000), (2, 2000)');
    app.exec(
      "CREATE TABLE z (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL); INSERT INTO z VALUES (1, '1970-01-01T00:20:00Z')",
    );
    const run = start({ ...config, 'timestamp.initial': '1100000' });
    await handsOver(run, '{"id":2,"at":2000}', '{"id":1,"at":1200000000}');
    app.exec('UPDATE n SET at = 3000 WHERE id = 1');
    await handsOver(run, '{"id":1,"at":3000}');
    expect(recordTexts(run)).toHaveLength(3);
  });

  it('wants a time that is never NULL, unless it is told otherwise, and names what is missing', async () => {
    app.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME)');
    expect(await source(config).validate()).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'bad-connector-config',
        object: 't',
        property: 'timestamp.column.name',
      }),
    );
    expect(await source({ ...config, 'validate.non.null': 'false' }).validate()).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'deletes-unseen' }),
    ]);
    expect(await start(config).failure()).toMatchObject({ code: 'bad-connector-config' });
    expect(() => source({ mode: 'timestamp' })).toThrow('timestamp.column.name');
  });
});

describe('mode bulk', () => {
  it('reads everything at each poll, and goes on where it was in the middle of it', async () => {
    app.exec('CREATE TABLE t (a TEXT, b INT, v INT, PRIMARY KEY (a, b)) WITHOUT ROWID');
    app.exec("INSERT INTO t VALUES ('x', 1, 0), ('x', 2, 0), ('y', 1, 0), ('y', 2, 0), ('y', 3, 0)");
    const first = start({ mode: 'bulk' });
    await completed(first);
    await first.stop();
    const second = start({ mode: 'bulk' }, 1);
    await completed(second);
    expect(recordTexts(second).slice(0, 3)).toEqual([
      '{"a":"y","b":1,"v":0}',
      '{"a":"y","b":2,"v":0}',
      '{"a":"y","b":3,"v":0}',
    ]);
    app.exec('UPDATE t SET v = 9');
    await second.until(
      () => [...foldAppends(second.appends).get('t')!.values()].filter((row) => row.endsWith('"v":9}')).length === 5,
      'the changes',
    );
  });
});

it('leaves tables without a key out, follows new columns and tables, and lets one bad table stand still', async () => {
  app.exec(
    'CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE log (line TEXT); CREATE TABLE bad (id INTEGER PRIMARY KEY, n INT)',
  );
  app.exec("INSERT INTO bad VALUES (1, 1), (2, 'two'), (3, 3)");
  const run = start({ mode: 'bulk', 'table.poll.interval.ms': '20' });
  expect(await run.tableFailure()).toMatchObject({ code: 'unconvertible-value' });
  app.exec(
    'ALTER TABLE t ADD COLUMN v INT DEFAULT 4; INSERT INTO t VALUES (1, 5); CREATE TABLE u (k TEXT PRIMARY KEY)',
  );
  app.exec("INSERT INTO u VALUES ('new')");
  await handsOver(run, '{"id":1,"v":5}', '{"k":"new"}');
  expect(run.tables.has('log')).toBe(false);
});

it('finds behind a place what comes after it in the order', () => {
  app.exec('CREATE TABLE t (a INT, b INT, c INT, PRIMARY KEY (a, b, c))');
  const insert = app.prepare('INSERT INTO t VALUES (?, ?, ?)');
  for (let i = 0; i < 27; i++) insert.run(Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3);
  const rows = (where: string) => app.prepare(`SELECT a, b, c FROM t ${where} ORDER BY a, b, c`).raw().all();
  const all = rows('');
  for (const [i, place] of all.entries())
    expect(rows(`WHERE ${behindPlace(['a', 'b', 'c'], (place as number[]).map(String))}`)).toEqual(all.slice(i + 1));
});

it('cuts moments down to what a column holds, in its zone', () => {
  const ms = Date.parse('2024-05-06T23:08:09.987Z');
  expect(timeText(ms, 'UTC', 0)).toBe('2024-05-06 23:08:09');
  expect(timeText(ms, 'UTC', 6)).toBe('2024-05-06 23:08:09.987000');
  expect(timeText(ms, 'Europe/Berlin', 3)).toBe('2024-05-07 01:08:09.987');
  expect(dayText(ms, 'Asia/Tokyo')).toBe('2024-05-07');
  expect(timeText(Date.parse('1969-12-31T23:59:59.999Z'), 'UTC', 1)).toBe('1969-12-31 23:59:59.9');
});
