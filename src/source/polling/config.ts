// The properties of the polling source, checked at the door: those of Confluent's JDBC source and of its managed form. What belongs to
// the database itself is made into the properties of the source that captures it, whose readers are used.
import { AppError } from '../../core/errors.js';
import { parseJdbcUrl } from '../../core/jdbc-url.js';
import { splitPatterns, wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { retrySettings, type RetrySettings } from '../../core/retries.js';
import { statedKeysProperty, type StatedKey } from '../../core/stated-key.js';
import type { SourceConfig } from '../source-connector.js';
import type { PolledQuery } from './polled-database.js';

export type PollMode = 'bulk' | 'incrementing' | 'timestamp' | 'timestamp+incrementing';

export interface PollingConfig {
  readonly connector: string;
  readonly kind: 'mysql' | 'sqlite';
  /** Of a server: the one that the URL names. */
  readonly database: string | undefined;
  /** For the readers of the database. */
  readonly place: SourceConfig;
  /** What is asked instead of tables and views. */
  readonly query: PolledQuery | undefined;
  readonly tables: boolean;
  readonly views: boolean;
  readonly topicPrefix: string;
  readonly statedKeys: readonly StatedKey[];
  /** Over `table` and `database.table`; empty: all. */
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly mode: PollMode;
  /** Empty: the column that counts by itself. */
  readonly incrementingColumn: string;
  readonly timestampColumn: string;
  /** Undefined: from the first row on. */
  readonly timestampInitialMs: number | undefined;
  readonly timestampDelayMs: number;
  readonly validateNonNull: boolean;
  readonly pollMs: number;
  readonly tablePollMs: number;
  readonly pageRows: number;
  readonly zone: string;
  readonly retries: RetrySettings;
}

export function parseConfig(config: SourceConfig): PollingConfig {
  const mode = config['mode'] as PollMode;
  const timestampColumn = config['timestamp.column.name'] ?? '';
  if (mode.startsWith('timestamp') && timestampColumn === '')
    throw bad('timestamp.column.name', `mode "${mode}" needs it: the column that tells when a row was changed`);
  if (timestampColumn.includes(','))
    throw bad(
      'timestamp.column.name',
      'one column is covered',
      'make a generated column of them, or one of a query: COALESCE(a, b)',
    );
  const whole = (name: string, missing: number): number => {
    const value = Number(config[name] ?? missing);
    if (!Number.isSafeInteger(value)) throw bad(name, `"${config[name]}" is not a whole number`);
    return value;
  };
  const initial = config['timestamp.initial'];
  return {
    connector: config['name'] ?? '',
    ...placeOf(config),
    query: queryOf(config),
    ...kindsOf(config['table.types'] ?? 'TABLE'),
    topicPrefix: config['topic.prefix'] ?? '',
    statedKeys: JSON.parse(config[statedKeysProperty] ?? '[]') as StatedKey[],
    include: patterns(config['table.include.list']),
    exclude: patterns(config['table.exclude.list']),
    mode,
    incrementingColumn: config['incrementing.column.name'] ?? '',
    timestampColumn,
    timestampInitialMs: initial === undefined ? undefined : whole('timestamp.initial', 0),
    timestampDelayMs: whole('timestamp.delay.interval.ms', 0),
    validateNonNull: config['validate.non.null'] !== 'false',
    pollMs: whole('poll.interval.ms', 5_000),
    tablePollMs: whole('table.poll.interval.ms', 60_000),
    pageRows: whole('batch.max.rows', 1_000),
    zone: zoneOf(config['db.timezone'] ?? 'UTC'),
    retries: retrySettings(config),
  };
}

function queryOf(config: SourceConfig): PolledQuery | undefined {
  // A semicolon at the end is what a shell needs, and the statement around it does not take.
  const text = (config['query'] ?? '').replace(/[\s;]+$/, '');
  const suffix = (config['query.suffix'] ?? '').trim();
  if (text.trim() === '') {
    if (suffix === '') return undefined;
    throw bad('query.suffix', 'there is no query that it could end', 'tables are read in pages: batch.max.rows');
  }
  const list = ['table.include.list', 'table.exclude.list'].find((name) => config[name]);
  if (list !== undefined)
    throw bad('query', `it is asked instead of tables, and ${list} names some`, 'leave one of the two out');
  return { text, suffix, name: config['topic.prefix'] || 'query' };
}

function kindsOf(types: string): Pick<PollingConfig, 'tables' | 'views'> {
  const asked = types.split(',').map((type) => type.trim().toUpperCase());
  return { tables: asked.includes('TABLE'), views: asked.includes('VIEW') };
}

/** JDBC's lists of names are patterns, too; a name may be written between quotes. */
function patterns(list = ''): Pattern[] {
  return splitPatterns(list).map((item) => wholeName(item.replaceAll(/[`"]/g, '')));
}

export function isAsked({ include, exclude }: PollingConfig, database: string, table: string): boolean {
  const meets = (list: readonly Pattern[]) => list.some((one) => one.test(table) || one.test(`${database}.${table}`));
  return (include.length === 0 || meets(include)) && !meets(exclude);
}

function placeOf(config: SourceConfig): Pick<PollingConfig, 'kind' | 'database' | 'place'> {
  const common = pick(config, [
    'name',
    'column.exclude.list',
    'connect.timeout.ms',
    'database.query.timeout.ms',
    'database.packet.bytes.max',
  ]);
  const url = config['connection.url'];
  const parsed = url === undefined ? undefined : parseJdbcUrl(url);
  if (parsed?.kind === 'file') {
    const place = pick(config, ['sqlite.type.mismatch', 'sqlite.text.columns', 'sqlite.timestamp.unit']);
    return { kind: 'sqlite', database: undefined, place: { ...common, ...place, 'database.file': parsed.file } };
  }
  if (url !== undefined && parsed === undefined)
    throw bad(
      'connection.url',
      'is not the URL of a database that is covered',
      'jdbc:mysql://HOST:PORT/DATABASE, jdbc:mariadb://HOST:PORT/DATABASE or jdbc:sqlite:FILE',
    );
  const host = parsed?.host ?? config['connection.host'];
  if (host === undefined) throw bad('connection.url', 'is missing', 'or give connection.host and db.name');
  const parameter = (name: string) => parsed?.parameters.get(name) ?? undefined;
  const database = parsed?.database || config['db.name'];
  if (!database) throw bad(url === undefined ? 'db.name' : 'connection.url', 'names no database');
  const publicKey = config['connection.allowPublicKeyRetrieval'] ?? parameter('allowPublicKeyRetrieval');
  return {
    kind: 'mysql',
    database,
    place: {
      ...common,
      ...pick(config, ['zero.date.handling.mode', 'time.range.handling.mode', 'geometry.handling.mode']),
      'database.hostname': host,
      'database.port': parsed?.port ?? config['connection.port'] ?? '3306',
      'database.user': config['connection.user'] ?? parameter('user') ?? '',
      'database.password': config['connection.password'] ?? parameter('password') ?? '',
      'database.ssl.mode': config['ssl.mode'] ?? 'preferred',
      ...(publicKey === undefined ? {} : { 'database.allowPublicKeyRetrieval': publicKey }),
      'database.include.list': database.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
    },
  };
}

function pick(config: SourceConfig, properties: readonly string[]): SourceConfig {
  return Object.fromEntries(properties.flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]]])));
}

function zoneOf(zone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch (cause) {
    throw new AppError('bad-connector-config', `db.timezone: "${zone}" is no time zone`, {
      place: { path: 'db.timezone' },
      cause,
    });
  }
}

export function bad(property: string, message: string, hint?: string): AppError {
  return new AppError('bad-connector-config', `${property}: ${message}`, { hint, place: { path: property } });
}
