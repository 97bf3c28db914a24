// Compiles comparisons. Both sides have one type (the planner casts), except DECIMALs, which compare exactly whatever their
// scales, and mixed numbers, which compare by value. Strings order by code point, as keys do. NULL makes a comparison unknown
// unless the options say `false`; IS [NOT] DISTINCT FROM is never unknown.
import { compareText, compareValues } from '../../core/compare.js';
import type { DataType, Value } from '../../core/data-type.js';
import { AppError, unreachable } from '../../core/errors.js';
import type { CompareOp } from '../../sql/plan.js';
import { compareDecimal, decimalToDouble } from './decimal.js';
import type { Condition, Evaluator } from './evaluator.js';
import type { Int } from './integer.js';

/** Of two values that are not null: negative, 0, positive; NaN when one of them is the DOUBLE NaN, which equals nothing. */
export type Order = (a: Value, b: Value) => number;

export function orderOf(left: DataType, right: DataType): Order {
  if (isNumber(left) && isNumber(right)) return numericOrder(left, right);
  if (left.kind !== right.kind) throw new AppError('internal', `the plan compares ${left.kind} with ${right.kind}`);
  switch (left.kind) {
    case 'STRING':
      return (a, b) => (a === b ? 0 : compareText(a as string, b as string));
    case 'BYTES':
      return (a, b) => Buffer.compare(a as Buffer, b as Buffer);
    case 'ARRAY':
      if (right.kind !== 'ARRAY') break;
      return listOrder(() => orderOf(left.element, right.element));
    case 'STRUCT': {
      if (right.kind !== 'STRUCT' || left.fields.length !== right.fields.length) break;
      const orders = left.fields.map((field, i) => orderOf(field.type, right.fields[i]!.type));
      return listOrder((i) => orders[i]!);
    }
    case 'MAP': {
      if (right.kind !== 'MAP') break;
      return mapOrder(orderOf(left.value, right.value));
    }
    default:
      // BOOLEAN, DATE, TIME, TIMESTAMP: numbers (or bigints) of one meaning.
      return compareValues;
  }
  throw new AppError('internal', `the plan compares values of different ${left.kind} types`);
}

function isNumber(type: DataType): boolean {
  return type.kind === 'INTEGER' || type.kind === 'BIGINT' || type.kind === 'DECIMAL' || type.kind === 'DOUBLE';
}

function numericOrder(left: DataType, right: DataType): Order {
  const a = left.kind === 'DECIMAL' ? left.scale : 0;
  const b = right.kind === 'DECIMAL' ? right.scale : 0;
  if (left.kind === 'DOUBLE' || right.kind === 'DOUBLE') {
    // A DECIMAL meets a DOUBLE as its nearest double, so that 1.1 = 1.1; integers compare by value.
    const toLeft = left.kind === 'DECIMAL' ? (v: Value) => decimalToDouble(v as Int, a) : (v: Value) => v as Int;
    const toRight = right.kind === 'DECIMAL' ? (v: Value) => decimalToDouble(v as Int, b) : (v: Value) => v as Int;
    return (x, y) => orderNumbers(toLeft(x), toRight(y));
  }
  if (a === b) return (x, y) => orderNumbers(x as Int, y as Int);
  return (x, y) => compareDecimal(x as Int, a, y as Int, b);
}

function orderNumbers(a: Int, b: Int): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number.isNaN(a) || Number.isNaN(b) ? NaN : 0;
}

// Inside arrays, maps and structs NULL equals NULL and comes first, as in Java's equals.
function orderWithNull(order: Order, a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return order(a, b);
}

