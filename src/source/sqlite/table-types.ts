// A table of the file as the rest of the program sees it: captured columns with their SQL types. What is left out and what
// is read as text follows from the configuration, so the same file and configuration give the same table.
import { STRING } from '../../core/data-type.js';
import { AppError, toAppError } from '../../core/errors.js';
import type { Pattern } from '../../core/pattern.js';
import type { SourceColumn, SourceTable } from '../../core/row-encoder.js';
import type { SqliteSourceConfig } from './config.js';
import type { ColumnDescription, TableDescription } from './table-description.js';
import { typeOfDeclared } from './types.js';

/** Indexes of the columns that are captured. */
export function capturedColumns(table: TableDescription, config: SqliteSourceConfig): number[] {
  const captured: number[] = [];
  table.columns.forEach((column, i) => {
    if (!meets(table, column, config, config.excludeColumns)) captured.push(i);
    else if (table.key.some((key) => key.column === i)) {
      throw new AppError('bad-connector-config', `column ${table.name}.${column.name} is part of the primary key`, {
        hint: 'take it out of column.exclude.list',
        place: { path: 'column.exclude.list' },
      });
    }
  });
  return captured;
}

/** As it is installed, or is to be. */
export interface CapturedTable {
  readonly description: TableDescription;
  /** Indexes of the captured columns. */
  readonly captured: readonly number[];
  /** Behind the second of the table's times that declare none. */
  readonly digits: 3 | 6;
}

export function sourceTableOf(
  { description: table, captured, digits }: CapturedTable,
  config: SqliteSourceConfig,
): SourceTable {
  return {
    database: config.database,
    table: table.name,
    columns: captured.map((i) => sourceColumnOf(table, i, config, digits)),
    keyColumns: table.key.map((key) => captured.indexOf(key.column)),
  };
}

/** The columns that `sqlite.type.mismatch=text` and `sqlite.text.columns` have read as text, whatever they hold. */
export function isReadAsText(table: TableDescription, column: ColumnDescription, config: SqliteSourceConfig): boolean {
  return (config.mismatchAsText && !column.enforced) || meets(table, column, config, config.textColumns);
}

function sourceColumnOf(
  table: TableDescription,
  index: number,
  config: SqliteSourceConfig,
  digits: 3 | 6,
): SourceColumn {
  const column = table.columns[index]!;
  const key = table.key.find((part) => part.column === index);
  const nullable = !column.notNull && (key === undefined || key.nullable);
  const base = { name: column.name, nullable, sourceType: column.declared };
  if (isReadAsText(table, column, config)) return { ...base, type: STRING };
  try {
    return { ...base, type: typeOfDeclared(column.declared, digits) };
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    throw new AppError(code, `column ${table.name}.${column.name}: ${message}`, { hint, cause: error });
  }
}

function meets(
  table: TableDescription,
  column: ColumnDescription,
  config: SqliteSourceConfig,
  patterns: readonly Pattern[],
): boolean {
  const name = `${table.name}.${column.name}`;
  return patterns.some((p) => p.test(name) || p.test(`main.${name}`) || p.test(`${config.database}.${name}`));
}
