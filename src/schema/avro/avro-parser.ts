// Avro schemas, from their JSON. What the specification and Java's parser refuse is refused: names that are none or that are given twice,
// unions in unions, defaults that are no value of their field. Logical types and attributes that nobody knows are passed over.
import { AppError } from '../../core/errors.js';
import { Effort, readJson } from '../effort.js';
import { isDefaultOf } from './avro-default.js';
import { isNamed, primitives, type AvroType, type NamedType, type RecordField } from './avro-type.js';

type JsonObject = Readonly<Record<string, unknown>>;

const namePart = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface AvroParsing {
  /** Texts whose named types it may use, each behind those that it uses itself. */
  readonly imports?: Iterable<string> | undefined;
  readonly effort?: Effort | undefined;
  /** What is registered already is taken with whatever defaults it has. */
  readonly anyDefault?: boolean | undefined;
}

/** Throws invalid-schema. */
export function parseAvro(text: string, parsing: AvroParsing = {}): AvroType {
  const { imports = [], effort = new Effort(), anyDefault = false } = parsing;
  const parser = new AvroParser(effort);
  for (const imported of imports) parser.parse(imported, true);
  return parser.parse(text, anyDefault);
}

class AvroParser {
  readonly #effort: Effort;
  readonly #named = new Map<string, NamedType>();
  #defaults: { readonly type: AvroType; readonly value: unknown; readonly field: string }[] = [];

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  parse(text: string, anyDefault: boolean): AvroType {
    this.#defaults = [];
    const type = this.#type(readJson(text, 'the Avro schema', this.#effort), '');
    if (anyDefault) return type;
    // Behind the rest: the type of a field may be the record around it.
    for (const { type: of, value, field } of this.#defaults) {
      if (!isDefaultOf(of, value, this.#effort)) throw invalid(`the default of field ${field} is no value of its type`);
    }
    return type;
  }

  #type(schema: unknown, namespace: string): AvroType {
    this.#effort.spend(1);
    if (typeof schema === 'string') return this.#byName(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace);
    const object = objectOf(schema, 'a schema');
    const { type } = object;
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(object, namespace);
      case 'enum':
        return this.#enum(object, namespace);
      case 'fixed':
        return this.#fixed(object, namespace);
      case 'array':
        return { kind: 'array', items: this.#type(member(object, 'items', 'an array'), namespace) };
      case 'map':
        return { kind: 'map', values: this.#type(member(object, 'values', 'a map'), namespace) };
      default:
        return this.#type(member(object, 'type', 'a schema'), namespace);
    }
  }

  #byName(name: string, namespace: string): AvroType {
    const primitive = primitives.get(name);
    if (primitive !== undefined) return primitive;
    const inNamespace = name.includes('.') || namespace === '' ? undefined : this.#named.get(`${namespace}.${name}`);
    const found = inNamespace ?? this.#named.get(name);
    if (found === undefined) throw invalid(`there is no type ${show(name)}`);
    return found;
  }

  #union(schemas: readonly unknown[], namespace: string): AvroType {
    const branches: AvroType[] = [];
    const seen = new Set<string>();
    for (const schema of schemas) {
      const branch = this.#type(schema, namespace);
      if (branch.kind === 'union') throw invalid('a union stands directly in a union');
      const name = isNamed(branch) ? branch.name : branch.kind;
      if (seen.has(name)) throw invalid(`${show(name)} stands in a union twice`);
      seen.add(name);
      branches.push(branch);
    }
    return { kind: 'union', branches };
  }

  #record(object: JsonObject, around: string): AvroType {
    const { name, namespace, aliases } = this.#naming(object, around);
    const fields = new Map<string, RecordField>();
    this.#define({ kind: 'record', name, aliases, fields });
    const given = object['fields'];
    if (!Array.isArray(given)) throw invalid(`record ${name} has no list of fields`);
    for (const each of given as readonly unknown[]) {
      const field = this.#field(objectOf(each, `a field of record ${name}`), name, namespace);
      if (fields.has(field.name)) throw invalid(`record ${name} has two fields ${show(field.name)}`);
      fields.set(field.name, field);
    }
    return this.#named.get(name)!;
  }

  #field(object: JsonObject, record: string, namespace: string): RecordField {
    const name = object['name'];
    if (typeof name !== 'string' || !namePart.test(name))
      throw invalid(`record ${record} has a field with the name ${show(name)}`);
    const type = this.#type(member(object, 'type', `field ${name} of record ${record}`), namespace);
    const hasDefault = Object.hasOwn(object, 'default');
    if (hasDefault) this.#defaults.push({ type, value: object['default'], field: `${record}.${name}` });
    return { name, aliases: texts(object['aliases'] ?? [], `aliases of field ${name}`), type, hasDefault };
  }

  #enum(object: JsonObject, around: string): AvroType {
    const { name, aliases } = this.#naming(object, around);
    const given = texts(object['symbols'], `symbols of enum ${name}`);
    this.#effort.spend(given.length);
    const symbols = new Set(given);
    if (symbols.size < given.length) throw invalid(`enum ${name} has a symbol twice`);
    const wrong = given.find((symbol) => !namePart.test(symbol));
    if (wrong !== undefined) throw invalid(`enum ${name} has the symbol ${show(wrong)}, which is no name`);
    const fallback = object['default'];
    if (fallback !== undefined && !symbols.has(fallback as string))
      throw invalid(`the default of enum ${name} is none of its symbols`);
    return this.#define({ kind: 'enum', name, aliases, symbols, default: fallback as string | undefined });
  }

  #fixed(object: JsonObject, around: string): AvroType {
    const { name, aliases } = this.#naming(object, around);
    const size = object['size'];
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw invalid(`fixed ${name} has no size`);
    return this.#define({ kind: 'fixed', name, aliases, size: size as number });
  }

  #define(type: NamedType): NamedType {
    if (this.#named.has(type.name)) throw invalid(`there are two types ${type.name}`);
    this.#named.set(type.name, type);
    return type;
  }

  /** Full names; a name with dots has its namespace in itself. */
  #naming(object: JsonObject, around: string): { name: string; namespace: string; aliases: readonly string[] } {
    const given = object['name'];
    if (typeof given !== 'string') throw invalid('a record, an enum or a fixed has no name');
    const stated = object['namespace'];
    const dot = given.lastIndexOf('.');
    const namespace = dot >= 0 ? given.slice(0, dot) : typeof stated === 'string' ? stated : around;
    const name = qualified(given, namespace);
    if (!name.split('.').every((part) => namePart.test(part))) throw invalid(`${show(name)} is no name`);
    if (primitives.has(name)) throw invalid(`a type has the name of the primitive ${name}`);
    const aliases = texts(object['aliases'] ?? [], `aliases of ${name}`);
    return { name, namespace, aliases: aliases.map((alias) => qualified(alias, namespace)) };
  }
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(`${what} is ${show(value)}`);
}

function member(object: JsonObject, key: string, of: string): unknown {
  if (!Object.hasOwn(object, key)) throw invalid(`${of} has no "${key}"`);
  return object[key];
}

function texts(value: unknown, what: string): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw invalid(`the ${what} are no list of texts`);
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'missing';
}

function invalid(detail: string): AppError {
  return new AppError('invalid-schema', 'the Avro schema is not valid', { detail });
}
