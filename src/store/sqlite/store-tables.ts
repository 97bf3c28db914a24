// The internal tables of the store; beside them stand the physical tables `t<id>_v<version>` with rows, their views, and one
// table `wt_state_<id>` per operator state. Everything moves in the engine's one transaction. `crc` of the small tables is the checksum of the
// row (guarded-tables.ts).
import type { Column } from '../../core/data-type.js';
import { rebuiltIndex } from '../../core/version.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { guardTables } from '../../sqlite/guarded-tables.js';
import { guarded } from './guarded-store.js';
import { columnNames, columnsMax, physicalName, quote, sumColumn } from './table-layout.js';

const storeTables = `
-- One row: where the engine stands. Read with every point read, so it is narrow.
CREATE TABLE IF NOT EXISTS wt_frontier (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  commit_no INTEGER NOT NULL,       -- rises with every engine commit: tells readers whether anything moved
  catalog_version INTEGER NOT NULL, -- rises when tables come, go, stop or change their names
  feed_bytes INTEGER NOT NULL,      -- of all blobs in wt_feed
  frontier TEXT NOT NULL,           -- the Frontier as JSON
  crc INTEGER
);
CREATE TABLE IF NOT EXISTS wt_table (
  id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,               -- the SQL name
  schema TEXT NOT NULL,             -- RowSchema as JSON
  visible INTEGER NOT NULL,         -- 1: the view of that name is over this version
  row_count INTEGER NOT NULL,       -- kept by the writer; counting would walk over the table
  stopped TEXT,                     -- where this version stopped, a Frontier as JSON; NULL: it goes on with the engine
  crc INTEGER,
  PRIMARY KEY (id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wt_keyed_state (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- names the table wt_state_<id>
  name TEXT NOT NULL UNIQUE,
  spec TEXT NOT NULL,               -- KeyedStateSpec as JSON, to notice a state of another form
  crc INTEGER
);
-- The change feed: a row per engine commit and table, or several where it is large, each up to 256 KB and a change.
CREATE TABLE IF NOT EXISTS wt_feed (
  id INTEGER PRIMARY KEY,
  table_id INTEGER NOT NULL,        -- the feed goes on over versions and renamings of a table
  schema_id INTEGER,                -- how the rows are encoded; NULL: a mark that a rebuild has swapped the table in
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_index INTEGER NOT NULL,      -- of the last change; of a mark: behind all changes
  written_ms INTEGER NOT NULL,      -- wall clock of the commit, for retention
  bytes INTEGER NOT NULL,
  changes BLOB NOT NULL             -- see feed-codec.ts
);
CREATE INDEX IF NOT EXISTS wt_feed_end ON wt_feed (table_id, last_seq, last_index);
-- Marks: of a rebuild, or with the columns that the table has from there on.
CREATE INDEX IF NOT EXISTS wt_feed_marks ON wt_feed (table_id, last_seq, last_index) WHERE schema_id IS NULL;
CREATE TABLE IF NOT EXISTS wt_feed_schema (
  id INTEGER PRIMARY KEY,
  columns TEXT NOT NULL UNIQUE,     -- Column[] as JSON
  crc INTEGER
);
-- From where on the feed of a table is complete.
CREATE TABLE IF NOT EXISTS wt_feed_start (
  table_id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,             -- a reader behind this (seq, change_index) has missed nothing
  change_index INTEGER NOT NULL,
  crc INTEGER
);
CREATE TABLE IF NOT EXISTS wt_document (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  json TEXT NOT NULL,
  crc INTEGER,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
`;

export function createStoreTables(database: SqliteDatabase): void {
  database.transaction(() => {
    database.exec(storeTables);
    followFeedIndex(database);
    followStopped(database);
    followSums(database);
    guardTables(database, Object.values(guarded));
  });
}

/**
 * Rows of earlier builds have no checksums. They get the column; what is written from then on has one. A column of the application that has its
 * name gets the one that it would have in a new table.
 */
function followSums(database: SqliteDatabase): void {
  for (const [id, version, schema] of database.prepare('SELECT id, version, schema FROM wt_table').all()) {
    const table = physicalName({ id: Number(id), version: Number(version) });
    const there = database.prepare('SELECT name FROM pragma_table_info(?)').all(table).map(String);
    const { columns, stored } = JSON.parse(schema as string) as { columns: Column[]; stored?: string[] };
    const own = (stored ?? columns.map(({ name }) => name)).find((name) => name.toLowerCase() === sumColumn);
    if (own === undefined) {
      if (!there.includes(sumColumn) && there.length < columnsMax)
        database.exec(`ALTER TABLE ${table} ADD COLUMN ${sumColumn} INTEGER`);
      continue;
    }
    const next =
      stored === undefined ? columnNames(columns)[columns.findIndex(({ name }) => name === own)]! : `${own}_`;
    if (there.includes(next)) continue;
    database.exec(`ALTER TABLE ${table} RENAME COLUMN ${quote(own)} TO ${quote(next)}`);
    if (there.length < columnsMax) database.exec(`ALTER TABLE ${table} ADD COLUMN ${sumColumn} INTEGER`);
    if (stored === undefined) continue;
    const renamed = stored.map((name) => (name === own ? next : name));
    database
      .prepare('UPDATE wt_table SET schema = ? WHERE id = ? AND version = ?')
      .run(JSON.stringify({ ...(JSON.parse(schema as string) as object), stored: renamed }), id, version);
  }
}

/**
 * Data folders of earlier builds have an index without `last_index`, and marks of rebuilds with 0 there. Their blobs are read as
 * they are; those of very long transactions are up to 64 MB.
 */
function followFeedIndex(database: SqliteDatabase): void {
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'wt_feed_place'").get() === undefined) return;
  database.prepare('UPDATE wt_feed SET last_index = ? WHERE schema_id IS NULL').run(rebuiltIndex);
  database.exec('DROP INDEX wt_feed_place');
}

/**
 * Data folders of earlier builds tell only in the documents of the catalogue which tables stand still. Of a query they know the seq, of a
 * base table nothing, and of neither the positions: such a table contains nothing for certain, and is as old as can be.
 */
function followStopped(database: SqliteDatabase): void {
  if (database.prepare("SELECT 1 FROM pragma_table_info('wt_table') WHERE name = 'stopped'").get() !== undefined)
    return;
  database.exec(`
    ALTER TABLE wt_table ADD COLUMN stopped TEXT;
    UPDATE wt_table SET stopped = (
      SELECT json_object('seq', seq, 'commitTimeUs', 0, 'commitTimesUs', json('{}'), 'positions', json('{}'))
      FROM (
        SELECT json ->> '$.sink' AS name, json ->> '$.state.atSeq' AS seq FROM wt_document
        WHERE kind = 'query' AND json ->> '$.state.kind' <> 'running'
        UNION ALL
        SELECT json ->> '$.name', 0 FROM wt_document WHERE kind = 'source' AND json ->> '$.failed' IS NOT NULL
      ) AS still
      WHERE still.name = wt_table.name
    ) WHERE visible = 1;
  `);
}
