// The properties that this source reads, checked at the door. Aliases and unknown names are the business of connect; what is
// refused here is refused with the reason.
import { AppError } from '../../core/errors.js';
import { notAPattern, splitPatterns, wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { retrySettings, type RetrySettings } from '../../core/retries.js';
import { unwantedTopicsProperty, type UnwantedTopics } from '../../core/topic-name.js';
import type { SourceConfig } from '../source-connector.js';
import type { OddTimes } from './column-form.js';
import type { Deadlines } from './deadline.js';
import { messageKeysProperty, parseMessageKeys, type TableModes } from './message-keys.js';
import { timeRangeProperty, zeroDatesProperty } from './odd-times.js';
import { fingerprintsOf, type Fingerprints } from './stopped-tables.js';

export type SnapshotMode = 'initial' | 'initial_only' | 'when_needed' | 'none';
/** What is done about foreign keys that change rows inside of the server, unlogged. */
export type CascadesMode = 'emulate' | 'refuse' | 'ignore';
/** What a value without a form here stops: its table alone, or the whole task. */
export type FailuresMode = 'table' | 'fail';
/** What becomes of tables that match the filters and were never captured. */
export type NewTablesMode = 'capture' | 'ask' | 'ignore';
export type SslMode = 'disabled' | 'preferred' | 'required';

export interface MysqlConfig {
  /** The connector's name, for the control of a finished snapshot. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly sslMode: SslMode;
  /** Without TLS the server may be asked for the key that the password is encrypted by. */
  readonly publicKeyRetrieval: boolean;
  readonly deadlines: Deadlines;
  /** Of a row in a result, or of an event. */
  readonly packetBytesMax: number;
  readonly retries: RetrySettings;
  /** Undefined: a random one for each connection, so that two processes never push each other off. */
  readonly serverId: number | undefined;
  readonly snapshotMode: SnapshotMode;
  readonly chunkRows: number;
  /** How many tables a first snapshot reads at once. */
  readonly snapshotThreads: number;
  readonly cascades: CascadesMode;
  readonly failures: FailuresMode;
  readonly newTables: NewTablesMode;
  readonly fingerprints: Fingerprints;
  /** The text of statements is told with their rows. */
  readonly includeQuery: boolean;
  /** Captured tables are made here; else there are only their topics. */
  readonly tablesCreated: boolean;
  readonly databases: Filter;
  readonly tables: Filter;
  /** Tables whose records the configuration's transforms take out, by the topic that they would have. */
  readonly unwanted: readonly UnwantedTopics[];
  readonly topicPrefix: string;
  readonly excludedColumns: readonly Pattern[];
  readonly modes: TableModes;
}

/** Include and exclude lists as written and as patterns. */
export interface Filter {
  readonly includeText: string;
  readonly excludeText: string;
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
}

const snapshotModes: Readonly<Record<string, SnapshotMode>> = {
  initial: 'initial',
  initial_only: 'initial_only',
  when_needed: 'when_needed',
  never: 'none',
  no_data: 'none',
  schema_only: 'none',
};
const cascadesModes: readonly CascadesMode[] = ['emulate', 'refuse', 'ignore'];
const sslModes: readonly SslMode[] = ['disabled', 'preferred', 'required'];

export function parseConfig(config: SourceConfig): MysqlConfig {
  const text = (name: string, missing?: string): string => {
    const value = config[name]?.trim() ?? missing;
    if (value === undefined || (value === '' && missing === undefined)) throw bad(name, `property ${name} is missing`);
    return value;
  };
  const whole = (name: string, missing: number, min: number, max: number): number => {
    const written = config[name]?.trim();
    if (written === undefined || written === '') return missing;
    const value = Number(written);
    if (!/^\d+$/.test(written) || value < min || value > max) {
      throw bad(name, `property ${name} has to be a whole number from ${min} to ${max}, not "${written}"`);
    }
    return value;
  };
  const mode = text('snapshot.mode', 'initial').toLowerCase();
  if (!snapshotModes[mode]) {
    throw bad(
      'snapshot.mode',
      `snapshot.mode "${mode}" is not covered`,
      `one of ${Object.keys(snapshotModes).join(', ')}`,
    );
  }
  const ssl = text('database.ssl.mode', 'preferred').toLowerCase();
  const sslMode = sslModes.find((known) => known === ssl);
  if (!sslMode)
    throw bad('database.ssl.mode', `database.ssl.mode "${ssl}" is not covered`, `one of ${sslModes.join(', ')}`);
  const wantedCascades = text('cascades', 'emulate').toLowerCase();
  const cascades = cascadesModes.find((known) => known === wantedCascades);
  if (!cascades)
    throw bad('cascades', `cascades "${wantedCascades}" is not known`, `one of ${cascadesModes.join(', ')}`);
  const serverId = whole('database.server.id', 0, 0, 4_294_967_295);
  return {
    name: config['name'] ?? '',
    host: text('database.hostname'),
    port: whole('database.port', 3306, 1, 65_535),
    user: text('database.user'),
    password: config['database.password'] ?? '',
    sslMode,
    publicKeyRetrieval: mayAskForKey(config['database.allowPublicKeyRetrieval'], text('database.hostname')),
    deadlines: {
      short: { property: 'connect.timeout.ms', ms: whole('connect.timeout.ms', 30_000, 1, 3_600_000) },
      long: {
        property: 'database.query.timeout.ms',
        ms: whole('database.query.timeout.ms', 600_000, 0, 86_400_000),
      },
    },
    packetBytesMax: whole('database.packet.bytes.max', 128 << 20, 1 << 20, 1 << 30),
    retries: retrySettings(config),
    serverId: serverId === 0 ? undefined : serverId,
    snapshotMode: snapshotModes[mode],
    chunkRows: whole('snapshot.fetch.size', 20_000, 1, 1_000_000),
    snapshotThreads: whole('snapshot.max.threads', 4, 1, 256),
    cascades,
    failures: oneOf(config, 'event.processing.failure.handling.mode', ['table', 'fail']),
    newTables: oneOf(config, 'table.new.handling.mode', ['capture', 'ask', 'ignore']),
    fingerprints: fingerprintsOf(config),
    includeQuery: config['include.query'] === 'true',
    tablesCreated: config['table.create'] !== 'false',
    databases: filter(config, 'database'),
    tables: filter(config, 'table'),
    unwanted: JSON.parse(config[unwantedTopicsProperty] ?? '[]') as UnwantedTopics[],
    topicPrefix: config['topic.prefix'] ?? '',
    excludedColumns: patterns(config, 'column.exclude.list'),
    modes: {
      zeroDates: oneOf(config, zeroDatesProperty, oddTimes),
      timeRange: oneOf(config, timeRangeProperty, ['exact', ...oddTimes]),
      geometry: oneOf(config, 'geometry.handling.mode', ['struct', 'geojson']),
      messageKeys: parseMessageKeys(config[messageKeysProperty] ?? ''),
    },
  };
}

/** Between a process and a server on one machine there is nobody who could put a key of his own in place of the server's. */
function mayAskForKey(written: string | undefined, host: string): boolean {
  const value = written?.trim().toLowerCase() ?? '';
  if (value === '') return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
  if (value === 'true' || value === 'false') return value === 'true';
  throw bad('database.allowPublicKeyRetrieval', `database.allowPublicKeyRetrieval "${value}" is not true or false`);
}

const oddTimes: readonly [OddTimes, ...OddTimes[]] = ['stop', 'null', 'text'];

/** The first one is the default. */
function oneOf<T extends string>(config: SourceConfig, name: string, values: readonly [T, ...T[]]): T {
  const written = config[name]?.trim().toLowerCase() ?? '';
  const value = written === '' ? values[0] : values.find((known) => known === written);
  if (value === undefined) throw bad(name, `${name} "${written}" is not covered`, `one of ${values.join(', ')}`);
  return value;
}

function filter(config: SourceConfig, what: 'database' | 'table'): Filter {
  return {
    includeText: config[`${what}.include.list`]?.trim() ?? '',
    excludeText: config[`${what}.exclude.list`]?.trim() ?? '',
    include: patterns(config, `${what}.include.list`),
    exclude: patterns(config, `${what}.exclude.list`),
  };
}

function patterns(config: SourceConfig, name: string): Pattern[] {
  return splitPatterns(config[name] ?? '').map((item) => {
    try {
      return wholeName(item);
    } catch (cause) {
      throw bad(name, `property ${name}: ${notAPattern(item, cause)}`);
    }
  });
}

function bad(path: string, message: string, hint?: string): AppError {
  return new AppError('bad-connector-config', message, { place: { path }, hint });
}
