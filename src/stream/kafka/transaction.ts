// One transactional id under one epoch: begins and ends Kafka transactions over a link. It stops at the first error; what became
// of the transaction is then found out by whoever begins the next epoch.
import { delay } from '../../core/backoff.js';
import { failpoint } from '../../core/failpoint.js';
import type { BrokerLink } from './broker-link.js';
import { groupBy, groupValues } from './group-by.js';
import { errorType, KafkaProtocolError } from './kafka-errors.js';
import type { KafkaJsBroker } from './kafkajs-inside.js';
import { awaitMarkers, findMarkers, type MarkerReading, type TransactionEnd } from './markers.js';
import type { BatchProducer, RecordBatch } from './record-batch.js';
import { produceRequest, type ProducedPart } from './requests.js';
import type { TopicDirectory } from './topic-directory.js';

/** How long the broker waits for the next sign of an open transaction before it aborts it, and everybody's view goes on. */
const transactionTimeoutMs = 30_000;
/** For appends that are sent while they grow; the broker's usual limit. */
export const longTransactionTimeoutMs = 900_000;
/** The markers of the transaction before this one are being written: it takes a few ms. */
const concurrentWaitMs = 2;
const concurrentWaitsMsMax = 30_000;
const produceTimeoutMs = 20_000;

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Record batches of one partition, in order. */
export interface PartitionBatches extends TopicPartition {
  readonly batches: readonly RecordBatch[];
  /** Gets the first offset of each batch that is stored, in order. */
  stored(baseOffset: number, count: number): void;
}

