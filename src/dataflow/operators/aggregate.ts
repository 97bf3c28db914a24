// GROUP BY. One state row per group: how many rows it has, its ROWTIME (that of the newest row it ever took), and the columns of
// its accumulators. A table's update is taken back from the old group and added to the new one; when both are the same group
// that is one change below, else two, the old group's first. A group that loses its last row goes away (in strict mode it
// stays with a count of 0, as in ksqlDB). A row with a NULL among its grouping values belongs to no group.
import { sameRow } from '../../core/compare.js';
import type { Column, Row, Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { KeyedState } from '../../core/keyed-state.js';
import type { Evaluator } from '../expression/evaluator.js';
import type { Accumulator } from './accumulator.js';
import type { AggregateFunctions } from './aggregate-functions.js';
import type { Downstream, Lookup } from './operator.js';

export const countAt = 0;
const rowtimeAt = 1;
export const firstAccumulatorColumn = 2;

export const groupColumns: readonly Column[] = [
  { name: 'row_count', type: { kind: 'BIGINT' } },
  { name: 'rowtime', type: { kind: 'BIGINT' } },
];

export interface AggregateSpec {
  readonly groupBy: readonly Evaluator[];
  readonly functions: AggregateFunctions;
  readonly groups: KeyedState;
  readonly next: Downstream;
  /** Whether the old result row is wanted with an update. */
  readonly givesBefore: boolean;
  readonly keepsEmptyGroups: boolean;
}

export class Aggregate implements Downstream, Lookup {
  readonly #groupBy: readonly Evaluator[];
  readonly #accumulators: readonly Accumulator[];
  readonly #functions: AggregateFunctions;
  readonly #initial: Row;
  readonly #groups: KeyedState;
  readonly #next: Downstream;
  readonly #givesBefore: boolean;
  readonly #keepsEmptyGroups: boolean;

  constructor(spec: AggregateSpec) {
    this.#groupBy = spec.groupBy;
    this.#functions = spec.functions;
    this.#accumulators = spec.functions.accumulators;
    this.#initial = [0, -Infinity, ...this.#accumulators.flatMap((accumulator) => accumulator.initial)];
    this.#groups = spec.groups;
    this.#next = spec.next;
    this.#givesBefore = spec.givesBefore;
    this.#keepsEmptyGroups = spec.keepsEmptyGroups;
  }

  accept(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    const from = before === null ? null : this.#groupOf(before, beforeRowtimeMs);
    const to = after === null ? null : this.#groupOf(after, rowtimeMs);
    if (from !== null && to !== null && sameRow(from, to)) {
      this.#change(to, before, after, rowtimeMs, beforeRowtimeMs);
      return;
    }
    if (from !== null) this.#change(from, before, null, rowtimeMs, beforeRowtimeMs);
    if (to !== null) this.#change(to, null, after, rowtimeMs, beforeRowtimeMs);
  }

  /** Null: the row belongs to no group. */
  #groupOf(row: Row, rowtimeMs: number): Row | null {
    const group: Value[] = [];
    for (const expression of this.#groupBy) {
      const value = expression(row, rowtimeMs);
      if (value === null) return null;
      group.push(value);
    }
    return group;
  }

  #change(group: Row, before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    const old = this.#groups.get(group);
    assert(old !== undefined || before === null, 'a row that leaves a group was in it');
    const state = (old ?? this.#initial).slice();
    const accumulators = this.#accumulators;
    // First in, then out: a value that stays is never missing in between.
    if (after !== null) for (const accumulator of accumulators) accumulator.add(state, after, rowtimeMs, group);
    if (before !== null)
      for (const accumulator of accumulators) accumulator.retract(state, before, beforeRowtimeMs, group);
    const count = (state[countAt] as number) + (after === null ? 0 : 1) - (before === null ? 0 : 1);
    state[countAt] = count;
    const oldRowtime = state[rowtimeAt] as number;
    const rowtime = rowtimeMs > oldRowtime ? rowtimeMs : oldRowtime;
    state[rowtimeAt] = rowtime;

    if (count === 0 && !this.#keepsEmptyGroups) {
      this.#groups.delete(group);
      assert(old !== undefined, 'a group that goes away was there');
      this.#next.accept(this.#result(group, old), null, rowtime, oldRowtime);
      return;
    }
    // A result that does not fit its type throws here, before anything of this group is written.
    const is = this.#result(group, state);
    const was = this.#givesBefore && old !== undefined ? this.#result(group, old) : null;
    this.#groups.put(group, state);
    this.#next.accept(was, is, rowtime, oldRowtime);
  }

  #result(group: Row, state: Row): Row {
    const row = group.slice();
    for (const result of this.#functions.results) row.push(result(state));
    return row;
  }

  get(key: Row): Row | undefined {
    const state = this.#groups.get(key);
    return state && this.#result(key, state);
  }

  rowtime(key: Row): number {
    return (this.#groups.get(key)?.[rowtimeAt] ?? -Infinity) as number;
  }
}
