// The one row that tells where the engine stands. It is written with every commit and read with every read, so readers first
// compare its number and take the text only when it has moved.
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import { hasColumn } from '../../sqlite/guarded-tables.js';
import { guarded } from './guarded-store.js';
import type { Frontier } from '../state-store.js';

/** The row as readers ask for it. The parameter is the commit number that the reader knows: without a newer one it needs no text. */
export const frontierSql =
  'SELECT commit_no, catalog_version, CASE WHEN commit_no <> ? THEN frontier END, feed_bytes, crc FROM wt_frontier';

/** Throws corrupt-data where a row of `frontierSql` is not what was written. */
export function checkFrontier([commitNo, catalogVersion, json, feedBytes, crc]: readonly SqlValue[]): void {
  if (json !== null) guarded.frontier.check([1, commitNo!, catalogVersion!, feedBytes!, json!, crc!]);
}

export function parseFrontier(json: string): Frontier {
  return JSON.parse(json) as Frontier;
}

/** Where an earlier process left the data file; undefined for a new one. Read before the log is opened, whose id it is checked with. */
export function storedFrontier(database: SqliteDatabase): Frontier | undefined {
  const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'wt_frontier'").get();
  if (exists === undefined) return undefined;
  // Else of an earlier version.
  if (hasColumn(database, 'wt_frontier', 'crc')) {
    const row = database.prepare(frontierSql).get(-1);
    if (row !== undefined) checkFrontier(row);
  }
  const row = database.prepare('SELECT frontier FROM wt_frontier').get();
  return row === undefined ? undefined : parseFrontier(row[0] as string);
}

/** The writer's hand on the row. */
export class FrontierRow {
  readonly #database: SqliteDatabase;
  #frontier: Frontier;
  #json: string;
  #commitNo: number;
  #catalogVersion: number;
  feedBytes: number;

  /** Makes the row where there is none. `logId` is that of the log's epoch now: a new one takes the old frontier over. */
  constructor(database: SqliteDatabase, logId: string) {
    this.#database = database;
    const row = database.statement('SELECT commit_no, catalog_version, feed_bytes, frontier FROM wt_frontier').get();
    const stored = row === undefined ? undefined : parseFrontier(row[3] as string);
    this.#commitNo = Number(row?.[0] ?? 0);
    this.#catalogVersion = Number(row?.[1] ?? 0);
    this.feedBytes = Number(row?.[2] ?? 0);
    this.#frontier = { seq: 0, commitTimeUs: 0, commitTimesUs: {}, positions: {}, ...stored, logId };
    this.#json = JSON.stringify(this.#frontier);
    if (stored?.logId !== logId) database.transaction(() => this.write(this.#frontier, false));
  }

  get frontier(): Frontier {
    return this.#frontier;
  }

  get commitNo(): number {
    return this.#commitNo;
  }

  write(frontier: Frontier, catalogChanged: boolean): void {
    // Background work commits with the frontier as it stands.
    if (frontier !== this.#frontier) this.#json = JSON.stringify(frontier);
    this.#frontier = frontier;
    this.#commitNo++;
    if (catalogChanged) this.#catalogVersion++;
    const row = [1, this.#commitNo, this.#catalogVersion, this.feedBytes, this.#json];
    this.#database
      .statement(`INSERT OR REPLACE INTO wt_frontier (${guarded.frontier.columns}) VALUES (?, ?, ?, ?, ?, ?)`)
      .run(...row, guarded.frontier.checksum(row));
  }

  /** After a rollback. */
  reload(): void {
    const row = this.#database
      .statement('SELECT commit_no, catalog_version, feed_bytes, frontier FROM wt_frontier')
      .get();
    // The row itself was made in the transaction that has failed.
    if (row === undefined) return;
    this.#commitNo = Number(row[0]);
    this.#catalogVersion = Number(row[1]);
    this.feedBytes = Number(row[2]);
    if (row[3] === this.#json) return;
    this.#json = row[3] as string;
    this.#frontier = parseFrontier(this.#json);
  }
}
