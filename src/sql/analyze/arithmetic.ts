// + - * / % and the sign, and joining texts with + or ||.
import { bounds } from '../../core/bounds.js';
import { printType, STRING, type DataType } from '../../core/data-type.js';
import type { Expression } from '../ast.js';
import { arithmeticType, asDecimal, isNumber } from '../functions/common-type.js';
import { messages } from '../messages.js';
import type { Expr } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { isOver } from './effort.js';
import { typeError, type Environment } from './environment.js';
import { coerce, literal, nullTypeName, typed, type Typed } from './typed.js';

export function arithmetic(e: Expression & { kind: 'binary' }, left: Typed, right: Typed, env: Environment): Typed {
  const { op } = e;
  if (op === '||' || (op === '+' && left.type?.kind === 'STRING' && right.type?.kind === 'STRING')) {
    return concatenation(e, left, right, env);
  }
  if (left.type === null || right.type === null) {
    const [a, b] = [left, right].map(({ type }) => (type === null ? nullTypeName : printType(type))) as [
      string,
      string,
    ];
    throw typeError(env, e.place, messages.arithmeticOnNull(printExpression(e), a, b));
  }
  const type = arithmeticType(op, left.type, right.type);
  if (type === null) {
    throw typeError(env, e.place, messages.arithmetic(printExpression(e), left.type.kind, right.type.kind));
  }
  if (type.kind === 'DECIMAL' && isOver('decimalPrecision', type.precision)) {
    const what = `Error processing expression: ${printExpression(e)}. Its result is a ${printType(type)}`;
    throw typeError(
      env,
      e.place,
      what,
      `a DECIMAL has ${bounds.decimalPrecision.value} digits at most: CAST a side to fewer`,
    );
  }
  return typed({ kind: 'arithmetic', op, left: operand(left, type), right: operand(right, type), type });
}

/** An operand in the result's type; for DECIMAL as a DECIMAL of its own. */
function operand(side: Typed, result: DataType): Expr {
  const to = result.kind === 'DECIMAL' ? asDecimal(side.type!)! : result;
  return coerce(side, to)!;
}

function concatenation(e: Expression & { kind: 'binary' }, left: Typed, right: Typed, env: Environment): Typed {
  const sides = [left, right].map((side) => {
    if (side.type !== null && side.type.kind !== 'STRING') {
      const hint = `CAST(${printExpression(side === left ? e.left : e.right)} AS STRING)`;
      const kinds = [left, right].map(({ type }) => type?.kind ?? nullTypeName) as [string, string];
      throw typeError(env, e.place, messages.arithmetic(printExpression(e), ...kinds), hint);
    }
    return coerce(side, STRING)!;
  });
  return typed({ kind: 'call', name: '||', args: sides, type: STRING });
}

export function signed(e: Expression & { kind: 'unary' }, arg: Typed, env: Environment): Typed {
  const { type, expr } = arg;
  if (type === null || !isNumber(type)) {
    const name = type === null ? nullTypeName : printType(type);
    throw typeError(
      env,
      e.place,
      `Error processing expression: ${printExpression(e)}. The sign of ${name} cannot be taken`,
    );
  }
  if (e.op === '+') return arg;
  // The negative of the smallest integer does not exist, and a bigint may become a number: only the evaluator negates those.
  if (expr.kind === 'literal' && typeof expr.value === 'number' && expr.value !== -(2 ** 31)) {
    return typed(literal(type.kind === 'DOUBLE' ? -expr.value : 0 - expr.value, type));
  }
  return typed({ kind: 'negate', arg: expr, type });
}
