// The outbox's table in the store's file. Rows lie in the order of their numbers, which only rise, so the id tells the order and no
// index is kept; what is in memory are the totals and the numbers of the first and the last row.
import type { Clock } from '../../core/clock.js';
import { isBehind, type DerivedGroup, type DerivedNumber } from '../../core/derived.js';
import { type AppError, assert } from '../../core/errors.js';
import { RecordSet } from '../../core/record.js';
import { checksumOfValues, corruptData, restoreHint } from '../../core/seal.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import { guardTables, hasColumn } from '../../sqlite/guarded-tables.js';
import { guardedOutbox } from './guarded-store.js';
import type { OutboxStore, OutboxTotals, Refusal } from '../outbox-store.js';

const tables = `
CREATE TABLE IF NOT EXISTS wt_outbox (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,             -- the append that caused the records
  piece INTEGER NOT NULL,           -- from 0 in each append
  written_ms INTEGER NOT NULL,      -- wall clock of the commit, for the age
  bytes INTEGER NOT NULL,           -- of the blobs
  commit_time_us INTEGER NOT NULL,  -- of the append
  topics TEXT NOT NULL,             -- JSON, as the extents count them
  record_count INTEGER NOT NULL,
  extents BLOB NOT NULL,            -- see core/record.ts
  timestamps BLOB NOT NULL,         -- ms since the epoch, one double per record
  data BLOB NOT NULL,               -- keys and values
  crc INTEGER                       -- over all that is sent; NULL in what an earlier version has left there
);
CREATE TABLE IF NOT EXISTS wt_outbox_refused (
  topic TEXT PRIMARY KEY,
  up_to_seq INTEGER NOT NULL,       -- its records up to here are not sent
  crc INTEGER
) WITHOUT ROWID;
`;

/** Rows that are looked through at once for those that are out. */
const dropStep = 1000;

/** What is read of a row, in the order in which `isOutboxRow` takes it. */
export const outboxColumns = 'id, seq, piece, commit_time_us, topics, record_count, extents, timestamps, data, crc';

/** A row of `outboxColumns` is what was written, or has no checksum. */
export function isOutboxRow(row: readonly SqlValue[]): boolean {
  const crc = row[9];
  return crc === null || crc === checksumOfValues(row.slice(1, 9));
}

export function damagedOutbox([, seq, piece]: readonly SqlValue[]): AppError {
  const what = `the outbox, the records derived from seq ${String(seq)} (piece ${String(piece)})`;
  return corruptData({ what, repair: restoreHint });
}

export class OutboxTable implements OutboxStore {
  readonly #database: SqliteDatabase;
  readonly #clock: Clock;
  #entries = 0;
  #bytes = 0;
  #oldestMs: number | undefined;
  #last: DerivedNumber = { seq: 0, piece: -1 };
  /** In the open transaction. */
  #touched = false;
  /** Of the row that was given last: the next one is looked for behind it. */
  #given: { readonly number: DerivedNumber; readonly id: number } | undefined;

