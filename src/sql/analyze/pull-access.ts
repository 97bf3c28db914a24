// From a condition to what can be looked up: the key look-ups and key ranges whose union holds every row that may satisfy it.
// The condition is brought into a disjunction; in each disjunct equalities on the first key columns make a prefix, then bounds
// on the next column make a range. What is found is sorted and made free of overlap, so that a reader gets no row twice and all
// in key order.
import { compareRows, compareValues } from '../../core/compare.js';
import type { RowSchema, Value } from '../../core/data-type.js';
import type { Expr, PullAccess } from '../plan.js';
import { keyValue } from './key-value.js';

export interface Accesses {
  readonly accesses: readonly PullAccess[];
  /** True when every row of the accesses satisfies the condition, so that it need not be looked at. */
  readonly covered: boolean;
}

/** More alternatives than this are read as one scan. */
const disjunctsMax = 10_000;
/** In all of them together, and while they are made: a long AND copies what it has at each of its levels. */
const conditionsMax = 1_000_000;

export function pullAccesses(predicate: Expr | null, schema: RowSchema): Accesses {
  const scan: PullAccess = { kind: 'range', prefix: [], lower: null, upper: null };
  if (predicate === null) return { accesses: [scan], covered: true };
  const disjuncts = disjunction(predicate, { conditions: conditionsMax });
  if (disjuncts === null) return { accesses: [scan], covered: false };
  const intervals: Interval[] = [];
  let covered = true;
  for (const disjunct of disjuncts) {
    const found = keyInterval(disjunct, schema);
    if (found === 'nothing') continue;
    intervals.push(found.interval);
    covered &&= found.covered;
  }
  const merged = merge(intervals);
  return {
    accesses: merged.intervals.map((interval) => toAccess(interval, schema)),
    covered: covered && !merged.widened,
  };
}

/** The condition as OR of ANDs, null when that would grow too large. */
function disjunction(e: Expr, room: { conditions: number }): Expr[][] | null {
  switch (e.kind) {
    case 'or': {
      const left = disjunction(e.left, room);
      const right = left && disjunction(e.right, room);
      if (left === null || right === null || left.length + right.length > disjunctsMax) return null;
      for (const disjunct of right) left.push(disjunct);
      return left;
    }
    case 'and': {
      const left = disjunction(e.left, room);
      const right = left && disjunction(e.right, room);
      if (left === null || right === null || left.length * right.length > disjunctsMax) return null;
      room.conditions -= left.length * right.length * (left[0]!.length + right[0]!.length);
      if (room.conditions < 0) return null;
      return left.flatMap((a) => right.map((b) => [...a, ...b]));
    }
    case 'in':
      if (e.negated || e.list.length > disjunctsMax || e.list.some((item) => item.kind !== 'literal')) return [[e]];
      return e.list.map((item) => [{ kind: 'compare', op: '=', left: e.arg, right: item, type: e.type }]);
    default:
      return [[e]];
  }
}

/** A place between keys: before all keys that start with `at`, or behind them. */
interface Cut {
  readonly at: readonly Value[];
  readonly after: boolean;
}
interface Interval {
  readonly lower: Cut;
  readonly upper: Cut;
}

interface Bound {
  readonly value: Value;
  readonly inclusive: boolean;
}

function keyInterval(
  disjunct: readonly Expr[],
  schema: RowSchema,
): { interval: Interval; covered: boolean } | 'nothing' {
  const prefix: Value[] = [];
  const used = new Set<Expr>();
  let lower: Bound | null = null;
  let upper: Bound | null = null;
  for (const column of schema.keyColumns) {
    let equal: Value | undefined;
    for (const atom of disjunct) {
      const found = keyValue(atom, column, schema.columns[column]!.type);
      if (found === null) continue;
      if (found.kind === 'never') return 'nothing';
      used.add(atom);
      const { op, value } = found;
      if (op === '=') {
        if (equal !== undefined && compareValues(equal, value) !== 0) return 'nothing';
        equal = value;
      } else if (op === '>' || op === '>=') {
        lower = tighter(lower, { value, inclusive: op === '>=' }, 1);
      } else {
        upper = tighter(upper, { value, inclusive: op === '<=' }, -1);
      }
    }
    if (equal === undefined) break;
    if (!within(equal, lower, upper)) return 'nothing';
    prefix.push(equal);
    lower = null;
    upper = null;
  }
  if (lower !== null && upper !== null && isEmpty(lower, upper)) return 'nothing';
  const interval = {
    lower: lower === null ? { at: prefix, after: false } : { at: [...prefix, lower.value], after: !lower.inclusive },
    upper: upper === null ? { at: prefix, after: true } : { at: [...prefix, upper.value], after: upper.inclusive },
  };
  // A range without a lower end also holds NULLs, which satisfy no comparison.
  const nulls = upper !== null && lower === null;
  return { interval, covered: used.size === disjunct.length && !nulls };
}

