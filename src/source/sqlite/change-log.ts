// The change table as it is read: columns of its rows, and the time of a change.
import type { SqlValue, SqliteDatabase } from '../../sqlite/database.js';
import { changeWidth } from './install.js';
import { quoteName } from './names.js';

/** Time, number of the table, op, sequence number; then the values. */
export type ChangeRow = readonly SqlValue[];
export const valuesAt = 4;

/** The changes behind a sequence number up to another one, in order. Within one read transaction. */
export function changesBetween(
  reader: SqliteDatabase,
  prefix: string,
  after: number,
  to: number,
): IterableIterator<ChangeRow> {
  const values = Array.from({ length: changeWidth(reader, prefix) }, (_, i) => `c${i}`).join(', ');
  const changes = quoteName(`${prefix}changes`);
  return reader
    .statement(`SELECT time, tbl, op, seq, ${values} FROM ${changes} WHERE seq > ? AND seq <= ? ORDER BY seq`)
    .safeIntegers(true)
    .iterate(after, to);
}

/** Precise to the millisecond, as SQLite's clock is. */
export function microsOfJulianDay(day: number): number {
  return Math.round((day - 2_440_587.5) * 86_400_000) * 1000;
}
