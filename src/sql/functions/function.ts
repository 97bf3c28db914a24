// What a scalar function is: a name and overloads. `resolve` picks the overload for the argument types and says to which types
// the arguments are to be cast; the body then works on Values (core/data-type.ts) and handles nulls itself. Bodies are fixed
// at planning and called with as many arguments as `params` has, so a call costs no array.
import { printType, sameType, type DataType, type Value } from '../../core/data-type.js';

export type FunctionBody = (...args: Value[]) => Value;

/** An argument's type; null stands for the type of a bare NULL, which fits every parameter. */
export type ArgType = DataType | null;

export interface ResolvedFunction {
  /** One per argument: what the planner casts it to. */
  readonly params: readonly DataType[];
  readonly result: DataType;
  readonly body: FunctionBody;
}

export interface ScalarFunction {
  /** Upper case. */
  readonly name: string;
  /** As ksqlDB's errors spell it, where that is not the upper case. */
  readonly displayName?: string;
  readonly description: string;
  /** For SHOW and DESCRIBE FUNCTION and for the error of a call that fits none. */
  readonly signatures: readonly string[];
  /** Null when no overload takes these types. */
  resolve(args: readonly ArgType[]): ResolvedFunction | null;
}

/** A parameter of an overload: a type, or a kind that the argument's own precision completes. */
export type Param = DataType['kind'] | DataType;

export interface Overload {
  readonly params: readonly Param[];
  /** The last parameter may come any number of times, at least `variadicMin`. */
  readonly variadic?: boolean;
  readonly variadicMin?: number;
  readonly result: DataType | ((args: readonly DataType[]) => DataType);
  /** The body, or what makes it for the actual types (a scale, an element's type). */
  readonly body: FunctionBody | { readonly make: (args: readonly DataType[]) => FunctionBody };
}

/** A function whose overloads are tried in order; the one with the fewest widenings wins. */
export function scalar(name: string, description: string, overloads: readonly Overload[]): ScalarFunction {
  return {
    name,
    description,
    signatures: overloads.map((overload) => signature(name, overload)),
    resolve(args) {
      let best: { cost: number; overload: Overload; params: DataType[] } | null = null;
      for (const overload of overloads) {
        const match = matchOverload(overload, args);
        if (match !== null && (best === null || match.cost < best.cost)) best = { ...match, overload };
      }
      if (best === null) return null;
      const { overload, params } = best;
      return {
        params,
        result: typeof overload.result === 'function' ? overload.result(params) : overload.result,
        body: typeof overload.body === 'function' ? overload.body : overload.body.make(params),
      };
    },
  };
}

function matchOverload(overload: Overload, args: readonly ArgType[]): { cost: number; params: DataType[] } | null {
  const fixed = overload.variadic ? overload.params.length - 1 : overload.params.length;
  if (overload.variadic ? args.length < fixed + (overload.variadicMin ?? 1) : args.length !== fixed) return null;
  let cost = 0;
  const params: DataType[] = [];
  for (const [i, arg] of args.entries()) {
    const param = overload.params[Math.min(i, overload.params.length - 1)]!;
    const widened = widen(arg, param);
    if (widened === null) return null;
    cost += widened.cost;
    params.push(widened.type);
  }
  return { cost, params };
}

const ladder = ['INTEGER', 'BIGINT', 'DECIMAL', 'DOUBLE'];

/** The type that an argument takes for a parameter, and how far it is from its own; null when it does not fit. */
function widen(arg: ArgType, param: Param): { type: DataType; cost: number } | null {
  const kind = typeof param === 'string' ? param : param.kind;
  if (arg === null) return { type: typeof param === 'string' ? typeOfKind(param, null) : param, cost: 1 };
  if (typeof param !== 'string' && sameType(arg, param)) return { type: param, cost: 0 };
  if (typeof param === 'string' && arg.kind === param) return { type: arg, cost: 0 };
  const from = ladder.indexOf(arg.kind);
  const to = ladder.indexOf(kind);
  if (from < 0 || to < 0 || to <= from) return null;
  return { type: typeof param === 'string' ? typeOfKind(param, arg) : param, cost: to - from };
}

function typeOfKind(kind: DataType['kind'], from: ArgType): DataType {
  switch (kind) {
    case 'DECIMAL':
      return { kind, precision: from?.kind === 'INTEGER' ? 10 : 19, scale: 0 };
    case 'TIME':
    case 'TIMESTAMP':
      return { kind, digits: 3 };
    case 'ARRAY':
      return { kind, element: { kind: 'STRING' } };
    case 'MAP':
      return { kind, key: { kind: 'STRING' }, value: { kind: 'STRING' } };
    case 'STRUCT':
      return { kind, fields: [] };
    default:
      return { kind };
  }
}

function signature(name: string, overload: Overload): string {
  const params = overload.params.map((param) => (typeof param === 'string' ? param : printType(param)));
  if (overload.variadic) params[params.length - 1] += '...';
  return `${name}(${params.join(', ')})`;
}
