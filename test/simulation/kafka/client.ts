// kafkajs's Cluster and Admin, as far as stream/kafka knows them (kafkajs-inside.ts), over the simulated broker: every request is a message
// of the virtual loop, and so is its answer. On the way a connection may break before the broker has heard or before it has answered, and
// a broker may refuse for the moment. Everything above this door is the code of the program.
import { createRequire } from 'node:module';
import { neededVersions } from '../../../src/stream/kafka/requests.js';
import type { Dice } from '../../support/harness/dice.js';
import type { VirtualLoop } from '../virtual-loop.js';
import { BrokerRefusal, codes, type ProducerIds, type SimulatedBroker } from './broker.js';
import { answerAlterConfigs, answerMetadata, answerProduce, nodeId, readFetch, type Trouble } from './requests.js';

const require = createRequire(import.meta.url);
const { KafkaJSConnectionClosedError } = require('kafkajs/src/errors') as {
  KafkaJSConnectionClosedError: new (message: string, at: { host: string; port: number }) => Error;
};
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
};

export interface SimulatedNetwork {
  readonly loop: VirtualLoop;
  readonly broker: SimulatedBroker;
  readonly dice: Dice;
  /** That a request breaks its connection, and that a broker refuses for the moment. */
  breaks: number;
  refuses: number;
}

type Settle<T> = (outcome: { readonly value: T } | { readonly error: Error }) => void;

/** One connection: its requests arrive in order. */
class Connection {
  static #count = 0;
  readonly #network: SimulatedNetwork;
  readonly #name: string;
  readonly #waiting = new Set<Settle<never>>();

  constructor(network: SimulatedNetwork, process: string) {
    this.#network = network;
    this.#name = `${process} ${Connection.#count++}`;
  }

  static reset(): void {
    Connection.#count = 0;
  }

  // What kafkajs's connections have.
  readonly socket = undefined;
  rejectRequests(error: Error): void {
    for (const settle of this.#waiting) settle({ error });
  }

  call<T>(work: () => T): Promise<T> {
    return this.ask<T>((settle) => settle({ value: work() }));
  }

  /** `work` runs at the broker. */
  ask<T>(work: (settle: Settle<T>) => void): Promise<T> {
    const { loop, broker, dice, breaks } = this.#network;
    const { current: life } = loop;
    return new Promise((resolve, reject) => {
      const settle: Settle<T> = (outcome) => {
        if (!this.#waiting.delete(settle as Settle<never>)) return;
        if ('value' in outcome) resolve(outcome.value);
        else reject(outcome.error);
      };
      this.#waiting.add(settle as Settle<never>);
      const closed = { error: new KafkaJSConnectionClosedError('Closed connection', { host: 'kafka', port: 9092 }) };
      const roll = dice.next();
      const answer: Settle<T> = (outcome) =>
        loop.post(`kafka -> ${this.#name}`, () => settle(roll < breaks ? closed : outcome), life);
      loop.post(
        `${this.#name} -> kafka`,
        () => {
          if (roll < breaks / 2) return answer(closed);
          try {
            work(answer);
          } catch (error) {
            if (!(error instanceof BrokerRefusal)) throw error;
            answer({ error: createErrorFromCode(error.code) });
          }
        },
        broker.life,
      );
    });
  }
}

interface ProtocolRequest {
  readonly request: { readonly apiKey: number; encode(): Promise<{ readonly buffer: Buffer }> };
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

class SimulatedNode {
  readonly versions = Object.fromEntries(
    neededVersions.map(({ apiKey }) => [apiKey, { minVersion: 0, maxVersion: 99 }]),
  );
  readonly #network: SimulatedNetwork;
  readonly #connection: Connection;
  readonly connectionPool: { readonly pool: readonly Connection[]; send(request: ProtocolRequest): Promise<unknown> };

  constructor(network: SimulatedNetwork, process: string) {
    this.#network = network;
    this.#connection = new Connection(network, process);
    this.connectionPool = { pool: [this.#connection], send: (request) => this.#send(request) };
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  call<T>(work: (broker: SimulatedBroker) => T): Promise<T> {
    return this.#connection.call(() => work(this.#network.broker));
  }

  /** A coordinator that is not there for the moment. */
  #refuse(): void {
    const { dice, refuses } = this.#network;
    if (dice.chance(refuses)) throw new BrokerRefusal(codes.coordinatorNotAvailable);
  }

  async #send({ request, response }: ProtocolRequest): Promise<unknown> {
    const { buffer } = await request.encode();
    const body = Buffer.from(buffer);
    const payload = await this.#connection.ask<Buffer>((settle) => this.#answer(request.apiKey, body, settle));
    return response.parse(await response.decode(payload));
  }

  #answer(apiKey: number, body: Buffer, settle: Settle<Buffer>): void {
    const { broker, dice, refuses } = this.#network;
    const trouble = (): Trouble | undefined => {
      if (!dice.chance(refuses)) return undefined;
      const done = dice.chance(0.5);
      return { done, code: done ? codes.timedOut : codes.notLeader };
    };
    if (apiKey === 0) return settle({ value: answerProduce(broker, body, trouble()) });
    if (apiKey === 3) return settle({ value: answerMetadata(broker, body) });
    if (apiKey === 44) return settle({ value: answerAlterConfigs(broker, body) });
    const fetch = readFetch(broker, body);
    const tell = (): void => settle({ value: fetch.answer(trouble()) });
    if (fetch.waitMs === 0 || !fetch.isEmpty()) return tell();
    let waits = true;
    const end = (): void => {
      waits = false;
      tell();
    };
    const timer = setTimeout(() => waits && end(), fetch.waitMs);
    const look = (): void => {
      if (!waits) return;
      if (fetch.isEmpty()) return broker.park(look);
      clearTimeout(timer);
      end();
    };
    broker.park(look);
  }

  initProducerId(options: { transactionalId: string; transactionTimeout: number }) {
    return this.call((broker) => {
      this.#refuse();
      return broker.initProducerId(options.transactionalId, options.transactionTimeout);
    });
  }

  addPartitionsToTxn(options: ProducerIds & { topics: readonly { topic: string; partitions: readonly number[] }[] }) {
    return this.call((broker) => {
      this.#refuse();
      broker.addPartitions(options, options.topics);
    });
  }

  endTxn(options: ProducerIds & { readonly transactionResult: boolean }) {
    return this.call((broker) => {
      this.#refuse();
      broker.endTransaction(options, options.transactionResult);
    });
  }

  listOffsets(options: { isolationLevel: number; topics: readonly OffsetsTopic[] }) {
    return this.call((broker) => ({
      responses: options.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, timestamp }) => {
          const found = broker.topic(topic)?.partitions[partition];
          if (found === undefined) throw new BrokerRefusal(codes.unknownTopic);
          const end = options.isolationLevel === 1 ? found.stableEnd : found.end;
          return { partition, offset: String(timestamp === -2 ? found.start : end) };
        }),
      })),
    }));
  }
}

