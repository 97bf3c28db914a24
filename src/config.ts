// Every option of the process, declared once: name, default, how its text is read, what it is for. Precedence: flag, then environment
// (WRITETHROUGH_*), then file (writethrough.yaml), then default. Dotted keys are nested keys; unknown keys are errors.
import { existsSync, readFileSync } from 'node:fs';
import { AppError } from './core/errors.js';
import type { AskedRetention } from './core/topic-retention.js';
import { didYouMean } from './core/nearest-name.js';
import { maskText } from './core/secrets.js';

interface OptionDef<T> {
  readonly doc: string;
  readonly default: T;
  readonly read: (text: string, key: string) => T;
}

const text = (doc: string, def: string): OptionDef<string> => ({ doc, default: def, read: (value) => value });
const optionalText = (doc: string): OptionDef<string | undefined> => ({
  doc,
  default: undefined,
  read: (value) => value,
});
const whole = (doc: string, def: number, min: number, max: number): OptionDef<number> => ({
  doc,
  default: def,
  read: (value, key) => {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) throw bad(key, value, `a whole number from ${min} to ${max}`);
    return number;
  },
});
/** -1: none. */
const limit = (doc: string, least: number): OptionDef<number> => ({
  doc,
  default: -1,
  read: (value, key) => {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number === -1 || (number >= least && number <= Number.MAX_SAFE_INTEGER)) return number;
    throw bad(key, value, `a whole number from ${least} on, or -1 for no limit`);
  },
});
const flag = (doc: string): OptionDef<boolean> => ({
  doc,
  default: false,
  read: (value, key) => {
    if (value !== 'true' && value !== 'false') throw bad(key, value, 'true or false');
    return value === 'true';
  },
});
const oneOf = <const T extends string>(doc: string, def: T, values: readonly T[]): OptionDef<T> => ({
  doc,
  default: def,
  read: (value, key) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw bad(key, value, `one of ${values.join(', ')}`);
    return found;
  },
});
const list = (doc: string, def: readonly string[] = []): OptionDef<readonly string[]> => ({
  doc,
  default: def,
  read: (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
});
/** Servers anywhere, and files below the working folder, until it is said otherwise. */
const sources = (doc: string): OptionDef<readonly string[]> => ({
  doc,
  default: ['mysql://*', 'sqlite:.'],
  read: (value, key) => {
    const entries = list(doc).read(value, key);
    const form = /^(?:(?:mysql|mariadb):\/\/(?:\[[^\]]+\]|[^/:[\]\s]+)(?::\d+)?|sqlite:.+)$/;
    const wrong = entries.find((entry) => !form.test(entry));
    if (wrong !== undefined) throw bad(key, wrong, 'mysql://HOST, mysql://HOST:PORT or sqlite:FOLDER');
    return entries;
  },
});

const mb = 1024 * 1024;

/** All options. The key is the dotted name in the file; in the environment it is WRITETHROUGH_ and the name in capitals with `_`. */
export const optionDefs = {
  source: optionalText('database to capture: mysql://user:password@host:3306/database, mariadb://..., sqlite:FILE'),
  data: text('data folder', './writethrough-data'),
  host: text('address to listen on', '127.0.0.1'),
  port: whole('port of the HTTP API; 0 takes a free one', 8088, 0, 65535),
  stream: text('embedded, or kafka://broker:9092,broker2:9092', 'embedded'),
  follow: oneOf(
    'Kafka: never, standby (follow while another leads, take over when it is gone), or only follow',
    'never',
    ['never', 'standby', 'only'],
  ),
  'advertised.url': optionalText('address under which other processes and their clients reach this one'),
  queries: optionalText('folder of *.sql files that are applied at start'),
  'allow-unauthenticated': flag('listen beyond loopback without authentication'),
  'log.level': oneOf('lines to write', 'info', ['debug', 'info', 'warn', 'error']),
  'log.format': oneOf('human on a terminal, else json', 'auto', ['auto', 'json', 'human']),
  'service.id': text('first part of the names of internal topics', 'writethrough'),
  'sql.strict': flag("ksqlDB's own rules: no extensions, unquoted names in upper case"),
  'sql.timestamp.throw-on-invalid': flag(
    'a record whose TIMESTAMP column gives no time stops its stream or table (else it is left out)',
  ),
  durability: oneOf('what a power failure may take: full nothing, normal the last commits', 'full', [
    'normal',
    'full',
    'extra',
  ]),
  'feed.retention.ms': whole('how long changes are kept for subscribers', 86_400_000, 1_000, Number.MAX_SAFE_INTEGER),
  'feed.retention.bytes': whole(
    'how many bytes of changes are kept for subscribers',
    1024 * mb,
    mb,
    Number.MAX_SAFE_INTEGER,
  ),
  'topic.retention.ms': limit(
    'how long a new topic that is not compacted keeps records (streams; captured tables whose cleanup.policy is delete); -1 for ever',
    0,
  ),
  'topic.retention.bytes': limit(
    'how many bytes such a topic keeps (Kafka: each of its partitions); -1 without limit',
    0,
  ),
  'commits.retention.ms': limit(
    'Kafka: how long the commit topic keeps what is applied; a process that is further behind cannot go on, and nothing is replayed from before; -1 for ever',
    60_000,
  ),
  'topic.compaction.bytes': whole(
    'how many bytes of a compacted topic of the embedded log may wait for compaction under load',
    256 * mb,
    mb,
    Number.MAX_SAFE_INTEGER,
  ),
  'http.body-bytes-max': whole('largest request body', mb, 1024, 1024 * mb),
  'http.answers-bytes-max': whole(
    'how many bytes of answers may wait for clients, of all together; over it requests are refused (overloaded)',
    128 * mb,
    mb,
    1024 * 1024 * mb,
  ),
  'http.connections-max': whole(
    'connections at once; 0: as many as the limit of open files permits, 10,000 at most',
    0,
    0,
    1_000_000,
  ),
  'http.subscribers-max': whole('change streams at once', 5_000, 1, 1_000_000),
  'http.allowed-hosts': list('further Host names, for a proxy in front'),
  'http.allowed-origins': list('browser origins whose pages may send requests'),
  'secrets.env': list(
    'names of the environment that a connector which comes over HTTP may refer to by ${env:NAME}; * for any part',
  ),
  'sources.allowed': sources(
    'what such a connector may read: mysql://HOST or mysql://HOST:PORT (* for any part), sqlite:FOLDER for the files in a folder',
  ),
  'read.bytes-max': whole('largest answer of one read', 64 * mb, mb, 512 * mb),
  'read.deadline-ms': whole('longest time of one read', 30_000, 100, 3_600_000),
  'read.threads': whole('threads for scans', 1, 1, 64),
  'ready.lag-ms': whole('readyz says no above this lag', 30_000, 1, Number.MAX_SAFE_INTEGER),
  'ready.standing': oneOf('whether connectors that are paused, stopped or deleted count for readyz', 'count', [
    'count',
    'ignore',
  ]),
} as const;

