// What an aggregate function keeps per group and how it follows changes. Every function retracts exactly: after any inserts,
// updates and deletes its state is what the rows that are left would have made. State lies in columns of the group's row.
import { integerValue, type Column, type DataType, type Row, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { addInt64, subtractInt64, type Int } from '../expression/integer.js';
import type { Evaluator } from '../expression/evaluator.js';
import { addExact, exactSumColumns, subtractExact } from './exact-sum.js';

export interface Accumulator {
  readonly columns: readonly Column[];
  /** The columns of a group without rows. */
  readonly initial: Row;
  add(state: Value[], row: Row, rowtimeMs: number, group: Row): void;
  /** Takes back a row that was added. */
  retract(state: Value[], row: Row, rowtimeMs: number, group: Row): void;
}

export type Result = (state: Row) => Value;

/** COUNT(x): rows where x is not NULL. */
export class Count implements Accumulator {
  readonly columns: readonly Column[];
  readonly initial = [0];
  readonly #arg: Evaluator;
  readonly #at: number;

  constructor(arg: Evaluator, at: number) {
    this.columns = [{ name: `count_${at}`, type: { kind: 'BIGINT' } }];
    this.#arg = arg;
    this.#at = at;
  }

  add(state: Value[], row: Row, rowtimeMs: number): void {
    if (this.#arg(row, rowtimeMs) !== null) state[this.#at] = (state[this.#at] as number) + 1;
  }

  retract(state: Value[], row: Row, rowtimeMs: number): void {
    if (this.#arg(row, rowtimeMs) !== null) state[this.#at] = (state[this.#at] as number) - 1;
  }
}

/** SUM of INTEGER, BIGINT (both wrap as in Java, which retraction undoes) and DECIMAL (exact). */
export class IntegerSum implements Accumulator {
  readonly columns: readonly Column[];
  readonly initial = [0];
  readonly #arg: Evaluator;
  readonly #at: number;
  readonly #add: (a: Int, b: Int) => Int;
  readonly #subtract: (a: Int, b: Int) => Int;

  constructor(type: DataType, arg: Evaluator, at: number) {
    this.columns = [{ name: `sum_${at}`, type }];
    this.#arg = arg;
    this.#at = at;
    this.#add = addition(type);
    this.#subtract = subtraction(type);
  }

  add(state: Value[], row: Row, rowtimeMs: number): void {
    const value = this.#arg(row, rowtimeMs);
    if (value !== null) state[this.#at] = this.#add(state[this.#at] as Int, value as Int);
  }

  retract(state: Value[], row: Row, rowtimeMs: number): void {
    const value = this.#arg(row, rowtimeMs);
    if (value !== null) state[this.#at] = this.#subtract(state[this.#at] as Int, value as Int);
  }
}

function addition(type: DataType): (a: Int, b: Int) => Int {
  switch (type.kind) {
    case 'INTEGER':
      return (a, b) => ((a as number) + (b as number)) | 0;
    case 'BIGINT':
      return addInt64;
    case 'DECIMAL':
      return addUnbounded;
    default:
      throw new AppError('internal', `the plan sums up to a ${type.kind}`);
  }
}

function subtraction(type: DataType): (a: Int, b: Int) => Int {
  const add = addition(type);
  if (type.kind === 'BIGINT') return subtractInt64;
  return (a, b) => add(a, typeof b === 'number' ? 0 - b : -b);
}

/** Beyond the type's digits too: the sum may come back into them, and the result is checked when it is read. */
function addUnbounded(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return integerValue(BigInt(a) + BigInt(b));
}

/** SUM and AVG over doubles: exact sum, and the number of values that are not NULL. */
export class DoubleSum implements Accumulator {
  readonly columns: readonly Column[];
  readonly initial = [0, null, 0];
  readonly #arg: Evaluator;
  readonly #at: number;

  constructor(arg: Evaluator, at: number) {
    this.columns = [...exactSumColumns(`sum_${at}`), { name: `count_${at}`, type: { kind: 'BIGINT' } }];
    this.#arg = arg;
    this.#at = at;
  }

  add(state: Value[], row: Row, rowtimeMs: number): void {
    const value = this.#arg(row, rowtimeMs);
    if (value === null) return;
    addExact(state, this.#at, value as number);
    state[this.#at + 2] = (state[this.#at + 2] as number) + 1;
  }

  retract(state: Value[], row: Row, rowtimeMs: number): void {
    const value = this.#arg(row, rowtimeMs);
    if (value === null) return;
    subtractExact(state, this.#at, value as number);
    state[this.#at + 2] = (state[this.#at + 2] as number) - 1;
  }
}
