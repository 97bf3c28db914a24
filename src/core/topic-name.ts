// The topics of a connector's tables, before transforms rename any: known to who writes them, and to who leaves tables out by them.

/**
 * `dotted`: `<prefix>.<database>.<table>`, as Debezium does; `joined`: `<prefix><table>`, as the JDBC source does; `prefix`: that alone, as
 * it does with a query.
 */
export type TopicForm = 'dotted' | 'joined' | 'prefix';

interface Naming {
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
export function topicName({ topicPrefix, topicForm }: Naming, { database, table }: Named): string {
  return partsOf(topicForm, topicPrefix, database, table)
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]/g, '_'))
    .join('.');
}

/** Of a table whose topic has other characters than the names that it is made of: these. */
export function replacedTopicName(naming: Naming, named: Named): string | undefined {
  const parts = partsOf(naming.topicForm, naming.topicPrefix, named.database, named.table);
  return parts.every(hasOnlyTopicCharacters) ? undefined : parts.join('.');
}

function partsOf(form: TopicForm, prefix: string, database: string, table: string): readonly string[] {
  switch (form) {
    case 'dotted':
      return [prefix, database, table];
    case 'joined':
      return [`${prefix}${table}`];
    case 'prefix':
      return [prefix];
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
  return unwanted.some(({ pattern, negate }) => new RegExp(`^(?:${pattern})$`).test(topic) !== negate);
}
