// Opens the log of a service on Kafka: connections, the commit topic with what names the log, and the KafkaLog over them.
import { AppError } from '../../core/errors.js';
import { AdminClient } from './admin-client.js';
import { defaultClientId, KafkaLog, openLink } from './kafka-log.js';
import type { KafkaLogOptions } from './kafka-log-options.js';
import { kafkaDeadlines } from './kafka-url.js';
import { createCommitTopic, openCommitTopic } from './log-header.js';
import { retryingFor } from './retrying.js';
import { throwIfAborted } from './stopping.js';
import { TopicDirectory } from './topic-directory.js';

/** Opens the log of this service, or makes it. Rejects with log-unreachable (retriable) when no broker answers for a while. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { serviceId, signal } = options;
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(serviceId)) {
    throw new AppError('bad-config', `"${serviceId}" cannot be the service id of a log on Kafka`, {
      hint: 'letters, digits, ".", "_" and "-": the names of topics begin with it',
    });
  }
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  stop.signal.addEventListener('abort', () => signal?.removeEventListener('abort', abort), { once: true });
  const { logger, deadlines = kafkaDeadlines, clientId = defaultClientId } = options;
  const admin = new AdminClient({ ...options, clientId });
  const link = openLink(options);
  const directory = new TopicDirectory(link, admin, logger, stop.signal);
  try {
    const commits = await retryingFor(deadlines.call, `the Kafka log "${serviceId}"`, stop.signal, () =>
      directory.doubting(async () => {
        throwIfAborted(stop.signal);
        const follows = options.follows === true;
        if (!follows) await createCommitTopic(admin, serviceId);
        return openCommitTopic({ serviceId, link, directory, follows, signal: stop.signal });
      }),
    );
    return new KafkaLog(options, { stop, admin, link, directory, commits });
  } catch (error) {
    stop.abort();
    link.close();
    admin.close();
    throw error;
  }
}