interface OffsetsTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
}

let installed: SimulatedNetwork | undefined;

/** The host names the process: connections of one end with it. */
function processOf(options: { readonly brokers: readonly string[] }): string {
  return options.brokers[0]!.split(':')[0]!;
}

class SimulatedCluster {
  readonly targetTopics = new Set<string>();
  readonly connectionPoolBuilder = { build: () => Promise.resolve({ pool: [] }) };
  readonly node: SimulatedNode;
  readonly brokerPool: {
    readonly brokers: Readonly<Record<number, SimulatedNode>>;
    readonly seedBroker: SimulatedNode;
  };

  constructor(options: { readonly brokers: readonly string[] }) {
    this.node = new SimulatedNode(installed!, processOf(options));
    this.brokerPool = { brokers: { [nodeId]: this.node }, seedBroker: this.node };
  }

  connect(): Promise<void> {
    return this.node.call(() => {});
  }
  refreshMetadata(): Promise<void> {
    return this.node.call(() => {});
  }
  findBroker(): Promise<SimulatedNode> {
    return Promise.resolve(this.node);
  }
  findGroupCoordinatorMetadata() {
    return this.node.call(() => ({ coordinator: { nodeId } }));
  }
}

interface CreatedTopic {
  readonly topic: string;
  readonly numPartitions: number;
  readonly configEntries?: readonly { readonly name: string; readonly value: string }[];
}

function createAdmin({ cluster }: { readonly cluster: SimulatedCluster }) {
  const { node } = cluster;
  return {
    connect: () => node.call(() => {}),
    disconnect: () => Promise.resolve(),
    createTopics: ({ topics }: { topics: readonly CreatedTopic[] }) =>
      node.call((broker) => {
        for (const { topic, numPartitions, configEntries = [] } of topics)
          broker.createTopic(topic, numPartitions, new Map(configEntries.map(({ name, value }) => [name, value])));
        return true;
      }),
    deleteTopics: ({ topics }: { topics: readonly string[] }) =>
      node.call((broker) => {
        for (const topic of topics) broker.deleteTopic(topic);
      }),
    describeConfigs: ({ resources }: { resources: readonly { name: string; configNames: readonly string[] }[] }) =>
      node.call((broker) => ({
        resources: resources.map(({ name, configNames }) => ({
          resourceName: name,
          configEntries: configNames.flatMap((configName) => {
            const configValue = broker.topic(name)?.settings.get(configName);
            return configValue === undefined ? [] : [{ configName, configValue }];
          }),
        })),
      })),
  };
}

/** In kafkajs's place for whoever asks from now on. Gives what takes it back. */
export function plantKafka(network: SimulatedNetwork): () => void {
  installed = network;
  Connection.reset();
  const restore = [
    replaceModule('kafkajs/src/cluster', SimulatedCluster),
    replaceModule('kafkajs/src/admin', createAdmin),
  ];
  return () => {
    installed = undefined;
    for (const each of restore) each();
  };
}

function replaceModule(name: string, exports: unknown): () => void {
  require(name);
  const cached = require.cache[require.resolve(name)]!;
  const { exports: original } = cached;
  cached.exports = exports;
  return () => {
    cached.exports = original;
  };
}
