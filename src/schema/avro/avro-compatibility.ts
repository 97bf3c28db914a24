// Whether data of one Avro schema (the writer's) is read with another (the reader's): the resolution rules of the specification, as Java's
// SchemaCompatibility applies them. Names are compared without their namespaces, a reader's aliases count, promotions hold, a field that
// the writer does not have needs a default, and so does an enum that lacks symbols.
//
// Two types that can meet are a pair, looked at once. A pair stands on others: on all of them (fields, items, branches of the writer), or
// on one of some (the reader's branches for a writer's type). All pairs that can be reached are made first; then those that fail take with
// them what stands on them. What is left holds, also where types contain themselves. So the cost is that of the pairs, whatever leads to
// them, no chain of types is too long for the stack, and of a union's branches only those are paired whose name or kind fits.
import type { Effort } from '../effort.js';
import {
  isNamed,
  simpleName,
  type AvroType,
  type EnumType,
  type NamedType,
  type PrimitiveName,
  type RecordField,
  type RecordType,
  type UnionType,
} from './avro-type.js';

const reasonsMax = 20;

/** What a pair costs beside a type that is read. */
const stepsPerPair = 5;

/** Lists are made when something stands in them: there may be many pairs. */
interface Pair {
  readonly reader: AvroType;
  readonly writer: AvroType;
  /** The place where it was met first, in the reader's schema. */
  readonly parent: Pair | undefined;
  readonly segment: string;
  reasons: Reason[] | undefined;
  parts: Pair[] | undefined;
  heldBy: (Pair | Choice)[] | undefined;
  fails: boolean;
}

/** Its text is made for those that are told. */
type Reason = () => string;

/** One of several pairs has to hold. */
interface Choice {
  readonly of: Pair;
  left: number;
}

/** Why not, one text for each place; empty: it is read. */
export function avroUnreadable(reader: AvroType, writer: AvroType, effort: Effort): readonly string[] {
  return new Comparison(effort).compare(reader, writer);
}

class Comparison {
  readonly #effort: Effort;
  readonly #pairs = new Map<AvroType, Map<AvroType, Pair>>();
  readonly #branches = new Map<UnionType, Branches>();
  readonly #unopened: Pair[] = [];

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  compare(reader: AvroType, writer: AvroType): readonly string[] {
    const root = this.#pair(reader, writer, undefined, '');
    const failing: Pair[] = [];
    for (let pair = this.#unopened.pop(); pair !== undefined; pair = this.#unopened.pop()) {
      this.#open(pair);
      if (pair.reasons !== undefined) fail(pair, failing);
    }
    for (let pair = failing.pop(); pair !== undefined; pair = failing.pop()) {
      for (const holder of pair.heldBy ?? []) {
        if (!('left' in holder)) fail(holder, failing);
        else if (--holder.left === 0) {
          addMissingBranch(holder.of);
          fail(holder.of, failing);
        }
      }
    }
    return reasonsOf(root);
  }

  #pair(reader: AvroType, writer: AvroType, parent: Pair | undefined, segment: string): Pair {
    this.#effort.spend(stepsPerPair);
    let ofReader = this.#pairs.get(reader);
    if (ofReader === undefined) this.#pairs.set(reader, (ofReader = new Map()));
    let pair = ofReader.get(writer);
    if (pair === undefined) {
      pair = { reader, writer, parent, segment, reasons: undefined, parts: undefined, heldBy: undefined, fails: false };
      ofReader.set(writer, pair);
      this.#unopened.push(pair);
    }
    return pair;
  }

  /** `of` stands on the pair. */
  #need(of: Pair, reader: AvroType, writer: AvroType, segment: string): void {
    const part = this.#pair(reader, writer, of, segment);
    (of.parts ??= []).push(part);
    (part.heldBy ??= []).push(of);
  }

  #open(pair: Pair): void {
    const { reader, writer } = pair;
    if (writer.kind === 'union') {
      for (const branch of writer.branches) this.#need(pair, reader, branch, '');
    } else if (reader.kind === 'union') this.#choose(pair, reader, writer);
    else if (reader.kind === 'record' && writer.kind === 'record') this.#record(pair, reader, writer);
    else if (reader.kind === 'enum' && writer.kind === 'enum') this.#enum(pair, reader, writer);
    else if (reader.kind === 'fixed' && writer.kind === 'fixed') {
      if (sameName(pair, reader, writer) && reader.size !== writer.size)
        add(pair, 'FIXED_SIZE_MISMATCH', '/size', () => `${writer.size} bytes are not ${reader.size}`);
    } else if (reader.kind === 'array' && writer.kind === 'array')
      this.#need(pair, reader.items, writer.items, '/items');
    else if (reader.kind === 'map' && writer.kind === 'map') this.#need(pair, reader.values, writer.values, '/values');
    else if (reader.kind !== writer.kind && !promoted(writer.kind).includes(reader.kind))
      add(pair, 'TYPE_MISMATCH', '', () => `${nameOf(writer)} is not read as ${nameOf(reader)}`);
  }

  #choose(pair: Pair, reader: UnionType, writer: AvroType): void {
    let branches = this.#branches.get(reader);
    if (branches === undefined) {
      this.#effort.spend(reader.branches.length);
      this.#branches.set(reader, (branches = new Branches(reader)));
    }
    const able = branches.for(writer);
    if (able.length === 0) return addMissingBranch(pair);
    if (able.length === 1) return this.#need(pair, able[0]!.type, writer, `/${able[0]!.index}`);
    const choice: Choice = { of: pair, left: able.length };
    for (const { type, index } of able) (this.#pair(type, writer, pair, `/${index}`).heldBy ??= []).push(choice);
  }

  #record(pair: Pair, reader: RecordType, writer: RecordType): void {
    if (!sameName(pair, reader, writer)) return;
    let index = 0;
    for (const field of reader.fields.values()) {
      const at = `/fields/${index++}`;
      const found = this.#writersField(field, writer);
      if (found.length > 1)
        add(pair, 'NAME_MISMATCH', at, () => `field ${field.name} and its aliases name several fields of the writer`);
      else if (found.length === 1) this.#need(pair, field.type, found[0]!.type, `${at}/type`);
      else if (!field.hasDefault)
        add(
          pair,
          'READER_FIELD_MISSING_DEFAULT_VALUE',
          at,
          () => `field ${field.name} is not written and has no default`,
        );
    }
  }

  /** A name comes before aliases. */
  #writersField(field: RecordField, writer: RecordType): readonly RecordField[] {
    this.#effort.spend(1 + field.aliases.length);
    const same = writer.fields.get(field.name);
    if (same !== undefined) return [same];
    return field.aliases.map((alias) => writer.fields.get(alias)).filter((found) => found !== undefined);
  }

  #enum(pair: Pair, reader: EnumType, writer: EnumType): void {
    if (!sameName(pair, reader, writer) || reader.default !== undefined) return;
    this.#effort.spend(writer.symbols.size);
    const missing = [...writer.symbols].filter((symbol) => !reader.symbols.has(symbol));
    if (missing.length > 0)
      add(
        pair,
        'MISSING_ENUM_SYMBOLS',
        '/symbols',
        () => `the reader does not know ${missing.slice(0, 10).join(', ')}`,
      );
  }
}

