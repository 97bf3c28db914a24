// The properties that this source reads, checked at the door. Aliases and unknown names are the business of connect; what is
// refused here is refused with the reason.
import { AppError } from '../../core/errors.js';
import type { SourceConfig } from '../source-connector.js';
import type { Deadlines } from './deadline.js';

export type SnapshotMode = 'initial' | 'initial_only' | 'when_needed' | 'none';
export type SslMode = 'disabled' | 'preferred' | 'required';

export interface MysqlConfig {
  /** The connector's name, for the control of a finished snapshot. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly sslMode: SslMode;
  readonly deadlines: Deadlines;
  /** Undefined: a random one for each connection, so that two processes never push each other off. */
  readonly serverId: number | undefined;
  readonly snapshotMode: SnapshotMode;
  readonly chunkRows: number;
  readonly databases: Filter;
  readonly tables: Filter;
  readonly excludedColumns: readonly RegExp[];
}

/** Include and exclude lists as written and as patterns. */
export interface Filter {
  readonly includeText: string;
  readonly excludeText: string;
  readonly include: readonly RegExp[];
  readonly exclude: readonly RegExp[];
}

const snapshotModes: Readonly<Record<string, SnapshotMode>> = {
  initial: 'initial',
  initial_only: 'initial_only',
  when_needed: 'when_needed',
  never: 'none',
  no_data: 'none',
  schema_only: 'none',
};
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
  const serverId = whole('database.server.id', 0, 0, 4_294_967_295);
  return {
    name: config['name'] ?? '',
    host: text('database.hostname'),
    port: whole('database.port', 3306, 1, 65_535),
    user: text('database.user'),
    password: config['database.password'] ?? '',
    sslMode,
    deadlines: {
      short: { property: 'connect.timeout.ms', ms: whole('connect.timeout.ms', 30_000, 1, 3_600_000) },
      long: {
        property: 'database.query.timeout.ms',
        ms: whole('database.query.timeout.ms', 600_000, 0, 86_400_000),
      },
    },
    serverId: serverId === 0 ? undefined : serverId,
    snapshotMode: snapshotModes[mode],
    chunkRows: whole('snapshot.fetch.size', 20_000, 1, 1_000_000),
    databases: filter(config, 'database'),
    tables: filter(config, 'table'),
    excludedColumns: patterns(config, 'column.exclude.list'),
  };
}

function filter(config: SourceConfig, what: 'database' | 'table'): Filter {
  return {
    includeText: config[`${what}.include.list`]?.trim() ?? '',
    excludeText: config[`${what}.exclude.list`]?.trim() ?? '',
    include: patterns(config, `${what}.include.list`),
    exclude: patterns(config, `${what}.exclude.list`),
  };
}

/** Comma-separated regular expressions that must match the whole name; case does not count, as in Debezium. */
function patterns(config: SourceConfig, name: string): RegExp[] {
  return splitList(config[name] ?? '').map((item) => {
    try {
      return new RegExp(`^(?:${item})$`, 'i');
    } catch (cause) {
      throw new AppError('bad-connector-config', `property ${name}: "${item}" is not a regular expression`, {
        place: { path: name },
        cause,
      });
    }
  });
}

/** Splits at commas, but not inside brackets and braces: `a{1,2}` is one item. */
export function splitList(text: string): string[] {
  const items: string[] = [];
  let item = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') {
      item += char + (text[++i] ?? '');
      continue;
    }
    if ('({['.includes(char)) depth++;
    if (')}]'.includes(char)) depth--;
    if (char === ',' && depth <= 0) {
      items.push(item);
      item = '';
    } else {
      item += char;
    }
  }
  return [...items, item].map((one) => one.trim()).filter((one) => one !== '');
}

function bad(path: string, message: string, hint?: string): AppError {
  return new AppError('bad-connector-config', message, { place: { path }, hint });
}
