// All scalar functions by name. The planner resolves a call here once; the evaluator of dataflow asks for the body of a `call`
// expression, whose arguments already have the types that the body takes.
import type { DataType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { comparisonFunctions } from './comparison.js';
import { conditionalFunctions } from './conditional.js';
import type { FunctionBody, ScalarFunction } from './function.js';
import { mathFunctions } from './math.js';
import { stringFunctions } from './string.js';
import { structureFunctions } from './structure.js';

const functions = new Map<string, ScalarFunction>();
for (const fn of [
  ...stringFunctions,
  ...mathFunctions,
  ...conditionalFunctions,
  ...comparisonFunctions,
  ...structureFunctions,
]) {
  functions.set(fn.name, fn);
}

/** By name, in any case. */
export function findFunction(name: string): ScalarFunction | undefined {
  return functions.get(name.toUpperCase());
}

/** Those that SQL can call, in order of name (operators written as calls are left out). */
export function allFunctions(): readonly ScalarFunction[] {
  return [...functions.values()].filter((fn) => /^[A-Z]/.test(fn.name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The body behind a `call` expression of a plan: `body(a, b)` with as many arguments as the call has. */
export function functionBody(name: string, argTypes: readonly DataType[]): FunctionBody {
  const resolved = functions.get(name)?.resolve(argTypes);
  if (!resolved) throw new AppError('internal', `the plan calls the function ${name}, which has no such overload`);
  return resolved.body;
}
