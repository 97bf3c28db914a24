// A set of connections of its own to the brokers of a cluster. Brokers answer the requests of one connection one after the other,
// so whoever waits long (a reader at the end of the log) or sends much (a producer) has a link for himself.
// Nothing is tried again here: the callers know what may be.
import type { logCreator, SASLOptions } from 'kafkajs';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { groupBy } from './group-by.js';
import { KafkaProtocolError } from './kafka-errors.js';
import { kafkaDeadlines, type KafkaAddress } from './kafka-url.js';
import { createCluster, logLevel, type KafkaJsBroker, type KafkaJsCluster } from './kafkajs-inside.js';
import { neededVersions, type WireRequest } from './requests.js';
import { abortError } from './stopping.js';
import { WireReader } from './wire.js';

export interface LinkOptions extends KafkaAddress {
  readonly clientId: string;
  readonly logger: Logger;
  /** A topic that exists: kafkajs asks for all topics of the cluster when it is given none. */
  readonly knownTopic: string;
}

export class BrokerLink {
  readonly #options: LinkOptions;
  #cluster: KafkaJsCluster;
  #connected: Promise<void> | undefined;
  #hungUp = false;
  /** Who waits for an answer hears at once that none will come. */
  readonly #waiting = new Set<(reason: Error) => void>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#cluster = this.#createCluster();
  }

  get #deadlines() {
    return this.#options.deadlines ?? kafkaDeadlines;
  }

  #createCluster(): KafkaJsCluster {
    const { brokers, clientId, ssl, sasl, logger, knownTopic } = this.#options;
    const cluster = createCluster(
      {
        brokers: [...brokers],
        clientId,
        ssl,
        sasl: sasl as SASLOptions | undefined,
        connectionTimeout: this.#deadlines.connect,
        authenticationTimeout: this.#deadlines.request,
        requestTimeout: this.#deadlines.request,
      },
      kafkaJsLogs(logger),
    );
    cluster.targetTopics.add(knownTopic);
    return cluster;
  }

  /** Connects if it is not connected, and knows the brokers afterwards. */
  async #connect(): Promise<KafkaJsCluster> {
    if (this.#hungUp) throw abortError();
    this.#connected ??= (async () => {
      await this.#cluster.connect();
      await this.#cluster.refreshMetadata();
      checkVersions(this.#cluster);
    })();
    try {
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
    return this.#cluster;
  }

  broker(nodeId: number): Promise<KafkaJsBroker> {
    return this.timed(async () => (await this.#connect()).findBroker({ nodeId }));
  }

  /** Any broker that is there. */
  anyBroker(): Promise<KafkaJsBroker> {
    return this.timed(async () => {
      const cluster = await this.#connect();
      const nodes = Object.keys(cluster.brokerPool.brokers);
      return cluster.findBroker({ nodeId: Number(nodes[Math.floor(Math.random() * nodes.length)]) });
    });
  }

  transactionCoordinator(transactionalId: string): Promise<KafkaJsBroker> {
    return this.#coordinator(transactionalId, 1);
  }

  groupCoordinator(groupId: string): Promise<KafkaJsBroker> {
    return this.#coordinator(groupId, 0);
  }

  #coordinator(groupId: string, coordinatorType: number): Promise<KafkaJsBroker> {
    return this.timed(async () => {
      const cluster = await this.#connect();
      const { coordinator } = await cluster.findGroupCoordinatorMetadata({ groupId, coordinatorType });
      return cluster.findBroker({ nodeId: coordinator.nodeId });
    });
  }

  /**
   * Rejects when a request has no answer in time; what becomes of it then is not known. The connections are given up: behind a
   * broken network they would stay silent for minutes.
   */
  async timed<T>(request: () => Promise<T>, waitMs = 0): Promise<T> {
    if (this.#hungUp) throw abortError();
    const ms = this.#deadlines.request + waitMs;
    let timer: NodeJS.Timeout | undefined;
    let end: (reason: Error) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = reject;
      this.#waiting.add(reject);
      timer = setTimeout(() => {
        reject(new KafkaProtocolError(7, `a request without an answer for ${ms / 1000} s (request.timeout.ms)`));
        if (!this.#hungUp) this.renew();
      }, ms);
    });
    try {
      return await Promise.race([request(), ended]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(end);
    }
  }

  /** End of a partition: behind the last record that everybody may see, or (not `committed`) that is replicated. */
  async endOffset(nodeId: number, topic: string, partition: number, committed: boolean): Promise<number> {
    const [offset] = await this.listOffsets(nodeId, [{ topic, partition }], { at: 'end', committed });
    return offset!;
  }

  /** First or end offsets of partitions that one node leads, in their order. */
  async listOffsets(
    nodeId: number,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
    which: { readonly at: 'start' | 'end'; readonly committed: boolean },
  ): Promise<number[]> {
    const broker = await this.broker(nodeId);
    const timestamp = which.at === 'start' ? -2 : -1;
    const topics = [...groupBy(partitions, ({ topic }) => topic)].map(([topic, parts]) => ({
      topic,
      partitions: parts.map(({ partition }) => ({ partition, timestamp })),
    }));
    const { responses } = await this.timed(() =>
      broker.listOffsets({ isolationLevel: which.committed ? 1 : 0, topics }),
    );
    return partitions.map(({ topic, partition }) => {
      const found = responses.find((one) => one.topic === topic)?.partitions.find((one) => one.partition === partition);
      if (found === undefined) throw new KafkaProtocolError(3, `topic "${topic}"`);
      return Number(found.offset);
    });
  }

  async send<T>(broker: KafkaJsBroker, request: WireRequest<T>): Promise<T> {
    try {
      return (await this.timed(() => broker.connectionPool.send(protocolRequest(request)), request.waitMs)) as T;
    } catch (error) {
      // As kafkajs does for its own requests: the other connection to this broker is dead, too.
      if (error instanceof Error && error.name === 'KafkaJSConnectionClosedError') await broker.disconnect();
      throw error;
    }
  }

  /** Forgets all connections; the next use makes new ones. For when it is not known what became of a request. */
  renew(): void {
    hangUp(this.#cluster, new KafkaProtocolError(13, 'a connection that was given up'));
    this.#connected = undefined;
    this.#cluster = this.#createCluster();
  }

  /** Ends all connections now; requests under way reject. */
  close(): void {
    this.#hungUp = true;
    for (const reject of this.#waiting) reject(abortError());
    hangUp(this.#cluster, abortError());
  }
}

/** The request in the shape that kafkajs's connections take. */
function protocolRequest<T>(request: WireRequest<T>): unknown {
  const { apiKey, apiVersion, apiName, body } = request;
  return {
    request: { apiKey, apiVersion, apiName, encode: () => Promise.resolve({ buf: body, buffer: body }) },
    response: {
      decode: (payload: Buffer) => {
        const { value, throttleMs } = request.decode(new WireReader(payload));
        return Promise.resolve({ value, clientSideThrottleTime: throttleMs });
      },
      parse: ({ value }: { value: T }) => Promise.resolve(value),
    },
    logResponseError: false,
  };
}

function checkVersions(cluster: KafkaJsCluster): void {
  const broker = cluster.brokerPool.seedBroker ?? Object.values(cluster.brokerPool.brokers)[0];
  for (const { name, apiKey, version } of neededVersions) {
    const range = broker?.versions?.[apiKey];
    if (range !== undefined && range.minVersion <= version && version <= range.maxVersion) continue;
    throw new AppError('bad-config', `the Kafka brokers do not speak version ${version} of the request ${name}`, {
      detail: range === undefined ? undefined : `they speak ${range.minVersion} to ${range.maxVersion}`,
      hint: 'writethrough needs Kafka 3.1 or later',
    });
  }
}

/** Ends all connections of a cluster now; requests under way reject. */
export function hangUp(cluster: KafkaJsCluster, reason: Error): void {
  const { brokers, seedBroker } = cluster.brokerPool;
  const all = new Set([...Object.values(brokers), ...(seedBroker === undefined ? [] : [seedBroker])]);
  for (const broker of all) {
    // kafkajs's own disconnect waits for the answers to all requests, which a long poll does not have for a while.
    for (const connection of broker.connectionPool.pool) {
      connection.rejectRequests(reason);
      connection.socket?.destroy();
    }
    broker.disconnect().catch(() => {
      // Nothing is left that could fail in a way that matters.
    });
  }
}

/** kafkajs's lines at `debug`, whatever it thinks of them: what lasts is reported by those who try again, once. */
export function kafkaJsLogs(logger: Logger): logCreator {
  return () => (entry) => {
    if (entry.level === logLevel.NOTHING) return;
    const { message, ...fields } = entry.log;
    logger.debug(`kafkajs: ${message}`, { ...fields, level: entry.label, namespace: entry.namespace });
  };
}
