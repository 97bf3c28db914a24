// Calls of scalar functions, and the refusal of aggregates where none may stand.
import { printType, type DataType } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Expression } from '../ast.js';
import { aggregateNames, findAggregate } from '../functions/aggregates.js';
import { allFunctions, findFunction } from '../functions/registry.js';
import { messages } from '../messages.js';
import { invalidStatement } from '../sql-error.js';
import { typeError, type Analyze, type Environment } from './environment.js';
import { coerce, nullTypeName, typed, type Typed } from './typed.js';

export function functionCall(e: Expression & { kind: 'call' }, inner: Analyze, env: Environment): Typed {
  const name = e.name.text.toUpperCase();
  if (findAggregate(name) !== undefined) {
    if (env.clause === 'GROUP BY') throw invalidStatement(e.place, messages.aggregateInGroup(name));
    const message = `${messages.aggregateWithoutGroup([name])} (in ${env.clause})`;
    throw invalidStatement(e.place, message);
  }
  const fn = findFunction(name);
  if (fn === undefined) {
    const known = [...allFunctions().map((candidate) => candidate.name), ...aggregateNames];
    throw typeError(env, e.place, messages.unknownFunction(e.name.text), didYouMean(e.name.text, known));
  }
  const args = e.args.map(inner);
  const resolved = e.star ? null : fn.resolve(args.map((arg) => arg.type));
  if (resolved === null) {
    const shown = fn.displayName ?? fn.name;
    const types = args.map(typeName);
    const onlyNulls = args.length > 0 && args.every((arg) => arg.type === null);
    throw typeError(
      env,
      e.place,
      onlyNulls ? messages.ambiguousNulls(shown, types) : messages.noOverload(shown, types, fn.signatures),
    );
  }
  const cast = args.map((arg, i) => coerce(arg, resolved.params[i]!)!);
  return typed({ kind: 'call', name: fn.name, args: cast, type: resolved.result });
}

function typeName({ type }: { readonly type: DataType | null }): string {
  return type === null ? nullTypeName : printType(type);
}