interface Branch {
  readonly type: AvroType;
  readonly index: number;
}

/** The branches of a reader's union, found by what they may read. */
class Branches {
  readonly #byKind = new Map<string, Branch>();
  readonly #bySimpleName = new Map<string, Branch[]>();
  readonly #byAlias = new Map<string, Branch[]>();

  constructor(union: UnionType) {
    union.branches.forEach((type, index) => {
      const branch = { type, index };
      if (!isNamed(type)) return void this.#byKind.set(type.kind, branch);
      listIn(this.#bySimpleName, simpleName(type.name)).push(branch);
      for (const alias of type.aliases) listIn(this.#byAlias, alias).push(branch);
    });
  }

  for(writer: AvroType): readonly Branch[] {
    if (!isNamed(writer)) {
      const kinds = [writer.kind, ...promoted(writer.kind)];
      return kinds.map((kind) => this.#byKind.get(kind)).filter((found) => found !== undefined);
    }
    const found = [
      ...(this.#bySimpleName.get(simpleName(writer.name)) ?? []),
      ...(this.#byAlias.get(writer.name) ?? []),
    ];
    return [...new Set(found)].filter(({ type }) => type.kind === writer.kind);
  }
}

function listIn<K, V>(map: Map<K, V[]>, key: K): V[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

/** What reads a type beside itself. */
function promoted(kind: AvroType['kind']): readonly AvroType['kind'][] {
  return promotions[kind as PrimitiveName] ?? [];
}

const promotions: Partial<Record<PrimitiveName, readonly PrimitiveName[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

function sameName(pair: Pair, reader: NamedType, writer: NamedType): boolean {
  if (simpleName(reader.name) === simpleName(writer.name) || reader.aliases.includes(writer.name)) return true;
  add(pair, 'NAME_MISMATCH', '/name', () => `${writer.name} is not ${reader.name}`);
  return false;
}

function nameOf(type: AvroType): string {
  return isNamed(type) ? `${type.kind} ${type.name}` : type.kind;
}

function add(pair: Pair, type: string, place: string, what: () => string): void {
  (pair.reasons ??= []).push(() => `${type} at ${pathOf(pair)}${place} (${what()})`);
}

function addMissingBranch(pair: Pair): void {
  add(pair, 'MISSING_UNION_BRANCH', '', () => `no branch of the reader takes ${nameOf(pair.writer)}`);
}

function fail(pair: Pair, failing: Pair[]): void {
  if (pair.fails) return;
  pair.fails = true;
  failing.push(pair);
}

function pathOf(pair: Pair): string {
  const segments: string[] = [];
  for (let at: Pair | undefined = pair; at !== undefined && segments.length < 100; at = at.parent)
    segments.push(at.segment);
  return `#${segments.toReversed().join('')}`;
}

function reasonsOf(root: Pair): readonly string[] {
  const reasons: string[] = [];
  const seen = new Set<Pair>();
  const open = root.fails ? [root] : [];
  for (let pair = open.pop(); pair !== undefined && reasons.length < reasonsMax; pair = open.pop()) {
    if (seen.has(pair)) continue;
    seen.add(pair);
    for (const reason of (pair.reasons ?? []).slice(0, reasonsMax - reasons.length)) reasons.push(reason());
    for (const part of (pair.parts ?? []).toReversed()) if (part.fails) open.push(part);
  }
  return reasons;
}
