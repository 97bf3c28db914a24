// Expressions of the tree to typed expressions of the plan. Every rule about types is here or in the files beside; what the
// planner promises (see plan.ts) is made true by the casts put in here.
import { BOOLEAN, printType, STRING, type DataType } from '../../core/data-type.js';
import { unreachable } from '../../core/errors.js';
import type { Expression } from '../ast.js';
import { commonType } from '../functions/common-type.js';
import { messages } from '../messages.js';
import type { Expr } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported } from '../sql-error.js';
import { arithmetic, signed } from './arithmetic.js';
import { assertPlanSize, stepInto } from './effort.js';
import { typeError, type Analyze, type Environment } from './environment.js';
import { between, comparison, inList, like } from './comparison.js';
import { functionCall } from './call.js';
import { literalOf, typedLiteral } from './literal.js';
import { arrayOf, fieldOf, mapOf, structOf, subscriptOf } from './structure.js';
import { bareNull, coerce, literal, nullTypeName, typed, type Typed } from './typed.js';
import { dataType } from './types.js';

export function analyzeExpression(e: Expression, env: Environment): Typed {
  return analyze(e, env);
}

/** A condition: BOOLEAN, with the clause named where it is not. */
export function analyzeCondition(e: Expression, env: Environment): Expr {
  const result = analyze(e, env);
  if (result.type === null) return literal(null, BOOLEAN);
  if (result.type.kind === 'BOOLEAN') return result.expr;
  const message = messages.notBoolean(env.clause, printExpression(e), printType(result.type));
  throw invalidStatement(e.place, message);
}

function analyze(e: Expression, env: Environment): Typed {
  stepInto(e);
  const result = analyzeParts(e, env);
  assertPlanSize(e.place, result.expr);
  return result;
}

function analyzeParts(e: Expression, env: Environment): Typed {
  const taken = env.intercept?.(e);
  if (taken) return taken;
  const inner: Analyze = (part) => analyze(part, env);
  switch (e.kind) {
    case 'null':
      return bareNull;
    case 'boolean':
      return typed(literal(e.value, BOOLEAN));
    case 'string':
      return typed(literal(e.value, STRING));
    case 'integer':
    case 'decimal':
    case 'double':
      return typed(literalOf(e));
    case 'typed-literal':
      return typed(typedLiteral(e));
    case 'column':
      return env.column(e);
    case 'unary':
      return signed(e, inner(e.arg), env);
    case 'binary':
      return arithmetic(e, inner(e.left), inner(e.right), env);
    case 'compare':
      return comparison(e, inner(e.left), inner(e.right), env);
    case 'logical': {
      const left = condition(e.left, env);
      const right = condition(e.right, env);
      return typed({ kind: e.op === 'AND' ? 'and' : 'or', left, right, type: BOOLEAN });
    }
    case 'not':
      return typed({ kind: 'not', arg: condition(e.arg, env), type: BOOLEAN });
    case 'between':
      return between(e, inner, env);
    case 'in':
      return inList(e, inner, env);
    case 'like':
      return like(e, inner, env);
    case 'is-null':
      return typed({ kind: 'is-null', arg: inner(e.arg).expr, negated: e.negated, type: BOOLEAN });
    case 'case':
      return caseOf(e, inner, env);
    case 'cast':
      return castOf(e, inner(e.arg), env);
    case 'call':
      return functionCall(e, inner, env);
    case 'lambda':
      throw unsupported(e.place, 'a lambda function');
    case 'array':
      return arrayOf(e, inner);
    case 'map':
      return mapOf(e, inner);
    case 'struct':
      return structOf(e, inner);
    case 'subscript':
      return subscriptOf(e, inner(e.base), inner(e.index));
    case 'field':
      return fieldOf(e, inner(e.base), env);
    default:
      return unreachable(e);
  }
}

/** A side of AND, OR, NOT. */
function condition(e: Expression, env: Environment): Expr {
  const result = analyze(e, env);
  const expr = result.type === null || result.type.kind === 'BOOLEAN' ? coerce(result, BOOLEAN) : null;
  if (expr !== null) return expr;
  const type = result.type === null ? nullTypeName : printType(result.type);
  throw typeError(env, e.place, `${printExpression(e)} is ${type}, but a condition is BOOLEAN`);
}

function caseOf(e: Expression & { kind: 'case' }, inner: Analyze, env: Environment): Typed {
  const results = e.whens.map((branch) => inner(branch.result));
  const otherwise = e.otherwise === null ? null : inner(e.otherwise);
  let type: DataType | null = null;
  for (const [i, result] of [...results, ...(otherwise === null ? [] : [otherwise])].entries()) {
    if (result.type === null) continue;
    const common: DataType | null = type === null ? result.type : commonType(type, result.type);
    if (common === null) {
      const place = e.whens[i]?.result.place ?? e.otherwise!.place;
      const message = `Invalid Case expression. Type for all results should be the same: ${printType(type!)} and ${printType(result.type)}`;
      throw typeError(env, place, message);
    }
    type = common;
  }
  if (type === null) throw typeError(env, e.place, messages.caseAllNull);
  const result = type;
  const whens = e.whens.map(({ condition: test }, i) => {
    const when =
      e.operand === null
        ? condition(test, env)
        : comparison(
            { kind: 'compare', op: '=', left: e.operand, right: test, place: test.place },
            inner(e.operand),
            inner(test),
            env,
          ).expr;
    return branch(when, coerce(results[i]!, result)!);
  });
  return typed({ kind: 'case', whens, otherwise: otherwise && coerce(otherwise, result), type: result });
}

function branch(when: Expr, result: Expr): { readonly when: Expr; readonly then: Expr } {
  // oxlint-disable-next-line unicorn/no-thenable -- the plan's own shape; it is data and never awaited
  return { when, then: result };
}

function castOf(e: Expression & { kind: 'cast' }, arg: Typed, env: Environment): Typed {
  const type = dataType(e.type);
  const expr = coerce(arg, type);
  if (expr !== null) return typed(expr);
  const message = messages.castUnsupported(printType(arg.type!), printType(type));
  throw typeError(env, e.place, env.clause === 'SELECT' ? `Invalid Select: ${message}` : message);
}
