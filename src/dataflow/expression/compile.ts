// Compiles a plan's expressions into closures, once per query; pulls use them too. What is known from the types is decided
// here, so that evaluating a row decides nothing but what the row's values ask for. An evaluation that fails gives NULL (in a
// predicate: false) and is reported through `onError`.
import { printType, sizeOf, type DataType, type Row, type Value } from '../../core/data-type.js';
import { AppError, assert, unreachable } from '../../core/errors.js';
import { beginEvaluation, endEvaluation, spend } from '../../core/evaluation-work.js';
import { castBody, identity } from '../../sql/functions/cast.js';
import { functionBody } from '../../sql/functions/registry.js';
import type { Expr } from '../../sql/plan.js';
import { compileArithmetic, compileNegate } from './arithmetic.js';
import { compileCompare } from './compare.js';
import {
  isEvaluationFailure,
  type ColumnsEvaluator,
  type CompileOptions,
  type Condition,
  type Evaluator,
  type Predicate,
} from './evaluator.js';
import { compileLike } from './like.js';
import { compileAnd, compileCase, compileIn, compileIsNull, compileNot, compileOr } from './logic.js';

export function compileExpression(expr: Expr, options: CompileOptions): Evaluator {
  const evaluate = protectedExpression(expr, options);
  if (!canFail(expr)) return evaluate;
  const { share } = options;
  return (row, rowtimeMs) => {
    beginEvaluation(share);
    try {
      return evaluate(row, rowtimeMs);
    } finally {
      endEvaluation();
    }
  };
}

/** The columns of a projection: together they may cost what one row may cost. */
export function compileColumns(exprs: readonly Expr[], options: CompileOptions): ColumnsEvaluator {
  const columns = exprs.map((expr) => protectedExpression(expr, options));
  const n = columns.length;
  const all = (row: Row, rowtimeMs: number): Value[] => {
    const result: Value[] = [];
    for (let i = 0; i < n; i++) result.push(columns[i]!(row, rowtimeMs));
    return result;
  };
  if (!exprs.some(canFail)) return all;
  return (row, rowtimeMs) => {
    beginEvaluation();
    try {
      return all(row, rowtimeMs);
    } finally {
      endEvaluation();
    }
  };
}

/** A failure is NULL. What the evaluation may cost is for the caller to say. */
function protectedExpression(expr: Expr, options: CompileOptions): Evaluator {
  const evaluate = compile(expr, options);
  if (!canFail(expr)) return evaluate;
  const { onError } = options;
  return (row, rowtimeMs) => {
    try {
      return evaluate(row, rowtimeMs);
    } catch (error) {
      if (!isEvaluationFailure(error)) throw error;
      onError(error.message);
      return null;
    }
  };
}

export function compilePredicate(expr: Expr, options: CompileOptions): Predicate {
  assert(expr.type.kind === 'BOOLEAN', 'a predicate is BOOLEAN');
  const evaluate = compileExpression(expr, options);
  return (row, rowtimeMs) => evaluate(row, rowtimeMs) === true;
}

