// The event log on Kafka: ordinary topics that any consumer can read, and one commit topic `<service.id>_commits` that puts the
// appends in order (commit-record.ts says what it holds). Any number of processes may follow it; each producer name has one
// writer at a time. What brokers refuse for the moment is tried again for ever by readers and producers; the short calls
// (topics, positions, taps) give up with log-unreachable after a while.
import { delay } from '../../core/backoff.js';
import { AppError } from '../../core/errors.js';
import type { Append } from '../../core/append.js';
import type { AppendControl } from '../../core/append-control.js';
import type { TopicRetention } from '../../core/topic-retention.js';
import type {
  AppendProducer,
  EventLog,
  ProducerOptions,
  ReadOptions,
  TapRecord,
  TopicDescription,
  TopicSettings,
  TopicSpec,
} from '../event-log.js';
import { importProducerName } from '../import-name.js';
import type { AdminClient } from './admin-client.js';
import type { AppendGroup } from './append-group.js';
import { BrokerLink } from './broker-link.js';
import { offsetOf } from './commit-record.js';
import type { CommitTopic } from './commit-topic.js';
import { importTopic } from './import-producer.js';
import { toLogError } from './kafka-errors.js';
import type { KafkaLogOptions, KnownPositions } from './kafka-log-options.js';
import { kafkaDeadlines } from './kafka-url.js';
import { KafkaProducer } from './kafka-producer.js';
import { trimCommits } from './commit-trim.js';
import { commitTopicName } from './log-header.js';
import { readLog, type LogReading } from './log-reading.js';
import { endOpenTransactions } from './open-transactions.js';
import { ProducerLoop } from './producer-loop.js';
import { retryingFor } from './retrying.js';
import {
  createSinkProducer,
  parseSinkPosition,
  sinkProducerName,
  type SinkPosition,
  type SinkProducer,
} from './sink-producer.js';
import {
  alterTopic,
  checkTopicName,
  createTopic,
  deleteTopic,
  describeTopics,
  topicSettings,
  type TopicTools,
} from './topic-admin.js';
import type { TopicDirectory } from './topic-directory.js';
import { readTap, tapEnds } from './topic-tap.js';

/** How long `close` waits for what producers have closed. */
const closeMs = 5000;

export class KafkaLog implements EventLog {
  readonly logId: string;
  readonly #options: KafkaLogOptions;
  /** How long the short calls try before they reject with log-unreachable. */
  readonly #deadlineMs: number;
  readonly #stop: AbortController;
  readonly #signal: AbortSignal;
  readonly #admin: AdminClient;
  readonly #link: BrokerLink;
  readonly #directory: TopicDirectory;
  readonly #commits: CommitTopic;
  readonly #producers = new Map<string, KafkaProducer>();
  readonly #opening = new Map<string, Promise<void>>();
  /** What this process knows to be durable, although its markers may still be on their way: topic id/partition -> end. */
  readonly #durableEnds = new Map<string, number>();
  #durableCommitEnd = 0;
  #knownPositions: KnownPositions | undefined;
  /** The newest commit of derived records that was seen. */
  #lastSink: { readonly offset: number; readonly position: string | null } = { offset: 0, position: null };
  #visibleEnd = 0;
  #headSeq = 0;

