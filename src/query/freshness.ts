// What every answer says about its age: the version of its cut, the lag behind the sources, and the source positions it contains.
import { printVersion } from '../core/version.js';
import type { TableFrontier } from '../store/state-store.js';
import type { Freshness } from './query-facade.js';

/** How old, in ms, an answer of this frontier may be. */
export type LagOf = (frontier: TableFrontier) => number;

// A frontier is one object as long as it stands, so its texts are made once however many reads it serves.
const texts = new WeakMap<TableFrontier, { readonly version: string; readonly position: string }>();

export function freshnessOf(frontier: TableFrontier, lagOf: LagOf): Freshness {
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

/** Of an answer from several tables: that of the oldest one that stands still, if any does. */
export function oldestOf(frontiers: readonly TableFrontier[]): TableFrontier | undefined {
  let oldest: TableFrontier | undefined;
  for (const frontier of frontiers) {
    if (frontier.stopped && (oldest === undefined || frontier.seq < oldest.seq)) oldest = frontier;
  }
  return oldest;
}
