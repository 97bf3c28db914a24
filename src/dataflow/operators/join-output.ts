// What both table joins share: the shape of a joined row, and how a recomputed row goes on below.
//
// A join does not work out a difference, it recomputes: whenever a side changes, the row under the key is made anew from the
// changed row and what the other side holds now. So it comes right whatever order related changes arrive in (two sides may
// derive from one table), and feeding a row twice does no harm. What it cannot know then is its own old row; where somebody
// below needs that exact, the output is kept in a state of its own (`MaterializedOutput`).
import type { Row, Value } from '../../core/data-type.js';
import type { KeyedState } from '../../core/keyed-state.js';
import type { Downstream, Lookup } from './operator.js';

export interface JoinShape {
  readonly leftWidth: number;
  readonly rightWidth: number;
  /** Whether the key itself follows the columns of both sides (right and outer joins, where either side may be missing). */
  readonly appendsKey: boolean;
}

/** Null for a missing side stands for as many NULLs. */
export function joinRow(shape: JoinShape, left: Row | null, right: Row | null, key: Row): Row {
  const row: Value[] = [];
  for (let i = 0; i < shape.leftWidth; i++) row.push(left === null ? null : left[i]!);
  for (let i = 0; i < shape.rightWidth; i++) row.push(right === null ? null : right[i]!);
  if (shape.appendsKey) row.push(key[0]!);
  return row;
}

export interface JoinOutput {
  set(key: Row, row: Row, rowtimeMs: number): void;
  /** `holder` is any row with the key in its key columns. */
  delete(key: Row, holder: Row, rowtimeMs: number): void;
}

export class DirectOutput implements JoinOutput {
  readonly #next: Downstream;

  constructor(next: Downstream) {
    this.#next = next;
  }

  set(_key: Row, row: Row, rowtimeMs: number): void {
    this.#next.accept(null, row, rowtimeMs, rowtimeMs);
  }

  delete(_key: Row, holder: Row, rowtimeMs: number): void {
    this.#next.accept(holder, null, rowtimeMs, rowtimeMs);
  }
}

/** Keeps the joined rows with their ROWTIME in a last column, so that `before` is exact. */
export class MaterializedOutput implements JoinOutput, Lookup {
  readonly #rows: KeyedState;
  readonly #next: Downstream;

  constructor(rows: KeyedState, next: Downstream) {
    this.#rows = rows;
    this.#next = next;
  }

  set(key: Row, row: Row, rowtimeMs: number): void {
    const old = this.#rows.get(key);
    this.#rows.put(key, [...row, rowtimeMs]);
    this.#accept(old, row, rowtimeMs);
  }

  delete(key: Row, _holder: Row, rowtimeMs: number): void {
    const old = this.#rows.get(key);
    if (old === undefined) return;
    this.#rows.delete(key);
    this.#accept(old, null, rowtimeMs);
  }

  #accept(old: Row | undefined, row: Row | null, rowtimeMs: number): void {
    if (old === undefined) this.#next.accept(null, row, rowtimeMs, rowtimeMs);
    else this.#next.accept(old.slice(0, -1), row, rowtimeMs, old[old.length - 1] as number);
  }

  get(key: Row): Row | undefined {
    return this.#rows.get(key)?.slice(0, -1);
  }

  rowtime(key: Row): number {
    const row = this.#rows.get(key);
    return row === undefined ? -Infinity : (row[row.length - 1] as number);
  }
}
