// Arrays: items by their place, and what may stand behind them. A list of one kind of items is one without places.
import { boundBreach, pairOf } from './json-bounds.js';
import type { JsonObject, PartComparison } from './json-node.js';
import { partOf } from './json-object.js';

interface Items {
  readonly places: readonly unknown[];
  /** What may stand behind the places. */
  readonly rest: 'open' | 'closed' | { readonly schema: unknown };
}

export function arrayBreaches(was: JsonObject, is: JsonObject, path: string, comparing: PartComparison): string[] {
  const reasons = [
    ...(hasPlaces(was) || hasPlaces(is)
      ? itemBreaches(itemsOf(was), itemsOf(is), path, comparing)
      : [
          ...comparing.parts(
            partOf(was, 'items', comparing.before),
            partOf(is, 'items', comparing.after),
            `${path}/items`,
          ),
          ...restBreaches(restOf(was['additionalItems']), restOf(is['additionalItems']), path, comparing),
        ]),
    ...comparing.parts(
      partOf(was, 'contains', comparing.before),
      partOf(is, 'contains', comparing.after),
      `${path}/contains`,
    ),
    ...boundBreach(pairOf(was, is, 'maxItems'), true, 'MAX_ITEMS', `${path}/maxItems`),
    ...boundBreach(pairOf(was, is, 'minItems'), false, 'MIN_ITEMS', `${path}/minItems`),
  ];
  if (is['uniqueItems'] === true && was['uniqueItems'] !== true)
    reasons.push(`UNIQUE_ITEMS_ADDED at ${path}/uniqueItems`);
  return reasons;
}

function hasPlaces({ items, prefixItems }: JsonObject): boolean {
  return Array.isArray(items) || Array.isArray(prefixItems);
}

/** Until 2019-09 places stand in `items` and the rest in `additionalItems`, since then in `prefixItems` and `items`. */
function itemsOf(raw: JsonObject): Items {
  const { items, prefixItems, additionalItems } = raw;
  if (Array.isArray(prefixItems)) return { places: prefixItems, rest: restOf(items) };
  return Array.isArray(items) ? { places: items, rest: restOf(additionalItems) } : { places: [], rest: restOf(items) };
}

function restOf(given: unknown): Items['rest'] {
  if (given === undefined || given === true) return 'open';
  return given === false ? 'closed' : { schema: given };
}

function itemBreaches(before: Items, after: Items, path: string, comparing: PartComparison): string[] {
  const reasons: string[] = [];
  const [were, are] = [before.places, after.places];
  for (let i = 0; i < Math.max(were.length, are.length); i++) {
    const at = `${path}/items/${i}`;
    if (i < were.length && i < are.length)
      reasons.push(...comparing.parts(comparing.before(were[i]), comparing.after(are[i]), at));
    else if (i < were.length) {
      const part = comparing.before(were[i]);
      if (after.rest === 'open') continue;
      if (after.rest === 'closed') {
        if (part().kind !== 'never') reasons.push(`ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL at ${at}`);
      } else if (comparing.parts(part, comparing.after(after.rest.schema), at).length > 0)
        reasons.push(`ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${at}`);
    } else {
      const part = comparing.after(are[i]);
      if (before.rest === 'closed') continue;
      if (before.rest === 'open') {
        if (part().kind !== 'any') reasons.push(`ITEM_ADDED_TO_OPEN_CONTENT_MODEL at ${at}`);
      } else if (comparing.parts(comparing.before(before.rest.schema), part, at).length > 0)
        reasons.push(`ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${at}`);
    }
  }
  return [...reasons, ...restBreaches(before.rest, after.rest, path, comparing)];
}

function restBreaches(
  before: Items['rest'],
  after: Items['rest'],
  path: string,
  comparing: PartComparison,
): readonly string[] {
  const at = `${path}/additionalItems`;
  if (before === 'closed' || after === 'open') return [];
  if (after === 'closed') return [`ADDITIONAL_ITEMS_REMOVED at ${at}`];
  const part = comparing.after(after.schema);
  if (before !== 'open') return comparing.parts(comparing.before(before.schema), part, at);
  return part().kind === 'any' ? [] : [`ADDITIONAL_ITEMS_NARROWED at ${at}`];
}
