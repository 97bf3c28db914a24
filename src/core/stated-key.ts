// Keys that a configuration states by a transform (ValueToKey), as the source hears of them: rows of a view, or of a query, have no
// primary key that the database could tell.
import { matchesWhole } from './pattern.js';

export interface StatedKey {
  /** A regular expression for whole names of topics; undefined: of all. */
  readonly topic: string | undefined;
  readonly negate: boolean;
  readonly fields: readonly string[];
}

/** How a source hears of them, as JSON. */
export const statedKeysProperty = 'keys.stated';

/** Undefined: none is stated for the rows of this topic. */
export function statedKey(topic: string, keys: readonly StatedKey[]): readonly string[] | undefined {
  return keys.find((key) => key.topic === undefined || matchesWhole(key.topic, topic) !== key.negate)?.fields;
}
