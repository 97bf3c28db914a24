// Values of key columns that convert, and would still make one key in the topic out of two rows of the file: SQLite compares what
// is stored, the topic what it means. So in a key only one of the forms that mean the same is taken, and the others stop the
// connector. Where a column can hold two storage classes that come out alike, all its values must be of one class: of the
// rows that the file has at the start, and of every change since.
import { AppError } from '../../core/errors.js';
import type { SourceTable } from '../../core/row-encoder.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';
import { quoteName } from './names.js';
import type { TableDescription } from './table-description.js';
import { isReadAsText } from './table-types.js';

/** What is wrong with a value of the key; null when nothing is. */
export type KeyCheck = (value: NonNullable<SqlValue>) => string | null;

type ValueClass = 'number' | 'TEXT' | 'BLOB';

/** A fraction that is zero is left out, one of whole milliseconds has three digits, any other six. */
const timeForm = String.raw`\d\d:\d\d:\d\d(?:\.(?:(?!000)\d{3}|\d{3}(?!000)\d{3}))?`;
const forms = {
  TIME: { pattern: new RegExp(`^${timeForm}$`), text: 'HH:MM:SS[.fff[fff]]' },
  TIMESTAMP: { pattern: new RegExp(String.raw`^\d{4}-\d\d-\d\d ${timeForm}$`), text: 'YYYY-MM-DD HH:MM:SS[.fff[fff]]' },
} as const;

/** By column of `source`; nothing where no two values can meet. */
export function createKeyChecks(
  database: SqliteDatabase,
  description: TableDescription,
  source: SourceTable,
  { config, isAltered }: { readonly config: SqliteSourceConfig; readonly isAltered: boolean },
): ReadonlyMap<number, KeyCheck> {
  const checks = new Map<number, KeyCheck>();
  source.keyColumns.forEach((index, k) => {
    const column = description.columns[description.key[k]!.column]!;
    if (column.enforced) return;
    const { kind } = source.columns[index]!.type;
    const oneClass = () =>
      oneClassCheck(isAltered ? [] : classesOf(database, source.table, column.name), source.table, column.name);
    if (kind === 'STRING') {
      if (column.affinity === 'BLOB' || isStrictAny(database, source.table, column.declared))
        checks.set(index, oneClass());
      else if (isReadAsText(description, column, config)) checks.set(index, literalOfBlob);
      else if (column.affinity !== 'TEXT') checks.set(index, infinity);
    } else if (kind === 'TIMESTAMP') {
      const sameClass = oneClass();
      checks.set(index, (value) => otherForm('TIMESTAMP', value) ?? sameClass(value));
    } else if (kind === 'TIME') checks.set(index, (value) => otherForm('TIME', value));
  });
  return checks;
}

function otherForm(type: keyof typeof forms, value: NonNullable<SqlValue>): string | null {
  const { pattern, text } = forms[type];
  if (typeof value !== 'string' || pattern.test(value)) return null;
  return `is not in the form ${text}, and other texts of the same ${type} would have the same key`;
}

/** An affinity other than BLOB turns text that reads as a number into one, so only the words for infinity can meet. */
function infinity(value: NonNullable<SqlValue>): string | null {
  return typeof value !== 'number' || Number.isFinite(value) ? null : 'has the same text as a TEXT value would have';
}

/** Columns that are read as text print a BLOB as a literal. */
function literalOfBlob(value: NonNullable<SqlValue>): string | null {
  if (typeof value === 'string' && /^X'(?:[\dA-F]{2})*'$/.test(value)) return 'has the same text as a BLOB would have';
  return infinity(value);
}

/** `found`: the classes of the values that are there. */
function oneClassCheck(found: readonly ValueClass[], table: string, column: string): KeyCheck {
  if (found.length > 1) {
    throw new AppError(
      'unconvertible-value',
      `table ${table}, column ${column}: ${found.join(' and ')} in one key column`,
      {
        detail: 'values of different storage classes are different rows in the file, and can be one key in the topic',
        hint: keyHint(table),
      },
    );
  }
  let only = found[0];
  return (value) => {
    const found = classOf(value);
    only ??= found;
    return found === only ? null : `is a ${found} where the key held a ${only}, and can have the same text as one`;
  };
}

export function keyHint(table: string): string {
  return `make the values of the key alike, or leave the table out: table.exclude.list=${table}`;
}

function classOf(value: NonNullable<SqlValue>): ValueClass {
  if (typeof value === 'string') return 'TEXT';
  return Buffer.isBuffer(value) ? 'BLOB' : 'number';
}

/** The classes stand one behind the other in SQLite's order, so an index answers this without a look at its rows. */
function classesOf(database: SqliteDatabase, table: string, column: string): ValueClass[] {
  const value = `${quoteName(column)} COLLATE BINARY`;
  const some = (condition: string) => `EXISTS (SELECT 1 FROM ${quoteName(table)} WHERE ${condition})`;
  const found = database
    .prepare(
      `SELECT ${some(`${value} < ''`)}, ${some(`${value} >= '' AND ${value} < x''`)}, ${some(`${value} >= x''`)}`,
    )
    .get()!;
  return (['number', 'TEXT', 'BLOB'] as const).filter((_, i) => found[i] === 1);
}

/** The one type of a STRICT table that keeps every storage class as it is. */
function isStrictAny(database: SqliteDatabase, table: string, declared: string): boolean {
  if (declared.toUpperCase() !== 'ANY') return false;
  const strict = "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?";
  return database.prepare(strict).get(table)?.[0] === 1;
}
