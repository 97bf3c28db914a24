// What every answer says about its age: the version of its cut, the lag behind the sources, and the source positions it contains.
import { printVersion } from '../core/version.js';
import type { PositionForm } from '../core/position.js';
import type { Frontier, TableFrontier } from '../store/state-store.js';
import type { Freshness, PositionStyle } from './query-facade.js';

/** How old, in ms, an answer of this frontier may be. */
export type LagOf = (frontier: TableFrontier) => number;

export interface FreshnessEnv {
  readonly lagOf: LagOf;
  readonly positions: PositionForm;
}

// A frontier is one object as long as it stands, so its texts are made once however many reads it serves.
const texts = new WeakMap<TableFrontier, { readonly version: string; readonly position: string }>();

export function freshnessOf(
  frontier: TableFrontier,
  { lagOf, positions }: FreshnessEnv,
  style: PositionStyle = 'token',
): Freshness {
  let text = texts.get(frontier);
  if (!text) {
    text = { version: printVersion(frontier), position: positionsText(frontier, (at) => positions.token(at)) };
    texts.set(frontier, text);
  }
  const position = style === 'full' ? positionsText(frontier, (at) => at) : text.position;
  return { version: text.version, position, lagMs: lagOf(frontier) };
}

function positionsText({ positions }: Frontier, textOf: (position: string) => string): string {
  return Object.entries(positions)
    .map(([producer, at]) => `${producer}=${encodeURIComponent(textOf(at)).replaceAll('%3A', ':')}`)
    .join(',');
}

/** Of an answer from several tables: that of the oldest one that stands still, if any does. */
export function oldestOf(frontiers: readonly TableFrontier[]): TableFrontier | undefined {
  let oldest: TableFrontier | undefined;
  for (const frontier of frontiers) {
    if (frontier.stopped && (oldest === undefined || frontier.seq < oldest.seq)) oldest = frontier;
  }
  return oldest;
}
