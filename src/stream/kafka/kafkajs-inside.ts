// The door to the parts of kafkajs that its public types leave out: Cluster, with its brokers and connections. Version pinned;
// kafkajs has no exports map, so its files can be named. Everything else in this folder sees only the types declared here.
import { createRequire } from 'node:module';
import { logLevel, type logCreator, type SASLOptions } from 'kafkajs';
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

const require = createRequire(import.meta.url);

export function createCluster(options: ClusterOptions, logger: logCreator): KafkaJsCluster {
  const Cluster = require('kafkajs/src/cluster') as new (options: unknown) => KafkaJsCluster;
  const { createLogger } = require('kafkajs/src/loggers') as { createLogger: (options: unknown) => unknown };
  const socketFactory = require('kafkajs/src/network/socketFactory') as () => unknown;
  return new Cluster({
    ...options,
    logger: createLogger({ level: logLevel.WARN, logCreator: logger }),
    socketFactory: socketFactory(),
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    // We try again ourselves: its retries end some day, and its waiting is made for other cases.
    retry: { retries: 0, initialRetryTime: 1, maxRetryTime: 1, factor: 0, multiplier: 1 },
  });
}
