// Compiles AND, OR, NOT, IS NULL, IN and CASE in SQL's three-valued logic. An operand that cannot change the outcome any more is
// not evaluated, so it cannot fail either.
import type { DataType, Value } from '../../core/data-type.js';
import { equalityOf, hasOneForm } from './compare.js';
import type { Condition, Evaluator } from './evaluator.js';

export function compileAnd(left: Condition, right: Condition): Condition {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    if (a === false) return false;
    const b = right(row, rowtimeMs);
    if (b === false) return false;
    return a === null || b === null ? null : true;
  };
}

export function compileOr(left: Condition, right: Condition): Condition {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    if (a === true) return true;
    const b = right(row, rowtimeMs);
    if (b === true) return true;
    return a === null || b === null ? null : false;
  };
}

export function compileNot(arg: Condition): Condition {
  return (row, rowtimeMs) => {
    const value = arg(row, rowtimeMs);
    return value === null ? null : !value;
  };
}

export function compileIsNull(arg: Evaluator, negated: boolean): Condition {
  return negated ? (row, rowtimeMs) => arg(row, rowtimeMs) !== null : (row, rowtimeMs) => arg(row, rowtimeMs) === null;
}

export interface InItem {
  readonly type: DataType;
  readonly evaluate: Evaluator;
  /** Undefined: not a literal. */
  readonly literal: Value | undefined;
}

export function compileIn(
  argType: DataType,
  arg: Evaluator,
  items: readonly InItem[],
  negated: boolean,
  onNull: null | false,
): Condition {
  const isIn = inLiterals(argType, arg, items, onNull) ?? inExpressions(argType, arg, items, onNull);
  return negated ? compileNot(isIn) : isIn;
}

/** A list of literals of a type whose equal values are `===` is a set. */
function inLiterals(
  argType: DataType,
  arg: Evaluator,
  items: readonly InItem[],
  onNull: null | false,
): Condition | undefined {
  if (!hasOneForm(argType)) return undefined;
  const values = new Set<Value>();
  let hasNull = false;
  for (const { type, literal } of items) {
    if (literal === undefined || type.kind !== argType.kind) return undefined;
    if (literal === null) hasNull = true;
    // A set finds NaN, which equals nothing.
    else if (!Number.isNaN(literal)) values.add(literal);
  }
  const whenAbsent = hasNull ? onNull : false;
  return (row, rowtimeMs) => {
    const value = arg(row, rowtimeMs);
    if (value === null) return onNull;
    return values.has(value) ? true : whenAbsent;
  };
}

function inExpressions(argType: DataType, arg: Evaluator, items: readonly InItem[], onNull: null | false): Condition {
  const equalities = items.map((item) => equalityOf(argType, item.type));
  return (row, rowtimeMs) => {
    const value = arg(row, rowtimeMs);
    if (value === null) return onNull;
    let result: boolean | null = false;
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!.evaluate(row, rowtimeMs);
      if (item === null) result = onNull;
      else if (equalities[i]!(value, item)) return true;
    }
    return result;
  };
}

export interface CaseBranch {
  readonly when: Condition;
  readonly result: Evaluator;
}

export function compileCase(branches: readonly CaseBranch[], otherwise: Evaluator | null): Evaluator {
  return (row, rowtimeMs) => {
    for (let i = 0; i < branches.length; i++) {
      const branch = branches[i]!;
      if (branch.when(row, rowtimeMs) === true) return branch.result(row, rowtimeMs);
    }
    return otherwise === null ? null : otherwise(row, rowtimeMs);
  };
}
