// The herder of one life of the service, on the threads of its engine and of its sources.
import { hostname } from 'node:os';
import type { Config } from '../config.js';
import type { ConnectorStore } from '../connect/herder-env.js';
import { Herder } from '../connect/herder.js';
import type { Reconnects } from '../connect/reconnects.js';
import { countVerification } from '../connect/verify-runs.js';
import { reached } from '../connect/reach.js';
import type { SourceFreshness } from '../connect/source-freshness.js';
import type { Metrics } from '../core/metrics.js';
import { createLogger, type LogTarget } from '../core/logger.js';
import type { StreamOptions } from '../engine/engine-api.js';
import { startCaptureThread } from '../threads/capture-thread.js';
import type { EngineThread } from '../threads/engine-thread.js';
import { startInquiry } from '../threads/inquiry-thread.js';
import { reachOf } from './reach-options.js';
import { version } from './version.js';

export interface HerderParts {
  readonly stream: StreamOptions;
  readonly freshness: SourceFreshness;
  readonly stillLeads: () => Promise<boolean>;
  readonly reconnects: Reconnects;
  readonly stopping: AbortSignal;
  readonly metrics: Metrics;
  readonly log: LogTarget;
}

/** Reads the sources of this process's life as the leader, each in a thread of its own. */
export function openHerder(
  config: Config,
  engine: EngineThread,
  { stream, freshness, stillLeads, reconnects, stopping, metrics, log }: HerderParts,
): Herder {
  const reach = reachOf(config);
  const threads = { engine: engine.remote, stream, serviceId: config['service.id'], log };
  return new Herder({
    store: connectorStore(engine),
    startTask: (name, checked, onReport) => {
      const task = startCaptureThread(threads, name, checked, (report) => {
        reconnects.state(name, report.state);
        onReport(report);
      });
      return reconnects.watch(name, task);
    },
    freshness,
    stillLeads,
    stopping,
    onRestart: (connector) => metrics.count('writethrough_connector_restarts_total', 1, { connector }),
    onVerified: (name, summary) => countVerification(metrics, name, summary),
    openInquiry: (family, source) => startInquiry(log, family, source),
    resolveReferences: (properties, owner) => reached(properties, owner, reach),
    workerId: `${hostname()}:${config.port}`,
    version,
    logger: createLogger(log),
  });
}

/** The connectors as the engine keeps them. */
export function connectorStore({ remote }: EngineThread): ConnectorStore {
  return {
    load: () => remote.connectors(),
    put: (connector) => remote.putConnector(connector),
    remove: (name, keep) => remote.removeConnector(name, keep),
    setPosition: (name, position) => remote.setConnectorPosition(name, position),
    progress: (name) => remote.connectorProgress(name),
  };
}
