// kafkajs's admin client for tests: what a test does to a broker beside the log.
import kafkajs, { type Admin } from 'kafkajs';

// Outside of vitest, which finds them, Node does not see these names among the exports.
const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;

export async function withKafkaAdmin<T>(brokers: readonly string[], use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [...brokers], clientId: 'test', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** For brokers that outlive the run. */
export function deleteTopicsOf(brokers: readonly string[], prefix: string): Promise<void> {
  return withKafkaAdmin(brokers, async (admin) => {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

/** What the brokers say of the settings that concern how long topics keep records. */
export async function configsOf(brokers: readonly string[], topics: readonly string[]) {
  const [cleanups, times, sizes] = await Promise.all(
    ['cleanup.policy', 'retention.ms', 'retention.bytes'].map((name) => settingOf(brokers, topics, name)),
  );
  return topics.map((_, i) => ({ cleanup: cleanups![i], ms: times![i], bytes: sizes![i] }));
}

/** Of each topic. */
export function settingOf(brokers: readonly string[], topics: readonly string[], setting: string) {
  return withKafkaAdmin(brokers, async (admin) => {
    const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));
    const answer = await admin.describeConfigs({ includeSynonyms: false, resources });
    return topics.map((topic) => {
      const entries = answer.resources.find(({ resourceName }) => resourceName === topic)!.configEntries;
      return entries.find(({ configName }) => configName === setting)?.configValue;
    });
  });
}

/** First offset of a log's commit topic. */
export function commitsBeginAt(brokers: readonly string[], serviceId: string): Promise<number> {
  return withKafkaAdmin(brokers, async (admin) => {
    const [partition] = await admin.fetchTopicOffsets(`${serviceId}_commits`);
    return Number(partition!.low);
  });
}
