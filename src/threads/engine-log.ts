// The log as the engine uses it. Embedded: producers close appends into a queue, the loop writes them in its own transaction. Kafka:
// producers write to the brokers themselves, and the loop applies what it reads behind the frontier.
import type { MessagePort } from 'node:worker_threads';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/record.js';
import type { Registry } from '../registry/registry.js';
import type { SqliteDatabase } from '../sqlite/database.js';
import { serveBridge } from '../stream/bridge/bridge-server.js';
import { openEmbeddedLog } from '../stream/embedded/embedded-log.js';
import type { EventLog, TopicSpec } from '../stream/event-log.js';
import type { PendingAppend } from '../stream/pending-append.js';
import { removeLeftSpillFiles } from '../stream/spill-file.js';
import { storedFrontier } from '../store/sqlite/frontier.js';
import type { StateWriter } from '../store/state-store.js';
import { foreignLog } from './foreign-log.js';
import type { EngineOptions } from './engine-api.js';
import type { AppendFeed } from './engine-loop.js';

export interface EngineLog {
  readonly log: EventLog;
  readonly feed: AppendFeed;
  /** Serves a capture thread's producers; Kafka's need no bridge. */
  attachCapture(port: MessagePort): void;
  /** The store is open: the log may keep what it needs in it, and the reading behind its frontier begins. */
  begin(state: StateWriter): Promise<void>;
  close(): Promise<void>;
  /** As the log's; remembers what `topicIsEmpty` has to know. */
  createTopic(spec: TopicSpec): Promise<void>;
  /** Nothing was ever written to it, so a table over it has nothing to replay. False where that is not known for certain. */
  topicIsEmpty(topic: string): boolean;
  /** Entries that another process appended to the registry. */
  noteAppends(appends: readonly Append[], registry: Registry | undefined, schemasTopic: string): void;
}

/** Bytes of appends in one store commit: enough to make its sync cheap, few enough that the next one does not wait long. */
const groupBytes = 1024 * 1024;
const maintainBudgetMs = 5;

export async function openEngineLog(
  database: SqliteDatabase,
  options: EngineOptions,
  logger: Logger,
): Promise<EngineLog> {
  removeLeftSpillFiles(options.dataFolder);
  if (options.stream.kind === 'kafka') {
    const { openKafkaEngineLog } = await import('./engine-kafka-log.js');
    return openKafkaEngineLog(database, options, options.stream.url, logger);
  }
  const stored = storedFrontier(database);
  const log = openEmbeddedLog(database, { durability: options.durability, spillFolder: options.dataFolder });
  if (stored && stored.seq > (await log.headSeq())) throw foreignLog(options.dataFolder, 'the embedded log');
  return {
    log,
    begin: () => Promise.resolve(),
    close: () => log.close(),
    feed: {
      take: () => log.queue.take(groupBytes),
      write: (group) => log.write(group as readonly PendingAppend[]),
      writeDerived: (groups) => {
        if (groups.length > 0) log.writeDerived(groups);
      },
      confirm: (appends) => log.queue.confirm(appends),
      onAvailable: (listener) => log.queue.onAvailable(listener),
      maintain: () => log.maintain(maintainBudgetMs),
    },
    attachCapture: (port) => void serveBridge(log.queue, port),
    createTopic: (spec) => log.createTopic(spec),
    topicIsEmpty: (topic) => log.topicIsEmpty(topic),
    noteAppends: () => {},
  };
}
