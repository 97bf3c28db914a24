// Push queries over a whole engine.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.js';
import { toAppError } from '../../../src/core/errors.js';
import { PushQueries } from '../../../src/query/push.js';
import { Slices } from '../../../src/query/slices.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import { TestEngine } from '../../support/engine.js';
import { alwaysCurrent } from '../../support/ages.js';

let engine: TestEngine;
let push: PushQueries;
beforeEach(async () => {
  engine = await new TestEngine().open();
  const subscriptions = new Subscriptions(engine.reader, alwaysCurrent, silentLogger);
  engine.onCommitted = () => subscriptions.wake();
  push = new PushQueries(engine.reader, subscriptions, false);
  await engine.capture('people');
  await engine.write([person(1, 'Ada')]);
});
afterEach(() => engine.remove());

const person = (id: number, name: string | null) => ({
  table: 'people',
  key: id,
  row: name === null ? null : { id, name },
});

it('gives the current rows, then changes; a row that leaves the filter, or is deleted, is a tombstone', async () => {
  const answer = push.open(
    "SELECT id, name FROM people WHERE name <> 'x' EMIT CHANGES LIMIT 4;",
    {},
    new AbortController().signal,
  )!;
  const got: string[] = [];
  const writes = [person(2, 'Eve'), person(1, 'x'), person(2, null)];
  for await (const rows of answer.rows) {
    for (const { values, tombstone } of rows) got.push(tombstone ? `gone ${values}` : values);
    const next = writes.shift();
    if (next) await engine.write([next]);
  }
  expect(got).toEqual(['1,"Ada"', '2,"Eve"', 'gone 1,null', 'gone 2,null']);
  expect(answer.endReason?.()).toBe('limit');
});

it('tests the row that was with its own ROWTIME: what leaves a filter on time is a tombstone', async () => {
  const at = (ms: number) => ms * 1000;
  const border = 1_767_000_001_000;
  await engine.write([person(1, 'Ada')], undefined, at(border - 500));
  const answer = push.open(
    `SELECT id, name FROM people WHERE ROWTIME < ${border} EMIT CHANGES LIMIT 3;`,
    {},
    new AbortController().signal,
  )!;
  const got: string[] = [];
  const writes = [
    () => engine.write([person(1, 'Eve')], undefined, at(border + 500)),
    () => engine.write([person(1, 'Bob')], undefined, at(border + 900)),
    () => engine.write([person(2, 'Kim')], undefined, at(border - 100)),
  ];
  for await (const rows of answer.rows) {
    for (const { values, tombstone } of rows) got.push(tombstone ? `gone ${values}` : values);
    // The second is neither before nor behind in the filter, so nothing comes of it.
    for (const next of writes.splice(0, got.length === 1 ? 1 : 2)) await next();
  }
  expect(got).toEqual(['1,"Ada"', 'gone 1,null', '2,"Kim"']);
});

it('ends by its id, or with its caller, and is forgotten even when nobody asked for its rows', async () => {
  const caller = new AbortController();
  const sql = 'SELECT * FROM people EMIT CHANGES;';
  const unread = push.open(sql, {}, caller.signal)!;
  caller.abort();
  expect(push.close(unread.queryId)).toBe(false);
  const read = push.open(sql, { 'auto.offset.reset': 'latest' }, new AbortController().signal)!;
  const rows = read.rows[Symbol.asyncIterator]();
  const first = rows.next();
  expect(push.close(read.queryId)).toBe(true);
  expect((await first).done).toBe(true);
  expect(push.close(read.queryId)).toBe(false);
});

it('tells a source that is not there, and what it cannot run', () => {
  const codeOf = (sql: string) => {
    try {
      push.open(sql, {}, new AbortController().signal);
      return 'ok';
    } catch (error) {
      return toAppError(error).code;
    }
  };
  expect(codeOf('SELECT * FROM nobody EMIT CHANGES;')).toBe('unknown-table');
  expect(codeOf('SELECT name, COUNT(*) FROM people GROUP BY name EMIT CHANGES;')).toBe('unsupported-statement');
  expect(codeOf('SELECT * FROM people EMIT CHANGES; SELECT * FROM people;')).toBe('bad-request');
});

it('lets the event loop turn between two rows once its slice is used up, all queries together', async () => {
  const rowCount = 60;
  await engine.write(Array.from({ length: rowCount - 1 }, (_, i) => person(2 + i, 'Eve')));
  const subscriptions = new Subscriptions(engine.reader, alwaysCurrent, silentLogger);
  // No row fits into a slice of nothing.
  const sliced = new PushQueries(engine.reader, subscriptions, false, new Slices(0));
  const caller = new AbortController();
  let given = 0;
  const read = async (where: string) => {
    const sql = `SELECT id FROM people WHERE ${where} EMIT CHANGES LIMIT ${rowCount};`;
    for await (const rows of sliced.open(sql, {}, caller.signal)!.rows) given += rows.length;
  };
  const queries = [read('id > 0'), read('id > 0'), read("name = 'nobody'")];
  /** Rows that were given in each turn. */
  const perTurn: number[] = [];
  const deadline = Date.now() + 15_000;
  while (given < 2 * rowCount && Date.now() < deadline) {
    const before = given;
    await new Promise((resolve) => setImmediate(resolve));
    perTurn.push(given - before);
  }
  caller.abort();
  await Promise.all(queries);
  expect(given).toBe(2 * rowCount);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
});

it('gives every query its turn, in order, and one slice in each', async () => {
  const slices = new Slices(60_000);
  expect(slices.over()).toBe(false);
  const used = new Slices(0);
  used.over();
  expect(used.over()).toBe(true);
  const order: string[] = [];
  const work = async (name: string) => {
    for (let i = 0; i < 3; i++) {
      await used.next();
      order.push(name);
    }
  };
  await Promise.all([work('a'), work('b'), work('c')]);
  expect(order.join('')).toBe('abcabcabc');
});

it('gives NULL for what would become too large, and ends with a row that cannot be given', async () => {
  await engine.write([person(1, 'e'.repeat(20))]);
  const all = async (sql: string) => {
    const got: string[] = [];
    for await (const rows of push.open(sql, {}, new AbortController().signal)!.rows)
      got.push(...rows.map(({ values }) => values));
    return got;
  };
  const doubled = `${'REPLACE('.repeat(28)}name${", 'e', 'ee')".repeat(28)}`;
  expect(await all(`SELECT id, ${doubled} AS x FROM people EMIT CHANGES LIMIT 1;`)).toEqual(['1,null']);
  const long = 'a'.repeat(300_000);
  await engine.write([person(1, long)]);
  expect(await all('SELECT id, LEN(name) AS n FROM people EMIT CHANGES LIMIT 1;')).toEqual(['1,300000']);
  const wide = `SELECT ${Array.from({ length: 60 }, (_, i) => `name AS c${i}`).join()} FROM people EMIT CHANGES LIMIT 1;`;
  await expect(all(wide)).rejects.toMatchObject({ code: 'result-too-large' });
});
