// What is known of topics: their id, who leads their partitions, and how large a batch may be. Asked when needed, kept until
// somebody finds it to be wrong. One per log; its link carries short requests only.
import { delay } from '../../core/backoff.js';
import type { Logger } from '../../core/logger.js';
import { TopicRefusal } from '../topic-refusal.js';
import type { AdminClient } from './admin-client.js';
import type { BrokerLink } from './broker-link.js';
import { errorType, KafkaProtocolError } from './kafka-errors.js';
import { ConfigResourceTypes } from './kafkajs-inside.js';
import { metadataRequest, type TopicMetadata } from './requests.js';
import { Outage, retrying } from './retrying.js';

export interface TopicEntry {
  readonly name: string;
  /** 16 bytes as hex; tells this topic from earlier and later ones of its name. */
  readonly topicId: string;
  /** By partition: the node that leads it; -1 while there is none. */
  readonly leaders: readonly number[];
}

const unknownTopic = 3;
/** The broker's own default of `max.message.bytes`. */
const defaultMessageBytesMax = 1_048_588;
/** A topic is gone when several answers in a row say so: a broker that has just started may not know all yet. */
const missingTries = 5;

export class TopicDirectory {
  readonly #link: BrokerLink;
  readonly #admin: AdminClient;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #topics = new Map<string, TopicEntry>();
  readonly #messageBytesMax = new Map<string, number>();

  constructor(link: BrokerLink, admin: AdminClient, logger: Logger, signal: AbortSignal) {
    this.#link = link;
    this.#admin = admin;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** As it was last seen. */
  known(name: string): TopicEntry | undefined {
    return this.#topics.get(name);
  }

  /** Asks the brokers now; undefined: there is no such topic. One try. */
  async ask(name: string): Promise<TopicEntry | undefined> {
    const [entry] = await this.askAll([name]);
    return entry;
  }

  /** All topics, or those of these names that exist; one try. */
  async askAll(names?: readonly string[]): Promise<TopicEntry[]> {
    const broker = await this.#link.anyBroker();
    const answers = await this.#link.send(broker, metadataRequest(names));
    const found: TopicEntry[] = [];
    for (const answer of answers) {
      if (answer.errorCode === unknownTopic) this.forget(answer.name);
      else if (!answer.internal) found.push(this.#note(answer));
    }
    return found;
  }

  #note({ name, topicId, errorCode, leaders }: TopicMetadata): TopicEntry {
    // Partitions without a leader come with an error of their own, which says nothing about the topic.
    if (errorCode !== 0 && errorCode !== 5) throw new KafkaProtocolError(errorCode, `topic "${name}"`, name);
    const entry: TopicEntry = { name, topicId, leaders };
    this.#topics.set(name, entry);
    return entry;
  }

  /** Keeps asking while brokers do not answer; undefined when the topic surely does not exist. */
  async find(name: string): Promise<TopicEntry | undefined> {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const outage = new Outage(`topic "${name}"`, this.#logger);
    for (let tries = 1; ; tries++) {
      const entry = await retrying(outage, this.#signal, () => this.ask(name));
      if (entry !== undefined || tries === missingTries) return entry;
      await delay(20 * tries, this.#signal);
    }
  }

  async get(name: string): Promise<TopicEntry> {
    const entry = await this.find(name);
    if (entry === undefined) throw new TopicRefusal(name, 'unknown-topic', `there is no topic "${name}"`);
    return entry;
  }

  /** Whatever fails may fail because a leader has moved, or died without a word: the next try asks anew. */
  doubt(): void {
    this.#topics.clear();
  }

  async doubting<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      this.doubt();
      throw error;
    }
  }

  forget(name: string): void {
    this.#topics.delete(name);
    this.#messageBytesMax.delete(name);
  }

  /** The node that leads a partition; throws a retriable error while there is none, having asked anew. */
  async leader(name: string, partition: number): Promise<number> {
    const entry = this.#topics.get(name) ?? (await this.get(name));
    const known = entry.leaders[partition];
    if (known !== undefined && known >= 0) return known;
    const leader = (await this.ask(name))?.leaders[partition];
    if (leader === undefined) {
      throw new TopicRefusal(
        name,
        'unknown-topic',
        `topic "${name}" has ${entry.leaders.length} partitions, so none with number ${partition}`,
      );
    }
    if (leader < 0) throw new KafkaProtocolError(5, `topic "${name}", partition ${partition}`);
    return leader;
  }

  /** `max.message.bytes` of a topic; the broker's usual value where we may not see it. */
  async messageBytesMax(name: string): Promise<number> {
    const known = this.#messageBytesMax.get(name);
    if (known !== undefined) return known;
    const value = await retrying(new Outage(`settings of topic "${name}"`, this.#logger), this.#signal, () =>
      this.#askMessageBytesMax(name),
    );
    this.#messageBytesMax.set(name, value);
    return value;
  }

  async #askMessageBytesMax(name: string): Promise<number> {
    try {
      const wanted = [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['max.message.bytes'] }];
      const { resources } = await this.#admin.use((admin) => {
        return admin.describeConfigs({ includeSynonyms: false, resources: wanted });
      });
      const value = Number(
        resources[0]?.configEntries.find((entry) => entry.configName === 'max.message.bytes')?.configValue,
      );
      return value > 0 ? value : defaultMessageBytesMax;
    } catch (error) {
      if (errorType(error)?.endsWith('AUTHORIZATION_FAILED') !== true) throw error;
      this.#logger.debug(
        `the settings of topic "${name}" may not be read; max.message.bytes is taken to be ${defaultMessageBytesMax}`,
      );
      return defaultMessageBytesMax;
    }
  }
}
