// The tables of the embedded log. Records lie in batches, one row per engine commit and partition (a very large one in several
// rows), never a row per record: at 100,000 records/s the rows would cost more than their content. Batches and commits have their checksums
// in their blobs (core/seal.ts), the small tables in the column `crc` (guarded-tables.ts).
import type { SqliteDatabase } from '../../sqlite/database.js';
import { guardTables } from '../../sqlite/guarded-tables.js';
import { guardedLog } from './guarded-log.js';

const logTables = `
-- One row: which log this is.
CREATE TABLE IF NOT EXISTS wt_log (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  log_id TEXT NOT NULL,            -- the current epoch's name, part of every version token
  format INTEGER NOT NULL,         -- of batches and commits, see batch-codec.ts and commit-codec.ts
  clean INTEGER NOT NULL,          -- 1: closed in order; 0: open, or its process has died
  weak INTEGER NOT NULL,           -- 1: the last process to open it ran with durability normal
  crc INTEGER
);
-- Epochs of the log, oldest first; tokens of an older one are good up to where the next begins.
CREATE TABLE IF NOT EXISTS wt_log_epoch (
  id INTEGER PRIMARY KEY,
  log_id TEXT NOT NULL,
  after_seq INTEGER NOT NULL,      -- the epoch begins behind this seq
  crc INTEGER
);
CREATE TABLE IF NOT EXISTS wt_topic (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: batches of a deleted topic go away step by step
  name TEXT NOT NULL,
  partitions INTEGER NOT NULL,
  cleanup TEXT NOT NULL,           -- compact or delete
  retention_ms INTEGER,            -- NULL: for ever
  retention_bytes INTEGER,         -- of the whole topic; NULL: without bound
  lost_seq INTEGER NOT NULL,       -- records up to this seq may have gone by retention
  deleted INTEGER NOT NULL,        -- 1: its batches are on the way out
  crc INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS wt_topic_name ON wt_topic (name) WHERE deleted = 0;
-- What the batches alone no longer tell once some are gone.
CREATE TABLE IF NOT EXISTS wt_partition (
  topic_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,    -- offsets below have been given
  cleaned_offset INTEGER NOT NULL, -- below it, no two records have the same key
  crc INTEGER,
  PRIMARY KEY (topic_id, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wt_batch (
  id INTEGER PRIMARY KEY,
  topic_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  base_offset INTEGER NOT NULL,    -- as written; compaction may have taken the record away
  last_offset INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,      -- appends that its records belong to, as written
  last_seq INTEGER NOT NULL,
  derived INTEGER NOT NULL,        -- 1: written by a query, part of no append
  record_count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,          -- of the two blobs
  max_time_ms INTEGER NOT NULL,
  records BLOB NOT NULL,           -- per record: what it is and how long key and value are
  data BLOB NOT NULL               -- key and value of each record, one behind the other
);
-- Covers what retention and compaction ask, so that they do not walk over the blobs.
CREATE UNIQUE INDEX IF NOT EXISTS wt_batch_offset
  ON wt_batch (topic_id, partition, base_offset, last_offset, last_seq, derived, bytes, max_time_ms);
CREATE INDEX IF NOT EXISTS wt_batch_seq ON wt_batch (first_seq, topic_id);
-- One row per engine commit.
CREATE TABLE IF NOT EXISTS wt_commit (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  batches INTEGER NOT NULL,        -- batches of its appends that are still there
  control INTEGER NOT NULL,        -- 1: an append of it has a control, so the row stays
  appends BLOB NOT NULL            -- its appends in order, and how their records interleave
);
CREATE INDEX IF NOT EXISTS wt_commit_empty ON wt_commit (first_seq, last_seq) WHERE batches = 0 AND control = 0;
CREATE TABLE IF NOT EXISTS wt_producer (
  name TEXT PRIMARY KEY,
  position TEXT,                   -- stored in the same transaction as the append that it belongs to
  seq INTEGER NOT NULL,            -- of its newest append
  crc INTEGER
) WITHOUT ROWID;
`;

export function createLogTables(database: SqliteDatabase): void {
  database.transaction(() => {
    database.exec(logTables);
    guardTables(database, Object.values(guardedLog));
  });
}
