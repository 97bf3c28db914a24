// What every handler is given: the rooms behind the HTTP edge, once they are there, and the server's own parts.
import type { ConnectFacade } from '../connect/connect-facade.js';
import { bounds } from '../core/bounds.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { StatementFacade } from '../projector/statement-facade.js';
import type { QueryFacade } from '../query/query-facade.js';
import type { RegistryFacade } from '../registry/registry-facade.js';
import type { CommandStatuses } from './command-statuses.js';
import type { Gate } from './gate.js';
import type { RequestCounts } from './request-counts.js';
import type { LoggersFacade } from './loggers-facade.js';
import type { StatusFacade } from './status-facade.js';
import type { StreamTracker } from './stream-tracker.js';
import type { TapFacade } from './tap-facade.js';
import type { TopicsFacade } from './topics-facade.js';

export interface ServerFacades {
  readonly query: QueryFacade;
  readonly statements: StatementFacade;
  readonly connect: ConnectFacade;
  readonly registry: RegistryFacade;
  readonly tap: TapFacade;
  readonly topics: TopicsFacade;
  readonly status: StatusFacade;
  readonly loggers: LoggersFacade;
}

export interface ServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly bodyBytesMax: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Listening beyond loopback without it is refused. */
  readonly allowUnauthenticated: boolean;
  readonly heartbeatMs: number;
  /** A client that takes nothing of its answer for so long is cut off. */
  readonly stallMs: number;
  /** How long closing waits for requests and streams to end. */
  readonly closeMs: number;
  /** Time for a client to send its whole request header. */
  readonly headersTimeoutMs: number;
  /** What an event stream tells its clients to wait before they connect again. */
  readonly retryMs: number;
  readonly pushQueriesMax: number;
  /** Bytes of answers that wait for clients, where the process has no sum of its own. */
  readonly answersBytesMax: number;
  readonly connectionsMax: number;
  readonly subscribersMax: number;
  readonly http2: { readonly streamsPerConnection: number; readonly streams: number; readonly idleMs: number };
}

export const serverDefaults: ServerOptions = {
  host: '127.0.0.1',
  port: 8088,
  bodyBytesMax: 1024 * 1024,
  allowedHosts: [],
  allowedOrigins: [],
  allowUnauthenticated: false,
  heartbeatMs: 15_000,
  stallMs: bounds.answerStallMs.value,
  closeMs: 5_000,
  headersTimeoutMs: 20_000,
  retryMs: 1_000,
  pushQueriesMax: 1_000,
  answersBytesMax: 128 * 1024 * 1024,
  connectionsMax: 10_000,
  subscribersMax: 5_000,
  http2: {
    streamsPerConnection: bounds.http2StreamsPerConnection.value,
    streams: bounds.http2Streams.value,
    idleMs: bounds.http2IdleMs.value,
  },
};

export interface ServerContext {
  readonly facades: ServerFacades;
  readonly options: ServerOptions;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly counts: RequestCounts;
  readonly streams: StreamTracker;
  readonly commands: CommandStatuses;
  /** Open ones, for the limits. */
  readonly pushQueries: { open: number };
  readonly subscribers: { open: number };
  /** Pages of topics that are read and printed at once. */
  readonly taps: Gate;
}
