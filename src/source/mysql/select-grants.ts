// Whether the user may read the captured tables, all of their columns: the server hides columns that it may not, in information_schema
// too, so that they would show themselves in the first change only. A table that is dropped or altered meanwhile refuses nobody, and none
// that the server itself cannot read: what has become of it the stream, or its reading, tells.
import type { SourceFinding } from '../source-connector.js';
import { allowed, type Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { isOtherTable, tableName, type TableSchema } from './table-schema.js';
import { quoteName } from './text-reader.js';
import { isTableRefusal } from './unreadable.js';

/** A statement opens them all. */
const tablesPerQuestion = 50;

export async function checkSelect(
  session: Session,
  tables: readonly TableSchema[],
  filter: TableFilter,
  user: string,
): Promise<SourceFinding[]> {
  const findings: SourceFinding[] = [];
  for (const table of await refused(session, tables)) {
    const name = tableName(table);
    const columns = table.columns.filter((column) => filter.capturesColumn(table.database, table.table, column.name));
    const visible = await access(
      session,
      `SELECT ${columns.map((c) => quoteName(c.name)).join(', ')} FROM ${quoted(table)} LIMIT 0`,
    );
    if (visible === 'changed') continue;
    // Which columns are hidden the server does not say. Where some are left out, those may be the ones.
    const mayBeLeftOut = visible === 'allowed' && filter.leavesOutColumns;
    findings.push({
      severity: mayBeLeftOut ? 'warning' : 'error',
      code: 'source-missing-grant',
      property: 'database.user',
      object: name,
      message:
        visible === 'allowed'
          ? `user "${user}" may not read all columns of ${name}: each of the others has to be left out by column.exclude.list`
          : `user "${user}" may not read ${name}`,
      hint: `GRANT SELECT ON ${quoted(table)} TO '${user}'@'%'`,
    });
  }
  return findings;
}

/** Asked for many at once, since each question is a way to the server and back; for each alone where one of them is refused. */
async function refused(session: Session, tables: readonly TableSchema[]): Promise<readonly TableSchema[]> {
  const found: TableSchema[] = [];
  for (let from = 0; from < tables.length; from += tablesPerQuestion) {
    const some = tables.slice(from, from + tablesPerQuestion);
    if ((await access(session, readingNothing(some))) === 'allowed') continue;
    for (const table of some) if ((await access(session, readingNothing([table]))) === 'refused') found.push(table);
  }
  return found;
}

async function access(session: Session, sql: string): Promise<'allowed' | 'refused' | 'changed'> {
  try {
    return (await allowed(session, sql)) ? 'allowed' : 'refused';
  } catch (error) {
    if (isOtherTable(error) || isTableRefusal(error)) return 'changed';
    throw error;
  }
}

function quoted({ database, table }: TableSchema): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}

function readingNothing(tables: readonly TableSchema[]): string {
  const each = tables.map((table, i) => `(SELECT COUNT(*) FROM (SELECT * FROM ${quoted(table)} LIMIT 0) AS t${i})`);
  return `SELECT ${each.join(', ')}`;
}
