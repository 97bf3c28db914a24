// A data folder of an earlier build opens: its change feed had another index, marks of rebuilds that stood at 0 of their append, and blobs
// with any number of appends in them. Which tables stand still was told by the documents of the catalogue alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTEGER, STRING } from '../../../src/core/data-type.js';
import type { Place } from '../../../src/core/version.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateReader } from '../../../src/store/sqlite/state-reader.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { TableSpec } from '../../../src/store/state-store.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'text', type: STRING },
];
const table: TableSpec = { id: 1, version: 1, name: 't', schema: { columns, keyColumns: [0] } };
const placesOfAppends = [
  [2, 5],
  [3, 400],
  [4, 7],
] as const;
const places: Place[] = placesOfAppends.flatMap(([seq, count]) =>
  Array.from({ length: count }, (_, index) => ({ seq, index })),
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-earlier-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open() {
  const database = openDatabase(join(folder, 'writethrough.db'));
  return { database, writer: openStateStore(database, { logId: 'L' }) };
}

it('the change feed of an earlier build is read from every place in it, its rebuild told once', () => {
  const first = open();
  const { writer } = first;
  writer.transaction(
    () => {
      writer.createTable(table);
      writer.publish(table);
    },
    { ...writer.frontier, seq: 1 },
  );
  writer.transaction(
    () => {
      for (const { seq, index } of places)
        writer.feed('t', { seq, index, before: null, after: [index, `text ${seq}`], rowtimeMs: 0, commitTimeUs: 0 });
      // Between the appends of one blob.
      writer.feedRebuilt('t', 3);
    },
    { ...writer.frontier, seq: 4 },
  );
  first.database.exec(`
    UPDATE wt_feed SET last_index = 0 WHERE schema_id IS NULL;
    DROP INDEX wt_feed_end;
    CREATE INDEX wt_feed_place ON wt_feed (table_id, last_seq);
  `);
  expect(first.database.prepare('SELECT count(*) FROM wt_feed').get()).toEqual([2]);
  first.database.close();

  const second = open();
  const reader = openStateReader(join(folder, 'writethrough.db'));
  const session = reader.session();
  for (const bytesMax of [1, 500, 1e9]) {
    for (const from of [0, 1, 5, 6, 200, 404, 405, 406, 411]) {
      let place: Place = places[from - 1] ?? { seq: 1, index: Infinity };
      const found: Place[] = [];
      const rebuilt: number[] = [];
      while (place.seq < 4 || place.index < Infinity) {
        const part = session.changes('t', place, bytesMax);
        found.push(...part.changes.map(({ seq, index }) => ({ seq, index })));
        rebuilt.push(...part.rebuilt);
        place = part.next;
      }
      expect(found).toEqual(places.slice(from));
      expect(rebuilt).toEqual(from <= 405 ? [3] : []);
    }
  }
  session.close();
  reader.close();
  second.database.close();
});

it('tables that stand still in an earlier build do so with the seq that is known, and claim nothing else', () => {
  const first = open();
  const { writer } = first;
  const specs = ['live', 'base', 'paused'].map((name, i) => ({ ...table, id: i + 1, name }));
  writer.transaction(
    () => {
      for (const spec of specs) {
        writer.createTable(spec);
        writer.publish(spec);
      }
      const source = (name: string, failed: unknown) =>
        writer.putDocument('source', name.toUpperCase(), JSON.stringify({ name, failed }));
      source('live', null);
      source('base', { code: 'bad-record', message: 'it failed' });
      source('paused', null);
      writer.putDocument('query', 'CTAS_0', JSON.stringify({ sink: 'paused', state: { kind: 'paused', atSeq: 7 } }));
      writer.putDocument('query', 'CTAS_1', JSON.stringify({ sink: 'live', state: { kind: 'running' } }));
    },
    { logId: 'L', seq: 9, commitTimeUs: 5, commitTimesUs: { p: 5 }, positions: { p: 'x' } },
  );
  first.database.close();
  // By another connection: the writer's has triggers.
  const raw = openDatabase(join(folder, 'writethrough.db'));
  raw.exec('ALTER TABLE wt_table DROP COLUMN stopped; ALTER TABLE wt_table DROP COLUMN crc');
  raw.close();

  const second = open();
  const reader = openStateReader(join(folder, 'writethrough.db'));
  const session = reader.session();
  const nothing = { logId: 'L', commitTimeUs: 0, commitTimesUs: {}, positions: {}, stopped: true };
  expect(session.table('live').frontier).toEqual(session.frontier);
  expect(session.table('paused').frontier).toEqual({ ...nothing, seq: 7 });
  expect(session.table('base').frontier).toEqual({ ...nothing, seq: 0 });
  session.close();
  reader.close();
  second.database.close();
});
