// The one error of values that fit no type of ours: it names the column and shows the bytes, and stops its table, or the task.
import { AppError } from '../../core/errors.js';

/** `where`: database.table.column. The bytes are those of the value as the server sent it. */
export function unconvertible(
  where: string,
  why: string,
  source: Buffer,
  start: number,
  end: number,
  { hint = 'leave the column out by column.exclude.list' }: { readonly hint?: string } = {},
): AppError {
  const hex = source.toString('hex', start, Math.min(end, start + 64));
  return new AppError('unconvertible-value', `a value of column ${where} cannot be converted: ${why}`, {
    detail: `bytes ${hex}${end - start > 64 ? '...' : ''}`,
    hint,
  });
}

export function isUnconvertible(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'unconvertible-value';
}

/** The same error with the row in which it is; every other one as it is. */
export function inRow(error: unknown, row: () => string): unknown {
  if (!isUnconvertible(error)) return error;
  const { detail, hint, message } = error;
  return new AppError(error.code, `${message} (${row()})`, { detail, hint, cause: error });
}
