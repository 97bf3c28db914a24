// What a connector may reach: values of the process that its properties refer to (`${env:NAME}`, `${file:NAME}`), servers, and SQLite
// files. A connector that the operator gave when he started the process (`--source`) is his own, and goes where he may go. One that came
// over HTTP gets from the environment only what the operator lists, and from the disk only files of one folder, since what it refers to is
// sent to a host of its choice; and it opens only what the operator lets it. Files of this service are nobody's source: what is captured
// from them is written into them again, without end.
//
// Checked each time that a configuration is used, since links and lists change. Names of hosts are compared as they are written.
import { readFileSync, realpathSync, statSync, type BigIntStats } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';
import { parseJdbcUrl } from '../core/jdbc-url.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { StoredConnector } from './stored-connector.js';

export type Owner = StoredConnector['owner'];

export interface ReachOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names that may be referred to, `*` for any part. */
  readonly envAllowed: readonly string[];
  readonly secretsFolder: string;
  /** `mysql://HOST`, `mysql://HOST:PORT`, `sqlite:FOLDER`; `*` in hosts for any part. */
  readonly sourcesAllowed: readonly string[];
  /** Of this service; they need not be there yet. */
  readonly ownFiles: readonly string[];
}

/** The configuration with its references resolved. Throws not-allowed for what a connector of this owner may not reach. */
export function reached(config: ConnectorConfig, owner: Owner, options: ReachOptions): ConnectorConfig {
  const resolved = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === 'string' ? resolveText(value, { key, owner, ...options }) : value,
    ]),
  );
  for (const { property, file } of filesOf(resolved)) checkFile(file, property, owner, options);
  if (owner === 'api')
    for (const { property, host, port } of serversOf(resolved))
      if (!options.sourcesAllowed.some((entry) => isServer(entry, host, port)))
        throw notAllowed(property, `the server ${host}:${port} is not among those that a connector may read`, {
          hint: `the operator lets connectors read it by the option sources.allowed: mysql://${host}:${port}`,
        });
  return resolved;
}

interface ResolvedText extends ReachOptions {
  readonly key: string;
  readonly owner: Owner;
}

function resolveText(text: string, { key, owner, env, envAllowed, secretsFolder }: ResolvedText): string {
  return text.replaceAll(/\$\{(env|file):([^}]+)\}/g, (_whole, kind: string, name: string) => {
    if (kind === 'file') return readSecret(key, name, secretsFolder);
    if (owner === 'api' && !envAllowed.some((entry) => globOf(entry).test(name)))
      throw notAllowed(key, `\${env:${name}} is not among the names that a connector may refer to`, {
        hint: `the operator lists it in the option secrets.env, or puts the value into a file of ${secretsFolder} for \${file:NAME}`,
      });
    const value = env[name];
    if (value === undefined) throw missing(key, `the environment has no ${name}`);
    return value;
  });
}

function readSecret(key: string, name: string, folder: string): string {
  const path = resolve(folder, name);
  if (!path.startsWith(resolve(folder) + sep)) throw missing(key, `${name} lies outside the secrets folder ${folder}`);
  try {
    const stat = statSync(path);
    // A pipe would be waited for, and a device has no end.
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > bounds.secretBytes.value) throw new Error(`it has more than ${bounds.secretBytes.value} bytes`);
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw missing(key, `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function filesOf(config: ConnectorConfig): { readonly property: string; readonly file: string }[] {
  const found: { property: string; file: string }[] = [];
  const file = config['database.file'];
  if (typeof file === 'string' && file !== '') found.push({ property: 'database.file', file });
  const url = jdbcOf(config);
  if (url?.kind === 'file') found.push({ property: 'connection.url', file: url.file });
  return found;
}

function serversOf(
  config: ConnectorConfig,
): { readonly property: string; readonly host: string; readonly port: string }[] {
  const found: { property: string; host: string; port: string }[] = [];
  const add = (property: string, host: unknown, port: unknown) => {
    if (typeof host === 'string' && host.trim() !== '')
      found.push({ property, host: host.trim(), port: typeof port === 'string' ? port.trim() : '3306' });
  };
  add('database.hostname', config['database.hostname'], config['database.port']);
  add('connection.host', config['connection.host'], config['connection.port']);
  const url = jdbcOf(config);
  if (url?.kind === 'server') add('connection.url', url.host, url.port ?? config['connection.port']);
  return found;
}

function jdbcOf(config: ConnectorConfig) {
  const url = config['connection.url'];
  return typeof url === 'string' ? parseJdbcUrl(url) : undefined;
}

function checkFile(file: string, property: string, owner: Owner, options: ReachOptions): void {
  const real = realPath(resolve(file));
  if (options.ownFiles.some((own) => isSame(real, own)))
    throw notAllowed(property, `${file} is a file of this service`, {
      hint: 'what is captured is written into it: capture the file of your application',
    });
  if (owner !== 'api') return;
  const folders = options.sourcesAllowed.flatMap((entry) =>
    entry.startsWith('sqlite:') ? [realPath(resolve(entry.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')))] : [],
  );
  if (folders.some((folder) => isWithin(real, folder))) return;
  throw notAllowed(property, `${file} does not lie in a folder whose files a connector may open`, {
    hint: `the operator lets connectors open it by the option sources.allowed: sqlite:${dirname(real)}`,
  });
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** By whatever name: another path, a symbolic or a hard link. */
function isSame(real: string, own: string): boolean {
  if (real === realPath(resolve(own))) return true;
  const one = statOf(real);
  const other = statOf(own);
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Undefined for what cannot be seen, and so cannot be opened either. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Without links, also of what is not there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder), basename(path));
  }
}

/** `mysql://HOST[:PORT]`; hosts have no case. */
function isServer(entry: string, host: string, port: string): boolean {
  const [, wanted, only] = /^(?:mysql|mariadb):\/\/(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted === undefined) return false;
  const name = wanted.replaceAll(/[[\]]/g, '').toLowerCase();
  return globOf(name).test(host.replaceAll(/[[\]]/g, '').toLowerCase()) && (only === undefined || only === port);
}

function globOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function notAllowed(key: string, why: string, { hint }: { readonly hint: string }): AppError {
  return new AppError('not-allowed', `${key}: ${why}`, { place: { path: key }, hint });
}

function missing(key: string, why: string, cause?: unknown): AppError {
  return new AppError('bad-connector-config', `${key}: ${why}`, { place: { path: key }, cause });
}
