// Keys of rows that have none of their own, as connect hands them to a source.
import { statedKeysProperty, type StatedKey } from '../../../src/core/stated-key.js';

/** Of all topics. */
export function keyed(...fields: readonly string[]): Record<string, string> {
  return { [statedKeysProperty]: JSON.stringify([{ topic: undefined, negate: false, fields }] satisfies StatedKey[]) };
}
