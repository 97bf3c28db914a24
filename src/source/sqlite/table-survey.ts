// What has become of the captured tables, asked whenever the schema of the file has changed (ALTER TABLE, DROP, CREATE, a table that is
// built anew and renamed) or the configuration has. Statements are not seen and need not be: a table is as it was installed or it is
// not, and where its triggers are not those that were made, rows of it may have changed unseen. Whatever may have is read again.
import { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';
import { selectTables } from './filter.js';
import { desiredDigits, type InstalledTable } from './install.js';
import { tableNames, type TableDescription } from './table-description.js';
import { capturedColumns, sourceTableOf } from './table-types.js';
import { buildTriggers } from './triggers.js';

export interface Survey {
  /** To be installed anew and read: tables that were not captured, and those that are not as they were installed. */
  readonly called: readonly { readonly table: TableDescription; readonly cause: string }[];
  /** Were captured, and are not in the file any more. */
  readonly gone: readonly string[];
  /** Were captured, and cannot or shall not be any longer. */
  readonly refused: readonly { readonly name: string; readonly error: AppError }[];
  /** Of all that is left out. */
  readonly findings: readonly SourceFinding[];
}

export interface UninstalledTables {
  /** To be read, whether they are installed already or not. */
  readonly pending: readonly string[];
  /** Stand still since they were refused. */
  readonly refused: readonly string[];
}

/** Within a read transaction. */
export function surveyTables(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  installed: readonly InstalledTable[],
  others: UninstalledTables,
): Survey {
  const { tables, refused: objections, findings } = selectTables(database, config);
  const wanted = new Map(tables.map((table) => [table.name, table]));
  const here = new Set(tableNames(database));
  const triggers = new Map(
    database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as [string, string][],
  );
  const called: { table: TableDescription; cause: string }[] = [];
  const refused: { name: string; error: AppError }[] = [];
  for (const table of installed) {
    const { name } = table.description;
    const now = wanted.get(name);
    if (now) {
      const cause = difference(table, now, config, triggers);
      if (cause !== undefined) called.push({ table: now, cause });
    }
  }
  const known = new Set(installed.map(({ description }) => description.name));
  for (const table of tables) if (!known.has(table.name)) called.push({ table, cause: 'it was not captured before' });
  for (const name of new Set([...known, ...others.pending]))
    if (here.has(name) && !wanted.has(name)) refused.push({ name, error: refusal(name, objections.get(name)) });
  const gone = new Set([...known, ...others.pending, ...others.refused].filter((name) => !here.has(name)));
  return { called, gone: [...gone], refused, findings };
}

export function isUnchanged({ called, gone, refused }: Survey): boolean {
  return called.length === 0 && gone.length === 0 && refused.length === 0;
}

/** Tables that are in the file otherwise than they were installed. */
export function namesOfAltered(survey: Survey | null): ReadonlySet<string> {
  const { called = [], refused = [] } = survey ?? {};
  return new Set([...called.map(({ table }) => table.name), ...refused.map(({ name }) => name)]);
}

function difference(
  table: InstalledTable,
  now: TableDescription,
  config: SqliteSourceConfig,
  found: ReadonlyMap<string, string>,
): string | undefined {
  const { id, description, captured } = table;
  if (JSON.stringify(now.columns) !== JSON.stringify(description.columns)) return 'its columns have changed';
  if (JSON.stringify(now) !== JSON.stringify(description)) return 'its primary key or a unique index has changed';
  if (String(capturedColumns(now, config)) !== String(captured)) return 'column.exclude.list gives it other columns';
  const { triggers } = buildTriggers({ prefix: config.prefix, id, table: description, captured });
  for (const [name, sql] of triggers) if (found.get(name) !== sql) return 'it was built anew, without its triggers';
  const digits = desiredDigits(config, table);
  const differs = (other: 3 | 6) => JSON.stringify(sourceTableOf({ ...table, digits: other }, config));
  return differs(digits) === differs(table.digits) ? undefined : `sqlite.timestamp.digits is ${digits} now`;
}

export function refusal(table: string, finding: SourceFinding | undefined): AppError {
  if (finding === undefined) {
    return new AppError('detached', `table ${table} is left out by the filters of its connector`, {
      hint: 'let it in again, and it is read again; or DROP TABLE',
    });
  }
  return new AppError(finding.code as AppError['code'], finding.message, { hint: finding.hint });
}
