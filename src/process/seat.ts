// Whether this process leads its service or follows another one, and who leads. The embedded log has one process, which leads. On Kafka
// the group's membership decides (stream/kafka/leader-group.ts).
import { hash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { untilAborted } from '../core/backoff.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { StreamOptions } from '../engine/engine-api.js';
import type { Leadership } from '../server/status-facade.js';
import type { LeaderGroup } from '../stream/kafka/leader-group.js';

/** `never`: it leads, or does not run; `standby`: it follows while another leads; `only`: it never leads. */
export type FollowMode = 'never' | 'standby' | 'only';

export interface Seat {
  readonly leadership: Leadership;
  /** Asks the group now; for who has been fenced and wonders. */
  check(): Promise<void>;
  /** The others hear of it at once. */
  leave(): Promise<void>;
}

export interface SeatOptions {
  readonly stream: StreamOptions;
  readonly follow: FollowMode;
  readonly serviceId: string;
  readonly dataFolder: string;
  /** Where the others send what only the leader may do. */
  readonly url: string;
  readonly logger: Logger;
  readonly onChange: (leadership: Leadership) => void;
  readonly onFailed: (error: AppError) => void;
  /** Ends the wait for the first verdict. */
  readonly signal: AbortSignal;
}

/** A broker waits three seconds for more members of a new group, and up to a session for those who do not answer. */
const firstVerdictMs = 40_000;

/** Rejects with service-in-use where another process leads and this one does not want to follow. */
export async function takeSeat(options: SeatOptions): Promise<Seat> {
  const { stream, follow, url } = options;
  if (stream.kind === 'embedded') {
    if (follow === 'never') return soleLeader(url);
    throw new AppError('bad-config', 'the embedded log has one process: there is nothing to follow', {
      hint: 'follow needs --stream kafka://...',
      place: { path: 'follow' },
    });
  }
  const { LeaderGroup } = await import('../stream/kafka/leader-group.js');
  const { parseKafkaUrl } = await import('../stream/kafka/kafka-url.js');
  const first = createVerdict();
  const group: LeaderGroup = new LeaderGroup({
    ...parseKafkaUrl(stream.url),
    serviceId: options.serviceId,
    instance: instanceOf(options.dataFolder),
    url,
    candidate: follow !== 'only',
    logger: options.logger,
    onChange: () => {
      // The first verdict is this function's result.
      if (first.settled) options.onChange(leadershipOf(group));
      else first.settle(undefined);
    },
    onFailed: (error) => {
      if (first.settled) options.onFailed(error);
      else first.settle(error);
    },
  });
  group.start();
  try {
    await untilAborted(options.signal, first.reached);
    if (follow === 'never' && !group.leads) throw serviceInUse(options.serviceId, group.leader?.url);
  } catch (error) {
    // Nobody waits for it any more.
    first.settle(undefined);
    await group.leave();
    throw error;
  }
  return {
    get leadership() {
      return leadershipOf(group);
    },
    check: () => group.check(),
    leave: () => group.leave(),
  };
}

function soleLeader(url: string): Seat {
  return { leadership: { role: 'leader', leader: url }, check: async () => {}, leave: async () => {} };
}

function leadershipOf(group: LeaderGroup): Leadership {
  return { role: group.leads ? 'leader' : 'follower', leader: group.leader?.url ?? null };
}

export function serviceInUse(serviceId: string, leader: string | undefined | null): AppError {
  return new AppError(
    'service-in-use',
    `the service "${serviceId}" is led by another process, ${leader ?? 'unknown'}`,
    {
      hint: 'start this one with --follow: it serves the same tables, and takes over when the other is gone',
      retriable: true,
      leader: leader ?? undefined,
    },
  );
}

interface Verdict {
  readonly reached: Promise<void>;
  readonly settled: boolean;
  settle(error: AppError | undefined): void;
}

function createVerdict(): Verdict {
  let settled = false;
  let settle: Verdict['settle'] = () => {};
  const reached = new Promise<void>((resolve, reject) => {
    settle = (error) => {
      settled = true;
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => {
      settle(new AppError('log-unreachable', 'the Kafka brokers do not say which process leads', { retriable: true }));
    }, firstVerdictMs);
  });
  return {
    reached,
    get settled() {
      return settled;
    },
    settle: (error) => settle(error),
  };
}

/**
 * Names the data folder: what is written in it, and the place where it lies, so that a copy is another one. Two processes cannot have
 * one, because the folder has a lock.
 */
export function instanceOf(dataFolder: string): string {
  const path = join(dataFolder, 'instance');
  if (!existsSync(path)) writeFileSync(path, randomBytes(9).toString('base64url'), { mode: 0o600 });
  const { dev, ino } = statSync(dataFolder);
  const place = hash('sha1', [hostname(), realpathSync(dataFolder), dev, ino].join('\n')).slice(0, 12);
  return `${readFileSync(path, 'utf8').trim()}-${place}`;
}
