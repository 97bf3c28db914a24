// Fetches the data partitions that commits refer to, several at once, ahead of whoever reads, within a bound of bytes. Brokers that
// do not answer, leaders that move: tried again for ever. A topic that was deleted (or made anew) has no records.
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { BrokerLink } from './broker-link.js';
import { endOf, type CommitPart } from './commit-record.js';
import { groupBy, groupValues } from './group-by.js';
import { KafkaProtocolError } from './kafka-errors.js';
import { FetchQueue } from './fetch-queue.js';
import { RecordReader } from './record-reader.js';
import { fetchRequest, type FetchedPart } from './requests.js';
import { Outage, retrying } from './retrying.js';
import type { TopicDirectory } from './topic-directory.js';

const bufferedBytesMax = 16 * 1024 * 1024;
const fetchBytesMax = 8 * 1024 * 1024;
const partitionBytesMax = 2 * 1024 * 1024;
/** A commit is visible when its records are stored, so this is waited for only while a leader moves. */
const fetchWaitMs = 250;
const offsetOutOfRange = 1;
const unknownTopicErrors = new Set([3, 100, 103]);

export interface DataFetcherOptions {
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Undefined: all. */
  readonly topics: ReadonlySet<string> | undefined;
}

export class DataFetcher {
  readonly #options: DataFetcherOptions;
  readonly #outage: Outage;
  readonly #queues = new Map<string, FetchQueue>();
  #running = false;
  #failure: Error | undefined;
  #urgent: FetchQueue | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: DataFetcherOptions) {
    this.#options = options;
    this.#outage = new Outage('reading the log', options.logger);
  }

  /** Begins to fetch what commits refer to; undefined where nobody wants the topic. */
  want(part: CommitPart, imported = false): FetchQueue | undefined {
    const { topic, topicId, partition, segments } = part;
    if (this.#options.topics !== undefined && !this.#options.topics.has(topic)) return undefined;
    const from = segments[0]!;
    const end = endOf(part);
    const key = `${topicId}/${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new FetchQueue(topic, topicId, partition, from);
      this.#queues.set(key, queue);
    }
    queue.imported = imported;
    queue.want(from, end);
    return queue;
  }

  /** Resolves when the queue has been fetched up to `end`. */
  async ready(queue: FetchQueue, end: number): Promise<void> {
    while (!queue.gone && queue.position < end) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#urgent = queue;
      this.start();
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    if (this.#urgent === queue) this.#urgent = undefined;
  }

  /** Fetches in the background while something is wanted and there is room. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#run().then(
      () => this.#stopped(),
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#stopped();
      },
    );
  }

  #stopped(): void {
    this.#running = false;
    this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #run(): Promise<void> {
    const { directory, signal } = this.#options;
    for (let queues = this.#choose(); queues.length > 0; queues = this.#choose()) {
      await retrying(this.#outage, signal, () => directory.doubting(() => this.#fetch(queues)));
      this.#wake();
    }
  }

  #choose(): FetchQueue[] {
    const wanting = [...this.#queues.values()].filter((queue) => queue.wanting);
    const alone = wanting.find((queue) => queue.askAlone);
    if (alone !== undefined) return [alone];
    let buffered = 0;
    for (const queue of this.#queues.values()) buffered += queue.bufferedBytes;
    if (buffered < bufferedBytesMax) return wanting;
    return this.#urgent?.wanting === true ? [this.#urgent] : [];
  }

  async #fetch(queues: readonly FetchQueue[]): Promise<void> {
    const { directory, link } = this.#options;
    const leaders: [number, FetchQueue][] = [];
    for (const queue of queues) {
      if (!(await this.#stillThere(queue))) continue;
      leaders.push([await directory.leader(queue.topic, queue.partition), queue]);
    }
    // All are waited for, also when one fails: an answer that comes late must not meet the next try.
    const outcomes = await Promise.allSettled(
      [...groupValues(leaders)].map(async ([leader, group]) => {
        const parts = group.map(({ topicId, partition, position }) => ({
          topicId,
          partition,
          offset: position,
          bytesMax: partitionBytesMax,
        }));
        const request = fetchRequest(parts, { committed: false, waitMs: fetchWaitMs, bytesMax: fetchBytesMax });
        const answers = groupBy(
          await link.send(await link.broker(leader), request),
          (one) => `${one.topicId}/${one.partition}`,
        );
        for (const queue of group) {
          const answer = answers.get(`${queue.topicId}/${queue.partition}`)?.[0];
          if (answer !== undefined) await this.#accept(queue, answer, group.length === 1);
        }
      }),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #stillThere(queue: FetchQueue): Promise<boolean> {
    const { directory } = this.#options;
    let entry = await directory.find(queue.topic);
    if (entry !== undefined && entry.topicId !== queue.topicId) {
      directory.forget(queue.topic);
      entry = await directory.find(queue.topic);
    }
    if (entry?.topicId === queue.topicId) return true;
    queue.gone = true;
    return false;
  }

  async #accept(queue: FetchQueue, answer: FetchedPart, alone: boolean): Promise<void> {
    if (answer.errorCode === offsetOutOfRange) return this.#outOfRange(queue);
    if (answer.errorCode !== 0) {
      this.#options.directory.forget(queue.topic);
      if (unknownTopicErrors.has(answer.errorCode) && !(await this.#stillThere(queue))) return;
      throw new KafkaProtocolError(answer.errorCode, `topic "${queue.topic}", partition ${queue.partition}`);
    }
    const next = endOfBatches(answer.records);
    if (next !== undefined) {
      queue.askAlone = false;
      // Views on one answer would keep all of it for the partition that is read last.
      const records = alone ? answer.records : Buffer.from(answer.records);
      queue.push(new RecordReader(records), records.length, next);
    } else if (!alone) {
      // The answer was full before it was this partition's turn, or there is nothing more: asked alone it must say which.
      queue.askAlone = true;
    } else if (answer.highWatermark >= queue.target) {
      // Everything from here to the end of the partition was compacted away.
      queue.askAlone = false;
      queue.position = queue.target;
    }
  }

  async #outOfRange(queue: FetchQueue): Promise<void> {
    const { directory, link } = this.#options;
    const { topic, partition } = queue;
    const leader = await directory.leader(topic, partition);
    const [start] = await link.listOffsets(leader, [{ topic, partition }], { at: 'start', committed: false });
    if (queue.position >= start!) {
      // Behind the end: a new leader may not know yet how far everybody has the records.
      throw new AppError(
        'log-corrupt',
        `topic "${topic}", partition ${partition} ends before offset ${queue.position}, which a commit refers to`,
        {
          retriable: true,
        },
      );
    }
    // What the retention of others has removed is passed over as what compaction has.
    if (queue.imported) {
      queue.position = Math.max(start!, queue.position);
      return;
    }
    if (queue.needed > queue.position) {
      queue.position = queue.needed;
      return;
    }
    throw new AppError(
      'too-old',
      `the log no longer holds topic "${topic}", partition ${partition} from offset ${queue.position} on`,
      {
        detail: `its first record is at offset ${start}`,
        hint: 'take a new snapshot of the source, or give the topic a longer retention',
      },
    );
  }
}

/** The offset behind the last whole batch; undefined: there is none. */
function endOfBatches(records: Buffer): number | undefined {
  const reader = new RecordReader(records);
  let next: number | undefined;
  while (reader.nextBatch()) next = reader.lastOffset + 1;
  return next;
}
