// What must hold on the server before anything starts, each breach with the statement that repairs it. Read-only. The same list
// stands behind validate and behind every start, where the first error ends the task.
import type { ErrorCode } from '../../core/errors.js';
import { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';
import { checkBinlogScope } from './binlog-scope.js';
import { checkCascades, type CascadeCheck } from './cascade-checks.js';
import { keylessTable } from './table-knowledge.js';
import { dataTypeOf, unsupportedType } from './column-form.js';
import type { MysqlConfig } from './config.js';
import { allowed, type Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { messageKeyProblem } from './message-keys.js';
import { nothingMatches } from './filter-advice.js';
import { misconfigured } from './misconfigured.js';
import { checkSelect } from './select-grants.js';
import type { Server } from './server.js';
import { listTables, readSchemas, sourceTable, tableName, type TableSchema } from './table-schema.js';

export interface Inspection {
  readonly findings: readonly SourceFinding[];
  /** Captured tables in the order of their names. */
  readonly tables: readonly TableSchema[];
  /** Tables that match the filters and are left out because they have no primary key. */
  readonly keyless: readonly TableSchema[];
  /** Tables that match the filters and are left out because a column of theirs cannot be read. */
  readonly unreadable: readonly TableSchema[];
  /** Table names are compared without case (lower_case_table_names is not 0). */
  readonly foldsCase: boolean;
  /** Undefined: the server logs what foreign keys do. */
  readonly cascades: CascadeCheck | undefined;
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
  if (config.includeQuery) findings.push(...checkQueries(variables));
  // Without a binlog the statements that try the privileges fail for that reason.
  if (variables.get('log_bin') === 'ON') findings.push(...(await checkGrants(session, server, config)));

  const foldsCase = (variables.get('lower_case_table_names') ?? '0') !== '0';
  filter.foldsCase = foldsCase;
  const all = await listTables(session);
  const matching = all.filter(({ database, table }) => filter.matches(database, table));
  if (matching.length === 0) findings.push(nothingMatches(all, filter, config));
  const tables: TableSchema[] = [];
  const keyless: TableSchema[] = [];
  const unreadable: TableSchema[] = [];
  const schemas = await readSchemas(session, matching, config.modes);
  for (const schema of schemas) {
    const found = checkTable(schema, filter, config);
    findings.push(...found.findings);
    ({ captured: tables, keyless, unreadable })[found.is].push(schema);
  }
  if (tables.length === 0 && unreadable.length > 0) findings.push(nothingReadable(unreadable));
  const fold = (name: string) => (foldsCase ? name.toLowerCase() : name);
  const cascades = cascadesAreLogged(variables)
    ? undefined
    : await checkCascades(session, tables, { filter, config, fold });
  findings.push(...(cascades?.findings ?? []));
  findings.push(...(await checkSelect(session, tables, filter, config.user)));
  // Of a server without a binlog, or one that the user may not ask, something worse is told already.
  if (!findings.some(({ severity }) => severity === 'error')) {
    const databases = new Set(tables.map(({ database }) => database));
    findings.push(...(await checkBinlogScope(session, server, databases, logsReplicated(variables))));
  }
  return { findings, tables, keyless, unreadable, foldsCase, cascades };
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

type Variables = ReadonlyMap<string, string>;

async function readVariables(session: Session): Promise<Variables> {
  const rows =
    await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image',
    'binlog_row_metadata', 'gtid_mode',
    'gtid_strict_mode', 'binlog_expire_logs_seconds', 'log_replica_updates', 'log_slave_updates', 'innodb_native_foreign_keys',
    'lower_case_table_names', 'binlog_rows_query_log_events', 'binlog_annotate_row_events')`);
  return new Map(rows.map((row) => [row['Variable_name']!, row['Value'] ?? '']));
}

/** [variable, the value that it must have, what is lost otherwise] */
const required: readonly (readonly [string, string, string])[] = [
  ['binlog_format', 'ROW', 'changes would reach the binlog as statement text'],
  ['binlog_row_image', 'FULL', 'rows would reach the binlog without some of their columns'],
  ['binlog_row_metadata', 'FULL', 'rows would not tell the names of their columns'],
];

function checkVariables(variables: Variables, server: Server): SourceFinding[] {
  if (variables.get('log_bin') !== 'ON') {
    return [
      misconfigured(
        'log_bin',
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
        name,
        `${name} is ${value === undefined ? 'unknown to this server' : `"${value}"`} instead of "${wanted}": ${why}`,
        `SET GLOBAL ${name} = ${wanted}; sessions that are open keep the old value until they reconnect`,
      ),
    );
  }
  const mode = variables.get('gtid_mode');
  if (!server.mariadb && mode !== undefined && mode !== 'ON') {
    findings.push({
      severity: 'warning',
      code: 'gtid-off',
      object: 'gtid_mode',
      message: `gtid_mode is ${mode}: positions are file and offset, and a snapshot locks all tables for a moment`,
      hint: "SET GLOBAL enforce_gtid_consistency = ON, then step gtid_mode through 'OFF_PERMISSIVE' and 'ON_PERMISSIVE' to 'ON'",
    });
  }
  if (variables.get('gtid_strict_mode') === 'OFF') {
    findings.push({
      severity: 'note',
      code: 'gtid-not-strict',
      object: 'gtid_strict_mode',
      message: 'gtid_strict_mode is OFF: sequence numbers of a domain may run backwards',
      hint: 'SET GLOBAL gtid_strict_mode = ON',
    });
  }
  const expire = Number(variables.get('binlog_expire_logs_seconds') ?? 0);
  if (expire > 0 && expire < 86_400) {
    findings.push({
      severity: 'warning',
      code: 'short-retention',
      object: 'binlog_expire_logs_seconds',
      message: `the binlog is kept for ${expire} s only: a longer stop of this process loses the position`,
      hint: 'SET GLOBAL binlog_expire_logs_seconds = 604800',
    });
  }
  return findings;
}

/** The text of statements is asked for. */
function checkQueries(variables: Variables): SourceFinding[] {
  return ['binlog_rows_query_log_events', 'binlog_annotate_row_events']
    .filter((name) => variables.get(name) === 'OFF')
    .map((name) => ({
      severity: 'warning',
      code: 'queries-not-logged',
      object: name,
      property: 'include.query',
      message: `${name} is OFF: envelopes have no text of statements`,
      hint: `SET GLOBAL ${name} = ON`,
    }));
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
      object: account,
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
  if (server.position === 'file' && !(await mayLock(session))) missing('RELOAD');
  return findings;
}

/** Whether the user, with its active roles, may take the global read lock that a snapshot without GTIDs needs. Trying it would take it. */
async function mayLock(session: Session): Promise<boolean> {
  const { roles } = await session.one('SELECT CURRENT_ROLE() AS roles');
  const using = roles === null || roles === undefined || roles === 'NONE' ? '' : ` USING ${roles}`;
  const grants = await session.query(`SHOW GRANTS FOR CURRENT_USER()${using}`);
  return grants.some((row) => {
    const [privileges = '', on] = (Object.values(row)[0] ?? '').split(' ON ');
    return on?.startsWith('*.*') === true && /\b(?:ALL PRIVILEGES|RELOAD|FLUSH_TABLES)\b/.test(privileges);
  });
}

interface CheckedTable {
  readonly is: 'captured' | 'keyless' | 'unreadable';
  readonly findings: SourceFinding[];
}

function checkTable(schema: TableSchema, filter: TableFilter, config: MysqlConfig): CheckedTable {
  const name = tableName(schema);
  if (schema.keyColumns.length === 0) {
    const named = filter.names(schema.database, schema.table);
    const error = keylessTable(name);
    const finding: SourceFinding = named
      ? {
          severity: 'error',
          code: 'keyless-table',
          property: 'table.include.list',
          object: name,
          message: error.message,
          hint: error.hint,
        }
      : {
          severity: 'warning',
          code: 'keyless-table',
          object: name,
          message: `${error.message} and is left out`,
          hint: error.hint,
        };
    return { is: 'keyless', findings: [finding] };
  }
  const unreadable = schema.columns
    .filter((column) => filter.capturesColumn(schema.database, schema.table, column.name) && !dataTypeOf(column.form))
    .map((column): SourceFinding => {
      const { message, hint } = unsupportedType(column, `${name}.${column.name}`);
      const property = 'column.exclude.list';
      return {
        severity: 'warning',
        code: 'unsupported-type',
        property,
        object: `${name}.${column.name}`,
        message: `${message}: the table is left out`,
        hint,
      };
    });
  if (unreadable.length > 0) return { is: 'unreadable', findings: unreadable };
  return { is: 'captured', findings: [...checkRowEnd(schema), ...checkKey(schema, filter, config)] };
}

function checkKey(schema: TableSchema, filter: TableFilter, { modes }: MysqlConfig): SourceFinding[] {
  try {
    sourceTable(schema, filter);
    const problem = messageKeyProblem(schema, modes.messageKeys);
    if (problem) throw problem;
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint, place } = error;
    return [{ severity: 'error', code, property: place?.path, object: tableName(schema), message, hint }];
  }
}

/** With transaction numbers instead of times MariaDB logs statements, whatever the format. */
function checkRowEnd({ columns, rowEnd, ...schema }: TableSchema): SourceFinding[] {
  if (columns.find(({ name }) => name === rowEnd)?.form.kind !== 'integer') return [];
  return [
    {
      severity: 'error',
      code: 'unsupported-type',
      property: 'table.exclude.list',
      object: tableName(schema),
      message: `table ${tableName(schema)} is versioned by transaction numbers, whose changes the server logs as statements`,
      hint: `leave it out by table.exclude.list, or let its period be of type TIMESTAMP(6)`,
    },
  ];
}

function nothingReadable(tables: readonly TableSchema[]): SourceFinding {
  return {
    severity: 'error',
    code: 'unsupported-type',
    property: 'column.exclude.list',
    message: `no table is left: of ${tables.map(tableName).join(', ')} a column cannot be read`,
    hint: 'leave the columns out by column.exclude.list; the warnings name them',
  };
}

/** MySQL 9 executes foreign keys above the engine unless told otherwise, and then logs what they change. */
function cascadesAreLogged(variables: Variables): boolean {
  return variables.get('innodb_native_foreign_keys') === 'OFF';
}

/** What the table map of a table that appears while the stream runs does not tell. */
export function checkNewTable(schema: TableSchema): void {
  throwError(checkRowEnd(schema));
}
