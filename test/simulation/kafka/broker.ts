// A Kafka of one node as a state machine: topics with ids, partitions, and a coordinator of transactions that fences by epochs, decides
// at one moment and writes its markers later, partition by partition. It outlives all processes. What it is asked and what it answers
// stand in requests.ts; who asks, and what becomes of it on the way, in client.ts.
import { SimulatedPartition } from './partition.js';
import type { Life, VirtualLoop } from '../virtual-loop.js';
import type { Dice } from '../../support/harness/dice.js';

export interface SimulatedTopic {
  readonly name: string;
  /** 16 bytes as hex */
  readonly id: string;
  readonly partitions: readonly SimulatedPartition[];
  readonly settings: Map<string, string>;
}

interface Transaction {
  readonly producerId: number;
  producerEpoch: number;
  timeoutMs: number;
  state: 'empty' | 'open' | 'ending';
  /** topic/partition, with the partition itself: its topic may be deleted meanwhile. */
  readonly parts: Map<string, SimulatedPartition>;
  timer: NodeJS.Timeout | undefined;
}

export interface ProducerIds {
  readonly transactionalId: string;
  readonly producerId: string | number;
  readonly producerEpoch: number;
}

/** By Kafka's own numbers. */
export const codes = {
  offsetOutOfRange: 1,
  unknownTopic: 3,
  notLeader: 6,
  timedOut: 7,
  coordinatorNotAvailable: 15,
  topicExists: 36,
  outOfOrder: 45,
  wrongEpoch: 47,
  wrongState: 48,
  concurrent: 51,
  unknownTopicId: 100,
} as const;

export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal';
  readonly code: number;
  constructor(code: number) {
    super(`Kafka answers ${code}`);
    this.code = code;
  }
}

export class SimulatedBroker {
  readonly life: Life;
  readonly #loop: VirtualLoop;
  readonly #dice: Dice;
  readonly #topics = new Map<string, SimulatedTopic>();
  readonly #transactions = new Map<string, Transaction>();
  #parked: (() => void)[] = [];
  #ids = 0;

  constructor(loop: VirtualLoop, dice: Dice) {
    this.#loop = loop;
    this.#dice = dice;
    this.life = loop.createLife();
  }

  /** Nothing is undecided or on its way into a partition. */
  get isQuiet(): boolean {
    return [...this.#transactions.values()].every(({ state }) => state === 'empty');
  }

  topic(name: string): SimulatedTopic | undefined {
    return this.#topics.get(name);
  }

  topics(): readonly SimulatedTopic[] {
    return [...this.#topics.values()];
  }

  byId(id: string): SimulatedTopic | undefined {
    return this.topics().find((topic) => topic.id === id);
  }

  createTopic(name: string, partitions: number, settings: Map<string, string>): void {
    if (this.#topics.has(name)) throw new BrokerRefusal(codes.topicExists);
    const id = (++this.#ids).toString(16).padStart(32, '0');
    const made = Array.from({ length: partitions }, () => new SimulatedPartition());
    this.#topics.set(name, { name, id, partitions: made, settings });
  }

  deleteTopic(name: string): void {
    if (!this.#topics.delete(name)) throw new BrokerRefusal(codes.unknownTopic);
    this.#changed();
  }

  /** Fetches that wait look again. */
  #changed(): void {
    const parked = this.#parked;
    this.#parked = [];
    for (const look of parked) look();
  }

  /** Until anything changes. */
  park(look: () => void): void {
    this.#parked.push(look);
  }

  // Transactions.

  initProducerId(transactionalId: string, timeoutMs: number): { producerId: string; producerEpoch: number } {
    let found = this.#transactions.get(transactionalId);
    if (found === undefined) {
      found = {
        producerId: ++this.#ids,
        producerEpoch: -1,
        timeoutMs,
        state: 'empty',
        parts: new Map(),
        timer: undefined,
      };
      this.#transactions.set(transactionalId, found);
    }
    if (found.state === 'open') {
      // Whoever has it open is fenced at once.
      found.producerEpoch++;
      this.#end(found, false);
    }
    if (found.state === 'ending') throw new BrokerRefusal(codes.concurrent);
    found.producerEpoch++;
    found.timeoutMs = timeoutMs;
    return { producerId: String(found.producerId), producerEpoch: found.producerEpoch };
  }

  #of({ transactionalId, producerId, producerEpoch }: ProducerIds): Transaction {
    const found = this.#transactions.get(transactionalId);
    if (found === undefined || found.producerId !== Number(producerId) || found.producerEpoch !== producerEpoch)
      throw new BrokerRefusal(codes.wrongEpoch);
    return found;
  }

  addPartitions(
    ids: ProducerIds,
    topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  ): void {
    const found = this.#of(ids);
    if (found.state === 'ending') throw new BrokerRefusal(codes.concurrent);
    const parts = topics.flatMap(({ topic, partitions }) =>
      partitions.map((number) => {
        const partition = this.#topics.get(topic)?.partitions[number];
        if (partition === undefined) throw new BrokerRefusal(codes.unknownTopic);
        return [`${topic}/${number}`, partition] as const;
      }),
    );
    for (const [key, partition] of parts) found.parts.set(key, partition);
    if (found.state === 'open') return;
    found.state = 'open';
    found.timer = setTimeout(() => {
      found.producerEpoch++;
      this.#end(found, false);
    }, found.timeoutMs);
  }

  endTransaction(ids: ProducerIds, commit: boolean): void {
    const found = this.#of(ids);
    if (found.state === 'ending') throw new BrokerRefusal(codes.concurrent);
    if (found.state !== 'open') throw new BrokerRefusal(codes.wrongState);
    this.#end(found, commit);
  }

  /** Decided from here on; the markers come one by one, in any order. */
  #end(found: Transaction, commit: boolean): void {
    clearTimeout(found.timer);
    found.state = 'ending';
    const { producerId, producerEpoch } = found;
    const left = [...found.parts.values()];
    found.parts.clear();
    const next = (): void => {
      const [partition] = left.splice(this.#dice.between(0, left.length - 1), 1);
      partition!.mark({ producerId, producerEpoch }, commit);
      if (left.length === 0) found.state = 'empty';
      else this.#loop.post(`markers of ${producerId}`, next, this.life);
      this.#changed();
    };
    this.#loop.post(`markers of ${producerId}`, next, this.life);
  }

  /** The offset of the batch, or why it is not stored. */
  produce(transactionalId: string, topic: string, number: number, batch: Buffer): { code: number; offset: number } {
    const refused = (code: number) => ({ code, offset: -1 });
    const partition = this.#topics.get(topic)?.partitions[number];
    if (partition === undefined) return refused(codes.unknownTopic);
    const found = this.#transactions.get(transactionalId);
    if (found === undefined || found.producerEpoch !== batch.readInt16BE(51)) return refused(codes.wrongEpoch);
    if (found.state !== 'open' || found.parts.get(`${topic}/${number}`) !== partition) return refused(codes.wrongState);
    const offset = partition.append(batch);
    if (offset === undefined) return refused(codes.outOfOrder);
    this.#changed();
    return { code: 0, offset };
  }
}
