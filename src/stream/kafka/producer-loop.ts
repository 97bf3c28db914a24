// The sending end of one producer: takes groups of whole appends in order and makes each durable in a Kafka transaction of its own,
// data first, then the one record of the commit topic that lists them, then the commit.
//
// A commit counts when its markers are seen (markers.ts says why); the next group waits for them anyway.
//
// After any error it is unknown what became of the transaction, so nothing is tried again blindly: a new epoch is begun (that
// decides the old transaction), the producer's records of the commit topic are read again, what is in the log counts as durable,
// and the rest is sent under the new epoch. If another session of the producer stands in the commit topic, this one is fenced:
// every opening writes a record of its own before anything else, so an epoch that merely expired is told from one taken away.
import { randomBytes } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import { failpoint } from '../../core/failpoint.js';
import type { Logger } from '../../core/logger.js';
import { TopicRefusal } from '../topic-refusal.js';
import type { AppendGroup } from './append-group.js';
import type { BrokerLink } from './broker-link.js';
import { endOf, printCommit, seqOf, type CommitPart } from './commit-record.js';
import type { CommitTopic, PlacedCommit } from './commit-topic.js';
import { errorType, isRetriable, KafkaProtocolError, toLogError, toTopicRefusal } from './kafka-errors.js';
import { RecordBatch } from './record-batch.js';
import type { TransactionEnd } from './markers.js';
import { Outage } from './retrying.js';
import type { TopicDirectory } from './topic-directory.js';
import { Transactions, type PartitionBatches } from './transaction.js';

export interface ProducerEnvironment {
  readonly serviceId: string;
  readonly commits: CommitTopic;
  readonly directory: TopicDirectory;
  readonly logger: Logger;
  openLink(): BrokerLink;
  /** Called with what has become durable, before anybody is told. */
  durable(commitOffset: number, group: AppendGroup): void;
}

const noHeaders = Buffer.from([0]);

