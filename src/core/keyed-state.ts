// What an operator of a running query keeps between changes: an ordered map from key row to value row. The store implements it
// (one physical table per state, in the engine's transaction), operators and tests use it; neither knows the other.
// Rows handed over by `put` are not changed afterwards by the caller, and rows given back are not changed by anybody.
import type { Column, Row } from './data-type.js';

export interface KeyedStateScan {
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  /** Resume strictly behind this key (before it with `reverse`); a whole key that starts with the prefix. */
  readonly after?: Row | undefined;
}

/** Ordered key -> row state of an operator; keys compare column by column in SQL order, null first (core/compare.ts). */
export interface KeyedState {
  get(key: Row): Row | undefined;
  put(key: Row, row: Row): void;
  delete(key: Row): void;
  /** Entries whose key starts with `prefix`, in key order (or reverse), at most `limit`. Safe while the caller writes. */
  scan(prefix: Row, options?: KeyedStateScan): readonly { readonly key: Row; readonly row: Row }[];
}

export interface KeyedStateSpec {
  /** Unique; `q<query>_<operator>`. */
  readonly name: string;
  readonly key: readonly Column[];
  /** May be empty: then the state is a set of keys, and `get` gives an empty row. */
  readonly value: readonly Column[];
}
