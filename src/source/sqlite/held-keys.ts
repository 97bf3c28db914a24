// The end of a generation: which of the rows that are held are no longer in the file. The keys of all rows that were read go into a
// table of their own, in a file without a name, and held keys are looked up there; so nothing depends on how the file writes a key, and
// memory stays bounded. Only for a table of which something is held.
import { sameType, type Row, type RowSchema } from '../../core/data-type.js';
import { openTemporary, type SqliteDatabase, type Statement } from '../../sqlite/database.js';
import type { SourceTable } from '../../core/row-encoder.js';
import { keyTextOf } from '../key-text.js';

const stepRows = 10_000;

export class KeySet {
  readonly #database: SqliteDatabase = openTemporary();
  readonly #add: Statement;
  readonly #has: Statement;
  #open = 0;

  constructor() {
    this.#database.exec('CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID');
    this.#add = this.#database.prepare('INSERT OR IGNORE INTO keys VALUES (?)');
    this.#has = this.#database.prepare('SELECT 1 FROM keys WHERE key = ?');
  }

  add(key: string): void {
    if (this.#open === 0) this.#database.begin();
    this.#add.run(key);
    if (++this.#open < stepRows) return;
    this.#database.commit();
    this.#open = 0;
  }

  has(key: string): boolean {
    return this.#has.get(key) !== undefined;
  }

  close(): void {
    this.#database.close();
  }
}

/** The configuration may make another key of the table's, by which its rows cannot be found. */
export function hasKeyOf({ columns, keyColumns }: RowSchema, source: SourceTable): boolean {
  return (
    source.keyColumns.length === keyColumns.length &&
    source.keyColumns.every((at, k) => sameType(source.columns[at]!.type, columns[keyColumns[k]!]!.type))
  );
}

export function heldKey({ columns, keyColumns }: RowSchema, row: Row): string {
  return keyTextOf(
    keyColumns.map((i) => columns[i]!.type),
    keyColumns.map((i) => row[i]!),
  );
}
