// What the open transaction has done so far to tables whose rows follow those of others: what is held of them is the state before it. Rows
// events are kept as they are, which costs next to nothing, and are only read when something asks, or when they are too many to keep.
// What was read lies in a database of SQLite's in a temporary file, so a transaction of any length needs no memory for it.
import { deserialize, serialize } from 'node:v8';
import type { Row } from '../../core/data-type.js';
import type { SourceColumn } from '../../core/row-encoder.js';
import { openTemporary, type SqliteDatabase } from '../../sqlite/database.js';
import { isOddText, searchKey } from './key-equality.js';
import { keyTextOf } from '../key-text.js';
import type { LinkedKey } from './linked-keys.js';
import { rowImages } from './row-images.js';
import type { RowsTable } from './rows-event.js';

/** Of events that are kept unread. */
const bytesMax = 4 << 20;
const pageRows = 500;

/** A table whose rows follow those of others. */
export interface FollowingTable {
  readonly name: string;
  readonly columns: readonly SourceColumn[];
  readonly keyColumns: readonly number[];
  /** The keys by which it does, each with a number that is its own. */
  readonly keys: readonly { readonly number: number; readonly key: LinkedKey; readonly columns: readonly number[] }[];
}

/** Rows whose values have this search key, those with odd text, or all. */
export type OwnSearch = { readonly value: string } | 'odd-text' | 'all';

interface Unread {
  readonly event: Buffer;
  readonly table: RowsTable;
  readonly following: FollowingTable;
}

const schema = `
CREATE TABLE changed (tbl TEXT, key TEXT, row BLOB, PRIMARY KEY (tbl, key)) WITHOUT ROWID;
CREATE TABLE referring (number INTEGER, value TEXT, key TEXT, PRIMARY KEY (number, value, key)) WITHOUT ROWID;
CREATE INDEX referring_by_row ON referring (key, number);`;

/** In the place of a value: rows whose text may be equal to others that differ. Not the form of any value, which begins with a digit. */
const oddText = 'odd';

export class OwnChanges {
  #database: SqliteDatabase | undefined;
  #unread: Unread[] = [];
  #unreadBytes = 0;
  #empty = true;

  /** A rows event of such a table; read when it is needed. */
  note(event: Buffer, table: RowsTable, following: FollowingTable): void {
    // A copy: the event is a part of a large buffer from the socket.
    this.#unread.push({ event: Buffer.from(event), table, following });
    this.#unreadBytes += event.length;
    if (this.#unreadBytes > bytesMax) this.read();
  }

  /** Reads what was noted, so that rows can be put behind it. */
  read(): void {
    const unread = this.#unread;
    this.#unread = [];
    this.#unreadBytes = 0;
    if (unread.length === 0) return;
    for (const { event, table, following } of unread)
      for (const { before, after } of rowImages(event, table)) this.put(following, before, after);
  }

  put(table: FollowingTable, before: Row | null, after: Row | null): void {
    const [oldKey, key] = [before && keyOf(table, before), after && keyOf(table, after)];
    if (oldKey !== null && oldKey !== key) this.#write(table, oldKey, null);
    if (key !== null) this.#write(table, key, after);
  }

  has({ name, columns, keyColumns }: FollowingTable, row: Row): boolean {
    if (this.#empty) return false;
    return (
      this.#open()
        .statement('SELECT 1 FROM changed WHERE tbl = ? AND key = ?')
        .get(name, keyOf({ columns, keyColumns }, row)) !== undefined
    );
  }

  /** Rows that are there now and have been changed; page by page in a lasting order. */
  *find(name: string, number: number, wanted: OwnSearch): Generator<readonly Row[]> {
    if (this.#empty) return;
    for (let after = ''; ;) {
      const found =
        wanted === 'all'
          ? this.#open()
              .statement(
                `SELECT key, row FROM changed WHERE tbl = ? AND key > ? AND row IS NOT NULL ORDER BY key LIMIT ${pageRows}`,
              )
              .all(name, after)
          : this.#open()
              .statement(
                `SELECT r.key, c.row FROM referring r JOIN changed c ON c.tbl = ? AND c.key = r.key
                 WHERE r.number = ? AND r.value = ? AND r.key > ? ORDER BY r.key LIMIT ${pageRows}`,
              )
              .all(name, number, wanted === 'odd-text' ? oddText : wanted.value, after);
      if (found.length === 0) return;
      yield found.map(([, row]) => deserialize(row as Buffer) as Row);
      if (found.length < pageRows) return;
      after = found.at(-1)![0] as string;
    }
  }

  /** The transaction has ended. */
  clear(): void {
    this.#unread = [];
    this.#unreadBytes = 0;
    if (this.#empty) return;
    this.#empty = true;
    this.#database!.exec('DELETE FROM changed; DELETE FROM referring');
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#empty = true;
  }

  #write({ name, columns, keys }: FollowingTable, key: string, row: Row | null): void {
    this.#empty = false;
    const database = this.#open();
    for (const { number } of keys) {
      database.statement('DELETE FROM referring WHERE key = ? AND number = ?').run(key, number);
    }
    database
      .statement('INSERT OR REPLACE INTO changed VALUES (?, ?, ?)')
      .run(name, key, row === null ? null : serialize(row));
    if (row === null) return;
    const refer = database.statement('INSERT OR REPLACE INTO referring VALUES (?, ?, ?)');
    for (const { number, key: foreign, columns: own } of keys) {
      const values = own.map((i) => row[i]!);
      const value = searchKey(
        own.map((i) => columns[i]!),
        foreign.rules,
        values,
      );
      if (value === undefined) continue;
      refer.run(number, value, key);
      if (hasOddText(foreign, values)) refer.run(number, oddText, key);
    }
  }

  #open(): SqliteDatabase {
    if (this.#database === undefined) {
      this.#database = openTemporary();
      this.#database.exec(schema);
      // All that is ever done to it is one transaction, which nobody ends: a commit per row would cost more than the row.
      this.#database.begin();
    }
    return this.#database;
  }
}

/** Whether values of a key are such that only the server knows what they are equal to. */
export function hasOddText({ rules }: LinkedKey, values: Row): boolean {
  return rules.some((rule, i) => rule?.asks === true && isOddText(values[i] as string));
}

function keyOf({ columns, keyColumns }: Pick<FollowingTable, 'columns' | 'keyColumns'>, row: Row): string {
  return keyTextOf(
    keyColumns.map((i) => columns[i]!.type),
    keyColumns.map((i) => row[i]!),
  );
}
