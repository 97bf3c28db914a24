// Where a SQLite source stands: JSON text. `capture` names one installation of our tables in the file (a file that was
// replaced, or whose capture another process set up anew, does not match); `sequence` is the last change that was handed over,
// `change` its identity (history.ts); `pending` lists the tables that are to be read
// (from their beginning, so their changes up to then are passed over), `stopped` those that stand still because of a value in them,
// `refused` those that cannot be captured as they are in the file; `schema` is the file's schema_version up to which it was looked
// what has become of the tables.
import { AppError } from '../../core/errors.js';

export interface SqlitePosition {
  readonly capture: string;
  readonly sequence: number;
  /** Null: no change was handed over yet, or the position was stored before identities were. */
  readonly change: string | null;
  readonly pending: readonly string[];
  readonly stopped: readonly string[];
  readonly refused: readonly string[];
  /** Null: the position was stored before this was. */
  readonly schema: number | null;
}

export function printPosition(position: SqlitePosition): string {
  const { capture, sequence, change, pending, stopped, refused, schema } = position;
  return JSON.stringify({
    capture,
    sequence,
    ...(change === null ? {} : { change }),
    ...(pending.length === 0 ? {} : { pending }),
    ...(stopped.length === 0 ? {} : { stopped }),
    ...(refused.length === 0 ? {} : { refused }),
    ...(schema === null ? {} : { schema }),
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
  const fields = parsed as Partial<Record<keyof SqlitePosition, unknown>>;
  const { capture, sequence, change = null, pending = [], stopped = [], refused = [], schema = null } = fields;
  if (typeof capture !== 'string' || !Number.isSafeInteger(sequence)) throw foreign(text);
  if (change !== null && typeof change !== 'string') throw foreign(text);
  if (schema !== null && (typeof schema !== 'number' || !Number.isSafeInteger(schema))) throw foreign(text);
  if (!areNames(pending) || !areNames(stopped) || !areNames(refused)) throw foreign(text);
  return { capture, sequence: sequence as number, change, pending, stopped, refused, schema };
}

function areNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function foreign(text: string, cause?: unknown): AppError {
  return new AppError('source-position-lost', `"${text.slice(0, 80)}" is not a position of a SQLite source`, { cause });
}
