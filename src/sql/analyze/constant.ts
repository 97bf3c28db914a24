// The value of an expression without columns, for INSERT VALUES.
import { integerValue, type DataType, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { castBody } from '../functions/cast.js';
import { big } from '../../core/decimal.js';
import { functionBody } from '../functions/registry.js';
import type { Expr } from '../plan.js';
import { invalidStatement, unsupported, type Place } from '../sql-error.js';

/** The value, or an error at `place`: a failing conversion, or an operator that only running queries evaluate. */
export function constantValue(expr: Expr, place: Place): Value {
  try {
    return evaluate(expr, place);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    if (code === 'unconvertible-value') throw invalidStatement(place, message);
    if (code !== 'value-too-large') throw error;
    throw new AppError(code, message, { hint, place: { line: place.line, column: place.column } });
  }
}

function evaluate(expr: Expr, place: Place): Value {
  switch (expr.kind) {
    case 'literal':
      return expr.value;
    case 'cast': {
      const value = evaluate(expr.arg, place);
      return castBody(expr.arg.type, expr.type)!(value);
    }
    case 'call': {
      const args = expr.args.map((arg) => evaluate(arg, place));
      return functionBody(
        expr.name,
        expr.args.map((arg) => arg.type),
      )(...args);
    }
    case 'negate':
      return negated(evaluate(expr.arg, place), expr.type);
    default:
      throw unsupported(place, `an expression with operators in VALUES`, 'write the value itself');
  }
}

function negated(value: Value, type: DataType): Value {
  if (value === null) return null;
  if (type.kind === 'DOUBLE') return -(value as number);
  const bits = type.kind === 'INTEGER' ? 32 : 64;
  return integerValue(type.kind === 'DECIMAL' ? -big(value) : BigInt.asIntN(bits, -big(value)));
}
