// The process, or the system, has no file descriptor left. That passes: whoever meets it refuses what was asked, or tries again later, and
// nothing ends because of it.
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** Also of an error that has crossed a thread, which keeps its message alone. */
export function isFileShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'ERR_WORKER_INIT_FAILED') return true;
  return (
    /\b(EMFILE|ENFILE)\b|too many open files|no file descriptor/i.test(error.message) || isFileShortage(error.cause)
  );
}

/** Tried, for errors that do not tell: SQLite's says only that a file cannot be opened. */
export function hasNoFiles(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return false;
  } catch (error) {
    return isFileShortage(error);
  }
}
