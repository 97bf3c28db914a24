// Functions that choose among their arguments, of any one type. Numbers of different types meet in the wider one.
import type { DataType, Value } from '../../core/data-type.js';
import { sameValue } from '../../core/compare.js';
import { commonType } from './common-type.js';
import type { ArgType, FunctionBody, ResolvedFunction, ScalarFunction } from './function.js';

/** A function whose arguments, all or the first `alike`, have one type, which is also the result's. */
export function chooser(options: {
  name: string;
  displayName?: string;
  description: string;
  signature: string;
  min: number;
  max: number;
  body: FunctionBody;
}): ScalarFunction {
  return {
    name: options.name,
    ...(options.displayName === undefined ? {} : { displayName: options.displayName }),
    description: options.description,
    signatures: [options.signature],
    resolve(args: readonly ArgType[]): ResolvedFunction | null {
      if (args.length < options.min || args.length > options.max) return null;
      let common: DataType | null = null;
      for (const arg of args) {
        if (arg === null) continue;
        const wider: DataType | null = common === null ? arg : (commonType(common, arg) ?? temporal(common, arg));
        if (wider === null) return null;
        common = wider;
      }
      if (common === null) return null;
      const type = common;
      return { params: args.map(() => type), result: type, body: options.body };
    },
  };
}

/** A text beside dates or times is one of them. */
function temporal(a: DataType, b: DataType): DataType | null {
  const [text, other] = a.kind === 'STRING' ? [a, b] : [b, a];
  return text.kind === 'STRING' && ['DATE', 'TIME', 'TIMESTAMP'].includes(other.kind) ? other : null;
}

function firstNonNull(...values: Value[]): Value {
  for (const value of values) if (value !== null) return value;
  return null;
}

export const conditionalFunctions: readonly ScalarFunction[] = [
  chooser({
    name: 'COALESCE',
    description: 'the first argument that is not NULL',
    signature: 'COALESCE(T...)',
    min: 1,
    max: Infinity,
    body: firstNonNull,
  }),
  chooser({
    name: 'IFNULL',
    description: 'the first argument, or the second when the first is NULL',
    signature: 'IFNULL(T, T)',
    min: 2,
    max: 2,
    body: (value, otherwise) => (value === null ? otherwise! : value!),
  }),
  chooser({
    name: 'NULLIF',
    description: 'NULL when both arguments are equal, else the first',
    signature: 'NULLIF(T, T)',
    min: 2,
    max: 2,
    body: (a, b) => (a !== null && b !== null && sameValue(a!, b!) ? null : a!),
  }),
  chooser({
    name: 'AS_VALUE',
    description: 'a copy of a key column as a value column',
    signature: 'AS_VALUE(T)',
    min: 1,
    max: 1,
    body: (value) => value!,
  }),
];