export type OptionKey = keyof typeof optionDefs;
export type Config = { readonly [K in OptionKey]: (typeof optionDefs)[K] extends OptionDef<infer T> ? T : never };
/** Values as they are given by flags or by a program, in any of the forms of YAML. */
export type ConfigInput = { readonly [K in OptionKey]?: Config[K] | undefined };

/** Undefined: nothing is limited. */
export function topicRetention(config: Config): AskedRetention | undefined {
  const asked = { ms: config['topic.retention.ms'], bytes: config['topic.retention.bytes'] };
  return asked.ms < 0 && asked.bytes < 0 ? undefined : asked;
}

export function commitsRetentionMs(config: Config): number | undefined {
  const ms = config['commits.retention.ms'];
  return ms < 0 ? undefined : ms;
}

export const defaultConfigFile = 'writethrough.yaml';

export interface ConfigSources {
  readonly flags: ConfigInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A missing default file is no error, a named one is. */
  readonly file: string | undefined;
}

export async function loadConfig({ flags, env, file }: ConfigSources): Promise<Config> {
  const given = new Map<string, string>();
  checkEnvironment(env);
  for (const [key, value] of await readFile(file)) given.set(key, value);
  for (const key of Object.keys(optionDefs)) {
    const value = env[environmentName(key)];
    if (value !== undefined && value !== '') given.set(key, value);
  }
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    checkKey(key, 'options');
    given.set(key, Array.isArray(value) ? value.join(',') : String(value));
  }
  const entries = Object.entries(optionDefs).map(([key, def]) => {
    const value = given.get(key);
    return [key, value === undefined ? def.default : def.read(value, key)];
  });
  return Object.fromEntries(entries) as Config;
}

export function environmentName(key: string): string {
  return `WRITETHROUGH_${key.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

/** Read elsewhere: by the command line as a client, and by tests of crashes. */
const otherVariables: readonly string[] = ['WRITETHROUGH_URL', 'WRITETHROUGH_FAILPOINT'];
/** What Kubernetes puts into the containers beside a service of that name. */
const serviceLink = /^WRITETHROUGH_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;

function checkEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  const known = [...Object.keys(optionDefs).map(environmentName), ...otherVariables];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('WRITETHROUGH_') || value === undefined || value === '') continue;
    if (known.includes(name) || serviceLink.test(name)) continue;
    throw new AppError('unknown-option', `unknown option "${name}" in the environment`, {
      hint: didYouMean(name, known),
      place: { path: name },
    });
  }
}

async function readFile(named: string | undefined): Promise<readonly (readonly [string, string])[]> {
  const path = named ?? defaultConfigFile;
  if (named === undefined && !existsSync(path)) return [];
  // Most processes have no such file: the parser is loaded only for those that do.
  const { parse } = await import('yaml');
  let parsed: unknown;
  try {
    parsed = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new AppError('bad-config', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: { file: path },
      cause,
    });
  }
  const entries: [string, string][] = [];
  flatten(parsed, '', entries, path);
  return entries;
}

function flatten(value: unknown, prefix: string, into: [string, string][], path: string): void {
  if (value === null || value === undefined) return;
  if (typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value))
      flatten(inner, prefix === '' ? key : `${prefix}.${key}`, into, path);
    return;
  }
  checkKey(prefix, path);
  into.push([prefix, Array.isArray(value) ? value.join(',') : String(value as string | number | boolean)]);
}

function checkKey(key: string, where: string): void {
  if (Object.hasOwn(optionDefs, key)) return;
  throw new AppError('unknown-option', `unknown option "${key}" in ${where}`, {
    hint: didYouMean(key, Object.keys(optionDefs)),
    place: { path: key },
  });
}

function bad(key: string, value: string, wanted: string): AppError {
  return new AppError('bad-config', `${key}: "${maskText(value)}" is not ${wanted}`, { place: { path: key } });
}

/** As it may be shown. */
export function shownConfig(config: Config): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, maskText(String(value ?? ''))]));
}
