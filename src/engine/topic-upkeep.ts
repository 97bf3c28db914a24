// Topics on Kafka. They cannot be made in the store's transaction, so applying a definition writes down what is wanted (documents that
// are a function of the sequence, as the catalogue is), and the process that may write makes the brokers follow behind the commit:
//   making    wanted, and not told to be there: create it (idempotent), then append `topic-made` with its id
//   made      there; if it vanishes it is not made again in silence, for its records would be gone: its query fails
//             an alteration of its settings that they have not been told yet: tell them (idempotent), then append `topic-settled`
//   dropping  not wanted: delete those of its name that we have made, by their ids, and append `topic-dropped` for each; not before
//             everything that was sent is out or given up, since a record on its way knows its topic by name only
// A crash between a call to the brokers and the append behind it: the call is made again, and changes nothing. A fresh data folder
// reads all of this from the log, and nothing is asked of the brokers before the log's head at the start is applied: an old
// `dropping` must not take away a later topic of that name. A name that is wanted again while the earlier one is on its way out is
// `making` with ids to be deleted first.
import { createBackoff, delay, untilAborted } from '../core/backoff.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { KnownTopic, SeenTopic } from '../projector/defined-topics.js';
import type { StateWriter } from '../store/state-store.js';
import type { TopicRetention } from '../core/topic-retention.js';
import type { TopicDescription, TopicSettings, TopicSpec } from '../stream/event-log.js';
import type { EngineTopics, TopicKeeper } from './engine-topics.js';
import type { WrittenTopics } from './written-topics.js';

const documentKind = 'topic';
/** A statement's answer waits so long for its topic. */
const readyDeadlineMs = 15_000;
const waitStepMs = 1_000;

interface TopicDocument extends TopicSettings {
  readonly name: string;
  readonly partitions: number;
  /** Of its newest alteration, and of the one that the brokers have been told; undefined: none. */
  readonly altered?: number | undefined;
  readonly told?: number | undefined;
  readonly state: 'making' | 'made' | 'dropping';
  /** Of the one that was made. */
  readonly id: string | null;
  /** It was dropped while it was being made: whatever has the name is ours. */
  readonly unsure: boolean;
  /** Ids of those that have to go. */
  readonly drops: readonly string[];
}

/** What the upkeep asks of the brokers. */
export interface TopicBroker {
  createTopic(spec: TopicSpec): Promise<void>;
  alterTopic(name: string, limits: TopicRetention): Promise<void>;
  /** Nothing where there is none of that name with this id. */
  deleteTopicOf(name: string, id: string): Promise<void>;
  topics(): Promise<readonly TopicDescription[]>;
  seeTopic(name: string): Promise<Omit<SeenTopic, 'foreign' | 'settings'> | undefined>;
  /** Of a topic that is there. */
  topicSettings(name: string): Promise<TopicSettings>;
  /** Throws invalid-statement where no topic can have this name. */
  checkTopicName(name: string): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

export class TopicUpkeep implements EngineTopics {
  readonly shared = true;
  readonly #state: StateWriter;
  readonly #broker: TopicBroker;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #onDropped: (name: string, seq: number) => void;
  readonly #settled: () => Promise<void>;
  readonly #topics = new Map<string, TopicDocument>();
  readonly #written: WrittenTopics;
  readonly #isForeign: (name: string) => Promise<boolean>;
  readonly #waiting = new Map<string, Set<Waiter>>();
  readonly #settling = new Set<string>();
  #keeper: TopicKeeper | undefined;
  #changed = true;

  constructor(env: {
    readonly state: StateWriter;
    readonly broker: TopicBroker;
    readonly written: WrittenTopics;
    /** Of a topic that is there. */
    readonly isForeign: (name: string) => Promise<boolean>;
    readonly logger: Logger;
    readonly signal: AbortSignal;
    /** In the open transaction: what was derived for the topic up to this seq is not to be sent any more. */
    readonly onDropped: (name: string, seq: number) => void;
    /** Resolves when nothing that was sent until now can reach a topic any more. */
    readonly settled: () => Promise<void>;
  }) {
    this.#state = env.state;
    this.#broker = env.broker;
    this.#logger = env.logger;
    this.#signal = env.signal;
    this.#written = env.written;
    this.#isForeign = env.isForeign;
    this.#onDropped = env.onDropped;
    this.#settled = env.settled;
    this.#load();
  }

