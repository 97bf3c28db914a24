// The engine over the embedded log, whose writer it is: appends come from producers in this process, through a queue.
import type { AppError } from '../core/errors.js';
import { amongTopics } from '../core/record.js';
import { serveBridge } from '../stream/bridge/bridge-server.js';
import { openEmbeddedLog } from '../stream/embedded/embedded-log.js';
import { cutOf, type PendingAppend } from '../stream/pending-append.js';
import { storedFrontier } from '../store/sqlite/frontier.js';
import { statementsTopic } from '../projector/definition.js';
import { embeddedTopics } from './embedded-topics.js';
import type { EngineLog, EngineLogParts } from './engine-log.js';
import { foreignLog } from './foreign-log.js';

/** Bytes of appends in one store commit: enough to make its sync cheap, few enough that the next one does not wait long. */
const groupBytes = 1024 * 1024;

export async function openEmbeddedEngineLog({
  database,
  options,
  logger,
  metrics,
  rowsOf,
}: EngineLogParts): Promise<EngineLog> {
  const onDamaged = (error: AppError) => {
    metrics.count('writethrough_corrupt_data_total');
    logger.error('a part of the log is damaged, and is not compacted', { error: error.message, hint: error.hint });
  };
  const ofDefinitions = amongTopics(statementsTopic(options.serviceId));
  const defines = ({ records }: PendingAppend) => ofDefinitions(records);
  const stored = storedFrontier(database);
  const { durability, dataFolder, compactionBytes } = options;
  const log = openEmbeddedLog(database, {
    durability,
    folder: dataFolder,
    spillFolder: dataFolder,
    compaction: { rowsOf, onDamaged, ...(compactionBytes !== undefined && { dirtyBytesMax: compactionBytes }) },
  });
  if (log.restored !== undefined) {
    logger.warn('the data file was restored: versions and event ids from before are not valid any more', {
      reason: log.restored,
      logId: log.logId,
    });
  }
  if (stored && stored.seq > (await log.headSeq())) throw foreignLog(options.dataFolder, 'the embedded log');
  return {
    log,
    begin: async () => embeddedTopics(log),
    startSending: () => Promise.resolve(),
    stopSending: () => Promise.resolve(),
    // A topic that is not there is refused while the append is applied: nothing waits that could be left out later.
    refuseDerived: () => {},
    importTopic: undefined,
    trimmed: undefined,
    outbox: () => undefined,
    close: () => log.close(),
    intake: {
      take: () => log.queue.take(groupBytes, defines),
      write: (group) => log.write(group as readonly PendingAppend[]),
      withoutRefused: (group) => log.queue.withoutRefused(group as readonly PendingAppend[]),
      cut: (group, at) => cutOf(group as readonly PendingAppend[], at),
      writeDerived: (groups) => {
        if (groups.length > 0) log.writeDerived(groups);
      },
      refuse: (append, error) => log.queue.refuse(append, error),
      confirm: (appends) => log.queue.confirm(appends),
      onAvailable: (listener) => log.queue.onAvailable(listener),
      chores: log.chores,
    },
    topicBytes: () => log.topicBytes(),
    attachCapture: (port) => void serveBridge(log.queue, port),
    noteApplied: () => {},
  };
}
