// = < BETWEEN IN LIKE and their kin: which types compare, and what is converted for it. Numbers compare by value whatever
// their types, so a key column stays bare in `id = 5` and can be looked up.
import { BIGINT, BOOLEAN, printType, sameType, STRING, type DataType } from '../../core/data-type.js';
import type { ComparisonOp, Expression } from '../ast.js';
import { big } from '../../core/decimal.js';
import { isNumber } from '../functions/common-type.js';
import { parseTimestamp } from '../functions/time-text.js';
import { messages } from '../messages.js';
import type { CompareOp, Expr } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { inOneType } from './common.js';
import { typeError, type Analyze, type Environment } from './environment.js';
import { coerce, literal, typed, type Typed } from './typed.js';

type Compare = Expression & { kind: 'compare' };

/** ksqlDB's names of the operators, which its errors use. */
const operatorNames: Record<ComparisonOp, string> = {
  '=': 'EQUAL',
  '<>': 'NOT_EQUAL',
  '<': 'LESS_THAN',
  '<=': 'LESS_THAN_OR_EQUAL',
  '>': 'GREATER_THAN',
  '>=': 'GREATER_THAN_OR_EQUAL',
  'IS DISTINCT FROM': 'IS_DISTINCT_FROM',
  'IS NOT DISTINCT FROM': 'IS_NOT_DISTINCT_FROM',
};

export function comparison(e: Compare, left: Typed, right: Typed, env: Environment): Typed {
  const op = e.op.toLowerCase() as CompareOp;
  const distinct = e.op.startsWith('IS');
  if (!distinct && (left.type === null || right.type === null)) {
    const other = printExpression(right.type === null ? e.left : e.right);
    throw typeError(
      env,
      e.place,
      `Comparison with NULL not supported: ${printExpression(e)}`,
      `write ${other} IS NULL`,
    );
  }
  const sides = comparable(left, right, e.op);
  if (sides !== null) return typed({ kind: 'compare', op, left: sides[0], right: sides[1], type: BOOLEAN });
  throw typeError(
    env,
    e.place,
    messages.cannotCompare(
      printExpression(e.left),
      printType(left.type!),
      printExpression(e.right),
      printType(right.type!),
      operatorNames[e.op],
      printExpression(e),
    ),
  );
}

/** Both sides in forms that compare, or null. */
function comparable(left: Typed, right: Typed, op: ComparisonOp): [Expr, Expr] | null {
  if (left.type === null) return [coerce(left, right.type ?? STRING)!, right.expr];
  if (right.type === null) return [left.expr, coerce(right, left.type)!];
  if (isNumber(left.type) && isNumber(right.type)) return [left.expr, right.expr];
  if (sameType(left.type, right.type)) return orders(left.type, op) ? [left.expr, right.expr] : null;
  const toRight = timeOf(left, right);
  if (toRight !== null) return [toRight, right.expr];
  const toLeft = timeOf(right, left);
  if (toLeft !== null) return [left.expr, toLeft];
  if (left.type.kind === 'DATE' && right.type.kind === 'TIMESTAMP') return [coerce(left, right.type)!, right.expr];
  if (left.type.kind === 'TIMESTAMP' && right.type.kind === 'DATE') return [left.expr, coerce(right, left.type)!];
  return null;
}

/** BOOLEAN and nested types are equal or not, but have no order. */
function orders(type: DataType, op: ComparisonOp): boolean {
  const ordered = op.startsWith('<') && op !== '<>' ? true : op.startsWith('>');
  return !ordered || !['BOOLEAN', 'ARRAY', 'MAP', 'STRUCT'].includes(type.kind);
}

/** A text beside a date or a time, or a constant text beside ROWTIME, as the other's type. */
function timeOf(text: Typed, other: Typed): Expr | null {
  if (text.type?.kind !== 'STRING') return null;
  if (other.type!.kind === 'DATE' || other.type!.kind === 'TIME' || other.type!.kind === 'TIMESTAMP') {
    return coerce(text, other.type!);
  }
  if (other.expr.kind !== 'rowtime' || text.expr.kind !== 'literal') return null;
  const us = parseTimestamp(text.expr.value as string);
  return us === null ? null : literal(Number(big(us) / 1000n), BIGINT);
}

export function between(e: Expression & { kind: 'between' }, inner: Analyze, env: Environment): Typed {
  const arg = inner(e.arg);
  const side = (op: '>=' | '<=', bound: Expression): Expr => {
    const compare: Compare = { kind: 'compare', op, left: e.arg, right: bound, place: bound.place };
    return comparison(compare, arg, inner(bound), env).expr;
  };
  const both: Expr = { kind: 'and', left: side('>=', e.lower), right: side('<=', e.upper), type: BOOLEAN };
  return typed(e.negated ? { kind: 'not', arg: both, type: BOOLEAN } : both);
}

export function inList(e: Expression & { kind: 'in' }, inner: Analyze, env: Environment): Typed {
  const arg = inner(e.arg);
  const items = e.list.map(inner);
  const common = inOneType([e.arg, ...e.list], [arg, ...items], {
    noOperator: (a, b, item) =>
      typeError(env, item.place, messages.inOperator(printType(a), printType(b), printExpression(item))),
    badText: (type, text, item) => typeError(env, item.place, messages.inSyntax(type.kind, text)),
  });
  const [first, ...list] = common === null ? [arg.expr, ...items.map((item) => item.expr)] : common.exprs;
  return typed({ kind: 'in', arg: first!, list, negated: e.negated, type: BOOLEAN });
}

export function like(e: Expression & { kind: 'like' }, inner: Analyze, env: Environment): Typed {
  const arg = inner(e.arg);
  const pattern = inner(e.pattern);
  if (arg.type !== null && arg.type.kind !== 'STRING') {
    throw typeError(env, e.place, messages.likeColumn(printType(arg.type)));
  }
  if (pattern.type !== null && pattern.type.kind !== 'STRING') throw typeError(env, e.place, messages.likeNotText);
  if (e.escape !== null && e.escape.length !== 1) {
    throw typeError(env, e.place, `Expected escape to be one character but got ${e.escape}`);
  }
  return typed({
    kind: 'like',
    arg: coerce(arg, STRING)!,
    pattern: coerce(pattern, STRING)!,
    escape: e.escape,
    negated: e.negated,
    type: BOOLEAN,
  });
}
