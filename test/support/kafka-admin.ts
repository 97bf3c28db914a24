// kafkajs's admin client for tests: what a test does to a broker beside the log.
import { Kafka, logLevel, type Admin } from 'kafkajs';

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
