// The log on Kafka, opened from the stream's URL: by the engine, and by each capture thread for its own producer.
import type { Logger } from '../core/logger.js';
import type { KafkaLog } from '../stream/kafka/kafka-log.js';
import type { KnownPositions } from '../stream/kafka/kafka-log-options.js';
import { kafkaDeadlines, parseKafkaUrl, type KafkaDeadlines } from '../stream/kafka/kafka-url.js';
import { openKafkaLog } from '../stream/kafka/open-kafka-log.js';

export interface KafkaStreamOptions {
  readonly url: string;
  readonly serviceId: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly follows?: boolean | undefined;
  readonly spillFolder?: string | undefined;
  readonly knownPositions?: KnownPositions | undefined;
}

export function openKafkaStream({ url, ...rest }: KafkaStreamOptions): Promise<KafkaLog> {
  return openKafkaLog({ ...parseKafkaUrl(url), ...rest });
}

export function deadlinesOf(url: string): KafkaDeadlines {
  return parseKafkaUrl(url).deadlines ?? kafkaDeadlines;
}
