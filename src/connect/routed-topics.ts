// Topics that only the rows of an outbox name (EventRouter). The encoder of a row asks for its topic and cannot wait; so a topic that is new
// to this task is remembered, and made before the chunk that holds its first record is handed over: nothing is lost when the process ends
// in between, since the chunk is read again, and a topic that is there is opened again. How many there may be is bounded: a column that
// has another value in each row is none to route by. Their records are events and no rows of a table, so they are not compacted.
import { AppError } from '../core/errors.js';
import { isTopicName, topicNameRule } from '../core/topic-name.js';
import type { SourceTable } from '../core/row-encoder.js';
import { renamed } from './transforms/topic-rename.js';
import type { EventRouting } from './transforms/event-router.js';

export const routedTopicsMax = 1000;

export interface Route {
  readonly topic: string;
  readonly partitions: number;
}

export interface RoutedTopicsEnv {
  readonly partitionsOf: (topic: string) => number;
  /** Makes the topic, for the table that its records would be of; resolves with the name that it has. */
  readonly open: (table: SourceTable) => Promise<string>;
}

export class RoutedTopics {
  readonly #env: RoutedTopicsEnv;
  readonly #routes = new Map<string, Route>();
  #fresh: string[] = [];

  constructor(env: RoutedTopicsEnv) {
    this.#env = env;
  }

  /** Of the values of one table. What it gives throws unconvertible-value, of the row whose value it is. */
  router(routing: EventRouting): (value: string) => Route {
    const known = new Map<string, Route>();
    return (value) => {
      let route = known.get(value);
      if (route === undefined) {
        // Of many values that make few topics no more is kept than of topics.
        if (known.size === routedTopicsMax) known.clear();
        known.set(value, (route = this.#routeOf(routing, value)));
      }
      return route;
    };
  }

  #routeOf({ regex, replacement }: EventRouting, value: string): Route {
    const topic = renamed(value, regex, replacement) ?? value;
    const known = this.#routes.get(topic);
    if (known) return known;
    if (!isTopicName(topic))
      throw notRouted(
        `"${topic}" is no name of a topic`,
        `${topicNameRule}: set route.topic.regex and route.topic.replacement`,
      );
    if (this.#routes.size === routedTopicsMax)
      throw notRouted(
        `"${topic}" would be one more than ${routedTopicsMax} topics`,
        'route by a column with few values: route.by.field',
      );
    const route = { topic, partitions: this.#env.partitionsOf(topic) };
    this.#routes.set(topic, route);
    this.#fresh.push(topic);
    return route;
  }

  /** Before records are handed over. */
  async openFresh(): Promise<void> {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    // Side by side: those that wait together become durable together.
    await Promise.all(fresh.map((topic) => this.#open(topic)));
  }

  async #open(topic: string): Promise<void> {
    const opened = await this.#env.open(eventTable(topic));
    if (opened === topic) return;
    throw new AppError('already-exists', `events are routed to topic ${topic}, which a table of the connector fills`, {
      hint: 'give events another topic: route.topic.replacement',
    });
  }
}

function notRouted(message: string, hint: string): AppError {
  return new AppError('unconvertible-value', `an event cannot be routed: ${message}`, { hint });
}

/** Of no database, like the topics beside the tables; its columns say what a record has. */
function eventTable(topic: string): SourceTable {
  const column = (name: string) => ({ name, type: { kind: 'STRING' } as const, nullable: true, sourceType: 'STRING' });
  return { database: '', table: topic, columns: [column('key'), column('payload')], keyColumns: [0] };
}