function tighter(a: Bound | null, b: Bound, sign: 1 | -1): Bound {
  if (a === null) return b;
  const order = compareValues(a.value, b.value) * sign;
  if (order !== 0) return order > 0 ? a : b;
  return a.inclusive ? b : a;
}

function within(value: Value, lower: Bound | null, upper: Bound | null): boolean {
  if (lower !== null) {
    const order = compareValues(value, lower.value);
    if (order < 0 || (order === 0 && !lower.inclusive)) return false;
  }
  if (upper === null) return true;
  const order = compareValues(value, upper.value);
  return order < 0 || (order === 0 && upper.inclusive);
}

function isEmpty(lower: Bound, upper: Bound): boolean {
  const order = compareValues(lower.value, upper.value);
  return order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive));
}

function compareCuts(a: Cut, b: Cut): number {
  const n = Math.min(a.at.length, b.at.length);
  const order = compareRows(a.at.slice(0, n), b.at.slice(0, n));
  if (order !== 0) return order;
  // The shorter cut lies outside all keys that start with it, before or behind them.
  if (a.at.length !== b.at.length) return a.at.length < b.at.length ? (a.after ? 1 : -1) : b.after ? -1 : 1;
  return Number(a.after) - Number(b.after);
}

/** Sorted, without overlap. `widened`: some interval now holds keys that none had. */
function merge(intervals: readonly Interval[]): { intervals: Interval[]; widened: boolean } {
  let widened = false;
  const merged: Interval[] = [];
  const add = (interval: Interval): void => {
    const last = merged.at(-1);
    if (last === undefined || compareCuts(interval.lower, last.upper) >= 0) {
      merged.push(interval);
      return;
    }
    if (compareCuts(interval.upper, last.upper) <= 0) return;
    merged.pop();
    const union = expressible({ lower: last.lower, upper: interval.upper });
    widened ||= union.widened;
    // A widened union may reach back over its neighbours.
    while (merged.length > 0 && compareCuts(union.interval.lower, merged.at(-1)!.upper) < 0) merged.pop();
    merged.push(union.interval);
  };
  for (const interval of intervals.toSorted((a, b) => compareCuts(a.lower, b.lower))) add(interval);
  return { intervals: merged, widened };
}

/** The interval itself when it is a prefix with bounds on one column, else the next larger one that is. */
function expressible(interval: Interval): { interval: Interval; widened: boolean } {
  const { lower, upper } = interval;
  let common = 0;
  while (
    common < lower.at.length &&
    common < upper.at.length &&
    compareValues(lower.at[common]!, upper.at[common]!) === 0
  ) {
    common++;
  }
  const fits = lower.at.length <= common + 1 && upper.at.length <= common + 1;
  if (fits) return { interval, widened: false };
  const cut = ({ at, after }: Cut, isLower: boolean): Cut =>
    at.length <= common + 1 ? { at, after } : { at: at.slice(0, common + 1), after: !isLower };
  return { interval: { lower: cut(lower, true), upper: cut(upper, false) }, widened: true };
}

function toAccess({ lower, upper }: Interval, schema: RowSchema): PullAccess {
  const isPoint =
    lower.at.length === schema.keyColumns.length &&
    upper.at.length === lower.at.length &&
    !lower.after &&
    upper.after &&
    compareRows(lower.at, upper.at) === 0;
  if (isPoint) return { kind: 'key', key: lower.at };
  let common = 0;
  const shorter = Math.min(lower.at.length, upper.at.length);
  while (common < shorter && compareValues(lower.at[common]!, upper.at[common]!) === 0) common++;
  // k > 5 AND k <= 5 does not come here, but k >= 5 AND k <= 5 on the last column of a longer key does: a prefix.
  const samePlace = lower.at.length === common && upper.at.length === common;
  if (samePlace && !lower.after && upper.after) return { kind: 'range', prefix: lower.at, lower: null, upper: null };
  const width = Math.min(common, Math.max(lower.at.length, upper.at.length) - 1);
  return {
    kind: 'range',
    prefix: lower.at.slice(0, width),
    lower: lower.at.length > width ? { value: lower.at[width]!, inclusive: !lower.after } : null,
    upper: upper.at.length > width ? { value: upper.at[width]!, inclusive: upper.after } : null,
  };
}
