// What the dice say of a world before it begins: how often which thing goes wrong, and how its engine is set up. Most worlds leave out
// something, so that what remains comes together more often.
import type { EngineOptions } from '../../src/engine/engine-api.js';
import type { Dice } from '../support/harness/dice.js';
import type { CaptureChances } from './capture-actor.js';

export const actorKinds = [
  'clients',
  'subscribers',
  'streams',
  'kills',
  'failpoints',
  'stops',
  'poison',
  'broken',
  'long',
  'again',
  'readers',
  'full',
  'network',
  'wipes',
  'followers',
] as const;
export type ActorKind = (typeof actorKinds)[number];
export type LogKind = 'embedded' | 'kafka';

export interface Chances {
  /** Per step. */
  readonly kill: number;
  readonly stop: number;
  /** Each time that one is passed. */
  readonly failpoint: number;
  /** That a write finds no room. */
  readonly full: number;
  /** That a process begins with an empty folder, on Kafka. */
  readonly wipe: number;
  /** A second process beside the one that leads; undefined: none. */
  readonly follower: FollowerChances | undefined;
  /** That a request to Kafka fails. */
  readonly network: number;
  readonly capture: CaptureChances;
  /** DROP may leave topics. */
  readonly keepsTopics: boolean;
}

export interface FollowerChances {
  /** That it leads when the leader is gone. */
  readonly takesOver: number;
  /** Per step: that it leads from here on although the leader is there. */
  readonly usurps: number;
}

export function drawChances(
  dice: Dice,
  {
    log,
    without,
    powerLoss,
  }: { readonly log: LogKind; readonly without: readonly ActorKind[]; readonly powerLoss: boolean },
): Chances {
  const chance = (kind: ActorKind, most: number): number =>
    !without.includes(kind) && dice.chance(0.6) ? dice.next() * most : 0;
  // What goes over a wire takes more steps.
  const perStep = log === 'kafka' ? 0.2 : 1;
  return {
    kill: chance('kills', 0.01 * perStep),
    stop: without.includes('stops') ? 0 : 0.002 * perStep,
    failpoint: chance('failpoints', 0.01),
    full: dice.chance(0.5) ? chance('full', 0.001) : 0,
    wipe: log === 'kafka' ? chance('wipes', 0.4) : 0,
    // The journal that tells what a power loss leaves is that of one folder.
    follower:
      log === 'kafka' && !powerLoss && !without.includes('followers') ? drawFollower(dice.fork('follower')) : undefined,
    network: log === 'kafka' ? chance('network', 0.02) : 0,
    capture: {
      poison: chance('poison', 0.2),
      broken: chance('broken', 0.04),
      long: chance('long', 0.01),
      again: chance('again', 0.2),
    },
    keepsTopics: dice.chance(0.5),
  };
}

function drawFollower(dice: Dice): FollowerChances | undefined {
  if (dice.chance(0.4)) return undefined;
  return { takesOver: dice.next(), usurps: dice.chance(0.5) ? dice.next() * 0.004 : 0 };
}

export function drawEngineOptions(
  dice: Dice,
  { log, powerLoss }: { readonly log: LogKind; readonly powerLoss: boolean },
): Omit<EngineOptions, 'dataFolder' | 'role'> {
  return {
    // Without syncs a power loss takes commits back, and with them what everybody was told.
    durability: dice.chance(0.8) || powerLoss ? 'full' : 'normal',
    serviceId: 'writethrough',
    strict: false,
    stream: log === 'kafka' ? { kind: 'kafka', url: 'kafka://broker' } : { kind: 'embedded' },
    feed: dice.chance(0.5)
      ? { ms: 86_400_000, bytes: 1024 ** 3 }
      : { ms: 86_400_000, bytes: dice.between(1, 20) * 1024 },
    properties: {},
    rowsPerStep: dice.between(1, 3),
    rowsAtOnce: dice.between(1, 5),
  };
}