  constructor(database: SqliteDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    database.transaction(() => {
      database.exec(tables);
      if (!hasColumn(database, 'wt_outbox', 'crc')) database.exec('ALTER TABLE wt_outbox ADD COLUMN crc INTEGER');
      guardTables(database, Object.values(guardedOutbox));
    });
    database.onTransactionEnd({
      commit: () => (this.#touched = false),
      rollback: () => {
        if (this.#touched) this.#reload();
      },
    });
    this.#reload();
  }

  get totals(): OutboxTotals {
    return { entries: this.#entries, bytes: this.#bytes, oldestMs: this.#oldestMs };
  }

  #reload(): void {
    this.#touched = false;
    const [entries, bytes] = this.#database.statement('SELECT count(*), ifnull(sum(bytes), 0) FROM wt_outbox').get()!;
    this.#entries = Number(entries);
    this.#bytes = Number(bytes);
    const last = this.#database.statement('SELECT seq, piece FROM wt_outbox ORDER BY id DESC LIMIT 1').get();
    this.#last = last === undefined ? { seq: 0, piece: -1 } : { seq: Number(last[0]), piece: Number(last[1]) };
    this.#given = undefined;
    this.#lookAtOldest();
  }

  #lookAtOldest(): void {
    const row = this.#database.statement('SELECT written_ms FROM wt_outbox ORDER BY id LIMIT 1').get();
    this.#oldestMs = row === undefined ? undefined : Number(row[0]);
  }

  add(group: DerivedGroup): void {
    const { seq, piece, commitTimeUs, records } = group;
    assert(this.#database.inTransaction, 'the outbox is written inside a transaction');
    assert(isBehind(group, this.#last), 'numbers of derived groups only rise');
    assert(records.buffers.length === 1 && records.timestamps, 'a derived group has one buffer, and timestamps');
    assert(records.first === 0, 'the extents of a derived group are its own');
    const data = records.buffers[0]!;
    const extents = bytesOf(records.extents);
    const timestamps = bytesOf(records.timestamps);
    const bytes = data.length + extents.length + timestamps.length;
    const nowMs = this.#clock.nowMs();
    const topics = JSON.stringify(records.topics);
    const sent = [seq, piece, commitTimeUs, topics, records.count, extents, timestamps, data];
    this.#database
      .statement(
        `INSERT INTO wt_outbox (${outboxColumns}, written_ms, bytes) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...sent, checksumOfValues(sent), nowMs, bytes);
    this.#touched = true;
    this.#entries++;
    this.#bytes += bytes;
    this.#oldestMs ??= nowMs;
    this.#last = { seq, piece };
  }

  next(after: DerivedNumber): DerivedGroup | undefined {
    const given = this.#given;
    // Rows go from the front only, and numbers rise with ids.
    const from = given !== undefined && !isBehind(given.number, after) ? given.id : 0;
    const row = this.#database
      .statement(`SELECT ${outboxColumns} FROM wt_outbox WHERE id > ? AND (seq, piece) > (?, ?) ORDER BY id LIMIT 1`)
      .get(from, after.seq, after.piece);
    if (row === undefined) return undefined;
    if (!isOutboxRow(row)) throw damagedOutbox(row);
    const group = decode(row);
    this.#given = { number: group, id: Number(row[0]) };
    return group;
  }

  dropUpTo(number: DerivedNumber, limit: number): boolean {
    const { seq, piece } = number;
    const first = this.#database.statement('SELECT min(id) FROM wt_outbox').get()?.[0];
    if (typeof first !== 'number') return false;
    const end = first + Math.min(limit, dropStep);
    const [count, bytes] = this.#database
      .statement('SELECT count(*), ifnull(sum(bytes), 0) FROM wt_outbox WHERE id < ? AND (seq, piece) <= (?, ?)')
      .get(end, seq, piece)!;
    if (Number(count) === 0) return false;
    this.#database.transaction(() => {
      this.#database.statement('DELETE FROM wt_outbox WHERE id < ? AND (seq, piece) <= (?, ?)').run(end, seq, piece);
      // Nothing is left of a refused topic when all up to that seq is out.
      this.#database.statement('DELETE FROM wt_outbox_refused WHERE up_to_seq < ?').run(seq);
    });
    this.#entries -= Number(count);
    this.#bytes -= Number(bytes);
    // Ids begin anew in an empty table.
    if (this.#entries === 0) this.#given = undefined;
    this.#lookAtOldest();
    return first + Number(count) === end && this.#entries > 0;
  }

  refuse({ topic, upToSeq }: Refusal): void {
    assert(this.#database.inTransaction, 'the outbox is written inside a transaction');
    this.#database
      .statement('INSERT OR REPLACE INTO wt_outbox_refused (topic, up_to_seq) VALUES (?, ?)')
      .run(topic, upToSeq);
  }

  refusals(): ReadonlyMap<string, number> {
    const rows = this.#database.statement('SELECT topic, up_to_seq FROM wt_outbox_refused').all();
    return new Map(rows.map(([topic, upToSeq]) => [String(topic), Number(upToSeq)]));
  }
}

function decode([
  ,
  seq,
  piece,
  commitTimeUs,
  topics,
  count,
  extents,
  timestamps,
  data,
]: readonly SqlValue[]): DerivedGroup {
  const records = new RecordSet({
    buffers: [data as Buffer],
    topics: JSON.parse(String(topics)) as string[],
    count: Number(count),
    extents: new Int32Array(standalone(extents as Buffer)),
    timestamps: new Float64Array(standalone(timestamps as Buffer)),
  });
  return { seq: Number(seq), piece: Number(piece), commitTimeUs: Number(commitTimeUs), records };
}

/** Aligned for the views on it. */
function standalone(blob: Buffer): ArrayBuffer {
  return Uint8Array.from(blob).buffer;
}

function bytesOf(array: Int32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
