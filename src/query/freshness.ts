// What every answer says about its age: the version of its cut, the lag behind the sources, and the source positions it contains.
import { printVersion } from '../core/version.js';
import type { Frontier } from '../store/state-store.js';
import type { Freshness } from './query-facade.js';

/** How old, in ms, an answer of this frontier may be. */
export type LagOf = (frontier: Frontier) => number;

// A frontier is one object as long as it stands, so its texts are made once however many reads it serves.
const texts = new WeakMap<Frontier, { readonly version: string; readonly position: string }>();

export function freshnessOf(frontier: Frontier, lagOf: LagOf): Freshness {
  let text = texts.get(frontier);
  if (!text) {
    const position = Object.entries(frontier.positions)
      .map(([producer, at]) => `${producer}=${encodeURIComponent(at)}`)
      .join(',');
    text = { version: printVersion(frontier), position };
    texts.set(frontier, text);
  }
  return { version: text.version, position: text.position, lagMs: lagOf(frontier) };
}
