// What the analysis of an expression is told about the place where the expression stands.
import type { ColumnRef, Expression } from '../ast.js';
import { messages } from '../messages.js';
import { invalidStatement, type Place } from '../sql-error.js';
import type { Typed } from './typed.js';

/** Where an expression stands: what its names mean and how errors call the clause. */
export interface Environment {
  /** SELECT, WHERE, GROUP BY, HAVING, JOIN ON, VALUES. */
  readonly clause: string;
  readonly strict: boolean;
  column(ref: ColumnRef): Typed;
  /** Asked first at each node: the aggregate scope takes grouping expressions and aggregate calls here. */
  readonly intercept?: (e: Expression) => Typed | null;
}

export type Analyze = (e: Expression) => Typed;

/** An error about types; ksqlDB names the clause for conditions only. */
export function typeError(env: Environment, place: Place, message: string, hint?: string): Error {
  const inCondition = env.clause === 'WHERE' || env.clause === 'HAVING';
  return invalidStatement(place, inCondition ? messages.clauseError(env.clause, message) : message, hint);
}
