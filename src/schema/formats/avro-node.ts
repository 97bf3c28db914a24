// An Avro schema as a graph with names resolved: what the reader is compiled from. Made once per schema id.
import { AppError } from '../../core/errors.js';
import type { AvroField, AvroObject, AvroSchema } from './avro-schema.js';

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
export type AvroPrimitive = (typeof primitives)[number];

export type AvroNode =
  | { readonly kind: AvroPrimitive; readonly meaning: Meaning }
  | { readonly kind: 'fixed'; readonly size: number; readonly meaning: Meaning }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroNode }
  | { readonly kind: 'map'; readonly values: AvroNode }
  | { readonly kind: 'union'; readonly branches: readonly AvroNode[] }
  /** `fields` is filled after the node exists, since a record may contain itself. */
  | { readonly kind: 'record'; readonly fields: { readonly name: string; readonly node: AvroNode }[] };

/** What a primitive stands for. */
export interface Meaning {
  readonly logicalType: string | undefined;
  readonly scale: number;
  /** The name that Kafka Connect gives, such as io.debezium.time.MicroTimestamp. */
  readonly connectName: string | undefined;
}
const plain: Meaning = { logicalType: undefined, scale: 0, connectName: undefined };

/** Parses schema text; invalid-schema when it is none. `imports`: texts whose types it names, each behind those that it needs. */
export function parseAvroSchema(text: string, imports: Iterable<string> = []): AvroNode {
  const names = new Map<string, AvroNode>();
  for (const imported of imports) resolve(parsed(imported), '', names);
  return resolve(parsed(text), '', names);
}

function parsed(text: string): AvroSchema {
  try {
    return JSON.parse(text) as AvroSchema;
  } catch (error) {
    throw new AppError('invalid-schema', 'the Avro schema is not JSON', { detail: text.slice(0, 200), cause: error });
  }
}

function resolve(schema: AvroSchema, namespace: string, names: Map<string, AvroNode>): AvroNode {
  if (typeof schema === 'string') return byName(schema, namespace, names);
  if (isUnion(schema)) return { kind: 'union', branches: schema.map((branch) => resolve(branch, namespace, names)) };
  const { type } = schema;
  if (typeof type !== 'string') return resolve(type, namespace, names);
  const meaning = { logicalType: schema.logicalType, scale: schema.scale ?? 0, connectName: schema['connect.name'] };
  if (isPrimitive(type)) return { kind: type, meaning };
  switch (type) {
    case 'array':
      return { kind: 'array', items: resolve(present(schema.items, schema), namespace, names) };
    case 'map':
      return { kind: 'map', values: resolve(present(schema.values, schema), namespace, names) };
    case 'enum':
      return named(schema, namespace, names, { kind: 'enum', symbols: present(schema.symbols, schema) });
    case 'fixed':
      return named(schema, namespace, names, { kind: 'fixed', size: present(schema.size, schema), meaning });
    case 'record':
    case 'error': {
      const fields: { name: string; node: AvroNode }[] = [];
      const node = named(schema, namespace, names, { kind: 'record', fields });
      const inner = namespaceOf(schema, namespace);
      for (const field of present<readonly AvroField[]>(schema.fields, schema)) {
        fields.push({ name: field.name, node: resolve(field.type, inner, names) });
      }
      return node;
    }
    default:
      return byName(type, namespace, names);
  }
}

function byName(name: string, namespace: string, names: Map<string, AvroNode>): AvroNode {
  if (isPrimitive(name)) return { kind: name, meaning: plain };
  const node = names.get(fullName(name, namespace)) ?? names.get(name);
  if (node === undefined)
    throw new AppError('invalid-schema', `the Avro schema names a type ${name} that it does not define`);
  return node;
}

function named(schema: AvroObject, namespace: string, names: Map<string, AvroNode>, node: AvroNode): AvroNode {
  names.set(fullName(present(schema.name, schema), namespaceOf(schema, namespace)), node);
  return node;
}

/** A dotted name carries its namespace, else the schema's own counts, else the enclosing one. */
function namespaceOf({ name, namespace }: AvroObject, enclosing: string): string {
  const dot = name?.lastIndexOf('.') ?? -1;
  return dot >= 0 ? name!.slice(0, dot) : (namespace ?? enclosing);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function present<T>(value: T | undefined, schema: AvroObject): T {
  if (value === undefined)
    throw new AppError('invalid-schema', 'the Avro schema is incomplete', {
      detail: JSON.stringify(schema).slice(0, 200),
    });
  return value;
}

function isPrimitive(name: string): name is AvroPrimitive {
  return (primitives as readonly string[]).includes(name);
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
