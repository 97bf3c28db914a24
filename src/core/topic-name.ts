// The topics of a connector's tables, before transforms rename any: known to who writes them, and to who leaves tables out by them.
import { bounds } from './bounds.js';
import { AppError } from './errors.js';
import { matchesWhole } from './pattern.js';

/**
 * `dotted`: `<prefix>.<database>.<table>`, as Debezium does; `joined`: `<prefix><table>`, as the JDBC source does; `prefix`: that alone, as
 * it does with a query.
 */
export type TopicForm = 'dotted' | 'joined' | 'prefix';

export interface TopicNaming {
  readonly topicPrefix: string;
  readonly topicForm: TopicForm;
}

interface Named {
  readonly database: string;
  readonly table: string;
}

/** What Kafka takes as the name of a topic. */
export const topicNameRule = 'letters, digits, ".", "_" and "-", at most 249';

export function isTopicName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,249}$/.test(text) && text !== '.' && text !== '..';
}

/** Of a part of a name. */
export function hasOnlyTopicCharacters(text: string): boolean {
  return /^[A-Za-z0-9._-]*$/.test(text);
}

/** What Kafka does not allow in a topic name is replaced by `_`, as Debezium does. */
export function topicName(naming: TopicNaming, table: Named): string {
  return plainName(naming, table).replaceAll(/[^A-Za-z0-9._-]/g, '_');
}

/** Of a table whose topic has other characters than the names that it is made of: these. */
export function replacedTopicName(naming: TopicNaming, table: Named): string | undefined {
  const name = plainName(naming, table);
  return hasOnlyTopicCharacters(name) ? undefined : name;
}

function plainName({ topicPrefix, topicForm }: TopicNaming, { database, table }: Named): string {
  switch (topicForm) {
    case 'dotted':
      return `${topicPrefix}.${database}.${table}`;
    case 'joined':
      return `${topicPrefix}${table}`;
    case 'prefix':
      return topicPrefix;
  }
}

/** A topic whose whole name matches, or does not: none of its records is wanted. */
export interface UnwantedTopics {
  /** A regular expression. */
  readonly pattern: string;
  readonly negate: boolean;
}

/** How a source hears of them, as JSON. */
export const unwantedTopicsProperty = 'topics.unwanted';

export function isUnwanted(topic: string, unwanted: readonly UnwantedTopics[]): boolean {
  return unwanted.some(({ pattern, negate }) => matchesWhole(pattern, topic) !== negate);
}

/** Each partition of a topic costs memory and a place in every listing, whoever asks for it. */
export function assertPartitions(topic: string, partitions: number): void {
  const { code, value: max } = bounds.partitions;
  if (partitions > max) {
    throw new AppError(code, `the topic "${topic}" would have ${partitions} partitions`, { hint: `${max} at most` });
  }
}
