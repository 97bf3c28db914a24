// How far a reading of several tables has come: the cursor. Tables are begun in the order of their names, so all up to the furthest of which
// something was handed over have been read, but for those that are still under way: they stand beside it, each with the last key that was
// handed over. These are few, however many tables there are.
import type { SnapshotCursor } from './position.js';

type Key = readonly string[] | null;

export class TablesUnderWay {
  /** Where an earlier run has come to. */
  readonly #from: SnapshotCursor;
  /** Begun, in this run or in an earlier one, and not handed over whole. */
  readonly #open: Map<string, Key>;
  #last: string | null;
  #lastKey: Key;

  /** `names`: what there is to read (database.table). */
  constructor(from: SnapshotCursor, names: readonly string[]) {
    this.#from = from;
    this.#last = from.table;
    this.#lastKey = from.key;
    const open = names.map((name) => [name, this.keyOf(name)] as const);
    this.#open = new Map(
      open.filter(([name, key]) => key !== undefined && from.table !== null && name <= from.table) as [string, Key][],
    );
  }

  /** The key behind which a table has to be read; null: from its beginning, undefined: it has been read. */
  keyOf(name: string): Key | undefined {
    const { table, key, beside = {} } = this.#from;
    if (table === null || name > table) return null;
    if (name === table) return key;
    return Object.hasOwn(beside, name) ? beside[name]! : undefined;
  }

  /** No table of a lesser name is begun after it. */
  begin(name: string): void {
    if (!this.#open.has(name)) this.#open.set(name, this.keyOf(name) ?? null);
  }

  /** It is handed over up to this key. */
  reached(name: string, key: readonly string[]): void {
    if (this.#open.has(name)) this.#open.set(name, key);
    if (this.#last === null || name > this.#last) this.#last = name;
    if (name === this.#last) this.#lastKey = key;
  }

  /** Nothing more of it is handed over. */
  end(name: string): void {
    this.#open.delete(name);
  }

  get cursor(): Pick<SnapshotCursor, 'table' | 'key' | 'beside'> {
    const last = this.#last;
    const beside = last === null ? [] : [...this.#open].filter(([name]) => name < last);
    return {
      table: last,
      key: this.#lastKey,
      beside: beside.length === 0 ? undefined : Object.fromEntries(beside),
    };
  }
}
