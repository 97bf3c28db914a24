// Topics made, deleted and described, through kafkajs's admin client.
import { delay } from '../../core/backoff.js';
import { AppError } from '../../core/errors.js';
import { assertPartitions, isTopicName, topicNameRule } from '../../core/topic-name.js';
import { printLimit, type TopicRetention } from '../../core/topic-retention.js';
import type { TopicDescription, TopicSettings, TopicSpec } from '../event-log.js';
import type { AdminClient } from './admin-client.js';
import type { BrokerLink } from './broker-link.js';
import { groupBy } from './group-by.js';
import { errorType, KafkaProtocolError } from './kafka-errors.js';
import { ConfigResourceTypes } from './kafkajs-inside.js';
import { alterConfigsRequest } from './requests.js';
import type { TopicDirectory, TopicEntry } from './topic-directory.js';

export interface TopicTools {
  readonly admin: AdminClient;
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly signal: AbortSignal;
}

type ConfigEntries = { name: string; value: string }[];
/** Longer than any answer of a broker that changes its mind about a topic. */
const settleMs = 10_000;

export function checkTopicName(name: string): void {
  if (isTopicName(name)) return;
  throw new AppError('invalid-statement', `"${name}" cannot be the name of a Kafka topic`, {
    hint: topicNameRule,
  });
}

export async function createTopic(tools: TopicTools, spec: TopicSpec): Promise<void> {
  checkTopicName(spec.name);
  if ((await tools.directory.ask(spec.name)) !== undefined) return;
  assertPartitions(spec.name, spec.partitions);
  const entries: ConfigEntries = [
    { name: 'cleanup.policy', value: spec.cleanup },
    { name: 'retention.ms', value: printLimit(spec.retentionMs) },
    { name: 'retention.bytes', value: printLimit(spec.retentionBytes) },
  ];
  // A row may have any ROWTIME; by default brokers from 3.6 on refuse those more than an hour ahead.
  const anyTime = { name: 'message.timestamp.after.max.ms', value: '9223372036854775807' };
  try {
    await create(tools.admin, spec, [...entries, anyTime]);
  } catch (error) {
    if (errorType(error) !== 'INVALID_CONFIG') throw error;
    // Older brokers do not know that setting, nor have that limit.
    await create(tools.admin, spec, entries);
  }
  await until(tools.signal, `topic "${spec.name}" is not there yet`, async () => {
    const entry = await tools.directory.ask(spec.name);
    return entry !== undefined && entry.leaders.every((leader) => leader >= 0);
  });
}

async function create(
  admin: AdminClient,
  { name, partitions }: TopicSpec,
  configEntries: ConfigEntries,
): Promise<void> {
  const topics = [{ topic: name, numPartitions: partitions, configEntries }];
  try {
    await admin.use((client) => client.createTopics({ topics, waitForLeaders: false }));
  } catch (error) {
    if (errorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}

/** Only these two settings: what an operator has set beside them stays. */
export async function alterTopic(
  { directory, link }: TopicTools,
  name: string,
  { retentionMs, retentionBytes }: TopicRetention,
): Promise<void> {
  directory.forget(name);
  await directory.get(name);
  const settings = { 'retention.ms': printLimit(retentionMs), 'retention.bytes': printLimit(retentionBytes) };
  const { errorCode, message } = await link.send(await link.anyBroker(), alterConfigsRequest(name, settings));
  if (errorCode !== 0) throw new KafkaProtocolError(errorCode, message ?? `the settings of topic "${name}"`, name);
}

export async function deleteTopic({ admin, directory, signal }: TopicTools, name: string): Promise<void> {
  directory.forget(name);
  const { topicId } = await directory.get(name);
  await admin.use((client) => client.deleteTopics({ topics: [name] }));
  await until(signal, `topic "${name}" is still there`, async () => (await directory.ask(name))?.topicId !== topicId);
  directory.forget(name);
}

async function until(signal: AbortSignal, otherwise: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + settleMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new AppError('log-unreachable', otherwise, { retriable: true });
    await delay(10, signal);
  }
}

/** All topics of the cluster but Kafka's own and those that `hidden` names. */
export async function describeTopics(tools: TopicTools, hidden: ReadonlySet<string>): Promise<TopicDescription[]> {
  const { directory, link } = tools;
  const entries = (await directory.askAll()).filter(({ name }) => !hidden.has(name) && !name.startsWith('__'));
  if (entries.length === 0) return [];
  const settings = await settingsOf(
    tools,
    entries.map(({ name }) => name),
  );
  const [first, next] = await Promise.all([offsets(link, entries, 'start'), offsets(link, entries, 'end')]);
  return entries.map(({ name, leaders }) => {
    return {
      ...settings.get(name)!,
      name,
      partitions: leaders.length,
      offsets: leaders.map((_, partition) => ({
        first: first.get(`${name}/${partition}`)!,
        next: next.get(`${name}/${partition}`)!,
      })),
    };
  });
}

/** By name, of topics that are there. */
async function settingsOf({ admin }: TopicTools, names: readonly string[]): Promise<Map<string, TopicSettings>> {
  const resources = names.map((name) => ({
    type: ConfigResourceTypes.TOPIC,
    name,
    configNames: ['cleanup.policy', 'retention.ms', 'retention.bytes'],
  }));
  const answer = await admin.use((client) => client.describeConfigs({ includeSynonyms: false, resources }));
  const entries = new Map(answer.resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]));
  const settings = names.map((name) => {
    const setting = (key: string) => entries.get(name)?.find(({ configName }) => configName === key)?.configValue;
    return [
      name,
      {
        cleanup: setting('cleanup.policy')?.includes('compact') === true ? 'compact' : 'delete',
        retentionMs: limit(setting('retention.ms')),
        retentionBytes: limit(setting('retention.bytes')),
      },
    ] as const;
  });
  return new Map(settings);
}

export async function topicSettings(tools: TopicTools, name: string): Promise<TopicSettings> {
  return (await settingsOf(tools, [name])).get(name)!;
}

function limit(value: string | undefined): number | undefined {
  return value === undefined || Number(value) < 0 ? undefined : Number(value);
}

async function offsets(
  link: BrokerLink,
  entries: readonly TopicEntry[],
  at: 'start' | 'end',
): Promise<Map<string, number>> {
  const all = entries.flatMap(({ name, leaders }) =>
    leaders.map((leader, partition) => ({ topic: name, partition, leader })),
  );
  const found = new Map<string, number>();
  for (const [leader, partitions] of groupBy(all, (one) => one.leader)) {
    if (leader < 0) throw new KafkaProtocolError(5, `topic "${partitions[0]!.topic}"`);
    const answers = await link.listOffsets(leader, partitions, { at, committed: false });
    partitions.forEach(({ topic, partition }, i) => found.set(`${topic}/${partition}`, answers[i]!));
  }
  return found;
}