  #load(): void {
    this.#topics.clear();
    for (const { json } of this.#state.documents(documentKind)) {
      const document = JSON.parse(json) as TopicDocument;
      this.#topics.set(document.name, document);
    }
  }

  find(name: string): KnownTopic | undefined {
    const found = this.#topics.get(name);
    return found?.state === 'dropping' ? undefined : found;
  }

  isEmpty(name: string): boolean {
    return this.#written.isEmpty(name);
  }

  lostSeq(): number {
    return 0;
  }

  create(spec: TopicSpec): void {
    const { name } = spec;
    this.#broker.checkTopicName(name);
    const drops = this.#topics.get(name)?.drops ?? [];
    this.#put({ ...spec, state: 'making', id: null, unsure: false, drops });
    // Records of an earlier one of its name are gone with it.
    this.#written.forget(name);
    this.#written.noteMade(name);
  }

  adopt(name: string, { partitions, id, settings = { cleanup: 'delete' } }: SeenTopic): void {
    const drops = this.#topics.get(name)?.drops ?? [];
    this.#put({ ...settings, name, partitions, state: 'made', id, unsure: false, drops });
  }

  alter(name: string, { retentionMs, retentionBytes }: TopicRetention, seq: number): void {
    this.#put({ ...this.#topics.get(name)!, retentionMs, retentionBytes, altered: seq });
  }

  delete(name: string, seq: number): void {
    const topic = this.#topics.get(name)!;
    const drops = topic.id === null ? topic.drops : [...topic.drops, topic.id];
    this.#put({ ...topic, state: 'dropping', id: null, unsure: topic.id === null, drops });
    this.#onDropped(name, seq);
  }

  release(name: string): void {
    if (this.#topics.get(name)?.state === 'made') this.#forget(name);
  }

  made(name: string, id: string): void {
    const topic = this.#topics.get(name);
    if (topic?.state === 'making') this.#put({ ...topic, state: 'made', id });
    else if (topic?.state === 'dropping') this.#put({ ...topic, unsure: false, drops: [...topic.drops, id] });
  }

  settled(name: string, seq: number): void {
    const topic = this.#topics.get(name);
    // What was told of an earlier alteration, or of an earlier topic of this name, says nothing of this one.
    if (topic?.altered === seq) this.#put({ ...topic, told: seq });
  }

  dropped(name: string, id: string): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    const drops = topic.drops.filter((each) => each !== id);
    if (topic.state === 'dropping' && drops.length === 0) this.#forget(name);
    else this.#put({ ...topic, drops, unsure: false });
  }

