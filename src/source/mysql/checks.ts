// What must hold on the server before anything starts, each breach with the statement that repairs it. Read-only. The same list
// stands behind validate and behind every start, where the first error ends the task.
import type { ErrorCode } from '../../core/errors.js';
import { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';
import { checkBinlogScope } from './binlog-scope.js';
import { keylessTable } from './table-knowledge.js';
import { dataTypeOf, unsupportedType } from './column-form.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { nothingMatches } from './filter-advice.js';
import { misconfigured } from './misconfigured.js';
import type { Server } from './server.js';
import { listTables, readSchemas, sourceTable, tableName, type TableSchema } from './table-schema.js';
import { quoteName } from './text-reader.js';

export interface Inspection {
  readonly findings: readonly SourceFinding[];
  /** Captured tables in the order of their names. */
  readonly tables: readonly TableSchema[];
  /** Tables that match the filters and are left out because they have no primary key. */
  readonly keyless: readonly TableSchema[];
  /** Table names are compared without case (lower_case_table_names is not 0). */
  readonly foldsCase: boolean;
}

/** An error finding has the code of an AppError, so that a start can throw it. */
interface ErrorFinding extends SourceFinding {
  readonly code: ErrorCode;
}

export async function inspect(
  session: Session,
  server: Server,
  config: MysqlConfig,
  filter: TableFilter,
): Promise<Inspection> {
  const findings: SourceFinding[] = [];
  const variables = await readVariables(session);
  findings.push(...checkVariables(variables, server));
  // Without a binlog the statements that try the privileges fail for that reason.
  if (variables.get('log_bin') === 'ON') findings.push(...(await checkGrants(session, server, config)));

  const all = await listTables(session);
  const matching = all.filter(({ database, table }) => filter.matches(database, table));
  if (matching.length === 0) findings.push(nothingMatches(all, filter, config));
  const tables: TableSchema[] = [];
  const keyless: TableSchema[] = [];
  for (const schema of await readSchemas(session, matching)) {
    const found = checkTable(schema, filter);
    findings.push(...found.findings);
    (found.captured ? tables : keyless).push(schema);
  }
  if (!cascadesAreLogged(variables)) findings.push(...(await checkCascades(session, tables)));
  findings.push(...(await checkSelect(session, tables, config)));
  // Of a server without a binlog, or one that the user may not ask, something worse is told already.
  if (!findings.some(({ severity }) => severity === 'error')) {
    const databases = new Set(tables.map(({ database }) => database));
    findings.push(...(await checkBinlogScope(session, server, databases, logsReplicated(variables))));
  }
  return { findings, tables, keyless, foldsCase: (variables.get('lower_case_table_names') ?? '0') !== '0' };
}

/** The first error, as what a start rejects with. */
export function throwError(findings: readonly SourceFinding[]): void {
  const first = findings.find((finding) => finding.severity === 'error') as ErrorFinding | undefined;
  if (!first) return;
  throw new AppError(first.code, first.message, {
    hint: first.hint,
    place: first.property === undefined ? undefined : { path: first.property },
  });
}

/** A statement opens them all. */
const tablesPerQuestion = 50;

type Variables = ReadonlyMap<string, string>;

async function readVariables(session: Session): Promise<Variables> {
  const rows =
    await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image',
    'binlog_row_metadata', 'binlog_row_value_options', 'binlog_transaction_compression', 'log_bin_compress', 'gtid_mode',
    'gtid_strict_mode', 'binlog_expire_logs_seconds', 'log_replica_updates', 'log_slave_updates', 'innodb_native_foreign_keys',
    'lower_case_table_names')`);
  return new Map(rows.map((row) => [row['Variable_name']!, row['Value'] ?? '']));
}

/** [variable, the value that it must have, what is lost otherwise] */
const required: readonly (readonly [string, string, string])[] = [
  ['binlog_format', 'ROW', 'changes would reach the binlog as statement text'],
  ['binlog_row_image', 'FULL', 'rows would reach the binlog without some of their columns'],
  ['binlog_row_metadata', 'FULL', 'rows would not tell the names of their columns'],
  ['binlog_row_value_options', '', 'JSON columns would be logged in part'],
  ['binlog_transaction_compression', 'OFF', 'compressed transactions are not read yet'],
  ['log_bin_compress', 'OFF', 'compressed events are not read yet'],
];

function checkVariables(variables: Variables, server: Server): SourceFinding[] {
  if (variables.get('log_bin') !== 'ON') {
    return [
      misconfigured(
        'log_bin is OFF: the server writes no binlog',
        'start the server with --log-bin (log_bin in its option file)',
      ),
    ];
  }
  const findings: SourceFinding[] = [];
  for (const [name, wanted, why] of required) {
    const value = variables.get(name);
    // A server that lacks the variable has only the behaviour that we need, but for the metadata.
    if (value === undefined && name !== 'binlog_row_metadata') continue;
    if (value?.toUpperCase() === wanted) continue;
    findings.push(
      misconfigured(
        `${name} is ${value === undefined ? 'unknown to this server' : `"${value}"`} instead of "${wanted}": ${why}`,
        `SET GLOBAL ${name} = ${wanted === '' ? "''" : wanted}; sessions that are open keep the old value until they reconnect`,
      ),
    );
  }
  const mode = variables.get('gtid_mode');
  if (!server.mariadb && mode !== undefined && mode !== 'ON') {
    findings.push({
      severity: 'warning',
      code: 'gtid-off',
      message: `gtid_mode is ${mode}: positions are file and offset, and a snapshot locks all tables for a moment`,
      hint: "SET GLOBAL enforce_gtid_consistency = ON, then step gtid_mode through 'OFF_PERMISSIVE' and 'ON_PERMISSIVE' to 'ON'",
    });
  }
  if (variables.get('gtid_strict_mode') === 'OFF') {
    findings.push({
      severity: 'note',
      code: 'gtid-not-strict',
      message: 'gtid_strict_mode is OFF: sequence numbers of a domain may run backwards',
      hint: 'SET GLOBAL gtid_strict_mode = ON',
    });
  }
  const expire = Number(variables.get('binlog_expire_logs_seconds') ?? 0);
  if (expire > 0 && expire < 86_400) {
    findings.push({
      severity: 'warning',
      code: 'short-retention',
      message: `the binlog is kept for ${expire} s only: a longer stop of this process loses the position`,
      hint: 'SET GLOBAL binlog_expire_logs_seconds = 604800',
    });
  }
  return findings;
}

function logsReplicated(variables: Variables): boolean {
  return (variables.get('log_replica_updates') ?? variables.get('log_slave_updates')) !== 'OFF';
}

async function checkGrants(session: Session, server: Server, config: MysqlConfig): Promise<SourceFinding[]> {
  const { user } = await session.one('SELECT CURRENT_USER() AS user');
  const account = (user ?? config.user)
    .split('@')
    .map((part) => `'${part}'`)
    .join('@');
  const findings: SourceFinding[] = [];
  const missing = (privilege: string) => {
    findings.push({
      severity: 'error',
      code: 'source-missing-grant',
      property: 'database.user',
      message: `user ${account} lacks the privilege ${privilege}`,
      hint: `GRANT ${privilege} ON *.* TO ${account}`,
    });
  };
  if (server.mariadb) {
    // SHOW GRANTS of MariaDB includes those of the active roles.
    const rows = await session.query('SHOW GRANTS');
    const grants = rows.map((row) => Object.values(row)[0] ?? '').filter((grant) => / ON \*\.\* TO /.test(grant));
    const has = (pattern: RegExp) => grants.some((grant) => /ALL PRIVILEGES/.test(grant) || pattern.test(grant));
    if (!has(/REPLICATION SLAVE[,\s]/)) missing('REPLICATION SLAVE');
    if (!has(/BINLOG MONITOR|REPLICATION CLIENT|SUPER/)) missing('BINLOG MONITOR');
    return findings;
  }
  // On MySQL roles are not shown, so the privileges are tried.
  if (!(await allowed(session, 'SHOW BINARY LOGS'))) missing('REPLICATION CLIENT');
  if (!(await allowed(session, 'SHOW BINLOG EVENTS LIMIT 1'))) missing('REPLICATION SLAVE');
  return findings;
}

async function allowed(session: Session, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (error instanceof AppError && (error.code === 'source-missing-grant' || error.code === 'source-access-denied'))
      return false;
    throw error;
  }
}

function checkTable(schema: TableSchema, filter: TableFilter): { captured: boolean; findings: SourceFinding[] } {
  const name = tableName(schema);
  if (schema.keyColumns.length === 0) {
    const named = filter.names(schema.database, schema.table);
    const error = keylessTable(name);
    const finding: SourceFinding = named
      ? {
          severity: 'error',
          code: 'keyless-table',
          property: 'table.include.list',
          message: error.message,
          hint: error.hint,
        }
      : { severity: 'warning', code: 'keyless-table', message: `${error.message} and is left out`, hint: error.hint };
    return { captured: false, findings: [finding] };
  }
  const findings = schema.columns
    .filter((column) => filter.capturesColumn(schema.database, schema.table, column.name) && !dataTypeOf(column.form))
    .map((column): SourceFinding => {
      const { message, hint } = unsupportedType(column, `${name}.${column.name}`);
      return { severity: 'error', code: 'unsupported-type', property: 'column.exclude.list', message, hint };
    });
  if (findings.length === 0) {
    try {
      sourceTable(schema, filter);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      findings.push({
        severity: 'error',
        code: error.code,
        property: error.place?.path,
        message: error.message,
        hint: error.hint,
      });
    }
  }
  return { captured: true, findings };
}

/** MySQL 9 executes foreign keys above the engine unless told otherwise, and then logs what they change. */
function cascadesAreLogged(variables: Variables): boolean {
  return variables.get('innodb_native_foreign_keys') === 'OFF';
}

/** Foreign keys that change rows of captured tables inside of the engine. */
async function checkCascades(session: Session, tables: readonly TableSchema[]): Promise<SourceFinding[]> {
  const captured = new Set(tables.map(tableName));
  const rows = await session.queryLong(
    `
    SELECT CONSTRAINT_SCHEMA AS db, TABLE_NAME AS child, CONSTRAINT_NAME AS name, REFERENCED_TABLE_NAME AS parent,
      UPDATE_RULE AS on_update, DELETE_RULE AS on_delete
    FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')`,
    'looking for cascading foreign keys',
  );
  return rows
    .filter((row) => captured.has(`${row['db']}.${row['child']}`))
    .map((row) =>
      cascade(row as Readonly<Record<'db' | 'child' | 'name' | 'parent' | 'on_update' | 'on_delete', string>>),
    );
}

