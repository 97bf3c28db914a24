// How a connector's new topics are made: Kafka Connect's `topic.creation.*` (KIP-158). The first group whose patterns meet the topic's
// name decides, else the default. As there, a group takes partitions from the default where it says nothing, and nothing else.
// They hold for topics that are made; one that is there keeps its settings, which are altered by the API.
import { matchesWhole } from '../core/pattern.js';
import type { AskedRetention } from '../core/topic-retention.js';
import type { SourceFinding } from '../source/source-connector.js';

export type CleanupPolicy = 'compact' | 'delete';

export interface NewTopic {
  readonly partitions: number;
  readonly cleanup: CleanupPolicy;
  /** Of one that is not compacted. */
  readonly retention?: AskedRetention | undefined;
}

export interface TopicGroup extends NewTopic {
  /** Regular expressions for whole names. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

type Values = ReadonlyMap<string, string>;

export const groupsProperty = 'topic.creation.groups';
export const topicPrefix = 'topic.creation.';
const defaultGroup = `${topicPrefix}default.`;
export const defaultCleanup: CleanupPolicy = 'compact';

export const retentionMsDoc =
  'how long a new topic with cleanup.policy delete keeps records; -1 for ever; by default topic.retention.ms of the process';
export const retentionBytesDoc =
  'how many bytes such a topic keeps (Kafka: each of its partitions); -1 without limit; by default topic.retention.bytes of the process';

export function newTopicOf(
  output: NewTopic & { readonly topicGroups?: readonly TopicGroup[] | undefined },
  topic: string,
): NewTopic {
  const meets = (patterns: readonly string[]) => patterns.some((pattern) => matchesWhole(pattern, topic));
  const group = output.topicGroups?.find(({ include, exclude }) => meets(include) && !meets(exclude));
  const { partitions, cleanup, retention } = group ?? output;
  return { partitions, cleanup, retention };
}

/** The settings of the default group, and those of the groups in their order. */
export function topicCreation(values: Values): NewTopic & { readonly topicGroups?: readonly TopicGroup[] | undefined } {
  const partitions = Number(values.get('topic.partitions') ?? '1');
  const groups = groupNames(values.get(groupsProperty)).map((name): TopicGroup => {
    const prefix = `${topicPrefix}${name}.`;
    const value = (key: string) => values.get(prefix + key);
    return {
      partitions: Number(value('partitions') ?? partitions),
      cleanup: cleanupOf(value('cleanup.policy')),
      ...retention(values, prefix),
      include: listOf(value('include')),
      exclude: listOf(value('exclude')),
    };
  });
  return {
    partitions,
    cleanup: cleanupOf(values.get('cleanup.policy')),
    ...retention(values, defaultGroup),
    ...(groups.length > 0 ? { topicGroups: groups } : {}),
  };
}

function retention(values: Values, prefix: string): { readonly retention?: AskedRetention } {
  const number = (key: string) => {
    const value = values.get(prefix + key);
    return value === undefined ? null : Number(value);
  };
  const asked = { ms: number('retention.ms'), bytes: number('retention.bytes') };
  return asked.ms === null && asked.bytes === null ? {} : { retention: asked };
}

/** What is wrong, and what has to be known, of the groups and of limits that a compacted topic does not have. */
export function checkTopicCreation(values: Values): readonly SourceFinding[] {
  const findings: SourceFinding[] = [];
  const problem = (property: string, message: string, hint: string) =>
    findings.push({ severity: 'error', code: 'bad-connector-config', property, message, hint });
  const names = groupNames(values.get(groupsProperty));
  for (const [i, name] of names.entries()) {
    if (name === 'default') problem(groupsProperty, 'the group "default" is always there', 'leave it out of the list');
    if (names.indexOf(name) !== i) problem(groupsProperty, `the group "${name}" is named twice`, 'name it once');
  }
  for (const group of ['default', ...names]) {
    const prefix = `${topicPrefix}${group}.`;
    const cleanupKey = group === 'default' ? 'cleanup.policy' : `${prefix}cleanup.policy`;
    const limits = ['retention.ms', 'retention.bytes'].filter((key) => Number(values.get(prefix + key) ?? '-1') >= 0);
    if (cleanupOf(values.get(cleanupKey)) === 'compact') {
      for (const limit of limits)
        problem(
          prefix + limit,
          'a compacted topic loses nothing by age or size',
          `set "${cleanupKey}" to "delete", or leave the limit out`,
        );
    } else if (limits.length > 0) {
      findings.push({
        severity: 'note',
        code: 'rows-leave-the-log',
        property: cleanupKey,
        message:
          'rows that have not changed within the retention are in the table only: it cannot be rebuilt from the log then, nor can a process begin with an empty data folder on Kafka',
        hint: 'a new snapshot writes them again',
      });
    }
  }
  return findings;
}

function cleanupOf(value: string | undefined): CleanupPolicy {
  return (value?.toLowerCase() ?? defaultCleanup) as CleanupPolicy;
}

export function groupNames(groups: unknown): readonly string[] {
  return typeof groups === 'string' ? listOf(groups) : [];
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
