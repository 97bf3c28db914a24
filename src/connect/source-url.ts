// The connector that `--source URL` stands for.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { AppError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { caseCounts } from '../core/pattern-list.js';
import { propertiesOf as propertiesOfFamily, propertyFamilies, type PluginFamily } from './config-def.js';
import type { ConnectorConfig } from './connect-facade.js';

export interface SourceUrlConnector {
  readonly name: string;
  readonly config: ConnectorConfig;
}

/**
 * `mysql://user:password@host:port/database`, `mariadb://...` or `sqlite:FILE`. Flat JSON without schemas, bare keys, one
 * partition; what stands behind a `?` are properties of the connector, unless a file has that name. The name is made of host and database, and is only a proposal: which connector the source has is source-follower.ts's to find.
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
    const { path, query } = fileOf(text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
    if (path === '') throw badUrl(text, 'the file is missing');
    const file = resolve(path);
    const base = basename(file).replace(/\.[^.]*$/, '');
    return {
      name: `sqlite-${clean(base)}`,
      config: {
        ...flat,
        'connector.class': 'SqliteCdcSource',
        'database.file': file,
        'topic.prefix': 'sqlite',
        ...propertiesOf(text, new URLSearchParams(query), 'sqlite'),
      },
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
  if (url.hash !== '') throw badUrl(text, 'a # in it has to be written as %23');
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
      ...propertiesOf(text, url.searchParams, 'mysql'),
    },
  };
}

/** A question mark may be a part of the name of a file that is there. */
function fileOf(text: string): { readonly path: string; readonly query: string } {
  const mark = text.indexOf('?');
  if (mark < 0 || existsSync(text)) return { path: text, query: '' };
  return { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

/** Of what the URL says itself there is one place. */
const ofTheUrl: ReadonlySet<string> = new Set([
  'name',
  'connector.class',
  'database.file',
  'database.hostname',
  'database.port',
  'database.user',
  'database.password',
]);

/** `?name=value&...` are properties of the connector: those that it has not are refused here, before anything is begun; values with the others. */
function propertiesOf(text: string, parameters: URLSearchParams, family: PluginFamily): ConnectorConfig {
  const given = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (ofTheUrl.has(name)) throw badUrl(text, `"${name}" is said by the URL itself`);
    if (given.has(name)) throw badUrl(text, `"${name}" is there twice`);
    given.set(name, value);
  }
  const config = Object.fromEntries(given);
  const known = propertiesOfFamily(family, config).flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  for (const name of given.keys()) {
    if (known.includes(name) || propertyFamilies[family].some(({ pattern }) => pattern.test(name))) continue;
    throw badUrl(text, `the connector has no property "${name}"`, undefined, didYouMean(name, known));
  }
  return config;
}

/** Include lists hold regular expressions; a database's own name must match only itself, also beside one that differs in case. */
function literalPattern(name: string): string {
  return caseCounts + name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function clean(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}

function badUrl(text: string, why: string, cause?: unknown, hint?: string): AppError {
  return new AppError('bad-config', `source URL: ${why}`, {
    detail: `in "${masked(text)}"`,
    hint:
      hint ??
      'use mysql://user:password@host:3306/database, mariadb://... or sqlite:FILE; docs/connector-properties.md has the properties that may follow a ?',
    cause,
  });
}

/** Up to the last @, or to the end: a password may hold anything, and a URL that is wrong may be cut short. Properties may be secrets, too. */
function masked(text: string): string {
  const end = text.includes('@') ? /:\/\/([^:@/]*):.*(?=@)/s : /:\/\/([^:/]*):.*$/s;
  return text.replace(end, '://$1:****').replace(/\?.*$/s, '?****');
}
