// The writing side of the change feed: collects the changes of a transaction per table, writes them as blobs before the commit, and
// drops old ones. The feed belongs to a table by its id, so it goes on over rebuilds and renamings.
import type { Column } from '../../core/data-type.js';
import { rebuiltIndex } from '../../core/version.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { RowChange, TableSpec } from '../state-store.js';
import { FeedBuilder, feedIdentity, markBlob, type FeedRow } from './feed-codec.js';
import type { FrontierRow } from './frontier.js';
import { guarded } from './guarded-store.js';
import { RowCodec } from './row-codec.js';

/** A larger blob is closed, also in the middle of an append: a reader holds one whole, and skips in it what it has read before. */
const blobBytes = 256 * 1024;
/** Blobs dropped by one call of prune, and about how many bytes: each page of one is read to be given free. */
const pruneStep = 64;
const pruneBytes = 4 * 1024 * 1024;
/** A shorter retention is not kept to the ms. */
const debtMsAtLeast = 10_000;

interface TableFeed {
  readonly tableId: number;
  readonly schemaId: number;
  readonly builder: FeedBuilder;
}

export class FeedWriter {
  readonly #database: SqliteDatabase;
  readonly #frontier: FrontierRow;
  readonly #nowMs: () => number;
  /** By physical table and schema; the builders are used again by every commit. */
  readonly #feeds = new Map<string, TableFeed>();
  #open = new Set<TableFeed>();
  /** Tables that became readable in this transaction: their feed begins where it ends. */
  #started: number[] = [];
  /** When the oldest blob was written; undefined: not known. */
  #oldestMs: number | undefined;

  constructor(database: SqliteDatabase, frontier: FrontierRow, nowMs: () => number) {
    this.#database = database;
    this.#frontier = frontier;
    this.#nowMs = nowMs;
  }

  /** The feed of a table's rows in the form of `spec`, to be kept by the caller until the table changes. */
  feedOf(spec: TableSpec): TableFeed {
    const columns = JSON.stringify(spec.schema.columns);
    const key = `${spec.id} ${columns}`;
    let feed = this.#feeds.get(key);
    if (feed === undefined) {
      const builder = new FeedBuilder(new RowCodec(spec.schema.columns));
      this.#feeds.set(key, (feed = { tableId: spec.id, schemaId: this.#schemaId(columns), builder }));
    }
    return feed;
  }

