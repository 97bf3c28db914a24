// Operators on nested values, written in plans as calls of names that SQL cannot spell:
//   '->'(struct, index literal)   field by its place        '[]'(array or map, index or key)   element
//   'array'(item...)              ARRAY[...]                'struct'(field...)                 STRUCT(...)
//   'map'(key, value, ...)        MAP(k := v, ...)
// The planner types them itself; here they only have bodies, so `resolve` gives the arguments' types back and no true result.
import type { DataType, Value } from '../../core/data-type.js';
import type { FunctionBody, ScalarFunction } from './function.js';

function operator(name: string, bodyFor: (args: readonly DataType[]) => FunctionBody): ScalarFunction {
  return {
    name,
    description: 'operator',
    signatures: [],
    resolve: (args) => {
      const params = args.map((arg): DataType => arg ?? { kind: 'STRING' });
      return { params, result: params[0] ?? { kind: 'STRING' }, body: bodyFor(params) };
    },
  };
}

const field: FunctionBody = (struct, index) =>
  struct === null ? null : ((struct as readonly Value[])[index as number] ?? null);

/** 1 is the first, -1 the last; outside: NULL. */
const element: FunctionBody = (array, index) => {
  if (array === null || index === null) return null;
  const items = array as readonly Value[];
  const at = (index as number) < 0 ? items.length + (index as number) : (index as number) - 1;
  return items[at] ?? null;
};

const entry: FunctionBody = (map, key) =>
  map === null || key === null
    ? null
    : ((map as ReadonlyMap<string, Value>).get(String(key as string | number)) ?? null);

const list: FunctionBody = (...items) => items;

const mapOf: FunctionBody = (...parts) => {
  const map = new Map<string, Value>();
  for (let i = 0; i < parts.length; i += 2) map.set(String(parts[i] as string | number), parts[i + 1]!);
  return map;
};

export const structureFunctions: readonly ScalarFunction[] = [
  operator('->', () => field),
  operator('[]', (args) => (args[0]?.kind === 'MAP' ? entry : element)),
  operator('array', () => list),
  operator('struct', () => list),
  operator('map', () => mapOf),
];
