// What a compiled expression is, and how its evaluation may fail. As in ksqlDB an expression whose evaluation fails (a text that
// is no number, a division by zero) is NULL as a whole, and the failure is reported, not thrown at the query.
import type { Row, Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';

/** An expression at work: a row and its ROWTIME in, a value out. */
export type Evaluator = (row: Row, rowtimeMs: number) => Value;
/** A BOOLEAN expression at work; null is SQL's unknown. */
export type Condition = (row: Row, rowtimeMs: number) => boolean | null;
/** Expressions at work together: a row and its ROWTIME in, a value of each out. */
export type ColumnsEvaluator = (row: Row, rowtimeMs: number) => Value[];
/** A condition that decides: unknown counts as false. */
export type Predicate = (row: Row, rowtimeMs: number) => boolean;

export interface CompileOptions {
  /** Told about each failed evaluation; the caller counts and samples. */
  readonly onError: (reason: string) => void;
  /**
   * What a comparison with NULL is: SQL's `null` (default), or `false` as ksqlDB has it (strict mode), where NOT then makes
   * it true.
   */
  readonly comparisonWithNull?: null | false | undefined;
  /** So many expressions are evaluated one by one for a row, and share what that may cost. */
  readonly share?: number | undefined;
}

/** The value of an expression cannot be computed from this row. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Failures of the row's values are told apart from bugs, which must stop the query. */
export function isEvaluationFailure(error: unknown): error is Error {
  if (error instanceof EvaluationError || error instanceof RangeError) return true;
  return error instanceof AppError && error.code !== 'internal';
}