function listOrder(orderAt: (index: number) => Order): Order {
  return (x, y) => {
    const a = x as readonly Value[];
    const b = y as readonly Value[];
    const n = Math.min(a.length, b.length);
    for (let i = 0; i < n; i++) {
      const order = orderWithNull(orderAt(i), a[i]!, b[i]!);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  };
}

/** Equality is what matters (SQL does not order maps): same keys with same values. */
function mapOrder(order: Order): Order {
  return (x, y) => {
    const a = x as ReadonlyMap<string, Value>;
    const b = y as ReadonlyMap<string, Value>;
    if (a.size !== b.size) return a.size - b.size;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined) return 1;
      const difference = orderWithNull(order, value, other);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

/** Whether two values, not null, are equal; the cheapest way for their types. */
export function equalityOf(left: DataType, right: DataType): (a: Value, b: Value) => boolean {
  if (hasOneForm(left) && left.kind === right.kind) return (a, b) => a === b;
  const order = orderOf(left, right);
  return (a, b) => order(a, b) === 0;
}

/** Types whose equal values are `===`. DOUBLE too: NaN is not equal to itself, 0 is to -0. */
export function hasOneForm(type: DataType): boolean {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
    case 'DOUBLE':
    case 'STRING':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return true;
    default:
      return false;
  }
}

export interface ComparedTypes {
  readonly left: DataType;
  readonly right: DataType;
}

export function compileCompare(
  op: CompareOp,
  types: ComparedTypes,
  left: Evaluator,
  right: Evaluator,
  onNull: null | false,
): Condition {
  switch (op) {
    case '=':
      return equals(equalityOf(types.left, types.right), true, left, right, onNull);
    case '<>':
      return equals(equalityOf(types.left, types.right), false, left, right, onNull);
    case 'is distinct from':
      return distinct(equalityOf(types.left, types.right), true, left, right);
    case 'is not distinct from':
      return distinct(equalityOf(types.left, types.right), false, left, right);
    case '<':
      return ordered(holdsLess(types), left, right, onNull);
    case '<=':
      return ordered(holdsLessOrEqual(types), left, right, onNull);
    // The same with the sides changed; which of them is evaluated first makes no difference.
    case '>':
      return ordered(holdsLess(flip(types)), right, left, onNull);
    case '>=':
      return ordered(holdsLessOrEqual(flip(types)), right, left, onNull);
    default:
      return unreachable(op);
  }
}

function equals(
  same: (a: Value, b: Value) => boolean,
  wanted: boolean,
  left: Evaluator,
  right: Evaluator,
  onNull: null | false,
): Condition {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    if (a === null) return onNull;
    const b = right(row, rowtimeMs);
    return b === null ? onNull : same(a, b) === wanted;
  };
}

function distinct(
  same: (a: Value, b: Value) => boolean,
  wanted: boolean,
  left: Evaluator,
  right: Evaluator,
): Condition {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    const b = right(row, rowtimeMs);
    if (a === null || b === null) return (a !== b) === wanted;
    return !same(a, b) === wanted;
  };
}

function flip({ left, right }: ComparedTypes): ComparedTypes {
  return { left: right, right: left };
}

type Holds = (a: Value, b: Value) => boolean;

function holdsLess(types: ComparedTypes): Holds {
  if (isPlainlyOrdered(types)) return (a, b) => (a as Int) < (b as Int);
  const order = orderOf(types.left, types.right);
  return (a, b) => order(a, b) < 0;
}

function holdsLessOrEqual(types: ComparedTypes): Holds {
  if (isPlainlyOrdered(types)) return (a, b) => (a as Int) <= (b as Int);
  const order = orderOf(types.left, types.right);
  return (a, b) => order(a, b) <= 0;
}

/** Where JavaScript's own `<` is SQL's: numbers and bigints of one scale, mixed too, and NaN that is beside everything. */
function isPlainlyOrdered({ left, right }: ComparedTypes): boolean {
  if (left.kind === 'DECIMAL' && right.kind === 'DECIMAL') return left.scale === right.scale;
  const plain = (type: DataType): boolean => hasOneForm(type) && type.kind !== 'STRING' && type.kind !== 'BOOLEAN';
  return plain(left) && (left.kind === right.kind || (plain(right) && isNumber(left) && isNumber(right)));
}

function ordered(holds: Holds, left: Evaluator, right: Evaluator, onNull: null | false): Condition {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    if (a === null) return onNull;
    const b = right(row, rowtimeMs);
    return b === null ? onNull : holds(a, b);
  };
}