export class ProducerLoop {
  readonly name: string;
  readonly sink: boolean;
  readonly #environment: ProducerEnvironment;
  readonly #link: BrokerLink;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #outage: Outage;
  readonly #session = randomBytes(6).toString('base64url');
  #transactions: Transactions | undefined;
  /** It has an epoch whose transactions may be open for long. */
  #long = false;
  #number = 0;
  #position: string | null = null;
  /** How far the transaction under way has come: where its commit record is, and whether the commit was answered. */
  #attempt: { readonly commitOffset: number | undefined; readonly committed: boolean } = {
    commitOffset: undefined,
    committed: false,
  };
  /** The newest record of this producer that is known; looking for newer ones begins behind it. */
  #lastOffset = 0;

  constructor(environment: ProducerEnvironment, options: { name: string; sink: boolean; signal: AbortSignal }) {
    this.#environment = environment;
    this.name = options.name;
    this.sink = options.sink;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#link = environment.openLink();
    this.#outage = new Outage(`producer "${options.name}"`, environment.logger);
  }

  get position(): string | null {
    return this.#position;
  }

  /** Fences the earlier producer of this name and finds where it stood. `known`: what a reader knew up to an offset. */
  async open(known: { readonly offset: number; readonly position: string | null } | undefined): Promise<void> {
    const { commits } = this.#environment;
    for (;;) {
      try {
        const transactions = await this.#begin(false);
        this.#transactions = transactions;
        await transactions.clean([this.#commitPartition]);
        const last = await commits.lastOf(this.#link, this.name, known?.offset ?? 0);
        // The last one is committed; that this shows in its partitions was perhaps not waited for.
        if (last !== undefined && !last.commit.imported)
          await transactions.settleAsDecided(await this.#stillThere(last.commit.parts.map(endOfPart)), true);
        this.#position = last === undefined ? (known?.position ?? null) : last.commit.position;
        this.#lastOffset = last?.offset ?? known?.offset ?? 0;
        await this.#openSession(transactions);
        this.#outage.over();
        return;
      } catch (error) {
        // A topic of that last one is gone since we looked: nothing is to be decided in it any more.
        if (error instanceof TopicRefusal) continue;
        await this.#pause(this.#explained(error));
      }
    }
  }

  /** Before the next try; rejects when there is no use in one. */
  async #pause(failure: unknown): Promise<void> {
    await this.#outage.wait(failure, this.#signal);
    this.#link.renew();
    this.#environment.directory.doubt();
  }

  #begin(long: boolean): Promise<Transactions> {
    this.#long = long;
    const { serviceId, directory } = this.#environment;
    return Transactions.begin(transactionalIdOf(serviceId, this.name), {
      link: this.#link,
      directory,
      signal: this.#signal,
      long,
    });
  }

  async #openSession(transactions: Transactions): Promise<void> {
    await transactions.add([this.#commitPartition]);
    const offset = await this.#writeCommit(transactions, undefined);
    await transactions.commit();
    await transactions.confirm(this.#ends([], offset));
    this.#lastOffset = offset;
  }

  /** Where the records of a transaction end in its partitions. */
  #ends(parts: readonly CommitPart[], commitOffset: number): TransactionEnd[] {
    const { name: topic, topicId } = this.#environment.commits;
    return [...parts.map(endOfPart), { topic, topicId, partition: 0, end: commitOffset + 1 }];
  }

  /** Without those whose topic was deleted. */
  async #stillThere(ends: readonly TransactionEnd[]): Promise<TransactionEnd[]> {
    const found: TransactionEnd[] = [];
    for (const end of ends) {
      const entry = await this.#environment.directory.find(end.topic);
      if (entry?.topicId === end.topicId) found.push(end);
    }
    return found;
  }

  get #commitPartition() {
    return { topic: this.#environment.commits.name, partition: 0 };
  }

  /** Makes the group durable and gives the offset of its commit; rejects when that is impossible for good. */
  async send(group: AppendGroup, more: () => Promise<void>, released: (bytes: number) => void): Promise<number> {
    group.number = ++this.#number;
    for (;;) {
      try {
        const offset = await this.#sendOnce(group, more, released);
        this.#done(group, offset);
        this.#outage.over();
        return offset;
      } catch (error) {
        const offset = await this.#recover(error, group);
        if (offset === undefined) continue;
        this.#done(group, offset);
        return offset;
      }
    }
  }

  #done(group: AppendGroup, offset: number): void {
    this.#position = group.position ?? this.#position;
    this.#lastOffset = Math.max(this.#lastOffset, offset);
    this.#environment.durable(offset, group);
  }

  async #sendOnce(group: AppendGroup, more: () => Promise<void>, released: (bytes: number) => void): Promise<number> {
    if (this.#transactions === undefined || this.#long !== group.streaming)
      this.#transactions = await this.#begin(group.streaming);
    const transactions = this.#transactions;
    this.#attempt = { commitOffset: undefined, committed: false };
    this.#checkTopics(group);
    if (this.sink) failpoint('outbox-before-produce');
    // Before the transaction begins: partitions that a growing append comes to later are taken as they are.
    await transactions.clean([...group.parts, this.#commitPartition]);
    if (group.streaming) await this.#stream(transactions, group, more, released);
    else {
      const data = group.sendable();
      await transactions.add([...data, this.#commitPartition]);
      if (data.length > 0) await transactions.produce(data);
    }
    failpoint('kafka-before-commit-record');
    await transactions.add([this.#commitPartition]);
    const offset = await this.#writeCommit(transactions, group);
    this.#attempt = { commitOffset: offset, committed: false };
    await transactions.commit();
    this.#attempt = { commitOffset: offset, committed: true };
    await transactions.confirm(this.#ends(group.parts, offset));
    if (this.sink) failpoint('outbox-after-produce');
    return offset;
  }

  /** Records for a topic of before must not get into a later one of its name. */
  #checkTopics(group: AppendGroup): void {
    for (const { topic, topicId } of group.parts) {
      const known = this.#environment.directory.known(topic);
      if (known === undefined || known.topicId === topicId) continue;
      throw new TopicRefusal(
        topic,
        'unknown-topic',
        `topic "${topic}" was deleted and made again while records were on their way to it`,
      );
    }
  }

  async #stream(
    transactions: Transactions,
    group: AppendGroup,
    more: () => Promise<void>,
    released: (bytes: number) => void,
  ): Promise<void> {
    for (;;) {
      const { sealed } = group;
      const data: PartitionBatches[] = group.sendable();
      if (data.length === 0) {
        if (sealed) return;
        await more();
        continue;
      }
      await transactions.add(data);
      await transactions.produce(data);
      released(group.release(data));
    }
  }

  /** Without a group: the record that opens the session. */
  async #writeCommit(transactions: Transactions, group: AppendGroup | undefined): Promise<number> {
    const value = Buffer.from(
      printCommit({
        session: this.#session,
        number: group?.number ?? 0,
        position: group?.position ?? this.#position,
        parts: group === undefined ? [] : [...group.parts, ...group.imported],
        appends: group?.appends ?? [],
        sink: this.sink,
        imported: (group?.imported.length ?? 0) > 0,
      }),
    );
    const source = Buffer.concat([Buffer.from(this.name), value]);
    const keyLength = source.length - value.length;
    const batch = new RecordBatch(source.length + 128);
    batch.add(Date.now(), source, 0, keyLength, keyLength, value.length, noHeaders, 1);
    let offset = -1;
    await transactions.produce([{ ...this.#commitPartition, batches: [batch], stored: (base) => (offset = base) }]);
    return offset;
  }

  /** The offset of the group's commit if it is in the log after all, else undefined: it has to be sent again. */
  async #recover(error: unknown, group: AppendGroup): Promise<number | undefined> {
    const cause = this.#explained(error);
    const tooLate = group.streaming && group.parts.some(({ segments }) => segments.length > 0);
    if (!isRetriable(cause)) await this.#giveUp(cause, group);
    let failure = cause;
    for (;;) {
      await this.#pause(failure);
      try {
        this.#checkSession(await this.#newer());
        const transactions = await this.#begin(group.streaming);
        this.#transactions = transactions;
        await this.#settle(transactions, group);
        const newer = await this.#newer();
        this.#checkSession(newer);
        const found = newer.find(({ commit }) => commit.session === this.#session && commit.number === group.number);
        this.#outage.over();
        if (found !== undefined) return found.offset;
        if (tooLate) break;
        group.rewind();
        return undefined;
      } catch (again) {
        if (again instanceof AppError && again.code === 'too-old') throw fellBehind(this.name, again);
        failure = this.#explained(again);
      }
    }
    throw new AppError(
      'log-unreachable',
      `producer "${this.name}" lost an append that was too large to keep in memory`,
      {
        detail: cause instanceof Error ? cause.message : undefined,
        hint: 'open the producer again and begin at its position',
        retriable: true,
        cause,
      },
    );
  }

  /** What the transaction of before has left undecided, if anything. */
  async #settle(transactions: Transactions, group: AppendGroup): Promise<void> {
    const { commitOffset, committed } = this.#attempt;
    if (commitOffset === undefined) await transactions.clean([...group.parts, this.#commitPartition]);
    else await transactions.settleAsDecided(await this.#stillThere(this.#ends(group.parts, commitOffset)), committed);
  }

  #newer(): Promise<PlacedCommit[]> {
    return this.#environment.commits.decidedOf(this.#link, this.name, this.#lastOffset + 1);
  }

  #checkSession(newer: readonly PlacedCommit[]): void {
    if (newer.every(({ commit }) => commit.session === this.#session)) return;
    throw new AppError('producer-fenced', `producer "${this.name}" was opened again elsewhere`);
  }

  /** For a failure that is final: so that the open transaction does not hold up everybody until it expires. */
  async #giveUp(cause: unknown, group: AppendGroup): Promise<never> {
    const refusal = toTopicRefusal(cause, `producer "${this.name}"`) ?? (await this.#refusalOf(group));
    try {
      await this.#transactions?.abort();
    } catch (error) {
      this.#environment.logger.debug(`producer "${this.name}": the open transaction is left to expire`, {
        cause: String(error),
      });
    }
    throw refusal ?? cause;
  }

  /** Access to a topic is asked for all topics of a transaction at once, and the answer names none: so each is asked alone. */
  async #refusalOf({ parts }: AppendGroup): Promise<TopicRefusal | undefined> {
    if (!this.sink) return undefined;
    for (const part of parts) {
      try {
        const transactions = await this.#begin(false);
        this.#transactions = transactions;
        await transactions.add([part]);
        await transactions.abort();
      } catch (error) {
        if (!isRetriable(error)) return toTopicRefusal(error, `topic "${part.topic}"`, part.topic);
        // Nobody knows then; the next sending meets the refusal again.
        return undefined;
      }
    }
    return undefined;
  }

  /** What stands behind the broker's word for it. */
  #explained(error: unknown): unknown {
    if (errorType(error) !== 'MESSAGE_TOO_LARGE' && errorType(error) !== 'RECORD_LIST_TOO_LARGE') return error;
    const options = {
      detail: error instanceof Error ? error.message : undefined,
      hint: 'raise max.message.bytes of the topic that is named',
      cause: error,
    };
    const what = `producer "${this.name}": a batch is over max.message.bytes of its topic`;
    const topic = error instanceof KafkaProtocolError ? error.topic : undefined;
    return topic === undefined
      ? new AppError('record-too-large', what, options)
      : new TopicRefusal(topic, 'record-too-large', what, options);
  }

  /** Drops what is open. */
  async close(): Promise<void> {
    try {
      if (!this.#signal.aborted) await this.#transactions?.abort();
    } catch (error) {
      this.#environment.logger.debug(`producer "${this.name}": closing did not end its transaction`, {
        cause: String(error),
      });
    } finally {
      this.#link.close();
    }
  }

  /** Ends everything now; whoever waits is rejected. */
  stop(): void {
    this.#stop.abort();
    this.#link.close();
  }

  seqOf(offset: number, place: number): number {
    return seqOf(this.#environment.commits.header, offset, place);
  }

  error(error: unknown): AppError {
    return toLogError(error, `producer "${this.name}"`);
  }
}

/** One writer per name: brokers fence by it. */
export function transactionalIdOf(serviceId: string, producer: string): string {
  return `${serviceId}-${producer}`;
}

function endOfPart(part: CommitPart): TransactionEnd {
  const { topic, topicId, partition } = part;
  return { topic, topicId, partition, end: endOf(part) };
}

/** It was silent for longer than the commit topic reaches back: what became of its last append is told to who opens it again. */
function fellBehind(name: string, cause: AppError): AppError {
  return new AppError(cause.code, `producer "${name}": ${cause.message}`, {
    detail: cause.detail,
    hint: 'open the producer again and begin at its position',
    retriable: true,
    cause,
  });
}