function compile(expr: Expr, options: CompileOptions): Evaluator {
  const onNull = options.comparisonWithNull ?? null;
  switch (expr.kind) {
    case 'column': {
      const { index } = expr;
      return (row) => row[index]!;
    }
    case 'rowtime':
      return (_row, rowtimeMs) => rowtimeMs;
    case 'literal': {
      const { value } = expr;
      return () => value;
    }
    case 'arithmetic':
      return compileArithmetic(expr, compile(expr.left, options), compile(expr.right, options));
    case 'negate':
      return compileNegate(expr.type, compile(expr.arg, options));
    case 'compare': {
      const types = { left: expr.left.type, right: expr.right.type };
      const [left, right] = [compile(expr.left, options), compile(expr.right, options)];
      return comparesAtLength(expr)
        ? compileCompare(expr.op, types, counted(left), right, onNull)
        : compileCompare(expr.op, types, left, right, onNull);
    }
    case 'and':
      return compileAnd(condition(expr.left, options), condition(expr.right, options));
    case 'or':
      return compileOr(condition(expr.left, options), condition(expr.right, options));
    case 'not':
      return compileNot(condition(expr.arg, options));
    case 'is-null':
      return compileIsNull(compile(expr.arg, options), expr.negated);
    case 'in': {
      const items = expr.list.map((item) => ({
        type: item.type,
        evaluate: compile(item, options),
        literal: item.kind === 'literal' ? item.value : undefined,
      }));
      const compared = hasLength(expr.arg.type) ? expr.list.filter((item) => item.kind !== 'literal').length : 0;
      const arg = compile(expr.arg, options);
      return compileIn(expr.arg.type, compared > 0 ? counted(arg, compared) : arg, items, expr.negated, onNull);
    }
    case 'like': {
      const { pattern } = expr;
      const literal = pattern.kind === 'literal' && typeof pattern.value === 'string' ? pattern.value : undefined;
      return compileLike(compile(expr.arg, options), compile(pattern, options), literal, expr.escape, expr.negated);
    }
    case 'case': {
      const branches = expr.whens.map(({ when, then }) => ({
        when: condition(when, options),
        result: compile(then, options),
      }));
      return compileCase(branches, expr.otherwise && compile(expr.otherwise, options));
    }
    case 'cast': {
      const arg = compile(expr.arg, options);
      const cast = castBody(expr.arg.type, expr.type);
      if (cast === identity) return arg;
      if (cast === null) {
        throw new AppError('internal', `the plan casts ${printType(expr.arg.type)} to ${printType(expr.type)}`);
      }
      return (row, rowtimeMs) => cast(arg(row, rowtimeMs));
    }
    case 'call':
      return compileCall(expr, options);
    default:
      return unreachable(expr);
  }
}

/** Two values of any length: that of a literal bounds what the comparison takes. */
function comparesAtLength({ left, right }: Extract<Expr, { kind: 'compare' }>): boolean {
  return hasLength(left.type) && left.kind !== 'literal' && right.kind !== 'literal';
}

function hasLength({ kind }: DataType): boolean {
  return kind === 'STRING' || kind === 'BYTES' || kind === 'ARRAY' || kind === 'MAP' || kind === 'STRUCT';
}

/** What it gives is going to be compared, so many times. */
function counted(evaluate: Evaluator, times = 1): Evaluator {
  return (row, rowtimeMs) => {
    const value = evaluate(row, rowtimeMs);
    if (value !== null) spend(sizeOf(value) * times);
    return value;
  };
}

/** The planner sees to it that a BOOLEAN expression gives booleans. */
function condition(expr: Expr, options: CompileOptions): Condition {
  return compile(expr, options) as Condition;
}

function compileCall(expr: Extract<Expr, { kind: 'call' }>, options: CompileOptions): Evaluator {
  const argTypes = expr.args.map((arg) => arg.type);
  const body = functionBody(expr.name, argTypes);
  const args = expr.args.map((arg) => compile(arg, options));
  const [a, b, c] = args;
  // The common numbers of arguments without an array per call.
  if (a === undefined) return () => body();
  if (b === undefined) return (row, rowtimeMs) => body(a(row, rowtimeMs));
  if (c === undefined) return (row, rowtimeMs) => body(a(row, rowtimeMs), b(row, rowtimeMs));
  if (args.length === 3) {
    return (row, rowtimeMs) => body(a(row, rowtimeMs), b(row, rowtimeMs), c(row, rowtimeMs));
  }
  return (row: Row, rowtimeMs: number): Value => body(...args.map((arg) => arg(row, rowtimeMs)));
}

/** Whether evaluating it can fail, so that it needs the protection of a try. */
function canFail(expr: Expr): boolean {
  switch (expr.kind) {
    case 'column':
    case 'rowtime':
    case 'literal':
      return false;
    case 'arithmetic':
      return (
        expr.op === '/' || expr.op === '%' || expr.type.kind === 'DECIMAL' || canFail(expr.left) || canFail(expr.right)
      );
    case 'compare':
      return comparesAtLength(expr) || canFail(expr.left) || canFail(expr.right);
    case 'and':
    case 'or':
      return canFail(expr.left) || canFail(expr.right);
    case 'negate':
    case 'not':
    case 'is-null':
      return canFail(expr.arg);
    case 'in':
      return (
        canFail(expr.arg) ||
        expr.list.some((item) => item.kind !== 'literal' && (hasLength(expr.arg.type) || canFail(item)))
      );
    case 'case':
      return (
        expr.whens.some(({ when, then }) => canFail(when) || canFail(then)) ||
        (expr.otherwise !== null && canFail(expr.otherwise))
      );
    case 'like':
    case 'cast':
    case 'call':
      return true;
    default:
      return unreachable(expr);
  }
}
