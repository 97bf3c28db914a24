// Rows for who has asked for a table's columns as they were then: the columns of its source may have changed since.
import type { Row, RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { carriedColumns, carryRow } from '../core/schema-change.js';

/** A change without its place. */
export interface RowStep {
  readonly before: Row | null;
  readonly after: Row | null;
  readonly rowtimeMs: number;
  /** Of `before`. */
  readonly beforeRowtimeMs?: number | undefined;
}

export interface Shown {
  readonly table: string;
  readonly schema: RowSchema;
}

/** A row as the table was when the caller asked: what it gets has the columns that it was told. */
export function shown(row: Row, now: { readonly schema: RowSchema }, { table, schema }: Shown): Row {
  if (now.schema === schema) return row;
  const carried = carriedColumns(now.schema.columns, schema.columns);
  const gone = carried.indexOf(-1);
  if (gone >= 0) {
    throw new AppError(
      'too-old',
      `column ${schema.columns[gone]!.name} of table ${table} is gone or has another type`,
      {
        hint: 'the columns of its source have changed: send the statement again',
      },
    );
  }
  return carryRow(row, carried);
}

export function shownChange(change: RowStep, now: { readonly schema: RowSchema }, as: Shown): RowStep {
  if (now.schema === as.schema) return change;
  const { before, after } = change;
  return { ...change, before: before && shown(before, now, as), after: after && shown(after, now, as) };
}
