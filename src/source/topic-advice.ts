// What is said of topics whose names cannot be made of the names of their tables as they are.
import { qualifiedName } from '../core/table-name.js';
import { isTopicName, replacedTopicName, topicName, topicNameRule, type TopicNaming } from '../core/topic-name.js';
import type { SourceFinding } from './source-connector.js';

/** Transforms may give such a topic another name. */
export function adviseOnTopics(
  naming: TopicNaming,
  tables: readonly { readonly database: string; readonly table: string }[],
): SourceFinding[] {
  return tables.flatMap((table): SourceFinding[] => {
    const object = qualifiedName(table);
    const topic = topicName(naming, table);
    if (!isTopicName(topic))
      return [
        {
          severity: 'warning',
          code: 'topic-name',
          property: 'topic.prefix',
          object,
          message: `the topic of ${object} would be "${topic}", which Kafka does not take`,
          hint: `${topicNameRule}: set topic.prefix, or a transform RegexRouter`,
        },
      ];
    const replaced = replacedTopicName(naming, table);
    if (replaced === undefined) return [];
    return [
      {
        severity: 'warning',
        code: 'topic-name',
        object,
        message: `Kafka does not take "${replaced}" as the name of a topic: the topic of ${object} is ${topic}`,
        hint: 'a transform RegexRouter gives it another name',
      },
    ];
  });
}
