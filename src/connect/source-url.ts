// The connector that `--source URL` stands for.
import { basename, resolve } from 'node:path';
import { AppError } from '../core/errors.js';
import { caseCounts } from '../core/pattern-list.js';
import type { ConnectorConfig } from './connect-facade.js';

export interface SourceUrlConnector {
  readonly name: string;
  readonly config: ConnectorConfig;
}

/**
 * `mysql://user:password@host:port/database`, `mariadb://...` or `sqlite:FILE`. Flat JSON without schemas, bare keys, one
 * partition; what stands behind a `?` are properties of the connector (of a file it is part of its name). The name is made of host and database, and is only a proposal: which connector the source has is source-follower.ts's to find.
 */
export function connectorOfUrl(text: string): SourceUrlConnector {
  const flat = {
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'output.shape': 'flat',
    'output.key.shape': 'bare',
    'snapshot.mode': 'initial',
  };
  if (text.startsWith('sqlite:')) {
    const file = resolve(text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
    if (text.length === 'sqlite:'.length) throw badUrl(text, 'the file is missing');
    const base = basename(file).replace(/\.[^.]*$/, '');
    return {
      name: `sqlite-${clean(base)}`,
      config: { ...flat, 'connector.class': 'SqliteCdcSource', 'database.file': file, 'topic.prefix': 'sqlite' },
    };
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw badUrl(text, 'it is not a URL', cause);
  }
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'mysql' && scheme !== 'mariadb') throw badUrl(text, `unknown scheme "${scheme}:"`);
  if (url.hostname === '') throw badUrl(text, 'the host is missing');
  if (url.username === '') throw badUrl(text, 'the user is missing');
  const database = decodeURIComponent(url.pathname.slice(1));
  const port = url.port || '3306';
  const server = clean(`${scheme}-${url.hostname}${port === '3306' ? '' : `-${port}`}`);
  return {
    name: database === '' ? server : clean(`${server}-${database}`),
    config: {
      ...flat,
      'connector.class': 'MySqlCdcSource',
      'database.hostname': url.hostname.replace(/^\[|\]$/g, ''),
      'database.port': port,
      'database.user': decodeURIComponent(url.username),
      'database.password': decodeURIComponent(url.password),
      ...(database === '' ? {} : { 'database.include.list': literalPattern(database) }),
      'topic.prefix': server,
      ...propertiesOf(text, url),
    },
  };
}

/** Of what the URL says itself there is one place. */
const ofTheUrl = new Set([
  'database.hostname',
  'database.port',
  'database.user',
  'database.password',
  'connector.class',
]);

/** `?name=value&...` are properties of the connector, checked with the others. */
function propertiesOf(text: string, { searchParams, hash }: URL): ConnectorConfig {
  if (hash !== '') throw badUrl(text, 'a # in it has to be written as %23');
  const given: Record<string, string> = {};
  for (const [name, value] of searchParams) {
    if (ofTheUrl.has(name)) throw badUrl(text, `"${name}" is said by the URL itself`);
    if (Object.hasOwn(given, name)) throw badUrl(text, `"${name}" is there twice`);
    given[name] = value;
  }
  return given;
}

/** Include lists hold regular expressions; a database's own name must match only itself, also beside one that differs in case. */
function literalPattern(name: string): string {
  return caseCounts + name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function clean(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}

function badUrl(text: string, why: string, cause?: unknown): AppError {
  return new AppError('bad-config', `source URL: ${why}`, {
    detail: `in "${masked(text)}"`,
    hint: 'use mysql://user:password@host:3306/database, mariadb://... or sqlite:FILE',
    cause,
  });
}

/** Up to the last @, or to the end: a password may hold anything, and a URL that is wrong may be cut short. Properties may be secrets, too. */
function masked(text: string): string {
  const end = text.includes('@') ? /:\/\/([^:@/]*):.*(?=@)/s : /:\/\/([^:/]*):.*$/s;
  return text.replace(end, '://$1:****').replace(/\?.*$/s, '?****');
}
