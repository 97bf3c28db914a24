// Keyed state in memory, for tests of operators: a map for look-ups and, once somebody scans, an array in key order. It checks
// what the port asks of its callers: rows handed over are frozen, keys and rows have the columns of the spec.
import { compareRows } from '../../src/core/compare.js';
import type { Row, Value } from '../../src/core/data-type.js';
import type { KeyedState, KeyedStateScan, KeyedStateSpec } from '../../src/core/keyed-state.js';

interface Entry {
  readonly key: Row;
  row: Row;
}

export class MemoryState implements KeyedState {
  readonly spec: KeyedStateSpec;
  readonly #entries = new Map<string, Entry>();
  #sorted: Entry[] | undefined;
  readonly #checks: boolean;

  constructor(spec: KeyedStateSpec, checks = true) {
    this.spec = spec;
    this.#checks = checks;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Row): Row | undefined {
    return this.#entries.get(textOf(key))?.row;
  }

  put(key: Row, row: Row): void {
    if (this.#checks) this.#check(key, row);
    const text = textOf(key);
    const known = this.#entries.get(text);
    if (known !== undefined) {
      known.row = row;
      return;
    }
    const entry = { key, row };
    this.#entries.set(text, entry);
    this.#sorted?.splice(this.#place(key), 0, entry);
  }

  delete(key: Row): void {
    if (this.#entries.delete(textOf(key))) this.#sorted?.splice(this.#place(key), 1);
  }

  scan(prefix: Row, options: KeyedStateScan = {}): readonly { readonly key: Row; readonly row: Row }[] {
    this.#sorted ??= [...this.#entries.values()].toSorted((a, b) => compareRows(a.key, b.key));
    const { reverse = false, limit = Infinity, after } = options;
    const found: { key: Row; row: Row }[] = [];
    const step = reverse ? -1 : 1;
    const sorted = this.#sorted;
    // A prefix sorts before every key that it begins.
    let at = after === undefined ? this.#start(prefix, reverse) : this.#behind(after, reverse);
    for (; found.length < limit; at += step) {
      const entry = sorted[at];
      if (entry === undefined || compareRows(entry.key.slice(0, prefix.length), prefix) !== 0) break;
      found.push({ key: entry.key, row: entry.row });
    }
    return found;
  }

  /** The first place whose key is not below this one. */
  #place(key: Row): number {
    const sorted = this.#sorted!;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRows(sorted[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #start(prefix: Row, reverse: boolean): number {
    if (!reverse) return this.#place(prefix);
    const sorted = this.#sorted!;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRows(sorted[middle]!.key.slice(0, prefix.length), prefix) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #behind(after: Row, reverse: boolean): number {
    const place = this.#place(after);
    if (reverse) return place - 1;
    const entry = this.#sorted![place];
    return entry !== undefined && compareRows(entry.key, after) === 0 ? place + 1 : place;
  }

  #check(key: Row, row: Row): void {
    const { name, key: keyColumns, value } = this.spec;
    if (key.length !== keyColumns.length || row.length !== value.length) throw new Error(`${name}: wrong columns`);
    Object.freeze(key);
    Object.freeze(row);
  }
}

/** Of keys only: equal keys, equal text. */
function textOf(key: Row): string {
  return key.length === 1 ? partText(key[0]!) : key.map(partText).join('\u0000');
}

function partText(value: Value): string {
  if (typeof value === 'string') return `s${value.replaceAll('\u0000', '\u0000\u0001')}`;
  if (Buffer.isBuffer(value)) return `b${value.toString('hex')}`;
  if (typeof value === 'object' && value !== null) throw new Error('a key column is not scalar');
  return String(value);
}

/** The states of one query, by name. */
export class MemoryStates {
  readonly byName = new Map<string, MemoryState>();
  readonly #checks: boolean;

  constructor(checks = true) {
    this.#checks = checks;
  }

  readonly open = (spec: KeyedStateSpec): KeyedState => {
    if (this.byName.has(spec.name)) throw new Error(`${spec.name} is opened twice`);
    const state = new MemoryState(spec, this.#checks);
    this.byName.set(spec.name, state);
    return state;
  };

  /** Entries of all states: 0 when every row has been taken back. */
  get size(): number {
    let size = 0;
    for (const state of this.byName.values()) size += state.size;
    return size;
  }
}
