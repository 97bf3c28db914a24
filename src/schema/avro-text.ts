// Avro schema texts: the normal form, by which the registry knows that it has a schema already. It is the one that Java's
// Schema.toString gives (order of attributes, plain names for plain types), so spaces and the order of attributes do not make a new
// schema, while docs, defaults and properties do.

/** The normal form of a valid schema. */
export function canonicalAvro(text: string): string {
  return JSON.stringify(normal(JSON.parse(text)));
}

/** The same with properties that the specification does not know in the order of their names. */
export function orderedAvro(text: string): string {
  return JSON.stringify(normal(JSON.parse(text), true));
}

const recordOrder = [
  'type',
  'name',
  'namespace',
  'doc',
  'fields',
  'symbols',
  'size',
  'items',
  'values',
  'default',
  'aliases',
];
const fieldOrder = ['name', 'type', 'doc', 'default', 'order', 'aliases'];

function normal(schema: unknown, sorted = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => normal(each, sorted));
  if (typeof schema !== 'object' || schema === null) return schema;
  const object = schema as Readonly<Record<string, unknown>>;
  const keys = Object.keys(object);
  if (keys.length === 1 && keys[0] === 'type' && typeof object['type'] === 'string') return object['type'];
  return ordered(object, recordOrder, sorted, (key, value) => {
    if (key === 'fields' && Array.isArray(value)) {
      return value.map((field) =>
        ordered(field as Readonly<Record<string, unknown>>, fieldOrder, sorted, (k, v) =>
          k === 'type' ? normal(v, sorted) : v,
        ),
      );
    }
    return key === 'type' || key === 'items' || key === 'values' ? normal(value, sorted) : value;
  });
}

/** Known attributes first, in their order, then the others in theirs. */
function ordered(
  object: Readonly<Record<string, unknown>>,
  order: readonly string[],
  sorted: boolean,
  each: (key: string, value: unknown) => unknown,
): Record<string, unknown> {
  const known = order.filter((key) => Object.hasOwn(object, key));
  const others = Object.keys(object).filter((key) => !order.includes(key));
  if (sorted) others.sort();
  return Object.fromEntries([...known, ...others].map((key) => [key, each(key, object[key])]));
}
