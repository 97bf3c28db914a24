// What every answer says about its age: the version of its cut, the lag behind the sources, and the source positions it contains.
import { printVersion } from '../core/version.js';
import type { Frontier } from '../store/state-store.js';
import type { Freshness } from './query-facade.js';

export interface LagClock {
  readonly nowUs: () => number;
  /** Newest commit time known at any source, µs; 0 when none is known. */
  readonly headCommitTimeUs: () => number;
}

/** 0 when nothing newer is known than what is applied. */
export function lagMs(frontier: Frontier, clock: LagClock): number {
  if (clock.headCommitTimeUs() <= frontier.commitTimeUs) return 0;
  return Math.max(0, Math.round((clock.nowUs() - frontier.commitTimeUs) / 1000));
}

// A frontier is one object as long as it stands, so its texts are made once however many reads it serves.
const texts = new WeakMap<Frontier, { readonly version: string; readonly position: string }>();

export function freshnessOf(frontier: Frontier, clock: LagClock): Freshness {
  let text = texts.get(frontier);
  if (!text) {
    const position = Object.entries(frontier.positions)
      .map(([producer, at]) => `${producer}=${encodeURIComponent(at)}`)
      .join(',');
    text = { version: printVersion(frontier), position };
    texts.set(frontier, text);
  }
  return { version: text.version, position: text.position, lagMs: lagMs(frontier, clock) };
}
