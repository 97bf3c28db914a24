// What operators and machines ask of the service itself: probes, status, metrics, the description of the API, error codes, and
// the front door `/`, which answers people with a page, Kafka Connect's clients with the version, and ksqlDB's
// with the way to /info.
import { AppError, errorCodes } from '../core/errors.js';
import { acceptedTypes } from './accept.js';
import { type Exchange, jsonType } from './exchange.js';
import { frontPage } from './front-page.js';
import { registryType } from './http-error.js';
import { openApi } from './openapi.js';
import { freshnessHeaders } from './read-routes.js';
import { printMetrics, processSamples, prometheusType } from './prometheus.js';
import type { ServerContext } from './server-context.js';

const noStore = ['Cache-Control', 'no-store'];

/** The process works; says nothing about the source or the tables, so that a probe does not restart us for their trouble. */
export function live(exchange: Exchange): void {
  exchange.route = 'livez';
  exchange.respond(200, ['Content-Type', jsonType, ...noStore], '{"status":"live"}');
}

export function ready(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'readyz';
  const { ready: isReady, reason } = context.facades.status.readiness();
  const body = JSON.stringify(isReady ? { status: 'ready' } : { status: 'not-ready', reason });
  exchange.respond(isReady ? 200 : 503, ['Content-Type', jsonType, ...noStore], body);
}

export async function status(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'status';
  const answer = await context.facades.status.status();
  const headers = ['Content-Type', jsonType, ...noStore];
  headers.push(...freshnessHeaders(answer));
  exchange.respond(200, headers, JSON.stringify(answer));
}

export async function metrics(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'metrics';
  const rooms = await context.facades.status.metrics();
  const samples = [...context.metrics.samples(), ...rooms, ...context.counts.samples(), ...processSamples()];
  exchange.respond(200, ['Content-Type', prometheusType], printMetrics(samples));
}

export function description(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'openapi';
  exchange.respond(200, ['Content-Type', jsonType], JSON.stringify(openApi(context.facades.status.identity.version)));
}

/** GET /errors and /errors/{code}: what the `type` of a problem refers to. */
export function errorPage(exchange: Exchange, code: string): void {
  exchange.route = 'errors';
  const entries = Object.entries(errorCodes).map(([name, [httpStatus, meaning]]) => ({
    code: name,
    status: httpStatus,
    meaning,
  }));
  const body = code === '' ? { errors: entries } : entries.find((entry) => entry.code === code);
  if (body === undefined) throw new AppError('unknown-route', `there is no error code "${code.slice(0, 80)}"`);
  exchange.respond(200, ['Content-Type', jsonType], JSON.stringify(body));
}

export async function root(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'root';
  const types = acceptedTypes(exchange.header('accept') ?? '');
  if (types[0] === 'application/json') {
    // As a worker of Kafka Connect says it.
    const { version, logId } = context.facades.status.identity;
    const worker = { version, commit: version, kafka_cluster_id: logId };
    return exchange.respond(200, ['Content-Type', jsonType, ...noStore], JSON.stringify(worker));
  }
  // The Schema Registry's answer, by which its clients ask whether somebody is there.
  if (types[0]?.startsWith('application/vnd.schemaregistry'))
    return exchange.respond(200, ['Content-Type', registryType, ...noStore], '{}');
  if (!types.includes('text/html')) return exchange.respond(307, ['Location', '/info'], '');
  const [{ tables }, current] = await Promise.all([context.facades.query.tables(), context.facades.status.status()]);
  const headers = ['Content-Type', 'text/html; charset=utf-8', ...noStore];
  headers.push(
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  );
  exchange.respond(200, headers, frontPage(current, tables));
}
