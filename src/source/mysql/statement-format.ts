// Changes of rows that reach the binlog as the text of a statement: only those that cannot touch a captured table are passed over.
import { AppError } from '../../core/errors.js';
import type { QueryEvent } from './binlog-event.js';
import type { TableFilter } from './filters.js';

export function refuseStatement(verb: string, query: QueryEvent, filter: TableFilter): void {
  const { updatedDatabases, database, sql } = query;
  if (updatedDatabases?.every((name) => !filter.matchesDatabase(name))) return;
  // MariaDB does not list the databases: a statement in a system schema that names no other is harmless.
  if (!updatedDatabases && filter.isSystem(database) && !query.whole && !/\./.test(sql)) return;
  throw new AppError(
    'statement-format-change',
    `a ${verb} reached the binlog as statement text, so its rows are unknown`,
    {
      detail: `database ${database || '(none)'}; statement begins: ${sql.slice(0, 60)}`,
      hint: "SET GLOBAL binlog_format = 'ROW', and let no session change it",
    },
  );
}

export function rolledBack(id = ''): AppError {
  return new AppError('unsupported-change', `transaction ${id} was rolled back after a part of it was handed over`);
}