  /** Use openKafkaLog. */
  constructor(options: KafkaLogOptions, parts: OpenedParts) {
    this.#options = options;
    this.#deadlineMs = (options.deadlines ?? kafkaDeadlines).call;
    this.#knownPositions = options.knownPositions;
    this.#stop = parts.stop;
    this.#signal = parts.stop.signal;
    this.#admin = parts.admin;
    this.#link = parts.link;
    this.#directory = parts.directory;
    this.#commits = parts.commits;
    this.logId = parts.commits.header.logId;
    const end = () => {
      this.#end().catch((error: unknown) => options.logger.debug('ending the Kafka log', { cause: String(error) }));
    };
    if (this.#signal.aborted) end();
    else this.#signal.addEventListener('abort', end, { once: true });
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    await this.#attempt(`topic "${spec.name}"`, () => createTopic(this.#tools, spec));
  }

  async alterTopic(name: string, limits: TopicRetention): Promise<void> {
    await this.#attempt(`topic "${name}"`, () => alterTopic(this.#tools, name, limits));
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#attempt(`topic "${name}"`, () => deleteTopic(this.#tools, name));
  }

  /** Nothing where there is none of that name with this id. */
  async deleteTopicOf(name: string, id: string): Promise<void> {
    await this.#attempt(`topic "${name}"`, async () => {
      if ((await this.#directory.ask(name))?.topicId === id) await deleteTopic(this.#tools, name);
    });
  }

  /** What the brokers say of a topic now. */
  seeTopic(name: string): Promise<{ readonly partitions: number; readonly id: string } | undefined> {
    return this.#attempt(`topic "${name}"`, async () => {
      const entry = await this.#directory.ask(name);
      return entry && { partitions: entry.leaders.length, id: entry.topicId };
    });
  }

  topicSettings(name: string): Promise<TopicSettings> {
    return this.#attempt(`topic "${name}"`, () => topicSettings(this.#tools, name));
  }

  checkTopicName(name: string): void {
    checkTopicName(name);
  }

  topics(): Promise<readonly TopicDescription[]> {
    return this.#attempt('the topics', () => describeTopics(this.#tools, new Set([this.#commits.name])));
  }

  async partitions(topic: string, look: 'known' | 'now'): Promise<number | undefined> {
    const known = look === 'known' ? this.#directory.known(topic) : undefined;
    const entry = known ?? (await this.#attempt(`topic "${topic}"`, () => this.#directory.ask(topic)));
    return entry?.leaders.length;
  }

  get #tools(): TopicTools {
    return { admin: this.#admin, link: this.#link, directory: this.#directory, signal: this.#signal };
  }

  async openProducer(name: string, options: ProducerOptions = {}): Promise<AppendProducer> {
    if (name === sinkProducerName) throw new AppError('already-exists', `the name "${name}" is the engine's own`);
    return this.#openProducer(name, false, options);
  }

  /** A producer that also takes whole appends with timestamps of their own (INSERT VALUES with ROWTIME). */
  openAppendProducer(name: string): Promise<KafkaProducer> {
    return this.#openProducer(name, false);
  }

  /** The one writer of derived records. */
  async openSinkProducer(): Promise<SinkProducer> {
    return createSinkProducer(await this.#openProducer(sinkProducerName, true));
  }

  /** Where derived records stand, whoever writes them. What it found is not looked for again. */
  async sinkPosition(): Promise<SinkPosition> {
    await this.#awaitVisible();
    const last = await this.#attempt('the derived records', () =>
      this.#commits.lastOf(this.#link, sinkProducerName, this.#lastSink.offset, { always: true }),
    );
    if (last !== undefined) this.#lastSink = { offset: last.offset, position: last.commit.position };
    return parseSinkPosition(this.#lastSink.position);
  }

  /** For who begins to lead: nobody sees beyond what dead producers have left open (open-transactions.ts). */
  async endOpenTransactions(): Promise<void> {
    const { serviceId, logger } = this.#options;
    const parts = { commits: this.#commits, link: this.#link, directory: this.#directory, signal: this.#signal };
    await this.#attempt('what is undecided', () => endOpenTransactions(serviceId, { ...parts, logger }));
  }

  /** The append that allows the commit topic to be trimmed up to itself, once everybody is expected to have applied it. */
  get logStart(): AppendControl {
    return { kind: 'log-start', ...this.#commits.header };
  }

  /** What lies behind this seq can be read. */
  get startSeq(): number {
    return this.#commits.startSeq;
  }

  /**
   * Gives up the commit records before the one that holds this seq, which is a `logStart`'s. `known`: the frontier, not before it. False:
   * derived records have not been told to stand behind it yet.
   */
  async trim(seq: number, known: KnownPositions): Promise<boolean> {
    await this.sinkPosition();
    const offset = offsetOf(this.#commits.header, seq);
    if (this.#lastSink.position !== null && this.#lastSink.offset < offset) return false;
    // Producers that are opened again are looked for behind it.
    this.#knownPositions = known;
    await this.#attempt('the commit topic', () => trimCommits(this.#link, this.#directory, this.#commits, offset));
    return true;
  }

  /** Lets a topic that others write enter the sequence (import-producer.ts), until the signal aborts. */
  async importTopic(topic: string, signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    const both = AbortSignal.any([signal, this.#signal]);
    const name = importProducerName(topic);
    const loop = this.#createLoop({ name, sink: false, signal: both });
    const link = this.#openLink();
    const hangUp = () => link.close();
    both.addEventListener('abort', hangUp, { once: true });
    try {
      await loop.open(this.#known(name));
      const { logger } = this.#options;
      await importTopic({ topic, loop, link, directory: this.#directory, logger, signal: both });
    } catch (error) {
      if (!both.aborted) throw toLogError(error, `topic "${topic}"`);
    } finally {
      both.removeEventListener('abort', hangUp);
      hangUp();
      loop.stop();
    }
  }

  async #openProducer(name: string, sink: boolean, options: ProducerOptions = {}): Promise<KafkaProducer> {
    // One opening of a name after the other.
    const before = this.#opening.get(name) ?? Promise.resolve();
    const opening = before.then(() => this.#openNext(name, sink, options));
    this.#opening.set(
      name,
      opening.then(
        () => {},
        () => {},
      ),
    );
    return opening;
  }

  async #openNext(name: string, sink: boolean, options: ProducerOptions): Promise<KafkaProducer> {
    this.#checkOpen();
    await this.#producers.get(name)?.abandon(new AppError('producer-fenced', `producer "${name}" was opened again`));
    const loop = this.#createLoop({ name, sink, signal: this.#signal });
    try {
      await loop.open(sink ? undefined : this.#known(name));
    } catch (error) {
      loop.stop();
      throw loop.error(error);
    }
    const producer = new KafkaProducer(loop, this.#directory, 0, options);
    this.#producers.set(name, producer);
    return producer;
  }

  #createLoop(options: { readonly name: string; readonly sink: boolean; readonly signal: AbortSignal }): ProducerLoop {
    const { serviceId, logger } = this.#options;
    return new ProducerLoop(
      {
        serviceId,
        logger,
        commits: this.#commits,
        directory: this.#directory,
        openLink: () => this.#openLink(),
        durable: (offset, group) => this.#durable(offset, group),
      },
      options,
    );
  }

  #known(name: string): { readonly offset: number; readonly position: string | null } | undefined {
    const knownPositions = this.#knownPositions;
    if (knownPositions === undefined) return undefined;
    return {
      offset: offsetOf(this.#commits.header, knownPositions.seq),
      position: knownPositions.positions[name] ?? null,
    };
  }

  #durable(offset: number, group: AppendGroup): void {
    this.#durableCommitEnd = Math.max(this.#durableCommitEnd, offset + 1);
    for (const { topicId, partition, segments } of group.parts) {
      this.#durableEnds.set(`${topicId}/${partition}`, segments.at(-2)! + segments.at(-1)!);
    }
  }

  async producerPosition(producer: string): Promise<string | null> {
    await this.#awaitVisible();
    const known = this.#known(producer);
    const last = await this.#attempt(`producer "${producer}"`, () =>
      this.#commits.lastOf(this.#link, producer, known?.offset ?? 0),
    );
    return last === undefined ? (known?.position ?? null) : last.commit.position;
  }

  async headSeq(): Promise<number> {
    await this.#awaitVisible();
    const oldest = offsetOf(this.#commits.header, this.#headSeq);
    const { seq } = await this.#attempt('the end of the log', () => this.#commits.lastAppend(this.#link, oldest));
    this.#headSeq = Math.max(this.#headSeq, seq ?? 0);
    return this.#headSeq;
  }

  /** A commit is durable a little before everybody can see it; who reads here must see what was written here. */
  async #awaitVisible(): Promise<number> {
    for (;;) {
      const end = await this.#attempt('the end of the log', () => this.#commits.end(this.#link, true));
      this.#visibleEnd = Math.max(this.#visibleEnd, end);
      if (this.#visibleEnd >= this.#durableCommitEnd) return this.#visibleEnd;
      await delay(2, this.#signal);
    }
  }

  read(after: number, options: ReadOptions): AsyncIterable<readonly Append[]> {
    this.#checkOpen();
    const { spillFolder, spillBytes = spillBytesDefault } = this.#options;
    const reading: LogReading = {
      commits: this.#commits,
      directory: this.#directory,
      logger: this.#options.logger,
      spill: spillFolder === undefined ? undefined : { folder: spillFolder, bytes: spillBytes },
      signal: this.#signal,
      openLink: () => this.#openLink(),
      visibleEnd: () => this.#awaitVisible(),
    };
    return readLog(reading, after, options);
  }

  partitionEnds(topic: string): Promise<readonly number[]> {
    return this.#attempt(`topic "${topic}"`, () => tapEnds(this.#link, this.#directory, topic));
  }

  readTopic(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    decidedTo = 0,
    bytesMax = Number.POSITIVE_INFINITY,
  ): Promise<readonly TapRecord[]> {
    return this.#attempt(`topic "${topic}"`, async () => {
      const { topicId } = await this.#directory.get(topic);
      const durableEnd = Math.max(decidedTo, this.#durableEnds.get(`${topicId}/${partition}`) ?? 0);
      return readTap(this.#link, this.#directory, { topic, partition, offset, limit, bytesMax, durableEnd });
    });
  }

  async close(): Promise<void> {
    if (this.#signal.aborted) return;
    const closing = Promise.allSettled([...this.#producers.values()].map((producer) => producer.close()));
    await Promise.race([closing, delay(closeMs, this.#signal).catch(() => {})]);
    this.#stop.abort();
    await this.#end();
  }

  /** The signal has fired: nothing of this log runs any more when it resolves. */
  async #end(): Promise<void> {
    const closed = new AppError('not-ready', 'the log was closed');
    await Promise.all([...this.#producers.values()].map((producer) => producer.abandon(closed)));
    this.#link.close();
    this.#admin.close();
  }

  async #attempt<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    return retryingFor(this.#deadlineMs, what, this.#signal, () => this.#directory.doubting(attempt));
  }

  #openLink(): BrokerLink {
    return openLink(this.#options);
  }

  #checkOpen(): void {
    if (this.#signal.aborted) throw new AppError('not-ready', 'the log is closed');
  }
}

export interface OpenedParts {
  readonly stop: AbortController;
  readonly admin: AdminClient;
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly commits: CommitTopic;
}

export const defaultClientId = 'writethrough';
/** Well over what a producer gathers in one transaction, so that only single appends that are longer are spilled. */
const spillBytesDefault = 16 * 1024 * 1024;

export function openLink(options: KafkaLogOptions): BrokerLink {
  const { brokers, ssl, sasl, deadlines, logger, serviceId, clientId = defaultClientId } = options;
  return new BrokerLink({ brokers, ssl, sasl, deadlines, logger, clientId, knownTopic: commitTopicName(serviceId) });
}
