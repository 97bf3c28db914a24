// A table that the server itself refuses to read: its file is damaged or gone, its engine is not there, or it is a window to tables that
// do not fit it. That is a matter of this table alone, and no further try of ours heals it.
import { AppError } from '../../core/errors.js';
import { isUnconvertible } from './unconvertible.js';

/** By the server's numbers, and below 1000 by those of its engines (handler errors), which it passes on as they are. */
const refusals: ReadonlySet<unknown> = new Set([
  // crashed, wrong in a record, crashed in a repair, crashed and to be repaired, not in the engine, index corrupt, not decrypted, no tablespace
  126,
  127, 144, 145, 155, 180, 192, 194,
  // no file, not its description, wrong or old key file, of another form than its parts, crashed, crashed in a repair, unknown engine
  1017,
  1033, 1034, 1035, 1168, 1194, 1195, 1286,
  // the other server of a FEDERATED table, an upgrade is needed, index corrupt, tablespace missing or discarded, corrupt, not in the engine
  1429,
  1430, 1431, 1459, 1712, 1812, 1814, 1877, 1932,
  // its key for decryption
  3185,
]);

/** Undefined: the error is of another kind. */
export function tableRefusal(error: unknown, name: string): AppError | undefined {
  if (!isTableRefusal(error)) return undefined;
  const { message } = error.cause as Error;
  return new AppError('unreadable-table', `the source itself cannot read table ${name}: ${message}`, {
    hint: `repair it there (CHECK TABLE tells what is wrong), then \`writethrough snapshot ${name}\`; or leave it out by table.exclude.list`,
    cause: error,
  });
}

export function isTableRefusal(error: unknown): error is AppError {
  return error instanceof AppError && refusals.has((error.cause as { readonly errno?: unknown } | undefined)?.errno);
}

/** Of one table, which stands still for it alone. */
export function stopsTable(error: unknown): error is AppError {
  return isUnconvertible(error) || (error instanceof AppError && error.code === 'unreadable-table');
}
