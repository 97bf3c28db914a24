// What stands between two JSON schemas, by the rules of Confluent's registry and under its names: whether everything that the earlier one
// allows, the later one allows too, as far as the structure tells. Two schemas that meet are compared once; one that is met again inside
// of itself is taken to hold.
import { bounds } from '../../core/bounds.js';
import { AppError } from '../../core/errors.js';
import type { Effort } from '../effort.js';
import { arrayBreaches } from './json-array.js';
import { numberBreaches, stringBreaches, valueBreaches } from './json-bounds.js';
import { objectBreaches } from './json-object.js';
import type { JsonNode, JsonPart, PartComparison } from './json-node.js';
import { JsonSchema } from './json-schema.js';

const reasonsMax = 20;
const stepsPerPair = 5;

/** Why data of `writer` may not be read with `reader`; empty: it is. */
export function jsonUnreadable(reader: JsonSchema, writer: JsonSchema, effort: Effort): readonly string[] {
  return new Comparison(effort).compare(writer.root, reader.root, '#').slice(0, reasonsMax);
}

class Comparison {
  readonly #effort: Effort;
  readonly #met = new Map<JsonNode, Map<JsonNode, readonly string[]>>();
  #depth = 0;

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  compare(given: JsonNode, other: JsonNode, path: string): readonly string[] {
    const [before, after] = [JsonSchema.unwrapped(given), JsonSchema.unwrapped(other)];
    this.#effort.spend(stepsPerPair);
    let ofBefore = this.#met.get(before);
    if (ofBefore === undefined) this.#met.set(before, (ofBefore = new Map()));
    const known = ofBefore.get(after);
    if (known !== undefined) return known;
    ofBefore.set(after, []);
    if (++this.#depth > bounds.schemaDepth.value)
      throw new AppError(
        'invalid-schema',
        `the JSON schemas name one another more than ${bounds.schemaDepth.value} deep`,
      );
    const found = this.#differing(before, after, path).slice(0, reasonsMax);
    this.#depth--;
    ofBefore.set(after, found);
    return found;
  }

  #differing(before: JsonNode, after: JsonNode, path: string): readonly string[] {
    if (before.kind === 'never' || after.kind === 'any') return [];
    if (before.kind === 'combined' && after.kind === 'combined') return this.#combined(before, after, path);
    if (after.kind === 'combined') {
      const takes = (part: JsonPart) => this.compare(before, part(), path).length === 0;
      if (after.criterion === 'allOf' ? after.parts.every(takes) : after.parts.some(takes)) return [];
    } else if (before.kind === 'combined' && before.criterion === 'allOf') {
      if (before.parts.some((part) => this.compare(part(), after, path).length === 0)) return [];
    }
    if (before.kind === 'typed' && after.kind === 'typed') return this.#typed(before, after, path);
    if (before.kind === 'values' && after.kind === 'values')
      return valueBreaches(before.raw, after.raw, path, this.#effort);
    if (before.kind === 'not' && after.kind === 'not') {
      // What is forbidden may only become less.
      return this.compare(after.of(), before.of(), `${path}/not`).length === 0
        ? []
        : [`NOT_TYPE_EXTENDED at ${path}/not`];
    }
    if (before.kind === 'opaque' && after.kind === 'opaque' && before.text === after.text) return [];
    return [`TYPE_CHANGED at ${path}`];
  }

  #typed(before: Of<'typed'>, after: Of<'typed'>, path: string): readonly string[] {
    const [was, is] = [before.raw, after.raw];
    if (before.type !== after.type) {
      if (before.type === 'number' && after.type === 'integer') return [`TYPE_NARROWED at ${path}`];
      if (before.type !== 'integer' || after.type !== 'number') return [`TYPE_CHANGED at ${path}`];
    }
    const reasons = valueBreaches(was, is, path, this.#effort);
    const inside: PartComparison = {
      effort: this.#effort,
      parts: (one, other, at) => this.#parts(one, other, at),
      before: (raw) => before.part(raw),
      after: (raw) => after.part(raw),
    };
    switch (after.type) {
      case 'object':
        return [...reasons, ...objectBreaches(was, is, path, inside)];
      case 'array':
        return [...reasons, ...arrayBreaches(was, is, path, inside)];
      case 'string':
        return [...reasons, ...stringBreaches(was, is, path)];
      case 'number':
      case 'integer':
        return [...reasons, ...numberBreaches(was, is, path)];
      default:
        return reasons;
    }
  }

  #parts(before: JsonPart | undefined, after: JsonPart | undefined, path: string): readonly string[] {
    if (after === undefined) return [];
    if (before !== undefined) return this.compare(before(), after(), path);
    return JsonSchema.unwrapped(after()).kind === 'any' ? [] : [`SCHEMA_ADDED at ${path}`];
  }

  /** Of alternatives there may be more, of demands fewer, and each of the fewer has one of its own among the others. */
  #combined(before: Of<'combined'>, after: Of<'combined'>, path: string): readonly string[] {
    const at = `${path}/${after.criterion}`;
    if (before.criterion !== after.criterion && after.criterion !== 'anyOf') return [`COMBINED_TYPE_CHANGED at ${at}`];
    const all = after.criterion === 'allOf';
    const [were, are] = [before.parts, after.parts];
    if (all && were.length < are.length) return [`PRODUCT_TYPE_EXTENDED at ${at}`];
    if (!all && before.criterion !== 'allOf' && were.length > are.length) return [`SUM_TYPE_NARROWED at ${at}`];
    const fits = (one: number, other: number) =>
      this.compare(were[one]!(), are[other]!(), `${at}/${other}`).length === 0;
    const fewer = Math.min(were.length, are.length);
    const matched =
      were.length <= are.length
        ? matching(were.length, are.length, fits, this.#effort)
        : matching(are.length, were.length, (one, other) => fits(other, one), this.#effort);
    return matched === fewer ? [] : [`COMBINED_TYPE_SUBSCHEMAS_CHANGED at ${at}`];
  }
}

type Of<Kind extends JsonNode['kind']> = Extract<JsonNode, { readonly kind: Kind }>;

/** How many of the first have one of the others, each another one. */
function matching(
  count: number,
  others: number,
  fits: (one: number, other: number) => boolean,
  effort: Effort,
): number {
  const taken = new Map<number, number>();
  const place = (one: number, tried: Set<number>): boolean => {
    for (let other = 0; other < others; other++) {
      effort.spend(1);
      if (tried.has(other) || !fits(one, other)) continue;
      tried.add(other);
      const holder = taken.get(other);
      if (holder !== undefined && !place(holder, tried)) continue;
      taken.set(other, one);
      return true;
    }
    return false;
  };
  let matched = 0;
  for (let one = 0; one < count; one++) if (place(one, new Set())) matched++;
  return matched;
}
