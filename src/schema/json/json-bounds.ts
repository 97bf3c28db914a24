// What bounds values of one type: lengths, numbers, patterns, and lists of values. A bound may go or widen; one that comes or narrows refuses
// what was allowed.
import type { Effort } from '../effort.js';
import type { JsonObject } from './json-node.js';

/** `upper`: a larger one allows more. */
export function boundBreach(
  [was, is]: readonly [number | undefined, number | undefined],
  upper: boolean,
  name: string,
  path: string,
): string[] {
  if (is === undefined || was === is) return [];
  if (was === undefined) return [`${name}_ADDED at ${path}`];
  if (upper) return is < was ? [`${name}_DECREASED at ${path}`] : [];
  return is > was ? [`${name}_INCREASED at ${path}`] : [];
}

export function numberOf(raw: JsonObject, keyword: string): number | undefined {
  const value = raw[keyword];
  return typeof value === 'number' ? value : undefined;
}

export function pairOf(
  was: JsonObject,
  is: JsonObject,
  keyword: string,
): readonly [number | undefined, number | undefined] {
  return [numberOf(was, keyword), numberOf(is, keyword)];
}

export function stringBreaches(was: JsonObject, is: JsonObject, path: string): string[] {
  const reasons = [
    ...boundBreach(pairOf(was, is, 'maxLength'), true, 'MAX_LENGTH', `${path}/maxLength`),
    ...boundBreach(pairOf(was, is, 'minLength'), false, 'MIN_LENGTH', `${path}/minLength`),
  ];
  const pattern = is['pattern'];
  if (typeof pattern === 'string' && pattern !== was['pattern'])
    reasons.push(`PATTERN_${typeof was['pattern'] === 'string' ? 'CHANGED' : 'ADDED'} at ${path}/pattern`);
  return reasons;
}

export function numberBreaches(was: JsonObject, is: JsonObject, path: string): string[] {
  const [before, after] = [limits(was), limits(is)];
  return [
    ...boundBreach([before.maximum, after.maximum], true, 'MAXIMUM', `${path}/maximum`),
    ...boundBreach([before.minimum, after.minimum], false, 'MINIMUM', `${path}/minimum`),
    ...boundBreach([before.below, after.below], true, 'EXCLUSIVE_MAXIMUM', `${path}/exclusiveMaximum`),
    ...boundBreach([before.above, after.above], false, 'EXCLUSIVE_MINIMUM', `${path}/exclusiveMinimum`),
    ...multipleBreach(numberOf(was, 'multipleOf'), numberOf(is, 'multipleOf'), `${path}/multipleOf`),
  ];
}

/** In draft 4 the exclusive bounds say of the others that they are. */
function limits(raw: JsonObject) {
  const [maximum, minimum] = [numberOf(raw, 'maximum'), numberOf(raw, 'minimum')];
  const [noMaximum, noMinimum] = [raw['exclusiveMaximum'] === true, raw['exclusiveMinimum'] === true];
  return {
    maximum: noMaximum ? undefined : maximum,
    minimum: noMinimum ? undefined : minimum,
    below: noMaximum ? maximum : numberOf(raw, 'exclusiveMaximum'),
    above: noMinimum ? minimum : numberOf(raw, 'exclusiveMinimum'),
  };
}

function multipleBreach(was: number | undefined, is: number | undefined, path: string): string[] {
  if (is === undefined || was === is) return [];
  if (was === undefined) return [`MULTIPLE_OF_ADDED at ${path}`];
  if (was % is === 0) return [];
  return [`MULTIPLE_OF_${is % was === 0 ? 'EXPANDED' : 'CHANGED'} at ${path}`];
}

/** `enum` and `const`. */
export function valueBreaches(was: JsonObject, is: JsonObject, path: string, effort: Effort): string[] {
  const [before, after] = [valuesOf(was, effort), valuesOf(is, effort)];
  if (after === undefined) return [];
  if (before === undefined) return [`ENUM_ARRAY_NARROWED at ${path}/enum`];
  const missing = [...before].filter((value) => !after.has(value));
  if (missing.length === 0) return [];
  const narrowed = [...after].every((value) => before.has(value));
  return [`ENUM_ARRAY_${narrowed ? 'NARROWED' : 'CHANGED'} at ${path}/enum`];
}

function valuesOf(raw: JsonObject, effort: Effort): ReadonlySet<string> | undefined {
  const values = 'const' in raw ? [raw['const']] : raw['enum'];
  if (!Array.isArray(values)) return undefined;
  effort.spend(values.length);
  return new Set(values.map((value) => JSON.stringify(value)));
}
