// What the runtime lends to a topology, and what it owes: a change of a source is written to its table before it is accepted,
// or is a stream's fact; `before` is the row that the table held; every change of every source is accepted exactly once, in
// the order of its table. Changes of different sources may come in any order, and look-ups may already show what has not been
// accepted yet. To start over tables that have rows, each row is accepted as an insertion.
import type { Row } from '../core/data-type.js';
import type { KeyedState, KeyedStateSpec } from '../core/keyed-state.js';

export interface TopologyEnv {
  /** In the names of states: `q<queryId>_<operator>`. The same for the life of the query, on every process. */
  readonly queryId: string;
  /** Opens (and creates) an operator's state. Called while compiling only. */
  state(spec: KeyedStateSpec): KeyedState;
  /** The row of a source table by key, in key order. */
  lookup(source: string, key: Row): Row | undefined;
  /**
   * Its ROWTIME, ms. With it a joined row's ROWTIME is that of the newer side; without, that of the change that made it.
   * Necessary where a side of a join computes with ROWTIME.
   */
  rowtime?: ((source: string, key: Row) => number | undefined) | undefined;
  /** Told about every expression that failed on a row and became NULL, as in ksqlDB. The caller counts, and logs a sample. */
  onError(reason: string): void;
  /** ksqlDB's answers where ours differ on purpose: a comparison with NULL is false, an empty group stays with a count of 0. */
  readonly strict?: boolean | undefined;
}
