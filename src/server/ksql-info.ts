// ksqlDB's GET endpoints about the server itself: what clients and dashboards ask before anything else.
import type { Exchange } from './exchange.js';
import { ksqlErrorBody, respondKsqlError } from './http-error.js';
import { ksqlContentType } from './ksql-statements.js';
import type { ServerContext } from './server-context.js';

function respondJson(exchange: Exchange, body: unknown): void {
  exchange.respond(200, ['Content-Type', ksqlContentType(exchange)], JSON.stringify(body));
}

export function serverInfo(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'info';
  const { version, serviceId, logId } = context.facades.status.identity;
  respondJson(exchange, {
    KsqlServerInfo: { version, kafkaClusterId: logId, ksqlServiceId: serviceId, serverStatus: 'RUNNING' },
  });
}

export function healthCheck(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'healthcheck';
  const { ready } = context.facades.status.readiness();
  respondJson(exchange, {
    isHealthy: ready,
    details: { metastore: { isHealthy: true }, kafka: { isHealthy: ready }, commandRunner: { isHealthy: true } },
    serverState: 'READY',
  });
}

/** As with ksqlDB's heartbeats off: there is no cluster of its own here. */
export function clusterStatus(_context: ServerContext, exchange: Exchange): void {
  exchange.route = 'cluster-status';
  respondKsqlError(exchange, ksqlErrorBody(40400, 'there is no cluster status: this service runs as one process'));
}

export function metadata(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'metadata';
  const { version, logId } = context.facades.status.identity;
  respondJson(exchange, { version, clusterId: metadataId(context, logId) });
}

export function metadataIdOnly(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'metadata';
  respondJson(exchange, metadataId(context, context.facades.status.identity.logId));
}

/** The Schema Registry's call; its id is ksqlDB's, too. */
export function metadataVersion(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'metadata';
  respondJson(exchange, { version: context.facades.status.identity.version, commitId: '' });
}

function metadataId(context: ServerContext, logId: string): Record<string, unknown> {
  const { serviceId } = context.facades.status.identity;
  return { scope: { path: [], clusters: { 'kafka-cluster': logId, 'ksql-cluster': serviceId } }, id: '' };
}

export function terminateCluster(_context: ServerContext, exchange: Exchange): void {
  exchange.route = 'terminate';
  respondKsqlError(
    exchange,
    ksqlErrorBody(40000, 'terminating the cluster is not supported; stop the process and remove its data folder'),
  );
}
