// The engine over Kafka: it applies what it reads behind the frontier, and sends derived records from the outbox.
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/record.js';
import { toAppError } from '../core/errors.js';
import type { SqliteDatabase } from '../sqlite/database.js';
import { storedFrontier } from '../store/sqlite/frontier.js';
import type { EngineOptions } from './engine-api.js';
import type { EngineLog } from './engine-log.js';
import { foreignLog } from './foreign-log.js';
import { openKafkaStream } from './kafka-options.js';
import { Outbox } from './outbox.js';
import { ReadAhead } from './read-ahead.js';

/** Bytes in one store commit. */
const groupBytes = 1024 * 1024;

export async function openKafkaEngineLog(
  database: SqliteDatabase,
  options: EngineOptions,
  url: string,
  logger: Logger,
): Promise<EngineLog> {
  const stopping = new AbortController();
  const stored = storedFrontier(database);
  const log = await openKafkaStream({
    url,
    serviceId: options.serviceId,
    logger,
    signal: stopping.signal,
    follows: options.role === 'follower',
    spillFolder: options.dataFolder,
    knownPositions: stored && { seq: stored.seq, positions: stored.positions },
  });
  if (stored && stored.seq > 0 && stored.logId !== log.logId) {
    await log.close();
    throw foreignLog(options.dataFolder, `the log "${options.serviceId}" on Kafka`);
  }
  const ahead = new ReadAhead();
  /** Topics that this process has made and not seen a record of. */
  const fresh = new Set<string>();
  let outbox: Outbox | undefined;
  let follow: Promise<void> = Promise.resolve();
  const fail = (error: unknown) => {
    if (!stopping.signal.aborted) ahead.fail(toAppError(error));
  };
  database.onTransactionEnd({ commit: () => outbox?.committed(), rollback: () => outbox?.rolledBack() });
  return {
    log,
    feed: {
      take: () => ahead.take(groupBytes),
      write: (group) => group as readonly Append[],
      half: (group) => Math.max(1, group.length >> 1),
      writeDerived: (groups) => {
        if (groups.length > 0) outbox?.add(groups);
      },
      confirm: () => ahead.confirm(),
      onAvailable: (listener) => ahead.onAvailable(listener),
      maintain: () => outbox?.drop() ?? false,
    },
    async begin(state) {
      if (options.role === 'leader') {
        outbox = new Outbox(state, await log.openSinkProducer(), fail);
        outbox.send();
      }
      follow = ahead.follow(log.read(state.frontier.seq, { follow: true, signal: stopping.signal })).catch(fail);
    },
    async close() {
      stopping.abort();
      ahead.stop();
      await follow;
      await log.close();
    },
    // Capture threads write to the brokers themselves.
    attachCapture: (port) => port.close(),
    async createTopic(spec) {
      const existing = await log.topics();
      await log.createTopic(spec);
      if (!existing.some(({ name }) => name === spec.name)) fresh.add(spec.name);
    },
    topicIsEmpty: (topic) => fresh.has(topic),
    noteAppends(appends, registry, schemasTopic) {
      for (const { records } of appends) {
        for (const topic of records.topics) fresh.delete(topic);
        if (!records.topics.includes(schemasTopic)) continue;
        for (let i = 0; i < records.count; i++) {
          const key = records.topic(i) === schemasTopic ? records.key(i) : null;
          if (key) registry?.apply({ key: key.toString(), value: records.value(i)?.toString() ?? null });
        }
      }
    },
  };
}
