// The one error of values that fit no type of ours: it names the column and shows the bytes, and stops the task.
import { AppError } from '../../core/errors.js';

/** `where`: database.table.column. The bytes are those of the value as the server sent it. */
export function unconvertible(where: string, why: string, source: Buffer, start: number, end: number): AppError {
  const hex = source.toString('hex', start, Math.min(end, start + 64));
  return new AppError('unconvertible-value', `a value of column ${where} cannot be converted: ${why}`, {
    detail: `bytes ${hex}${end - start > 64 ? '...' : ''}`,
    hint: 'correct the value in the source, or leave the column out by column.exclude.list',
  });
}
