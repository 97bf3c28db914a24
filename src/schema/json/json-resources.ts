// The documents of a JSON schema: its own and those that it refers to, and where a `$ref` leads. Everything that a document says where
// schemas stand is looked at once: keywords of the wrong kind and references that lead nowhere are refused.
import { AppError } from '../../core/errors.js';
import { readJson, type Effort } from '../effort.js';
import { assertKeywords, partsOf } from './json-keywords.js';
import type { JsonObject } from './json-node.js';

interface Resource {
  readonly uri: string;
  readonly root: unknown;
  readonly anchors: Map<string, unknown>;
  /** Beside `$ref` other keywords count: from draft 2019-09 on. */
  readonly siblings: boolean;
}

/** A schema, and the document that its references start from. */
export interface Place<Raw = unknown> {
  readonly raw: Raw;
  readonly resource: Resource;
}

export class JsonResources {
  readonly root: Place;
  readonly #effort: Effort;
  readonly #byUri = new Map<string, Resource>();
  /** Documents inside of documents, by the schema at which they begin. */
  readonly #embedded = new Map<unknown, Resource>();
  readonly #refs: { readonly ref: string; readonly place: Place }[] = [];

  constructor(text: string, imports: ReadonlyMap<string, string>, effort: Effort, lenient: boolean) {
    this.#effort = effort;
    for (const [name, imported] of imports) this.#add(imported, name, true);
    this.root = this.#add(text, '', lenient);
    if (lenient) return;
    for (const { ref, place } of this.#refs) {
      if (this.resolve(ref, place) !== undefined || metaSchema.test(ref)) continue;
      throw new AppError('invalid-schema', 'the JSON schema is not valid', {
        detail: `the reference ${JSON.stringify(ref.slice(0, 200))} leads nowhere`,
        hint: 'name it in "references", with its subject and version',
      });
    }
  }

  #add(text: string, name: string, lenient: boolean): Place {
    const raw = readJson(text, 'the JSON schema', this.#effort);
    const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw);
    if (!isObject && typeof raw !== 'boolean')
      throw new AppError('invalid-schema', 'a JSON schema is an object or a boolean');
    const root = (isObject ? raw : {}) as JsonObject;
    const own = idOf(root);
    const draft = root['$schema'];
    const siblings = typeof draft === 'string' && /2019-09|2020-12/.test(draft);
    const resource: Resource = { uri: own ?? name, root: raw, anchors: new Map(), siblings };
    for (const uri of [name, own]) if (uri !== undefined) this.#byUri.set(withoutFragment(uri), resource);
    this.#walk({ raw, resource }, lenient);
    return { raw, resource };
  }

  /** Nesting is bounded by the text's. */
  #walk(place: Place, lenient: boolean): void {
    this.#effort.spend(1);
    const { raw } = place;
    if (typeof raw === 'boolean') return;
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      if (lenient) return;
      throw new AppError('invalid-schema', 'the JSON schema is not valid', {
        detail: `a schema is ${JSON.stringify(raw)?.slice(0, 100)}`,
      });
    }
    const object = raw as JsonObject;
    if (!lenient) assertKeywords(object);
    let { resource } = place;
    const id = idOf(object);
    if (id?.startsWith('#')) resource.anchors.set(id.slice(1), raw);
    else if (id !== undefined && raw !== resource.root) {
      const uri = joined(id, resource.uri);
      resource = { uri, root: raw, anchors: new Map(), siblings: resource.siblings };
      this.#embedded.set(raw, resource);
      this.#byUri.set(withoutFragment(uri), resource);
    }
    const anchor = object['$anchor'];
    if (typeof anchor === 'string') resource.anchors.set(anchor, raw);
    const ref = object['$ref'];
    if (typeof ref === 'string') this.#refs.push({ ref, place: { raw, resource } });
    for (const part of partsOf(object)) this.#walk({ raw: part, resource }, lenient);
  }

  /** The schema with the document that begins at it. */
  within(place: Place<JsonObject>): Place<JsonObject> {
    const resource = this.#embedded.get(place.raw);
    return resource === undefined ? place : { raw: place.raw, resource };
  }

  /** Undefined: it leads nowhere. */
  resolve(ref: string, { resource }: Place): Place | undefined {
    this.#effort.spendText(ref);
    const hash = ref.indexOf('#');
    const [document, fragment] = hash < 0 ? [ref, ''] : [ref.slice(0, hash), ref.slice(hash + 1)];
    const target =
      document === ''
        ? resource
        : (this.#byUri.get(document) ?? this.#byUri.get(withoutFragment(joined(document, resource.uri))));
    if (target === undefined) return undefined;
    if (fragment === '') return { raw: target.root, resource: target };
    const raw = fragment.startsWith('/') ? pointed(target.root, fragment) : target.anchors.get(fragment);
    return raw === undefined ? undefined : { raw, resource: this.#embedded.get(raw) ?? target };
  }
}

/** Schemas of schemas, which nobody gives. */
const metaSchema = /^https?:\/\/json-schema\.org\//;

function idOf(object: JsonObject): string | undefined {
  const id = object['$id'] ?? object['id'];
  return typeof id === 'string' ? id : undefined;
}

function withoutFragment(uri: string): string {
  const hash = uri.indexOf('#');
  return hash < 0 ? uri : uri.slice(0, hash);
}

function joined(uri: string, base: string): string {
  try {
    return new URL(uri, base).href;
  } catch {
    // Names that are no addresses, such as file names, are siblings of one another.
    return `${base.slice(0, base.lastIndexOf('/') + 1)}${uri}`;
  }
}

function pointed(root: unknown, pointer: string): unknown {
  let at = root;
  for (const step of decoded(pointer).split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as JsonObject)[key];
  }
  return at;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
