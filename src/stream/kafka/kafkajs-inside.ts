// The door to the parts of kafkajs that its public types leave out: Cluster, with its brokers and connections. Version pinned;
// kafkajs has no exports map, so its files can be named. Everything else in this folder sees only the types declared here.
import { createRequire } from 'node:module';
import kafkajs, { type Admin, type logCreator, type SASLOptions } from 'kafkajs';
import type { KafkaTls } from './kafka-url.js';

export interface KafkaJsConnection {
  readonly socket?: { destroy(): void } | undefined;
  rejectRequests(error: Error): void;
}

export interface KafkaJsConnectionPool {
  readonly pool: readonly KafkaJsConnection[];
  send(protocolRequest: unknown): Promise<unknown>;
}

export interface OffsetsTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
}

interface TransactionIds {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface KafkaJsBroker {
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
  readonly connectionPool: KafkaJsConnectionPool;
  disconnect(): Promise<void>;
  initProducerId(options: {
    transactionalId: string;
    transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  addPartitionsToTxn(
    options: TransactionIds & {
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
    },
  ): Promise<unknown>;
  endTxn(options: TransactionIds & { readonly transactionResult: boolean }): Promise<unknown>;
  listOffsets(options: { isolationLevel: number; topics: readonly OffsetsTopic[] }): Promise<{
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[];
  }>;
}

export interface KafkaJsCluster {
  readonly targetTopics: Set<string>;
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, KafkaJsBroker>>;
    readonly seedBroker: KafkaJsBroker | undefined;
  };
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(options: { nodeId: number }): Promise<KafkaJsBroker>;
  findGroupCoordinatorMetadata(options: {
    groupId: string;
    coordinatorType: number;
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>;
}

export interface ClusterOptions {
  readonly brokers: string[];
  readonly clientId: string;
  readonly ssl?: KafkaTls | undefined;
  readonly sasl?: SASLOptions | undefined;
  readonly connectionTimeout: number;
  readonly authenticationTimeout: number;
  readonly requestTimeout: number;
}

// By the default export: Node does not see all names of this CommonJS module.
export const { logLevel, ConfigResourceTypes } = kafkajs;

const require = createRequire(import.meta.url);

export function createCluster(options: ClusterOptions, logger: logCreator): KafkaJsCluster {
  // Watching over time-outs wakes the process up ten times a second for each connection: BrokerLink does it itself. And we try
  // again ourselves: kafkajs's retries end some day, and its waiting is made for other cases.
  const retry = { retries: 0, initialRetryTime: 1, maxRetryTime: 1, factor: 0, multiplier: 1 };
  return newCluster({ ...options, retry, enforceRequestTimeout: false }, createRootLogger(logger));
}

/** kafkajs's admin client over such a cluster; with its own watch over time-outs and its own retries. */
export function createAdmin(
  options: ClusterOptions,
  logger: logCreator,
): { readonly admin: Admin; readonly cluster: KafkaJsCluster } {
  const create = require('kafkajs/src/admin') as (options: unknown) => Admin;
  const InstrumentationEventEmitter = require('kafkajs/src/instrumentation/emitter') as new () => unknown;
  const retry = { retries: 1, initialRetryTime: 50, maxRetryTime: 200 };
  const rootLogger = createRootLogger(logger);
  const cluster = newCluster({ ...options, retry, enforceRequestTimeout: true }, rootLogger);
  const instrumentationEmitter = new InstrumentationEventEmitter();
  return { admin: create({ logger: rootLogger, retry, cluster, instrumentationEmitter }), cluster };
}

function createRootLogger(logger: logCreator): unknown {
  const { createLogger } = require('kafkajs/src/loggers') as { createLogger: (options: unknown) => unknown };
  return createLogger({ level: logLevel.WARN, logCreator: logger });
}

interface BuiltCluster extends KafkaJsCluster {
  readonly connectionPoolBuilder: { build: (destination?: unknown) => Promise<BuiltPool> };
}

interface BuiltConnection {
  readonly requestQueue: { readonly pending: readonly unknown[]; scheduleCheckPendingRequests: () => void };
  socket: unknown;
  disconnect: () => Promise<boolean>;
}

interface BuiltPool {
  readonly pool: readonly BuiltConnection[];
}

function newCluster(
  options: ClusterOptions & { retry: unknown; enforceRequestTimeout: boolean },
  logger: unknown,
): KafkaJsCluster {
  const Cluster = require('kafkajs/src/cluster') as new (options: unknown) => BuiltCluster;
  const socketFactory = require('kafkajs/src/network/socketFactory') as () => unknown;
  const cluster = new Cluster({
    ...options,
    logger,
    socketFactory: socketFactory(),
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
  });
  const builder = cluster.connectionPoolBuilder;
  const build = builder.build.bind(builder);
  builder.build = async (destination) => {
    const built = await build(destination);
    for (const connection of built.pool) {
      quieten(connection.requestQueue);
      forgetSockets(connection);
    }
    return built;
  };
  return cluster;
}

/**
 * kafkajs 2.2.4 looks every millisecond, on every connection and for ever, whether a request waits to be sent (its timer is set
 * with a negative time): 4 % of a core for nothing. It is enough while one does.
 */
function quieten(queue: BuiltConnection['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

/** While a broker is away, each try ends both connections to it again, also the socket that has ended long ago: Node warns of it. */
function forgetSockets(connection: BuiltConnection): void {
  const disconnect = connection.disconnect.bind(connection);
  connection.disconnect = async () => {
    const { socket } = connection;
    const result = await disconnect();
    if (connection.socket === socket) connection.socket = undefined;
    return result;
  };
}
