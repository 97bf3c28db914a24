// How far a table has been read in key order, while its rows are fed to a new version of a query and live changes go on: changes
// at or before the cursor are applied, those behind it wait to be read.
import { compareRows } from '../core/compare.js';
import type { Row, RowSchema } from '../core/data-type.js';

export interface Cursor {
  readonly schema: RowSchema;
  /** Last key that was read; null: none yet. */
  last: Row | null;
  done: boolean;
}

export function isAppliedBehind(cursor: Cursor | undefined, row: Row): boolean {
  if (cursor === undefined || cursor.done) return true;
  if (cursor.last === null) return false;
  return isKeyBehind(
    cursor,
    cursor.schema.keyColumns.map((i) => row[i]!),
  );
}

/** The same by the key alone. */
export function isKeyBehind(cursor: Cursor | undefined, key: Row): boolean {
  if (cursor === undefined || cursor.done) return true;
  return cursor.last !== null && compareRows(key, cursor.last) <= 0;
}
