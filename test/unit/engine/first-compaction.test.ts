// The embedded log is told how many rows lie over a topic: where each record has a row nothing of it can be taken away, and whatever
// becomes of the table, that never holds compaction up for good.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../../src/sqlite/database.js';
import { TestEngine, until, type TestRow } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine({ compactionBytes: 1_000 }).open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

function isCompacted(table: string): boolean {
  const database = openDatabase(join(engine.folder, 'writethrough.db'), { readonly: true });
  try {
    const sql = `SELECT count(*) FROM wt_partition JOIN wt_topic ON wt_topic.id = topic_id WHERE name = ? AND cleaned_offset > 0`;
    return Number(database.statement(sql).get(engine.topic(table))![0]) > 0;
  } finally {
    database.close();
  }
}

const rows = (table: string, count: number, name = 'x'.repeat(50)): TestRow[] =>
  Array.from({ length: count }, (_, id) => ({ table, key: id, row: { id, name } }));

it('waits while each record has a row, and goes on when rows are replaced, or nobody holds them any more', async () => {
  for (const table of ['once', 'replaced', 'failing', 'dropped']) await engine.capture(table);
  await engine.capture('hidden', undefined, true);
  for (const table of ['once', 'replaced', 'hidden', 'failing', 'dropped']) await engine.write(rows(table, 100));
  for (const table of ['replaced', 'hidden', 'replaced', 'hidden']) await engine.write(rows(table, 100));
  await until(() => isCompacted('replaced') && isCompacted('hidden'), 'what is replaced is compacted');
  expect(['once', 'failing', 'dropped'].filter(isCompacted)).toEqual([]);
  // A record that nobody understands lets a table stand still.
  await engine.write([
    { table: 'failing', key: 1, row: { id: 1, name: 'x' } },
    { table: 'failing', key: 'no number', row: {} },
  ]);
  await engine.run('DROP TABLE dropped;');
  await until(() => isCompacted('failing') && isCompacted('dropped'), 'what has no rows any more is compacted');
  expect(isCompacted('once')).toBe(false);
  for (const name of ['y', 'z']) await engine.write(rows('once', 100, name.repeat(50)));
  await until(() => isCompacted('once'), 'it is compacted, too');
});
