// Compiles `+ - * / %` and the sign. The result's type chooses the arithmetic; the planner has cast the operands to it, except
// those of DECIMAL, which come with scales of their own.
import type { DataType, Value } from '../../core/data-type.js';
import { AppError, unreachable } from '../../core/errors.js';
import type { ArithmeticOp, Expr } from '../../sql/plan.js';
import { addDecimal, divideDecimal, multiplyDecimal, remainderDecimal, type DecimalShape } from './decimal.js';
import type { Evaluator } from './evaluator.js';
import {
  addInt32,
  addInt64,
  divideInt32,
  divideInt64,
  multiplyInt64,
  negateInt64,
  remainderInt32,
  remainderInt64,
  subtractInt32,
  subtractInt64,
  type Int,
} from './integer.js';

type ArithmeticExpr = Extract<Expr, { kind: 'arithmetic' }>;
type Operation<T extends Value> = (a: T, b: T) => Value;

export function compileArithmetic(expr: ArithmeticExpr, left: Evaluator, right: Evaluator): Evaluator {
  switch (expr.type.kind) {
    case 'INTEGER':
      requireKind(expr, 'INTEGER');
      return binary<number>(int32Operation(expr.op), left, right);
    case 'BIGINT':
      requireKind(expr, 'INTEGER', 'BIGINT');
      return binary<Int>(int64Operation(expr.op), left, right);
    case 'DOUBLE':
      requireKind(expr, 'DOUBLE');
      return binary<number>(doubleOperation(expr.op), left, right);
    case 'DECIMAL':
      return binary<Int>(decimalOperation(expr.op, expr.left.type, expr.right.type, expr.type), left, right);
    default:
      throw new AppError('internal', `the plan has arithmetic of type ${expr.type.kind}`);
  }
}

function binary<T extends Value>(operation: Operation<T>, left: Evaluator, right: Evaluator): Evaluator {
  return (row, rowtimeMs) => {
    const a = left(row, rowtimeMs);
    if (a === null) return null;
    const b = right(row, rowtimeMs);
    return b === null ? null : operation(a as T, b as T);
  };
}

function int32Operation(op: ArithmeticOp): Operation<number> {
  switch (op) {
    case '+':
      return addInt32;
    case '-':
      return subtractInt32;
    case '*':
      return Math.imul;
    case '/':
      return divideInt32;
    case '%':
      return remainderInt32;
    default:
      return unreachable(op);
  }
}

function int64Operation(op: ArithmeticOp): Operation<Int> {
  switch (op) {
    case '+':
      return addInt64;
    case '-':
      return subtractInt64;
    case '*':
      return multiplyInt64;
    case '/':
      return divideInt64;
    case '%':
      return remainderInt64;
    default:
      return unreachable(op);
  }
}

/** As Java: a division by zero gives an infinity or NaN, not an error. */
function doubleOperation(op: ArithmeticOp): Operation<number> {
  switch (op) {
    case '+':
      return (a, b) => a + b;
    case '-':
      return (a, b) => a - b;
    case '*':
      return (a, b) => a * b;
    case '/':
      return (a, b) => a / b;
    case '%':
      return (a, b) => a % b;
    default:
      return unreachable(op);
  }
}

function decimalOperation(op: ArithmeticOp, left: DataType, right: DataType, result: DecimalShape): Operation<Int> {
  const a = scaleOf(left);
  const b = scaleOf(right);
  switch (op) {
    case '+':
      return (x, y) => addDecimal(x, a, y, b, result);
    case '-':
      return (x, y) => addDecimal(x, a, y, b, result, -1);
    case '*':
      return (x, y) => multiplyDecimal(x, a, y, b, result);
    case '/':
      return (x, y) => divideDecimal(x, a, y, b, result);
    case '%':
      return (x, y) => remainderDecimal(x, a, y, b, result);
    default:
      return unreachable(op);
  }
}

function scaleOf(type: DataType): number {
  if (type.kind === 'DECIMAL') return type.scale;
  if (type.kind === 'INTEGER' || type.kind === 'BIGINT') return 0;
  throw new AppError('internal', `the plan has an operand of type ${type.kind} in DECIMAL arithmetic`);
}

function requireKind(expr: ArithmeticExpr, ...kinds: DataType['kind'][]): void {
  for (const operand of [expr.left.type.kind, expr.right.type.kind]) {
    if (kinds.includes(operand)) continue;
    throw new AppError('internal', `the plan has an operand of type ${operand} in ${expr.type.kind} arithmetic`);
  }
}

export function compileNegate(type: DataType, arg: Evaluator): Evaluator {
  const negate = negateOperation(type);
  return (row, rowtimeMs) => {
    const value = arg(row, rowtimeMs);
    return value === null ? null : negate(value as Int);
  };
}

function negateOperation(type: DataType): (value: Int) => Int {
  switch (type.kind) {
    case 'INTEGER':
      return (value) => (0 - (value as number)) | 0;
    case 'BIGINT':
      return negateInt64;
    case 'DECIMAL':
      return (value) => (typeof value === 'number' ? 0 - value : -value);
    case 'DOUBLE':
      return (value) => -(value as number);
    default:
      throw new AppError('internal', `the plan negates a ${type.kind}`);
  }
}
