// What the analysis of one statement may cost. Parts are analysed more than once (a grouping expression is looked for at every level), and
// stand more than once in the plan (the sides of BETWEEN, the operand of CASE), which nesting multiplies; so steps are counted, and the
// size of a plan is that of the tree that its evaluation will walk. A statement is analysed in one go, so the count is of this thread.
import { bounds } from '../../core/bounds.js';
import type { Expression } from '../ast.js';
import type { Expr } from '../plan.js';
import { tooLarge, type Place } from '../sql-error.js';

const stepsMax: number = bounds.sqlSteps.value;
/** A list of constants is long and costs little. */
const stepsOfPart = 4;

let left = stepsMax;
let bounded = true;

/** `accepted`: the statement was taken before, perhaps under other bounds, and stands. */
export function beginStatement(accepted: boolean): void {
  bounded = !accepted;
  left = accepted ? Infinity : stepsMax;
}

/** Whether the statement asks for more than is taken from a new one. */
export function isOver(
  bound: 'sqlColumns' | 'decimalPrecision' | 'timePattern' | 'partitions',
  value: number,
): boolean {
  return bounded && value > bounds[bound].value;
}

/** A part is about to be analysed. */
export function stepInto(e: Expression): void {
  step(e.place, e.kind === 'integer' || e.kind === 'string' || e.kind === 'null' ? 1 : stepsOfPart);
}

export function step(place: Place, steps: number): void {
  if ((left -= steps) < 0) throw tooLarge(place, 'the statement asks for too many steps of analysis', stepsHint);
}

const stepsHint = `${stepsMax} at most: nest less, or make the inner part a table of its own`;

const sizes = new WeakMap<Expr, number>();

/** Expressions in it, those that stand in several places counted in each. */
export function planSize(expr: Expr): number {
  const known = sizes.get(expr);
  if (known !== undefined) return known;
  let size = 1;
  for (const part of partsOf(expr)) size += planSize(part);
  sizes.set(expr, size);
  return size;
}

/** What is made of a part, or of all columns together. */
export function assertPlanSize(place: Place, ...exprs: readonly Expr[]): void {
  let size = 0;
  for (const expr of exprs) size += planSize(expr);
  if (bounded && size > stepsMax) throw tooLarge(place, 'the expressions become too large', stepsHint);
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'arithmetic':
    case 'compare':
    case 'and':
    case 'or':
      return [expr.left, expr.right];
    case 'negate':
    case 'not':
    case 'is-null':
    case 'cast':
      return [expr.arg];
    case 'in':
      return [expr.arg, ...expr.list];
    case 'like':
      return [expr.arg, expr.pattern];
    case 'case': {
      const branches = expr.whens.flatMap(({ when, then }) => [when, then]);
      return expr.otherwise === null ? branches : [...branches, expr.otherwise];
    }
    case 'call':
      return expr.args;
    default:
      return [];
  }
}