function cascade(
  row: Readonly<Record<'db' | 'child' | 'name' | 'parent' | 'on_update' | 'on_delete', string>>,
): SourceFinding {
  const child = `${row.db}.${row.child}`;
  return {
    severity: 'error',
    code: 'cascades-not-captured',
    message: `foreign key ${row.name} of ${child} (to ${row.parent}, ON UPDATE ${row.on_update}, ON DELETE ${row.on_delete}) changes rows that this server does not log`,
    hint: `ALTER TABLE ${quoteName(row.db)}.${quoteName(row.child)} DROP FOREIGN KEY ${quoteName(row.name)}, and add it again with RESTRICT; or leave ${child} out by table.exclude.list`,
  };
}

/** What the table map of a table that appears while the stream runs does not tell: true types and cascades. */
export async function checkNewTable(session: Session, schema: TableSchema, filter: TableFilter): Promise<void> {
  const findings = checkTable(schema, filter).findings.filter((finding) => finding.code === 'unsupported-type');
  if (!cascadesAreLogged(await readVariables(session))) findings.push(...(await checkCascades(session, [schema])));
  throwError(findings);
}

async function checkSelect(
  session: Session,
  tables: readonly TableSchema[],
  config: MysqlConfig,
): Promise<SourceFinding[]> {
  const findings: SourceFinding[] = [];
  for (const table of await unreadable(session, tables)) {
    findings.push({
      severity: 'error',
      code: 'source-missing-grant',
      property: 'database.user',
      message: `user "${config.user}" may not read ${tableName(table)}`,
      hint: `GRANT SELECT ON ${quoteName(table.database)}.${quoteName(table.table)} TO '${config.user}'@'%'`,
    });
  }
  return findings;
}

/** Asked for many at once, since each question is a way to the server and back; for each alone where one of them is refused. */
async function unreadable(session: Session, tables: readonly TableSchema[]): Promise<readonly TableSchema[]> {
  const refused: TableSchema[] = [];
  for (let from = 0; from < tables.length; from += tablesPerQuestion) {
    const some = tables.slice(from, from + tablesPerQuestion);
    if (await allowed(session, readingNothing(some))) continue;
    for (const table of some) if (!(await allowed(session, readingNothing([table])))) refused.push(table);
  }
  return refused;
}

function readingNothing(tables: readonly TableSchema[]): string {
  const each = tables.map(
    ({ database, table }) => `(SELECT 1 FROM ${quoteName(database)}.${quoteName(table)} LIMIT 0)`,
  );
  return `SELECT ${each.join(', ')}`;
}
