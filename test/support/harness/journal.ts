// What the writer knows: for every key of every table, the versions that were committed, in order. This is what tables,
// topics and subscribers are compared with. A version is the JSON of the canonical row; null is a deletion.
import { keyOf, printRow, type CanonicalRow, type LoadTable } from './load-tables.js';

export type Version = string | null;

export interface TableJournal {
  /** Rows that were there before the connector came; each is the first version of its key. */
  readonly initial: ReadonlyMap<string, string>;
  /** Versions in commit order, without the initial one. */
  readonly versions: ReadonlyMap<string, readonly Version[]>;
  /** Current rows. */
  readonly rows: ReadonlyMap<string, CanonicalRow>;
}

export interface JournalEntry {
  readonly table: string;
  readonly key: string;
  readonly row: CanonicalRow | null;
}

export class Journal {
  readonly #tables = new Map<
    string,
    { initial: Map<string, string>; versions: Map<string, Version[]>; rows: Map<string, CanonicalRow> }
  >();
  #changes = 0;

  constructor(tables: readonly LoadTable[]) {
    for (const { name } of tables) this.#tables.set(name, { initial: new Map(), versions: new Map(), rows: new Map() });
  }

  get changes(): number {
    return this.#changes;
  }

  table(name: string): TableJournal {
    return this.#of(name);
  }

  addInitial(table: LoadTable, row: CanonicalRow): void {
    const { initial, rows } = this.#of(table.name);
    initial.set(keyOf(table, row), printRow(row));
    rows.set(keyOf(table, row), row);
  }

  /** The changes of a transaction that the source has committed. */
  commit(entries: readonly JournalEntry[]): void {
    for (const { table, key, row } of entries) {
      const { versions, rows } = this.#of(table);
      const list = versions.get(key);
      const version = row === null ? null : printRow(row);
      if (list === undefined) versions.set(key, [version]);
      else list.push(version);
      if (row === null) rows.delete(key);
      else rows.set(key, row);
      this.#changes++;
    }
  }

  #of(name: string) {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`the journal has no table ${name}`);
    return table;
  }
}
