// How a log on Kafka is opened.
import type { Logger } from '../../core/logger.js';
import type { KafkaAddress } from './kafka-url.js';

/** Where producers stood, as a reader knew it at a seq. */
export interface KnownPositions {
  readonly seq: number;
  readonly positions: Readonly<Record<string, string>>;
}

export interface KafkaLogOptions extends KafkaAddress {
  readonly clientId?: string | undefined;
  /** Names the log among others on the cluster: begins the name of the commit topic and of the transactional ids. */
  readonly serviceId: string;
  readonly logger: Logger;
  /** It only reads: another process makes the log, and has it made. */
  readonly follows?: boolean | undefined;
  /** Ends the log at once, as if its process had died. */
  readonly signal?: AbortSignal | undefined;
  /** Positions of producers that a reader knew at a seq (the frontier's): a producer's position is then looked for behind it only. */
  readonly knownPositions?: KnownPositions | undefined;
  /** Where the records of very long appends wait until they are applied. Undefined: they are held in memory (tests, and those who do not read). */
  readonly spillFolder?: string | undefined;
  /** Appends of a commit with more bytes than this go there. */
  readonly spillBytes?: number | undefined;
}
