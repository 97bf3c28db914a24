// What is said of the age of rows, in one vocabulary for headers, events, probes, status and metrics. An age is an upper bound: the rows
// contain everything that their sources had committed so long ago, measured on our own monotonic clock.

/** How the sources behind a table stand. */
export type Standing =
  /** Followed, and known to have nothing that is not here. */
  | 'current'
  /** Followed, and behind. */
  | 'catching-up'
  /** Its first snapshot, or one anew, is being read. */
  | 'snapshot'
  /** It has been reached before, and is being connected again without an answer yet. */
  | 'connecting'
  /** It has been reached before and does not answer; it is tried again. */
  | 'unreachable'
  /** Nothing was ever heard of it. */
  | 'never-reached'
  /** Its connector was told to rest. */
  | 'paused'
  | 'stopped'
  /** Only a snapshot was asked for, and it is done. */
  | 'completed'
  /** Its connector has ended with an error. */
  | 'failed'
  /** Nobody captures it any more; what was captured is kept. */
  | 'deleted'
  /** The table itself stands still: it, or its query, failed or was paused. */
  | 'detached';

export const standings = [
  'current',
  'catching-up',
  'snapshot',
  'connecting',
  'unreachable',
  'never-reached',
  'paused',
  'stopped',
  'completed',
  'failed',
  'deleted',
  'detached',
] as const satisfies readonly Standing[];

export interface Age {
  /** 0 where nothing newer is known to be there. */
  readonly lagMs: number;
  readonly standing: Standing;
  /** The connector that makes it so old; undefined where no source is behind the rows. */
  readonly connector?: string | undefined;
  /** In words, where more is known than `standing` says. */
  readonly reason?: string | undefined;
}

/** Nothing behind these rows could have anything newer. */
export const noAge: Age = { lagMs: 0, standing: 'current' };

/** A followed source that is less behind than this is not called stale. */
export const followedLagMs = 1_000;

/** Why nothing newer is to be expected at once; undefined while the sources are followed and less than a second behind. */
export function staleness({ standing, lagMs }: Age): Standing | undefined {
  if (standing === 'current') return undefined;
  return standing === 'catching-up' && lagMs < followedLagMs ? undefined : standing;
}

/** Whoever follows does not wait for somebody: it goes on by itself. */
export function isFollowed(standing: Standing): boolean {
  return standing === 'current' || standing === 'catching-up' || standing === 'snapshot' || standing === 'connecting';
}

/** For a person: `connector c is paused`. */
export function describeAge({ standing, connector, reason }: Age): string {
  const who = connector === undefined ? 'the table' : `connector ${connector}`;
  return reason === undefined ? `${who} ${phrases[standing]}` : `${who} ${phrases[standing]}: ${reason}`;
}

const phrases: Readonly<Record<Standing, string>> = {
  current: 'is current',
  'catching-up': 'is catching up',
  snapshot: 'reads its snapshot',
  connecting: 'is being connected',
  unreachable: 'cannot reach its source',
  'never-reached': 'has never reached its source',
  paused: 'is paused',
  stopped: 'is stopped',
  completed: 'took one snapshot, as it is configured',
  failed: 'has failed',
  deleted: 'was deleted',
  detached: 'stands still, because it or its query failed or was paused',
};

/** `90 s`, `5 min`, `3 h`, `2 days`. */
export function printAge(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
