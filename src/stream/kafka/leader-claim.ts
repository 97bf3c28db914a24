// Which member of the group leads, decided by the one that assigns, from what each says of itself; pure.
import { AppError } from '../../core/errors.js';

/** `leads`: it does, and the group has not let it go since. `led`: it did until the group gave it up. */
export type ClaimKind = 'leads' | 'led' | 'none';

export interface Claim {
  readonly instance: string;
  /** Where its HTTP interface is reached. */
  readonly url: string;
  readonly claim: ClaimKind;
  /** It may lead: it does not only follow. */
  readonly candidate: boolean;
  readonly startedMs: number;
}

/** What every member is told. Null: nobody may lead. */
export interface Leader {
  readonly instance: string;
  readonly url: string;
}

const rank: Readonly<Record<ClaimKind, number>> = { leads: 2, led: 1, none: 0 };

/** Who leads stays; else who led last; else the one that has been there longest. */
export function electLeader(claims: readonly Claim[]): Leader | null {
  const [first] = claims
    .filter(({ candidate }) => candidate)
    .toSorted(
      (a, b) => rank[b.claim] - rank[a.claim] || a.startedMs - b.startedMs || (a.instance < b.instance ? -1 : 1),
    );
  return first === undefined ? null : { instance: first.instance, url: first.url };
}

export function printClaim(claim: Claim): Buffer {
  return Buffer.from(JSON.stringify(claim));
}

export function printLeader(leader: Leader | null): Buffer {
  return Buffer.from(JSON.stringify(leader));
}

/** What the group holds was written by processes like this one, or it is not our group. */
export function parseMember<T extends Claim | Leader | null>(bytes: Buffer, groupId: string): T {
  try {
    return JSON.parse(bytes.toString('utf8')) as T;
  } catch (cause) {
    throw new AppError('log-foreign', `group "${groupId}" has members that are not writethrough's`, {
      cause,
      hint: 'take another service.id',
    });
  }
}
