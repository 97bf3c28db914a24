// Objects: their properties, which of them are required, and what may stand beside them. A schema is open where anything may (so a property
// that comes may have been there already, as something else), closed where nothing may, and partially open where something may.
import { matchesWhole } from '../../core/pattern.js';
import type { Effort } from '../effort.js';
import { boundBreach, pairOf } from './json-bounds.js';
import type { JsonObject, PartComparison } from './json-node.js';

export function objectBreaches(was: JsonObject, is: JsonObject, path: string, comparing: PartComparison): string[] {
  return [
    ...propertyBreaches(was, is, path, comparing),
    ...requiredBreaches(was, is, path),
    ...additionalBreaches(was, is, path, comparing),
    ...dependencyBreaches(was, is, path, comparing),
    ...patternBreaches(was, is, path, comparing),
    ...comparing.parts(
      partOf(was, 'propertyNames', comparing.before),
      partOf(is, 'propertyNames', comparing.after),
      `${path}/propertyNames`,
    ),
    ...boundBreach(pairOf(was, is, 'maxProperties'), true, 'MAX_PROPERTIES', `${path}/maxProperties`),
    ...boundBreach(pairOf(was, is, 'minProperties'), false, 'MIN_PROPERTIES', `${path}/minProperties`),
  ];
}

export function partOf<Part>(raw: JsonObject, keyword: string, part: (raw: unknown) => Part): Part | undefined {
  return keyword in raw ? part(raw[keyword]) : undefined;
}

