// Operator state as a table of two columns: the key in bytes that sort as its values do, the row in bytes. Behind the row stand four bytes of
// checksum over both, but in states that an earlier version has made.
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import type { Row } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { KeyedState, KeyedStateScan, KeyedStateSpec } from '../../core/keyed-state.js';
import type { SqliteDatabase, Statement } from '../../sqlite/database.js';
import { crc32OfShort } from '../../core/crc.js';
import { corruptData } from '../../core/seal.js';
import { KeyCodec } from './key-codec.js';
import { RowCodec } from './row-codec.js';

const sumBytes = 4;
const repair = 'rebuild the table that the query writes: writethrough rebuild TABLE';

export class KeyedTable implements KeyedState {
  readonly #database: SqliteDatabase;
  readonly #table: string;
  readonly #name: string;
  readonly #summed: boolean;
  readonly #keyCodec: KeyCodec;
  readonly #rowCodec: RowCodec;
  readonly #writer = new ByteWriter(256);
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #scans = new Map<string, Statement>();

  /** `summed`: its entries have checksums. */
  constructor(database: SqliteDatabase, table: string, spec: KeyedStateSpec, summed: boolean) {
    this.#database = database;
    this.#table = table;
    this.#name = spec.name;
    this.#summed = summed;
    this.#keyCodec = new KeyCodec(spec.key);
    this.#rowCodec = new RowCodec(spec.value);
    this.#get = database.prepare(`SELECT value FROM ${table} WHERE key = ?`);
    this.#put = database.prepare(`INSERT OR REPLACE INTO ${table} VALUES (?, ?)`);
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE key = ?`);
  }

  static createSql(table: string): string {
    return `CREATE TABLE ${table} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`;
  }

  get(key: Row): Row | undefined {
    const encoded = this.#keyCodec.encode(key);
    const stored = this.#get.get(encoded);
    return stored === undefined ? undefined : this.#read(encoded, stored[0] as Buffer);
  }

  put(key: Row, row: Row): void {
    assert(this.#database.inTransaction, 'operator state is written inside a transaction');
    this.#writer.reset();
    this.#rowCodec.write(this.#writer, row);
    const encoded = this.#keyCodec.encode(key);
    const to = this.#writer;
    if (this.#summed) {
      to.reserve(sumBytes);
      to.buffer.writeUInt32LE(checksumOf(this.#table, encoded, to.buffer, to.length), to.length);
      to.length += sumBytes;
    }
    this.#put.run(encoded, to.written());
  }

  #read(key: Buffer, value: Buffer): Row {
    if (this.#summed && !isStateEntry(this.#table, key, value))
      throw corruptData({ what: `operator state ${this.#name}, the entry with key 0x${key.toString('hex')}`, repair });
    return this.#rowCodec.read(new ByteReader(value));
  }

  delete(key: Row): void {
    assert(this.#database.inTransaction, 'operator state is written inside a transaction');
    this.#delete.run(this.#keyCodec.encode(key));
  }

  scan(prefix: Row, options: KeyedStateScan = {}): readonly { readonly key: Row; readonly row: Row }[] {
    const { reverse = false, limit, after } = options;
    // Copies: the codec has one buffer.
    let from = Buffer.from(this.#keyCodec.encode(prefix));
    let to = Buffer.from(this.#keyCodec.encodeEnd(prefix));
    if (after !== undefined) {
      const place = Buffer.from(this.#keyCodec.encode(after));
      if (reverse) to = place;
      else from = place;
    }
    const lower = after !== undefined && !reverse ? '>' : '>=';
    const sql = `SELECT key, value FROM ${this.#table} WHERE key ${lower} ? AND key < ? ORDER BY key${reverse ? ' DESC' : ''} LIMIT ?`;
    let statement = this.#scans.get(sql);
    if (statement === undefined) this.#scans.set(sql, (statement = this.#database.prepare(sql)));
    return statement.all(from, to, limit ?? -1).map(([key, value]) => {
      // First: what is damaged must not be decoded.
      const row = this.#read(key as Buffer, value as Buffer);
      return { key: this.#keyCodec.decode(key as Buffer), row };
    });
  }
}

/** An entry with a checksum is what was written. */
export function isStateEntry(table: string, key: Buffer, value: Buffer): boolean {
  const length = value.length - sumBytes;
  return length >= 0 && value.readUInt32LE(length) === checksumOf(table, key, value, length);
}

function checksumOf(table: string, key: Buffer, value: Buffer, length: number): number {
  const ofKey = crc32OfShort(key, 0, key.length);
  // The table's name ends in its number.
  return (Math.imul(ofKey, 0x9e3779b1) ^ crc32OfShort(value, 0, length) ^ Math.imul(numberIn(table), 0x85ebca6b)) >>> 0;
}

function numberIn(table: string): number {
  return Number(table.slice(table.lastIndexOf('_') + 1));
}

export function stateTable(id: number): string {
  return `wt_state_${id}`;
}

/** In an open transaction: made where it is not there. */
export function openKeyedTable(database: SqliteDatabase, spec: KeyedStateSpec): KeyedTable {
  const { name, key, value } = spec;
  const form = JSON.stringify({ key, value, summed: true });
  const stored = database.statement('SELECT id, spec FROM wt_keyed_state WHERE name = ?').get(name);
  if (stored !== undefined) {
    const summed = stored[1] === form;
    const known = summed || stored[1] === JSON.stringify({ key, value });
    assert(known, `operator state ${name} has the form that its query needs`);
    return new KeyedTable(database, stateTable(Number(stored[0])), spec, summed);
  }
  const { lastInsertRowid } = database
    .statement('INSERT INTO wt_keyed_state (name, spec) VALUES (?, ?)')
    .run(name, form);
  const table = stateTable(Number(lastInsertRowid));
  database.exec(KeyedTable.createSql(table));
  return new KeyedTable(database, table, spec, true);
}

/** In an open transaction. */
export function dropKeyedTable(database: SqliteDatabase, name: string): void {
  const stored = database.statement('SELECT id FROM wt_keyed_state WHERE name = ?').get(name);
  if (stored === undefined) return;
  database.exec(`DROP TABLE ${stateTable(Number(stored[0]))}`);
  database.statement('DELETE FROM wt_keyed_state WHERE name = ?').run(name);
}
