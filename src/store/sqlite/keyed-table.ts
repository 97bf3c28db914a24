// Operator state as a table of two columns: the key in bytes that sort as its values do, the row in bytes.
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import type { Row } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { KeyedState, KeyedStateScan, KeyedStateSpec } from '../../core/keyed-state.js';
import type { SqliteDatabase, Statement } from '../../sqlite/database.js';
import { KeyCodec } from './key-codec.js';
import { RowCodec } from './row-codec.js';

export class KeyedTable implements KeyedState {
  readonly #database: SqliteDatabase;
  readonly #table: string;
  readonly #keyCodec: KeyCodec;
  readonly #rowCodec: RowCodec;
  readonly #writer = new ByteWriter(256);
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #scans = new Map<string, Statement>();

  constructor(database: SqliteDatabase, table: string, spec: KeyedStateSpec) {
    this.#database = database;
    this.#table = table;
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
    const stored = this.#get.get(this.#keyCodec.encode(key));
    return stored === undefined ? undefined : this.#rowCodec.read(new ByteReader(stored[0] as Buffer));
  }

  put(key: Row, row: Row): void {
    assert(this.#database.inTransaction, 'operator state is written inside a transaction');
    this.#writer.reset();
    this.#rowCodec.write(this.#writer, row);
    this.#put.run(this.#keyCodec.encode(key), this.#writer.written());
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
    return statement.all(from, to, limit ?? -1).map(([key, value]) => ({
      key: this.#keyCodec.decode(key as Buffer),
      row: this.#rowCodec.read(new ByteReader(value as Buffer)),
    }));
  }
}
