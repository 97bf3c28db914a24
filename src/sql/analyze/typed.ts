// A typed expression under construction, and the casts between types. A bare NULL has no type until its place gives it one.
import { sameType, STRING, type DataType, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { castBody } from '../functions/cast.js';
import type { Expr } from '../plan.js';

export interface Typed {
  readonly expr: Expr;
  /** Null: the type of a bare NULL. */
  readonly type: DataType | null;
}

export function typed(expr: Expr): Typed {
  return { expr, type: expr.type };
}

export function literal(value: Value, type: DataType): Expr {
  return { kind: 'literal', value, type };
}

export const bareNull: Typed = { expr: literal(null, STRING), type: null };

/** The expression as a value of that type; null when no cast leads there. Constants are converted at once. */
export function coerce(from: Typed, to: DataType): Expr | null {
  if (from.type === null) return literal(null, to);
  if (sameType(from.type, to)) return from.expr;
  const cast = castBody(from.type, to);
  if (cast === null) return null;
  if (from.expr.kind === 'literal') {
    const value = tryCast(() => cast((from.expr as Expr & { kind: 'literal' }).value));
    // A constant that does not convert fails when it is evaluated, by the policy of the query.
    if (value !== undefined) return literal(value, to);
  }
  return { kind: 'cast', arg: from.expr, type: to };
}

function tryCast(body: () => Value): Value | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof AppError && error.code === 'unconvertible-value') return undefined;
    throw error;
  }
}

/** A text that tells expressions apart: equal texts, equal expressions. */
export function exprKey(expr: Expr): string {
  return JSON.stringify(expr, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return value instanceof Map ? [...(value as ReadonlyMap<string, Value>)] : value;
  });
}

/** The type's name in errors; `null` for a bare NULL. */
export const nullTypeName = 'null';
