// What one run leaves to the next one of its task.
import type { AlteredTable } from './altered-tables.js';
import type { HalfSent } from './open-group.js';
import type { SnapshotCursor, StreamPosition } from './position.js';
import type { Prepared } from './prepared.js';
import type { StoppedTable } from './stopped-tables.js';

/** Where a run begins, and where the one before it ended. */
export interface Resume {
  /** Undefined: nothing was ever handed over. */
  readonly stream: StreamPosition | undefined;
  readonly cursor: SnapshotCursor | undefined;
  readonly prepared: readonly Prepared[];
  readonly halfSent: HalfSent | undefined;
  /** Tables that stand still. */
  readonly stopped: readonly StoppedTable[];
  /** Tables with other columns, whose rows are carried over if that proves right. */
  readonly altered: readonly AlteredTable[];
  /** Somebody has set the position: what is held may be of another place of the stream. */
  readonly moved: boolean;
}

/** Nothing of what a first snapshot has handed over is to stay. */
export const beginAnew: Omit<Resume, 'stopped'> = {
  stream: undefined,
  cursor: { table: null, key: null, linked: 'begun' },
  prepared: [],
  halfSent: undefined,
  altered: [],
  moved: false,
};

/** Why everything has to be read again; undefined: it has not. */
export function whyAll({ moved }: Resume, fresh: boolean): string | undefined {
  if (fresh) return 'the place in the binlog was lost or given up';
  return moved ? 'the place in the binlog was set by hand' : undefined;
}
