// TEXT whose bytes are no text. SQLite keeps any bytes in TEXT, the driver puts U+FFFD in the place of those that are not valid,
// and so different values would become the same one. Only a string that contains U+FFFD can be such a one: its bytes are
// then asked for.
import { TextDecoder } from 'node:util';
import type { SourceTable } from '../../core/row-encoder.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import { quoteName } from './names.js';

export interface InvalidText {
  readonly bytes: Buffer;
  readonly encoding: string;
  /** Values of the key columns of its row. */
  readonly key: readonly SqlValue[];
}

export class TextCheck {
  readonly #database: SqliteDatabase;
  readonly #changes: string;
  readonly #source: SourceTable;
  readonly #encoding: string;
  readonly #decoder: TextDecoder;
  /** Columns of the snapshot that were looked through. */
  readonly #valid = new Set<number>();

  constructor(database: SqliteDatabase, prefix: string, source: SourceTable) {
    this.#database = database;
    this.#changes = quoteName(`${prefix}changes`);
    this.#source = source;
    // By SELECT, which the driver takes while rows of another one are read.
    this.#encoding = String(database.prepare('SELECT encoding FROM pragma_encoding').get()![0]);
    this.#decoder = new TextDecoder(this.#encoding, { fatal: true });
  }

  /** Cheap, for every value. */
  static isSuspect(value: SqlValue): boolean {
    return typeof value === 'string' && value.includes('\uFFFD');
  }

  inChange(sequence: SqlValue, column: number): InvalidText | null {
    const { keyColumns } = this.#source;
    const key = keyColumns.map((k) => `c${k}`).join(', ');
    const sql = `SELECT CAST(c${column} AS BLOB), ${key} FROM ${this.#changes} WHERE seq = ?`;
    return this.#invalid(this.#database.prepare(sql).get(sequence)!);
  }

  /**
   * The first of the whole column, to be called within the read transaction of the snapshot: a row of a table has no name that
   * is always there to find it again by, and a column of which one value is suspect often has many.
   */
  inTable(column: number): InvalidText | null {
    if (this.#valid.has(column)) return null;
    const { table, columns, keyColumns } = this.#source;
    const name = quoteName(columns[column]!.name);
    const key = keyColumns.map((k) => quoteName(columns[k]!.name)).join(', ');
    const sql = `SELECT CAST(${name} AS BLOB), ${key} FROM ${quoteName(table)} WHERE typeof(${name}) = 'text'`;
    for (const row of this.#database.prepareExact(sql).iterate()) {
      const invalid = this.#invalid(row);
      if (invalid) return invalid;
    }
    this.#valid.add(column);
    return null;
  }

  #invalid([value, ...key]: readonly SqlValue[]): InvalidText | null {
    const bytes = value as Buffer;
    try {
      this.#decoder.decode(bytes);
      return null;
    } catch {
      // That it cannot be decoded is the answer.
      return { bytes, encoding: this.#encoding, key };
    }
  }
}
