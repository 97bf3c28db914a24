// JSON schemas as they are compared: what a schema says of a value is one thing (a type with what bounds it, a list of values, one schema
// of several, the opposite of one), whatever keywords it is written in; references are followed.
import { AppError } from '../../core/errors.js';
import type { Effort } from '../effort.js';
import type { JsonNode, JsonObject, JsonPart, JsonTypeName } from './json-node.js';
import { JsonResources, type Place } from './json-resources.js';

const any: JsonNode = { kind: 'any' };
const never: JsonNode = { kind: 'never' };

const typeNames: readonly JsonTypeName[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** Keywords that say of which type a schema is that has no `type`. */
const keywordsOf: Partial<Record<JsonTypeName, readonly string[]>> = {
  object: [
    'properties',
    'required',
    'additionalProperties',
    'patternProperties',
    'propertyNames',
    'minProperties',
    'maxProperties',
    'dependencies',
    'dependentRequired',
    'dependentSchemas',
  ],
  array: ['items', 'prefixItems', 'additionalItems', 'contains', 'minItems', 'maxItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
};

const chainMax = 100;

export interface JsonReading {
  /** Texts that it refers to, by the names under which it does. */
  readonly imports?: ReadonlyMap<string, string> | undefined;
  readonly effort: Effort;
  /** What is registered already is taken as it is. */
  readonly lenient?: boolean | undefined;
}

export class JsonSchema {
  readonly #resources: JsonResources;
  readonly #effort: Effort;
  readonly #nodes = new Map<object, JsonNode>();

  /** Throws invalid-schema. */
  constructor(text: string, { imports = new Map(), effort, lenient = false }: JsonReading) {
    this.#effort = effort;
    this.#resources = new JsonResources(text, imports, effort, lenient);
  }

  get root(): JsonNode {
    return this.node(this.#resources.root);
  }

  node(place: Place): JsonNode {
    const { raw } = place;
    if (raw === true) return any;
    if (raw === false) return never;
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
      throw invalid(`a schema is ${JSON.stringify(raw)?.slice(0, 100)}`);
    let node = this.#nodes.get(raw);
    if (node === undefined) {
      this.#effort.spend(1);
      this.#nodes.set(raw, (node = this.#read(this.#resources.within(place as Place<JsonObject>))));
    }
    return node;
  }

  /** Behind combinations of one. */
  static unwrapped(node: JsonNode): JsonNode {
    let at = node;
    for (let i = 0; at.kind === 'combined' && at.parts.length === 1; i++) {
      if (i === chainMax) throw invalid('a schema consists of itself');
      at = at.parts[0]!();
    }
    return at;
  }

  #read(place: Place<JsonObject>): JsonNode {
    const { raw } = place;
    const parts: JsonPart[] = [];
    const of = (value: unknown): JsonPart => {
      const part = { raw: value, resource: place.resource };
      return () => this.node(part);
    };
    const ref = raw['$ref'];
    if (typeof ref === 'string') {
      const part = () => this.#referred(ref, place);
      if (!place.resource.siblings) return { kind: 'combined', criterion: 'allOf', parts: [part] };
      parts.push(part);
    }
    parts.push(...this.#own(raw, of));
    if (Array.isArray(raw['allOf'])) parts.push(...raw['allOf'].map(of));
    for (const criterion of ['anyOf', 'oneOf'] as const) {
      const list = raw[criterion];
      if (Array.isArray(list)) parts.push(constant({ kind: 'combined', criterion, parts: list.map(of) }));
    }
    if ('not' in raw) parts.push(constant({ kind: 'not', of: of(raw['not']) }));
    if ('if' in raw) {
      const { if: condition, then, else: other } = raw;
      parts.push(constant({ kind: 'opaque', text: JSON.stringify([condition, then, other]) }));
    }
    if (parts.length === 0) return any;
    return parts.length === 1 ? parts[0]!() : { kind: 'combined', criterion: 'allOf', parts };
  }

  /** What it says itself of types and values. */
  #own(raw: JsonObject, part: (raw: unknown) => JsonPart): JsonPart[] {
    const stated = raw['type'];
    const types = (Array.isArray(stated) ? stated : [stated]).filter((name): name is JsonTypeName =>
      typeNames.includes(name as JsonTypeName),
    );
    const typed = (type: JsonTypeName) => constant({ kind: 'typed', type, raw, part });
    if (types.length === 1) return [typed(types[0]!)];
    if (types.length > 1) return [constant({ kind: 'combined', criterion: 'anyOf', parts: types.map(typed) })];
    const told = typeNames.filter((type) => keywordsOf[type]?.some((keyword) => keyword in raw));
    const values: JsonPart[] = 'enum' in raw || 'const' in raw ? [constant({ kind: 'values', raw })] : [];
    return [...told.map(typed), ...values];
  }

  #referred(ref: string, place: Place): JsonNode {
    let target: Place | undefined = this.#resources.resolve(ref, place);
    for (let i = 0; target !== undefined; i++) {
      if (i === chainMax) throw invalid(`the reference ${ref} leads to itself`);
      const { raw } = target;
      const next = typeof raw === 'object' && raw !== null ? (raw as JsonObject)['$ref'] : undefined;
      if (typeof next !== 'string' || target.resource.siblings) return this.node(target);
      target = this.#resources.resolve(next, target);
    }
    return { kind: 'opaque', text: ref };
  }
}

function constant(node: JsonNode): JsonPart {
  return () => node;
}

function invalid(detail: string): AppError {
  return new AppError('invalid-schema', 'the JSON schema is not valid', { detail });
}
