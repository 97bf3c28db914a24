// How operators are joined up. Changes are pushed down, one call per change, as plain arguments so that nothing but rows is
// allocated on the way; joins pull the other side's row up through `Lookup`.
//
// `before` comes in two qualities, decided when the plan is compiled. Exact: it is the row that this operator gave out last for
// the key (null: none). Inexact: only its key columns count, it may be null with an upsert, and a delete may name a row that
// is not there. Aggregates, foreign-key indexes and filters need it exact; a sink does not.
import type { Row } from '../../core/data-type.js';

export interface Downstream {
  /** Facts of a stream have no `before`. `beforeRowtimeMs` belongs to `before` and means nothing without it. */
  accept(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void;
}

/** The rows of a table-valued node by key, as they are now: at least as new as the changes that its reader has accepted. */
export interface Lookup {
  get(key: Row): Row | undefined;
  /** ROWTIME of the row under the key, ms; -Infinity when there is none or the runtime does not tell. */
  rowtime(key: Row): number;
}

/** The key values of a row, in key order. */
export function keyOf(row: Row, keyColumns: readonly number[]): Row {
  if (keyColumns.length === 1) return [row[keyColumns[0]!]!];
  return keyColumns.map((i) => row[i]!);
}
