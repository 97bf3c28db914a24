// Where a SQLite source stands: JSON text. `capture` names one installation of our tables in the file (a file that was
// replaced, or whose capture another process set up anew, does not match); `sequence` is the last change that was handed over,
// `change` its identity (history.ts); `pending` lists the tables whose snapshot is not complete yet.
import { AppError } from '../../core/errors.js';

export interface SqlitePosition {
  readonly capture: string;
  readonly sequence: number;
  /** Null: no change was handed over yet, or the position was stored before identities were. */
  readonly change: string | null;
  readonly pending: readonly string[];
}

export function printPosition(position: SqlitePosition): string {
  const { capture, sequence, change, pending } = position;
  return JSON.stringify({
    capture,
    sequence,
    ...(change === null ? {} : { change }),
    ...(pending.length === 0 ? {} : { pending }),
  });
}

export function parsePosition(text: string): SqlitePosition {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw foreign(text, cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw foreign(text);
  const { capture, sequence, change = null, pending = [] } = parsed as Partial<Record<keyof SqlitePosition, unknown>>;
  const names = Array.isArray(pending) && pending.every((name) => typeof name === 'string') ? pending : undefined;
  if (typeof capture !== 'string' || !Number.isSafeInteger(sequence) || !names) throw foreign(text);
  if (change !== null && typeof change !== 'string') throw foreign(text);
  return { capture, sequence: sequence as number, change, pending: names };
}

function foreign(text: string, cause?: unknown): AppError {
  return new AppError('source-position-lost', `"${text.slice(0, 80)}" is not a position of a SQLite source`, { cause });
}
