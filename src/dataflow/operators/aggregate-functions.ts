// From the plan's aggregate calls to the accumulators that serve them and the place of each result. Calls over the same argument
// share one accumulator where they can (MIN and MAX; SUM and AVG of a DOUBLE), COUNT(*) is the group's own row count.
import { printType, type Column, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { KeyedState } from '../../core/keyed-state.js';
import { castBody } from '../../sql/functions/cast.js';
import type { AggregateCall, Expr } from '../../sql/plan.js';
import { compileExpression } from '../expression/compile.js';
import { fitDecimal } from '../expression/decimal.js';
import type { CompileOptions, Evaluator } from '../expression/evaluator.js';
import type { Int } from '../expression/integer.js';
import { Count, DoubleSum, IntegerSum, type Accumulator, type Result } from './accumulator.js';
import { exactSum } from './exact-sum.js';
import { Extrema } from './extrema.js';

export interface AggregateFunctions {
  readonly accumulators: readonly Accumulator[];
  /** One per call. */
  readonly results: readonly Result[];
}

export interface AggregateContext {
  readonly options: CompileOptions;
  /** Where in the group's row the number of its rows stands, and where the accumulators' columns begin. */
  readonly countAt: number;
  readonly firstColumn: number;
  /** The state for all values of an argument, by group and value; null over a stream. */
  readonly openValues: ((value: Column) => KeyedState) | null;
}

export function planAggregates(calls: readonly AggregateCall[], context: AggregateContext): AggregateFunctions {
  const accumulators: Accumulator[] = [];
  const shared = new Map<string, number>();
  let next = context.firstColumn;

  /** The first column of the accumulator for this use, which is made at first. */
  const place = (use: string, arg: Expr, make: (evaluate: Evaluator, at: number) => Accumulator): number => {
    const id = `${use} ${printExpr(arg)}`;
    const known = shared.get(id);
    if (known !== undefined) return known;
    const at = next;
    const accumulator = make(compileExpression(arg, context.options), at);
    accumulators.push(accumulator);
    next += accumulator.columns.length;
    shared.set(id, at);
    return at;
  };

  const resultOf = (call: AggregateCall): Result => {
    const { name, type } = call;
    const arg = call.args[0];
    if (name === 'COUNT' && arg === undefined) return (state) => state[context.countAt]!;
    if (arg === undefined || call.args.length > 1) throw unknownAggregate(call);
    switch (name) {
      case 'COUNT': {
        const at = place('count', arg, (evaluate, column) => new Count(evaluate, column));
        return (state) => state[at]!;
      }
      case 'SUM': {
        if (type.kind === 'DOUBLE') {
          const at = place('double', toDouble(arg), (evaluate, column) => new DoubleSum(evaluate, column));
          return (state) => exactSum(state, at);
        }
        const sameScale = type.kind !== 'DECIMAL' || (arg.type.kind === 'DECIMAL' && arg.type.scale === type.scale);
        if (!sameScale) throw new AppError('internal', `the plan sums ${printType(arg.type)} up to ${printType(type)}`);
        const at = place(`sum ${type.kind}`, arg, (evaluate, column) => new IntegerSum(type, evaluate, column));
        if (type.kind !== 'DECIMAL') return (state) => state[at]!;
        // As in ksqlDB a sum that outgrows its type stops the query: NULL would be a wrong total that nobody sees.
        return (state) => fitDecimal(state[at] as Int, type);
      }
      case 'AVG': {
        if (type.kind !== 'DOUBLE') throw unknownAggregate(call);
        const at = place('double', toDouble(arg), (evaluate, column) => new DoubleSum(evaluate, column));
        return (state): Value => {
          const count = state[at + 2] as number;
          return count === 0 ? 0 : exactSum(state, at) / count;
        };
      }
      case 'MIN':
      case 'MAX': {
        const make = (evaluate: Evaluator, column: number): Accumulator => {
          const values = context.openValues?.({ name: 'value', type }) ?? null;
          return new Extrema(type, evaluate, column, values);
        };
        const at = place('extrema', arg, make) + (name === 'MAX' ? 1 : 0);
        return (state) => state[at]!;
      }
      default:
        throw unknownAggregate(call);
    }
  };

  const results = calls.map(resultOf);
  return { accumulators, results };
}

function unknownAggregate(call: AggregateCall): AppError {
  const args = call.args.map((arg) => arg.type.kind).join(', ');
  return new AppError('unsupported-statement', `the aggregate function ${call.name}(${args}) is not supported`);
}

function toDouble(arg: Expr): Expr {
  if (arg.type.kind === 'DOUBLE') return arg;
  const type = { kind: 'DOUBLE' } as const;
  if (castBody(arg.type, type) === null) {
    throw new AppError('internal', `the plan averages a ${arg.type.kind}`);
  }
  return { kind: 'cast', arg, type };
}

function printExpr(expr: Expr): string {
  return JSON.stringify(expr, (_key, value: unknown) => {
    if (typeof value === 'bigint') return { bigint: value.toString() };
    if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) };
    return value instanceof Map ? [...value] : value;
  });
}