export class Transactions implements BatchProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly transactionalId: string;
  readonly #link: BrokerLink;
  readonly #directory: TopicDirectory;
  readonly #coordinator: KafkaJsBroker;
  readonly #signal: AbortSignal;
  /** topic/partition -> sequence of the next record */
  readonly #sequences = new Map<string, number>();
  /** In the open transaction. */
  #added = new Set<string>();
  /** Holding nothing undecided of earlier epochs. */
  readonly #clean = new Set<string>();

  private constructor(
    transactionalId: string,
    ids: BatchProducer,
    parts: { link: BrokerLink; directory: TopicDirectory; coordinator: KafkaJsBroker; signal: AbortSignal },
  ) {
    this.transactionalId = transactionalId;
    this.producerId = ids.producerId;
    this.producerEpoch = ids.producerEpoch;
    this.#link = parts.link;
    this.#directory = parts.directory;
    this.#coordinator = parts.coordinator;
    this.#signal = parts.signal;
  }

  /** Begins a new epoch: transactions of earlier ones are decided afterwards, and their producers fenced. */
  static async begin(
    transactionalId: string,
    options: { link: BrokerLink; directory: TopicDirectory; signal: AbortSignal; long?: boolean },
  ): Promise<Transactions> {
    const { link, directory, signal } = options;
    const coordinator = await link.transactionCoordinator(transactionalId);
    const transactionTimeout = options.long === true ? longTransactionTimeoutMs : transactionTimeoutMs;
    const ids = await whileConcurrent(signal, () =>
      link.timed(() => coordinator.initProducerId({ transactionalId, transactionTimeout })),
    );
    const { producerId, producerEpoch } = ids;
    return new Transactions(
      transactionalId,
      { producerId: Number(producerId), producerEpoch },
      { link, directory, coordinator, signal },
    );
  }

  get #ids() {
    return {
      transactionalId: this.transactionalId,
      producerId: String(this.producerId),
      producerEpoch: this.producerEpoch,
    };
  }

  /** Makes partitions take part in the transaction that is open, or begins one with them. */
  async add(partitions: readonly TopicPartition[]): Promise<void> {
    const more = partitions.filter((one) => !this.#added.has(partitionKey(one)));
    if (more.length === 0) return;
    const topics = [...groupBy(more, ({ topic }) => topic)].map(([topic, parts]) => ({
      topic,
      partitions: parts.map(({ partition }) => partition),
    }));
    await whileConcurrent(this.#signal, () => {
      return this.#link.timed(() => this.#coordinator.addPartitionsToTxn({ ...this.#ids, topics }));
    });
    for (const one of more) this.#added.add(partitionKey(one));
  }

  /** Sends the batches; resolves when all are stored. All partitions must have been added. */
  async produce(partitions: readonly PartitionBatches[]): Promise<void> {
    // All connections first: once something is on its way, nothing else may fail unheard.
    const targets: [KafkaJsBroker, PartitionBatches[]][] = [];
    for (const [leader, parts] of await this.#byLeader(partitions))
      targets.push([await this.#link.broker(leader), parts]);
    await Promise.all(targets.map(([broker, parts]) => this.#produceTo(broker, parts)));
  }

  async #byLeader<T extends TopicPartition>(partitions: readonly T[]): Promise<Map<number, T[]>> {
    const leaders: [number, T][] = [];
    for (const one of partitions) leaders.push([await this.#directory.leader(one.topic, one.partition), one]);
    return groupValues(leaders);
  }

  /** A request takes one batch of a partition. Later requests do not wait for earlier answers: a connection keeps the order. */
  async #produceTo(broker: KafkaJsBroker, parts: readonly PartitionBatches[]): Promise<void> {
    const answers: Promise<void>[] = [];
    const rounds = Math.max(...parts.map(({ batches }) => batches.length));
    for (let round = 0; round < rounds; round++) {
      const sent = parts.filter(({ batches }) => batches[round] !== undefined);
      answers.push(this.#produceRound(broker, sent, round));
    }
    await Promise.all(answers);
  }

  async #produceRound(broker: KafkaJsBroker, parts: readonly PartitionBatches[], round: number): Promise<void> {
    const request = produceRequest(
      this.transactionalId,
      parts.map((part) => {
        const batch = part.batches[round]!;
        return {
          topic: part.topic,
          partition: part.partition,
          batch: batch.seal(this, this.#nextSequence(part, batch.count)),
        };
      }),
      produceTimeoutMs,
    );
    const answer = await this.#link.send(broker, request);
    for (const part of parts) {
      const { baseOffset } = this.#checked(answer, part);
      part.stored(baseOffset, part.batches[round]!.count);
    }
  }

  #checked(answer: readonly ProducedPart[], { topic, partition }: TopicPartition): ProducedPart {
    const found = answer.find((one) => one.topic === topic && one.partition === partition);
    const errorCode = found?.errorCode ?? -1;
    if (found !== undefined && errorCode === 0) return found;
    const error = new KafkaProtocolError(errorCode, `topic "${topic}", partition ${partition}`, topic);
    // A leader may have moved, or the topic be gone: the next try looks anew.
    this.#directory.forget(topic);
    throw error;
  }

  #nextSequence(partition: TopicPartition, count: number): number {
    const key = partitionKey(partition);
    const sequence = this.#sequences.get(key) ?? 0;
    this.#sequences.set(key, (sequence + count) % 2 ** 31);
    return sequence;
  }

  /** Decides the transaction. It counts only once its markers are there. */
  async commit(): Promise<void> {
    failpoint('kafka-before-commit');
    await this.#end(true);
    failpoint('kafka-after-commit');
  }

  /** Waits for the markers of the transaction that was committed; rejects when it turns out to be aborted. */
  async confirm(ends: readonly TransactionEnd[]): Promise<void> {
    const markers = await awaitMarkers(this.#reading, ends, this.#signal);
    if (markers.includes('abort')) throw new KafkaProtocolError(48, 'a transaction that was to be committed');
  }

  /** For a failure that is final: so that nobody has to wait until the broker does it. */
  async abort(): Promise<void> {
    if (this.#added.size > 0) await this.#end(false);
  }

  get #reading(): MarkerReading {
    return { link: this.#link, directory: this.#directory, producerId: this.producerId };
  }

  /**
   * Decides what an earlier epoch may have left undecided in these partitions, by aborting it: nobody was told that it is
   * durable. Once per partition; nothing happens where everything is decided.
   */
  async clean(partitions: readonly TopicPartition[]): Promise<void> {
    const unknown = partitions.filter((one) => !this.#clean.has(partitionKey(one)));
    const dirty: TransactionEnd[] = [];
    for (const [leader, group] of await this.#byLeader(unknown)) {
      const visible = await this.#link.listOffsets(leader, group, { at: 'end', committed: true });
      const ends = await this.#link.listOffsets(leader, group, { at: 'end', committed: false });
      for (const [i, { topic, partition }] of group.entries()) {
        const { topicId } = await this.#directory.get(topic);
        // It may also be another producer that is at work: then this is a marker for nothing.
        if (visible[i]! < ends[i]!) dirty.push({ topic, topicId, partition, end: ends[i]! });
      }
    }
    if (dirty.length > 0) await this.settle(dirty, false);
    for (const one of unknown) this.#clean.add(partitionKey(one));
  }

  /**
   * Decides an earlier transaction of which these partitions have no marker: a transaction without records puts one there. What the
   * coordinator has decided holds for all partitions; where none shows it, `committed` says whether it was heard.
   */
  async settleAsDecided(ends: readonly TransactionEnd[], committed: boolean): Promise<void> {
    const markers = await findMarkers(this.#reading, ends);
    const undecided = ends.filter((_, i) => markers[i] === 'none');
    if (undecided.length === 0) return;
    await this.settle(undecided, markers.includes('commit') || (committed && !markers.includes('abort')));
  }

  async settle(ends: readonly TransactionEnd[], commit: boolean): Promise<void> {
    await this.add(ends);
    await this.#end(commit);
    await awaitMarkers(this.#reading, ends, this.#signal);
  }

  async #end(commit: boolean): Promise<void> {
    await this.#link.timed(() => this.#coordinator.endTxn({ ...this.#ids, transactionResult: commit }));
    this.#added = new Set();
  }
}

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

async function whileConcurrent<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (errorType(error) !== 'CONCURRENT_TRANSACTIONS' || performance.now() - startMs > concurrentWaitsMsMax)
        throw error;
    }
    await delay(concurrentWaitMs, signal);
  }
}
