// What a subscriber is told of how its table stands: once when it is so, again when it is otherwise.
import { isFollowed, staleness, type Age, type Standing } from '../core/freshness.js';
import { printVersion, type Place } from '../core/version.js';
import type { TableFrontier } from '../store/state-store.js';
import type { ChangePrinter } from './change-channel.js';
import type { ChangeItem } from './query-facade.js';

export const caughtUp = 'caught-up';

/** What was told last. Undefined: nothing yet; `detached N`: the table itself stands still at seq N. */
export type Told = Standing | typeof caughtUp | `detached ${number}` | undefined;

export interface StandingNow {
  readonly frontier: TableFrontier;
  readonly age: Age;
  /** All changes up to here have been handed out. */
  readonly place: Place;
  readonly told: Told;
}

/**
 * Undefined where there is nothing new. A session of another subscriber may have seen a stop before the changes that lead to it have been
 * handed out here.
 */
export function standingMark(
  { frontier, age, place, told }: StandingNow,
  printer: ChangePrinter,
): { readonly told: Told; readonly item?: ChangeItem } | undefined {
  const id = printVersion({ logId: frontier.logId, seq: place.seq });
  if (frontier.stopped) {
    const at = `detached ${frontier.seq}` as const;
    if (at === told || frontier.seq > place.seq) return undefined;
    return { told: at, item: printer.stands(id, 'stopped', { version: printVersion(frontier) }) };
  }
  const standing = staleness(age);
  if ((standing ?? caughtUp) === told) return undefined;
  if (standing === undefined) {
    // That it goes on again is what `rebuilt` has said.
    const again = told?.startsWith('detached') === true;
    return again ? { told: caughtUp } : { told: caughtUp, item: printer.mark(id, 'caught-up') };
  }
  const members = { cause: standing, lagMs: age.lagMs };
  const item = isFollowed(standing)
    ? printer.stands(id, 'behind', members)
    : printer.stands(id, 'stopped', { version: printVersion(frontier), ...members });
  return { told: standing, item };
}
