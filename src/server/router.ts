// From a request to its handler, by hand: one comparison for the reads of /v1/tables, a map for the fixed paths, a few prefixes
// for the rest; no pattern is compiled and no list of routes is walked. Every request passes the guard first, and every
// error leaves through one place, in the shape of the path's family.
import { AppError, errorFields, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { streamChanges } from './change-routes.js';
import { noteDamage } from './damage.js';
import { checkParameters } from './declared-parameters.js';
import type { Exchange } from './exchange.js';
import type { Guard } from './guard.js';
import { errorAnswer, familyOf, ksqlErrorBody, respondError, respondKsqlError } from './http-error.js';
import { insertsStream } from './inserts-stream.js';
import {
  clusterStatus,
  healthCheck,
  metadata,
  metadataIdOnly,
  metadataVersion,
  serverInfo,
  terminateCluster,
} from './ksql-info.js';
import { commandStatus, isValidProperty, runStatements } from './ksql-statements.js';
import { refuseChangeOfFollower } from './leader-only.js';
import { decodeSegment } from './query-string.js';
import { closeQuery, runQuery } from './query-routes.js';
import {
  describeTable,
  listRebuilds,
  listTables,
  parseTablePath,
  readMany,
  readRow,
  readRows,
  rebuildTable,
} from './read-routes.js';
import type { ServerContext } from './server-context.js';
import { description, errorPage, live, metrics, ready, root, status } from './service-routes.js';
import { listTopics, tapTopic } from './tap-routes.js';
import { alterConfigs, listClusters, putConfig, readConfigs, resetConfig } from './topic-config-routes.js';

type Handler = (context: ServerContext, exchange: Exchange) => Promise<void> | void;
type PrefixHandler = (context: ServerContext, exchange: Exchange, rest: string) => Promise<void> | void;

interface Route<H> {
  readonly GET?: H;
  readonly POST?: H;
  readonly PUT?: H;
  readonly DELETE?: H;
}

const tablesPrefix = '/v1/tables/';

const exactRoutes = new Map<string, Route<Handler>>([
  ['/', { GET: root }],
  ['/v1/tables', { GET: listTables }],
  ['/v1/read', { POST: readMany }],
  ['/v1/topics', { GET: listTopics }],
  ['/v3/clusters', { GET: listClusters }],
  ['/v1/status', { GET: status }],
  ['/v1/rebuilds', { GET: listRebuilds }],
  ['/readyz', { GET: ready }],
  ['/metrics', { GET: metrics }],
  ['/openapi.json', { GET: description }],
  ['/errors', { GET: (_context, exchange) => errorPage(exchange, '') }],
  ['/ksql', { POST: runStatements }],
  ['/ksql/terminate', { POST: terminateCluster }],
  ['/query', { POST: (context, exchange) => runQuery(context, exchange, 'query') }],
  ['/query-stream', { POST: (context, exchange) => runQuery(context, exchange, 'query-stream') }],
  ['/close-query', { POST: closeQuery }],
  ['/inserts-stream', { POST: insertsStream }],
  ['/info', { GET: serverInfo }],
  ['/healthcheck', { GET: healthCheck }],
  ['/status', { GET: (context, exchange) => commandStatus(context, exchange, '') }],
  ['/clusterStatus', { GET: clusterStatus }],
  ['/v1/metadata', { GET: metadata }],
  ['/v1/metadata/id', { GET: metadataIdOnly }],
  ['/v1/metadata/version', { GET: metadataVersion }],
  ['/chc/ready', { GET: chc }],
]);

const prefixRoutes: readonly (readonly [string, Route<PrefixHandler>])[] = [
  ['/v1/topics/', { GET: tapTopic }],
  ['/v3/clusters/', { GET: readConfigs, PUT: putConfig, DELETE: resetConfig, POST: alterConfigs }],
  ['/status/', { GET: (context, exchange, rest) => commandStatus(context, exchange, decodeSegment(rest)) }],
  ['/is_valid_property/', { GET: (_context, exchange, rest) => isValidProperty(exchange, decodeSegment(rest)) }],
  ['/errors/', { GET: (_context, exchange, rest) => errorPage(exchange, decodeSegment(rest)) }],
];

/** Paths that are answered here, those of /v1/tables excepted; a prefix ends with a slash. For the test of the description. */
export const routedPaths: readonly string[] = [
  ...exactRoutes.keys(),
  ...prefixRoutes.map(([prefix]) => prefix),
  '/livez',
  '/chc/live',
];

function chc(_context: ServerContext, exchange: Exchange): void {
  exchange.route = 'chc';
  exchange.respond(200, ['Content-Type', 'application/json'], '{}');
}

export interface RouterParts {
  readonly guard: Guard;
  readonly logger: Logger;
  /** Undefined until the rooms behind the edge are there. */
  readonly context: () => ServerContext | undefined;
  /** Takes a request of Kafka Connect's or the registry's interface. */
  readonly admin: (family: 'connect' | 'registry', exchange: Exchange) => Promise<void>;
}

export function createRouter(parts: RouterParts): (exchange: Exchange) => void {
  const { guard, logger } = parts;

  function route(exchange: Exchange): Promise<void> | void {
    const { path } = exchange;
    const context = parts.context();
    if (context === undefined) return beforeReady(exchange);
    refuseChangeOfFollower(context.facades.status, exchange);
    checkParameters(exchange);
    if (path.startsWith(tablesPrefix)) return routeTable(context, exchange, path);
    const exact = exactRoutes.get(path);
    if (exact !== undefined) {
      const handler = forMethod(exact, exchange);
      return handler === undefined ? methodNotAllowed(exchange, exact) : handler(context, exchange);
    }
    if (path === '/livez') return live(exchange);
    if (path === '/chc/live') return chc(context, exchange);
    for (const [prefix, methods] of prefixRoutes) {
      if (!path.startsWith(prefix)) continue;
      const handler = forMethod(methods, exchange);
      return handler === undefined
        ? methodNotAllowed(exchange, methods)
        : handler(context, exchange, path.slice(prefix.length));
    }
    const family = familyOf(path);
    if (family === 'connect' || family === 'registry') return parts.admin(family, exchange);
    throw new AppError('unknown-route', `there is no path ${path.slice(0, 200)}`, {
      hint: 'GET /openapi.json lists the paths',
    });
  }

  function fail(exchange: Exchange, error: unknown): void {
    const app = toAppError(error);
    const context = parts.context();
    if (context !== undefined) noteDamage(context, app);
    const { path } = exchange;
    if (exchange.answered) logger.error('a request failed behind its header', { path, ...errorFields(app) });
    else {
      if (app.code === 'internal') logger.error('a request failed', { path, ...errorFields(app) });
      respondError(exchange, app);
    }
  }

  return (exchange) => {
    try {
      guard.check(exchange);
      const pending = route(exchange);
      if (pending !== undefined) pending.catch((error: unknown) => fail(exchange, error));
    } catch (error) {
      fail(exchange, error);
    }
  };
}

function routeTable(context: ServerContext, exchange: Exchange, path: string): Promise<void> | void {
  const target = parseTablePath(path, tablesPrefix.length);
  if (target === undefined) throw new AppError('unknown-route', `there is no path ${path.slice(0, 200)}`);
  const { table, verb } = target;
  if (verb === 'rebuild') {
    return exchange.method === 'POST'
      ? rebuildTable(context, exchange, table)
      : methodNotAllowed(exchange, { POST: true });
  }
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return methodNotAllowed(exchange, { GET: true });
  switch (verb) {
    case 'row':
      return readRow(context, exchange, table, target.key);
    case 'rows':
      return readRows(context, exchange, table);
    case 'changes':
      return streamChanges(context, exchange, table);
    default:
      return describeTable(context, exchange, table);
  }
}

function forMethod<H>(methods: Route<H>, exchange: Exchange): H | undefined {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return methods.GET;
  const { method } = exchange;
  return method === 'POST' || method === 'PUT' || method === 'DELETE' ? methods[method] : undefined;
}

function methodNotAllowed(exchange: Exchange, methods: Route<unknown>): void {
  const allowed = Object.keys(methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const error = new AppError('method-not-allowed', `${exchange.path.slice(0, 200)} does not take ${exchange.method}`, {
    hint: `it takes ${allowed.join(', ')}`,
  });
  const { status: code, contentType, body } = errorAnswer(familyOf(exchange.path), error);
  exchange.respond(code, ['Content-Type', contentType, 'Allow', allowed.join(', ')], body);
}

/** In the words of Kafka Connect's worker. */
function respondStarting(exchange: Exchange): void {
  const body = JSON.stringify({ status: 'starting', message: 'Worker is still starting up.' });
  exchange.respond(503, ['Content-Type', 'application/json'], body);
}

/** While the service starts only liveness can be told. */
function beforeReady(exchange: Exchange): void {
  if (exchange.path === '/livez' || exchange.path === '/chc/live') return live(exchange);
  exchange.route = 'not-ready';
  if (exchange.path === '/health') return respondStarting(exchange);
  if (familyOf(exchange.path) === 'ksql') {
    return respondKsqlError(exchange, ksqlErrorBody(50302, 'the server is not ready yet'));
  }
  respondError(exchange, new AppError('not-ready', 'the service is starting', { retriable: true }));
}