function mapOf(raw: JsonObject, keyword: string): JsonObject {
  const value = raw[keyword];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function requiredOf(raw: JsonObject): ReadonlySet<unknown> {
  return new Set(Array.isArray(raw['required']) ? raw['required'] : []);
}

function hasDefault(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'default' in raw;
}

/** `open` and `closed`, or the schema of what may stand beside the properties. */
function additional(raw: JsonObject): 'open' | 'closed' | { readonly schema: unknown } {
  const given = raw['additionalProperties'];
  if (given === undefined || given === true) return 'open';
  return given === false ? 'closed' : { schema: given };
}

/** What a schema says of a property that it does not name. */
function modelFor(raw: JsonObject, name: string, effort: Effort): 'open' | 'closed' | { readonly schema: unknown } {
  const patterns = Object.entries(mapOf(raw, 'patternProperties'));
  for (const [pattern, schema] of patterns) if (found(pattern, name, effort)) return { schema };
  const beside = additional(raw);
  // Beside patterns a schema is not open: what they say of it is that it may be anything.
  return beside === 'open' && patterns.length > 0 ? { schema: true } : beside;
}

/** A pattern is looked for anywhere in a name. One that cannot be read, or that only backtracking can tell, is in none. */
function found(pattern: string, name: string, effort: Effort): boolean {
  effort.spend(pattern.length + name.length);
  if (/\(\?<?[=!]|\\[1-9k]/.test(pattern)) return false;
  try {
    return matchesWhole(`[\\s\\S]*(?:${pattern})[\\s\\S]*`, name);
  } catch {
    return false;
  }
}

function propertyBreaches(was: JsonObject, is: JsonObject, path: string, comparing: PartComparison): string[] {
  const [before, after] = [mapOf(was, 'properties'), mapOf(is, 'properties')];
  const reasons: string[] = [];
  for (const name of Object.keys(before)) {
    const at = `${path}/properties/${name}`;
    const part = comparing.before(before[name]);
    if (Object.hasOwn(after, name)) {
      reasons.push(...comparing.parts(part, comparing.after(after[name]), at));
      continue;
    }
    const model = modelFor(is, name, comparing.effort);
    if (model === 'open') continue;
    if (model === 'closed') {
      if (part().kind !== 'never') reasons.push(`PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL at ${at}`);
    } else if (comparing.parts(part, comparing.after(model.schema), at).length > 0)
      reasons.push(`PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${at}`);
  }
  const required = requiredOf(is);
  for (const name of Object.keys(after)) {
    if (Object.hasOwn(before, name)) continue;
    const at = `${path}/properties/${name}`;
    const part = comparing.after(after[name]);
    const model = modelFor(was, name, comparing.effort);
    if (model === 'open') {
      if (part().kind !== 'any') reasons.push(`PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL at ${at}`);
      continue;
    }
    if (model !== 'closed' && comparing.parts(comparing.before(model.schema), part, at).length > 0)
      reasons.push(`PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${at}`);
    if (required.has(name) && !hasDefault(after[name]))
      reasons.push(`REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL at ${at}`);
  }
  return reasons;
}

/** Of properties that both name; those that come are looked at with them. As in the original, others that are required do not count. */
function requiredBreaches(was: JsonObject, is: JsonObject, path: string): string[] {
  const [before, after] = [mapOf(was, 'properties'), mapOf(is, 'properties')];
  const required = requiredOf(was);
  const reasons: string[] = [];
  for (const name of requiredOf(is)) {
    if (typeof name !== 'string' || required.has(name)) continue;
    if (!Object.hasOwn(after, name) || !Object.hasOwn(before, name) || hasDefault(after[name])) continue;
    reasons.push(`REQUIRED_ATTRIBUTE_ADDED at ${path}/required/${name}`);
  }
  return reasons;
}

function additionalBreaches(
  was: JsonObject,
  is: JsonObject,
  path: string,
  comparing: PartComparison,
): readonly string[] {
  const at = `${path}/additionalProperties`;
  const [before, after] = [additional(was), additional(is)];
  if (before === 'closed' || after === 'open') return [];
  if (after === 'closed') return [`ADDITIONAL_PROPERTIES_REMOVED at ${at}`];
  if (before === 'open') return [`ADDITIONAL_PROPERTIES_NARROWED at ${at}`];
  return comparing.parts(comparing.before(before.schema), comparing.after(after.schema), at);
}

function patternBreaches(was: JsonObject, is: JsonObject, path: string, comparing: PartComparison): string[] {
  const [before, after] = [mapOf(was, 'patternProperties'), mapOf(is, 'patternProperties')];
  return Object.keys(before).flatMap((pattern) =>
    Object.hasOwn(after, pattern)
      ? comparing.parts(
          comparing.before(before[pattern]),
          comparing.after(after[pattern]),
          `${path}/patternProperties/${pattern}`,
        )
      : [],
  );
}

/** What one property demands of an object: others, or a schema. */
function dependencyBreaches(was: JsonObject, is: JsonObject, path: string, comparing: PartComparison): string[] {
  const reasons: string[] = [];
  const [before, after] = [dependencies(was), dependencies(is)];
  for (const [name, demanded] of after.lists) {
    const had = before.lists.get(name);
    const at = `${path}/dependencies/${name}`;
    if (had === undefined) reasons.push(`DEPENDENCY_ARRAY_ADDED at ${at}`);
    else if (demanded.some((each) => !had.includes(each)))
      reasons.push(
        `DEPENDENCY_ARRAY_${had.every((each) => demanded.includes(each)) ? 'EXTENDED' : 'CHANGED'} at ${at}`,
      );
  }
  for (const [name, schema] of after.schemas) {
    const at = `${path}/dependencies/${name}`;
    if (!before.schemas.has(name)) reasons.push(`DEPENDENCY_SCHEMA_ADDED at ${at}`);
    else reasons.push(...comparing.parts(comparing.before(before.schemas.get(name)), comparing.after(schema), at));
  }
  return reasons;
}

function dependencies(raw: JsonObject) {
  const lists = new Map<string, readonly unknown[]>();
  const schemas = new Map<string, unknown>();
  for (const keyword of ['dependencies', 'dependentRequired', 'dependentSchemas']) {
    for (const [name, value] of Object.entries(mapOf(raw, keyword))) {
      if (Array.isArray(value)) lists.set(name, value);
      else schemas.set(name, value);
    }
  }
  return { lists, schemas };
}