  #schemaId(columns: string): number {
    const select = this.#database.statement('SELECT id FROM wt_feed_schema WHERE columns = ?');
    const found = select.get(columns);
    if (found !== undefined) return Number(found[0]);
    return Number(
      this.#database.statement('INSERT INTO wt_feed_schema (columns) VALUES (?)').run(columns).lastInsertRowid,
    );
  }

  add(feed: TableFeed, change: RowChange): void {
    const { builder } = feed;
    if (builder.count === 0) this.#open.add(feed);
    else if (builder.bytes >= blobBytes) this.#write(feed);
    builder.add(change);
  }

  addRebuilt(tableId: number, seq: number): void {
    this.#insertMark(tableId, seq, '');
  }

  /** The table becomes readable: whoever reads it later has a version of this commit or a newer one. */
  start(tableId: number): void {
    const known = this.#database.statement('SELECT 1 FROM wt_feed_start WHERE table_id = ?').get(tableId);
    if (known === undefined) this.#started.push(tableId);
  }

  /** Before the commit: what was collected becomes rows. */
  flush(commitSeq: number): void {
    for (const feed of this.#open) this.#write(feed);
    this.#open.clear();
    for (const tableId of this.#started)
      this.#database
        .statement('INSERT OR IGNORE INTO wt_feed_start (table_id, seq, change_index) VALUES (?, ?, 0)')
        .run(tableId, commitSeq);
    this.#started = [];
  }

  rollback(): void {
    for (const { builder } of this.#open) builder.reset();
    this.#open.clear();
    this.#started = [];
    this.#oldestMs = undefined;
    // Ids of schemas that the transaction made are gone with it.
    this.#feeds.clear();
  }

  #write(feed: TableFeed): void {
    const { tableId, schemaId, builder } = feed;
    const { firstSeq, lastSeq, lastIndex } = builder;
    const row = { tableId, schemaId, firstSeq, lastSeq, lastIndex };
    if (builder.count > 0) this.#insert(row, builder.blob(feedIdentity(row)));
    builder.reset();
  }

  /** A mark that the table has these columns from here on: the rows of blobs before it may have others. */
  addSchema(tableId: number, columns: readonly Column[], seq: number): void {
    this.#insertMark(tableId, seq, JSON.stringify(columns));
  }

  #insertMark(tableId: number, seq: number, columns: string): void {
    const row = { tableId, schemaId: null, firstSeq: seq, lastSeq: seq, lastIndex: rebuiltIndex };
    this.#insert(row, markBlob(columns, row), Buffer.byteLength(columns));
  }

  /** `bytes`: of a mark those of its columns, by which the two kinds are told apart. */
  #insert({ tableId, schemaId, firstSeq, lastSeq, lastIndex }: FeedRow, blob: Buffer, bytes = blob.length): void {
    this.#database
      .statement(
        'INSERT INTO wt_feed (table_id, schema_id, first_seq, last_seq, last_index, written_ms, bytes, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(tableId, schemaId, firstSeq, lastSeq, lastIndex, this.#nowMs(), bytes, blob);
    this.#frontier.feedBytes += bytes;
  }

  /** How far the feed is beyond its retention, as a part of it. */
  debt(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): number {
    const { feedBytes } = this.#frontier;
    // Until something is dropped the oldest blob stays the oldest.
    this.#oldestMs ??= this.#database.statement('SELECT written_ms FROM wt_feed ORDER BY id LIMIT 1').get()?.[0] as
      number | undefined;
    if (this.#oldestMs === undefined) return 0;
    return Math.max(
      0,
      (feedBytes - keep.bytes) / keep.bytes,
      (nowMs - this.#oldestMs - keep.ms) / Math.max(keep.ms, debtMsAtLeast),
    );
  }

  /** One step of retention in the open transaction; true: there may be more to drop. */
  prune(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): boolean {
    const oldest = this.#database
      .statement('SELECT id, table_id, last_seq, last_index, written_ms, bytes FROM wt_feed ORDER BY id LIMIT ?')
      .all(pruneStep)
      .map((row) => row.map(Number) as [number, number, number, number, number, number]);
    const starts = new Map<number, readonly [seq: number, index: number]>();
    let dropped = 0;
    let droppedBytes = 0;
    for (const [id, tableId, lastSeq, lastIndex, writtenMs, bytes] of oldest) {
      if (writtenMs >= nowMs - keep.ms && this.#frontier.feedBytes <= keep.bytes) break;
      this.#database.statement('DELETE FROM wt_feed WHERE id = ?').run(id);
      this.#frontier.feedBytes -= bytes;
      starts.set(tableId, [lastSeq, lastIndex]);
      dropped++;
      droppedBytes += bytes;
      if (droppedBytes >= pruneBytes) break;
    }
    this.#oldestMs = undefined;
    for (const [tableId, [seq, index]] of starts) {
      this.#database
        .statement(
          'UPDATE wt_feed_start SET seq = ?, change_index = ? WHERE table_id = ? AND (seq, change_index) < (?, ?)',
        )
        .run(seq, index, tableId, seq, index);
    }
    return dropped === pruneStep || droppedBytes >= pruneBytes;
  }

  /** Tables that have something in the feed. */
  tableIds(): readonly number[] {
    // Steps from one to the next by the index: there are many blobs of few tables.
    const rows = this.#database
      .statement(
        `WITH RECURSIVE fed (id) AS (
           SELECT min(table_id) FROM wt_feed
           UNION ALL
           SELECT (SELECT min(table_id) FROM wt_feed WHERE table_id > fed.id) FROM fed WHERE fed.id IS NOT NULL
         ) SELECT id FROM fed WHERE id IS NOT NULL UNION SELECT table_id FROM wt_feed_start`,
      )
      .all();
    return rows.map(([id]) => Number(id));
  }

  /** Some blobs of a table that is gone, in the open transaction. */
  removeSome(tableId: number, rows: number): void {
    const limit = Math.min(rows, pruneStep);
    const gone = this.#database
      .statement('SELECT id, bytes FROM wt_feed WHERE table_id = ? ORDER BY last_seq LIMIT ?')
      .all(tableId, limit);
    for (const [id, bytes] of gone) {
      this.#database.statement('DELETE FROM wt_feed WHERE id = ?').run(id);
      this.#frontier.feedBytes -= Number(bytes);
    }
    this.#oldestMs = undefined;
    if (gone.length < limit) this.forget(tableId);
  }

  /** The table is gone for good; its blobs follow. */
  forget(tableId: number): void {
    this.#database.statement('DELETE FROM wt_feed_start WHERE table_id = ?').run(tableId);
  }
}

/** Columns of rows that were fed under a schema id. */
export function feedColumns(database: SqliteDatabase, schemaId: number): readonly Column[] {
  const row = database
    .statement(`SELECT ${guarded.feedSchema.columns} FROM wt_feed_schema WHERE id = ?`)
    .get(schemaId)!;
  guarded.feedSchema.check(row);
  return JSON.parse(row[1] as string) as Column[];
}
