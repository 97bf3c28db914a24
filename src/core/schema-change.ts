// What becomes of rows when the columns of their table change: a column is carried over when one of its name and of a type whose values
// are the same here was there before, and is NULL until it is written anew otherwise. The same rule for stored rows, for the feed and for
// records of the topic that are read again.
import { printType, type Column, type DataType, type Row, type RowSchema } from './data-type.js';

/** Every value of `from` stands for the same thing as one of `to`, in the store and as text. */
export function carriesOver(from: DataType, to: DataType): boolean {
  if (from.kind === 'INTEGER' && to.kind === 'BIGINT') return true;
  // Up to 18 digits a decimal is its unscaled integer, whatever its precision.
  if (from.kind === 'DECIMAL' && to.kind === 'DECIMAL' && to.precision <= 18 && from.scale === to.scale)
    return from.precision <= to.precision;
  return printType(from) === printType(to);
}

/** Column i of `to` is column `[i]` of `from`; -1: it is new. */
export function carriedColumns(from: readonly Column[], to: readonly Column[]): readonly number[] {
  return to.map(({ name, type }) => from.findIndex((each) => each.name === name && carriesOver(each.type, type)));
}

/**
 * Column i of the last is column `[i]` of the first, where it is so from each to the next: one that has gone in between and come back under
 * its name is a new one.
 */
export function carriedThrough(schemas: readonly (readonly Column[])[]): readonly number[] {
  let carried = schemas[0]!.map((_, i) => i);
  for (let at = 1; at < schemas.length; at++) {
    const before = carried;
    carried = carriedColumns(schemas[at - 1]!, schemas[at]!).map((i) => (i < 0 ? -1 : before[i]!));
  }
  return carried;
}

export function carryRow(row: Row, carried: readonly number[]): Row {
  return carried.map((i) => (i < 0 ? null : row[i]!));
}

/** Rows of one have the same keys in the other. */
export function sameKey(from: RowSchema, to: RowSchema): boolean {
  return (
    from.keyColumns.length === to.keyColumns.length &&
    from.keyColumns.every((at, k) => {
      const [a, b] = [from.columns[at]!, to.columns[to.keyColumns[k]!]!];
      return a.name === b.name && carriesOver(a.type, b.type);
    })
  );
}

/** The same columns and key; the digits of times count, since they are the unit of the records. */
export function sameSchema(a: RowSchema, b: RowSchema): boolean {
  return schemaText(a) === schemaText(b);
}

function schemaText({ columns, keyColumns }: RowSchema): string {
  return JSON.stringify([columns.map(({ name, type }) => [name, type]), keyColumns]);
}
