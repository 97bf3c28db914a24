// A commit may be of any length, from a long transaction or from the swap of a rebuild with many differences: what it derives reaches
// feed and topic once and in order, in pieces of bounded size.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BIGINT, STRING } from '../../../src/core/data-type.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { TestEngine, until, type TestRow } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';

const columns = [
  { name: 'id', type: BIGINT },
  { name: 'name', type: STRING },
];
const count = 20_000;
const nameOf = (id: number) => `${id}`.padEnd(150, 'x');
const rows = Array.from({ length: count }, (_, id): TestRow => ({
  table: 'a',
  key: id,
  row: { id, name: nameOf(id) },
}));
const ids = rows.map(({ key }) => key);
/** A piece of what is derived, and of the feed, with what one more record may add. */
const pieceBytesMax = 1.1 * 1024 * 1024;

let engine: TestEngine;
beforeEach(async () => {
  poisonQueries();
  engine = await new TestEngine().open();
  await engine.capture('a', columns);
  await engine.run('CREATE TABLE t AS SELECT id, name FROM a;');
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
  vi.restoreAllMocks();
});

function query(sql: string) {
  const database = openDatabase(join(engine.folder, 'writethrough.db'), { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** What the feed of t tells behind a seq. */
function fed(after: number) {
  return engine.session((session) => {
    const { changes, rebuilt } = session.changes('t', { seq: after, index: Infinity }, 1e9);
    return { ids: changes.map((change) => change.after?.[0]), indexes: changes.map(({ index }) => index), rebuilt };
  });
}

async function newestOfTopic() {
  const { topic } = (await engine.api.topics())
    .map(({ name }) => ({ topic: name }))
    .find(({ topic }) => /^t$/i.test(topic))!;
  const records = [];
  for (let offset = 0; ;) {
    const part = await engine.api.readTopic(topic, 0, offset, 1000);
    if (part.length === 0) break;
    records.push(...part);
    offset = Number(part.at(-1)!.offset) + 1;
  }
  return records.slice(-count);
}

async function expectDerived(): Promise<void> {
  const records = await newestOfTopic();
  expect(records.map(({ offset }) => Number(offset) - Number(records[0]!.offset))).toEqual(ids);
  expect(records.map(({ key }) => Number(key))).toEqual(ids);
  const [largest, all] = query('SELECT max(bytes), sum(bytes) FROM wt_batch WHERE derived = 1')[0]!;
  expect(Number(all)).toBeGreaterThan(2 * pieceBytesMax);
  expect(Number(largest)).toBeLessThan(pieceBytesMax);
  expect(Number(query('SELECT max(bytes) FROM wt_feed')[0]![0])).toBeLessThan(pieceBytesMax);
}

it('a long transaction', { timeout: 60_000 }, async () => {
  const before = engine.session(({ frontier }) => frontier.seq);
  await engine.write(rows);
  expect(fed(before)).toEqual({ ids, indexes: ids, rebuilt: [] });
  await expectDerived();
});

it('a swap with many differences', { timeout: 60_000 }, async () => {
  await engine.write([{ table: 'a', key: count, row: { id: count, name: 'poison t' } }]);
  await engine.write([{ table: 'a', key: count, row: null }, ...rows]);
  const before = engine.session(({ frontier }) => frontier.seq);
  await engine.api.rebuild('t');
  await until(async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'), 'rebuilt');
  const { rebuilt, ...changes } = fed(before);
  expect(changes).toEqual({ ids, indexes: ids });
  expect(rebuilt).toHaveLength(1);
  await expectDerived();
  expect(engine.rows('t')).toHaveLength(count);
  expect(query("SELECT name FROM wt_keyed_state WHERE name LIKE 'rebuild%'")).toEqual([]);
});
