// MIN and MAX of one argument. Over a stream the extremes so far are all that is needed. Over a table a value that goes away may
// have been the extreme one, so all values of the group are kept, with how often each occurs, in an ordered state of their
// own; it is asked for the next extreme only when the last copy of the current one has gone. NULLs do not count.
import { compareValues } from '../../core/compare.js';
import type { Column, DataType, Row, Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { KeyedState } from '../../core/keyed-state.js';
import type { Evaluator } from '../expression/evaluator.js';
import type { Accumulator } from './accumulator.js';

/** Columns at `at`: the smallest value, the largest value. */
export class Extrema implements Accumulator {
  readonly columns: readonly Column[];
  readonly initial = [null, null];
  readonly #arg: Evaluator;
  readonly #at: number;
  /** (group, value) -> (count); null over a stream. */
  readonly #values: KeyedState | null;

  constructor(type: DataType, arg: Evaluator, at: number, values: KeyedState | null) {
    this.columns = [
      { name: `min_${at}`, type },
      { name: `max_${at}`, type },
    ];
    this.#arg = arg;
    this.#at = at;
    this.#values = values;
  }

  add(state: Value[], row: Row, rowtimeMs: number, group: Row): void {
    const value = this.#arg(row, rowtimeMs);
    if (value === null) return;
    if (this.#values !== null) {
      const key = [...group, value];
      const count = (this.#values.get(key)?.[0] ?? 0) as number;
      this.#values.put(key, [count + 1]);
    }
    const min = state[this.#at]!;
    const max = state[this.#at + 1]!;
    if (min === null || compareValues(value, min) < 0) state[this.#at] = value;
    if (max === null || compareValues(value, max) > 0) state[this.#at + 1] = value;
  }

  retract(state: Value[], row: Row, rowtimeMs: number, group: Row): void {
    const value = this.#arg(row, rowtimeMs);
    if (value === null) return;
    const values = this.#values;
    assert(values !== null, 'a stream takes no fact back');
    const key = [...group, value];
    const count = (values.get(key)?.[0] ?? 0) as number;
    assert(count > 0, 'a value that leaves MIN or MAX was in it');
    if (count > 1) {
      values.put(key, [count - 1]);
      return;
    }
    values.delete(key);
    if (compareValues(value, state[this.#at]!) === 0) state[this.#at] = this.#extreme(values, group, false);
    if (compareValues(value, state[this.#at + 1]!) === 0) state[this.#at + 1] = this.#extreme(values, group, true);
  }

  #extreme(values: KeyedState, group: Row, reverse: boolean): Value {
    return values.scan(group, { reverse, limit: 1 })[0]?.key[group.length] ?? null;
  }
}
