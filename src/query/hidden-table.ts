// Why a table cannot be read yet: the store knows only that its first snapshot is not complete. Whether that goes on, is tried again or has
// ended, the sources of the table tell.
import { describeAge, isFollowed, type Age } from '../core/freshness.js';
import { AppError } from '../core/errors.js';

/** The error as it came, unless it says that a snapshot runs which does not. */
export function snapshotTrouble(
  error: unknown,
  sources: { readonly ofHidden: (table: string) => Age | undefined },
): unknown {
  if (!(error instanceof AppError) || error.code !== 'snapshotting' || error.subject === undefined) return error;
  const age = sources.ofHidden(error.subject);
  return age === undefined || isFollowed(age.standing) ? error : hiddenError(error.subject, age);
}

export function hiddenError(table: string, age: Age): AppError {
  const tried = age.standing === 'unreachable' || age.standing === 'never-reached';
  const how = tried ? 'waits' : age.standing === 'failed' ? 'has failed' : 'stands still';
  return new AppError(
    tried ? 'snapshotting' : 'snapshot-stopped',
    `table "${table}" is not complete: its first snapshot ${how}`,
    {
      detail: describeAge(age),
      hint: 'GET /v1/status tells how its connector stands',
      retriable: tried,
      subject: table,
    },
  );
}