  #put(document: TopicDocument): void {
    this.#topics.set(document.name, document);
    this.#state.putDocument(documentKind, document.name, JSON.stringify(document));
    this.#changed = true;
  }

  #forget(name: string): void {
    this.#topics.delete(name);
    this.#state.deleteDocument(documentKind, name);
    this.#changed = true;
  }

  async see(name: string): Promise<SeenTopic | undefined> {
    if (this.#topics.has(name)) return undefined;
    const seen = await this.#broker.seeTopic(name);
    return seen && { ...seen, foreign: await this.#isForeign(name), settings: await this.#broker.topicSettings(name) };
  }

  stateOf(name: string): 'making' | 'made' | undefined {
    const state = this.#topics.get(name)?.state;
    return state === 'dropping' ? undefined : state;
  }

  async ready(name: string): Promise<void> {
    if (!hasWork(this.#topics.get(name))) return;
    let waiter: Waiter | undefined;
    const settled = new Promise<void>((resolve, reject) => (waiter = { resolve, reject }));
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(waiter!));
    const timer = setTimeout(() => waiter!.reject(slow(name)), readyDeadlineMs);
    try {
      await settled;
    } finally {
      clearTimeout(timer);
      waiting.delete(waiter!);
    }
  }

  async shown(): Promise<readonly TopicDescription[]> {
    const there = await this.#broker.topics();
    const unsettled = [...this.#topics.values()].filter(({ state }) => state !== 'made');
    const names = new Set(unsettled.map(({ name }) => name));
    const wanted = unsettled.filter(({ state }) => state === 'making').map(describeUnmade);
    return [...there.filter(({ name }) => !names.has(name)), ...wanted];
  }

  /** Until it is no longer being made; for a sender that has nothing else to do meanwhile. */
  async waitFor(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.stateOf(name) === 'making')
      await Promise.race([this.ready(name), delay(waitStepMs, signal)]).catch(() => {});
  }

  start(keeper: TopicKeeper): void {
    this.#keeper = keeper;
    this.committed();
  }

  /** The engine's transaction is committed. */
  committed(): void {
    if (!this.#changed) return;
    for (const [name, waiting] of this.#waiting) {
      if (hasWork(this.#topics.get(name))) continue;
      for (const { resolve } of waiting) resolve();
      this.#waiting.delete(name);
    }
    if (this.#keeper === undefined || this.#state.frontier.seq < this.#keeper.headSeq) return;
    this.#changed = false;
    for (const topic of this.#topics.values()) if (hasWork(topic)) this.#settle(topic.name, this.#keeper);
  }

  rolledBack(): void {
    this.#load();
    this.#changed = true;
  }

  #settle(name: string, keeper: TopicKeeper): void {
    if (this.#settling.has(name)) return;
    this.#settling.add(name);
    this.#settleAll(name, keeper)
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          this.#logger.error('the upkeep of a topic ended', { topic: name, error: String(error) });
      })
      .finally(() => this.#settling.delete(name));
  }

  async #settleAll(name: string, keeper: TopicKeeper): Promise<void> {
    const backoff = createBackoff({ initialMs: 200, maxMs: 10_000 });
    while (!this.#signal.aborted) {
      const topic = this.#topics.get(name);
      if (topic === undefined || !hasWork(topic)) return;
      try {
        await this.#step(topic, keeper);
        backoff.reset();
      } catch (error) {
        if (this.#signal.aborted) return;
        const cause = toAppError(error);
        const { code, message, hint } = cause;
        this.#logger.warn('a topic does not stand as it is wanted', {
          topic: name,
          state: topic.state,
          code,
          error: message,
          hint,
        });
        for (const { reject } of this.#waiting.get(name) ?? []) reject(inTheWay(name, cause));
        await backoff.wait(this.#signal);
      }
    }
  }

  async #delete(name: string, id: string): Promise<void> {
    await untilAborted(this.#signal, this.#settled());
    await this.#broker.deleteTopicOf(name, id);
  }

  /** One call to the brokers, and what it came to as an append. */
  async #step(topic: TopicDocument, { append }: TopicKeeper): Promise<void> {
    const { name, partitions, cleanup, retentionMs, retentionBytes, altered, state, unsure, drops } = topic;
    const [id] = drops;
    if (id !== undefined) {
      await this.#delete(name, id);
      await append({ kind: 'topic-dropped', topic: name, id });
    } else if (state === 'making') {
      await this.#broker.createTopic({ name, partitions, cleanup, retentionMs, retentionBytes });
      const seen = await this.#broker.seeTopic(name);
      if (seen === undefined) throw slow(name);
      await append({ kind: 'topic-made', topic: name, id: seen.id });
    } else if (isAltered(topic)) {
      await this.#broker.alterTopic(name, { retentionMs, retentionBytes });
      await append({ kind: 'topic-settled', topic: name, seq: altered! });
    } else if (unsure) {
      const seen = await this.#broker.seeTopic(name);
      if (seen) await this.#delete(name, seen.id);
      await append({ kind: 'topic-dropped', topic: name, id: seen?.id ?? '' });
    }
  }
}

function hasWork(topic: TopicDocument | undefined): boolean {
  return topic !== undefined && (topic.state !== 'made' || topic.drops.length > 0 || isAltered(topic));
}

function describeUnmade({ name, partitions, cleanup, retentionMs, retentionBytes }: TopicDocument): TopicDescription {
  const offsets = Array.from({ length: partitions }, () => ({ first: 0, next: 0 }));
  return { name, partitions, cleanup, retentionMs, retentionBytes, offsets };
}

function isAltered({ state, altered, told }: TopicDocument): boolean {
  return state === 'made' && altered !== told;
}

function slow(name: string): AppError {
  return new AppError('log-unreachable', `topic ${name} is not made or deleted yet`, {
    hint: 'the statement has taken effect, and the brokers are asked again until they follow',
    retriable: true,
  });
}

function inTheWay(name: string, cause: AppError): AppError {
  return new AppError(cause.code, `topic ${name} is not made or deleted yet: ${cause.message}`, {
    detail: cause.detail,
    hint: 'the statement has taken effect, and the brokers are asked again until they follow',
    retriable: true,
    cause,
  });
}
