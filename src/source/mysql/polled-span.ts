// Which rows are in a span of time, by a column of theirs.
import { AppError } from '../../core/errors.js';
import { dayText, timeText } from '../polling/time-bound.js';
import type { TimeSpan } from '../polling/polled-database.js';
import type { TableColumn } from './column-form.js';
import { quoteText } from './connection.js';
import { tableName } from './table-schema.js';
import { quoteName } from './text-reader.js';

/** A NULL is in no span. `zone`: of DATE and DATETIME. */
export function spanCondition(
  table: { readonly database: string; readonly table: string; readonly columns: readonly TableColumn[] },
  { column, fromMs, beforeMs }: TimeSpan,
  zone: string,
): string {
  const { name, form } = table.columns[column]!;
  const text = (ms: number): string => {
    switch (form.kind) {
      case 'date':
        return quoteText(dayText(ms, zone));
      case 'datetime':
        return quoteText(timeText(ms, zone, form.digits));
      case 'timestamp':
        return quoteText(timeText(ms, 'UTC', form.digits));
      default:
        throw new AppError('bad-connector-config', `column ${name} of ${tableName(table)} holds no times`, {
          hint: 'name a DATE, DATETIME or TIMESTAMP column in timestamp.column.name',
          place: { path: 'timestamp.column.name' },
        });
    }
  };
  const from = fromMs === undefined ? '' : `${quoteName(name)} >= ${text(fromMs)} AND `;
  return `${from}${quoteName(name)} < ${text(beforeMs)}`;
}
