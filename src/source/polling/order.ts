// In which order the rows of a table are read, by the mode: by time, by a column that counts, and behind these always by the primary key,
// so that rows that share a time or a number are told apart and none of them is passed over.
import { AppError } from '../../core/errors.js';
import { qualifiedName } from '../../core/table-name.js';
import type { PollingConfig } from './config.js';
import type { PolledTable } from './polled-database.js';

export interface TableOrder {
  readonly columns: readonly number[];
  /** Those of them that rows may lack. */
  readonly leading: readonly number[];
  readonly time: number | undefined;
}

/** Throws bad-connector-config where the table lacks what the mode needs. */
export function placeOf(table: PolledTable, config: PollingConfig): TableOrder {
  const { mode, timestampColumn, incrementingColumn } = config;
  const { source, counted } = table;
  const time = mode.startsWith('timestamp')
    ? columnOf(table, 'timestamp.column.name', timestampColumn, config)
    : undefined;
  let number: number | undefined;
  if (mode.endsWith('incrementing')) {
    number =
      incrementingColumn === '' ? counted : columnOf(table, 'incrementing.column.name', incrementingColumn, config);
    if (number === undefined)
      throw misfit('incrementing.column.name', `table ${qualifiedName(source)} has no column that counts by itself`);
  }
  const leading = [time, number].filter((column) => column !== undefined);
  return {
    columns: [...new Set([...leading, ...source.keyColumns])],
    leading: leading.filter((column) => source.columns[column]!.nullable && !source.keyColumns.includes(column)),
    time,
  };
}

function columnOf({ source }: PolledTable, property: string, name: string, { validateNonNull }: PollingConfig): number {
  const found = source.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found < 0) throw misfit(property, `table ${qualifiedName(source)} has no column ${name}`);
  const column = source.columns[found]!;
  if (column.nullable && validateNonNull && !source.keyColumns.includes(found))
    throw misfit(
      property,
      `column ${column.name} of table ${qualifiedName(source)} may be NULL, and such rows would never be read`,
      'make it NOT NULL, or set validate.non.null=false where you know that it is none',
    );
  return found;
}

function misfit(
  property: string,
  message: string,
  hint = 'name one, or leave the table out: table.blacklist',
): AppError {
  return new AppError('bad-connector-config', message, { hint, place: { path: property } });
}
