// The engine over Kafka: it applies what it reads behind the frontier, and sends derived records from the outbox.
import { delay } from '../core/backoff.js';
import { systemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/append.js';
import { AppError, toAppError } from '../core/errors.js';
import type { SqliteDatabase } from '../sqlite/database.js';
import { storedFrontier } from '../store/sqlite/frontier.js';
import { OutboxTable } from '../store/sqlite/outbox-table.js';
import type { TopicRefusal } from '../stream/topic-refusal.js';
import type { EngineOptions } from './engine-api.js';
import type { EngineLog } from './engine-log.js';
import { foreignLog } from './foreign-log.js';
import { deadlinesOf, openKafkaStream } from './kafka-options.js';
import { Outbox } from './outbox.js';
import { upgradeOutbox } from './outbox-upgrade.js';
import { ReadAhead } from './read-ahead.js';
import { TopicUpkeep } from './topic-upkeep.js';
import { WrittenTopics } from './written-topics.js';

/** Bytes in one store commit. */
const groupBytes = 1024 * 1024;
/** So often a follower asks how far the leader has sent. */
const watchMs = 1000;
/** Of derived records that wait for Kafka. */
const outboxBytesDefault = 256 * 1024 * 1024;

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
  const store = new OutboxTable(database, systemClock);
  let outbox: Outbox | undefined;
  let written: WrittenTopics | undefined;
  let available = () => {};
  let refused: (refusal: TopicRefusal) => Promise<void>;
  let topics: TopicUpkeep | undefined;
  let follow: Promise<void> = Promise.resolve();
  const fail = (error: unknown) => {
    if (!stopping.signal.aborted) ahead.fail(toAppError(error));
  };
  database.onTransactionEnd({
    commit: () => {
      outbox?.committed();
      topics?.committed();
    },
    rollback: () => {
      written?.reload();
      topics?.rolledBack();
    },
  });
  /** A follower keeps what the leader has not sent yet, so that nothing is missing when it takes over. */
  const watchSinks = async (kept: Outbox) => {
    for (;;) {
      await delay(watchMs, stopping.signal);
      if (kept.status.entries === 0) continue;
      try {
        const position = await log.sinkPosition();
        if (position.kind === 'number') kept.noteOut(position.number);
      } catch (error) {
        // Brokers that are away for a while come back: until then it is kept.
        if (!(error instanceof AppError) || !error.retriable) throw error;
      }
    }
  };
  /** For a folder that has not followed the log from its beginning: every record of the log has these headers. */
  const looksOwn = async (topic: string) => {
    if (written!.complete) return false;
    const [first] = await log.readTopic(topic, 0, 0, 1);
    return first?.headers['op'] !== undefined && first.headers['order'] !== undefined;
  };
  return {
    log,
    deliveryMs: deadlinesOf(url).delivery,
    intake: {
      take: () => (outbox!.full ? [] : ahead.take(groupBytes)),
      write: (group) => group as readonly Append[],
      cut: (_group, at) => at,
      writeDerived: (groups) => {
        if (groups.length > 0) outbox!.add(groups);
      },
      withoutRefused: (group) => group,
      // What is read of the log has its place already.
      refuse: (append, error) => {
        throw new Error(`an append of ${append.producer} was refused behind the log`, { cause: error });
      },
      confirm: () => ahead.confirm(),
      onAvailable: (listener) => {
        available = listener;
        ahead.onAvailable(listener);
      },
      chores: [{ name: 'outbox', debt: () => outbox?.debt() ?? 0, step: () => void outbox?.drop() }],
    },
    async begin(state) {
      if (options.role === 'leader') await log.endOpenTransactions();
      written = new WrittenTopics(state);
      const upkeep = (topics = new TopicUpkeep({
        state,
        broker: log,
        written,
        isForeign: async (topic) => !written!.isOwn(topic) && !(await looksOwn(topic)),
        logger,
        signal: stopping.signal,
        onDropped: (topic, seq) => outbox!.refuse(topic, seq),
        settled: () => outbox!.settled(),
      }));
      const position = await log.sinkPosition();
      upgradeOutbox(state, store, position, options.serviceId);
      outbox = new Outbox({
        store,
        openTarget: () => log.openSinkProducer(),
        ready: (topic, signal) => upkeep.waitFor(topic, signal),
        onRefused: (refusal) => refused(refusal),
        onError: fail,
        onRoom: () => available(),
        bytesMax: options.outboxBytes ?? outboxBytesDefault,
      });
      if (position.kind === 'number') outbox.noteOut(position.number);
      if (options.role === 'follower') void watchSinks(outbox).catch(fail);
      follow = ahead.follow(log.read(state.frontier.seq, { follow: true, signal: stopping.signal })).catch(fail);
      return topics;
    },
    async startSending(onRefused) {
      refused = onRefused;
      await outbox!.startSending();
    },
    topicBytes: () => [],
    stopSending: () => outbox!.stopSending(),
    async close() {
      stopping.abort();
      ahead.stop();
      await follow;
      await outbox?.stopSending();
      await log.close();
    },
    refuseDerived: (topic, upToSeq) => outbox!.refuse(topic, upToSeq),
    outbox: () => outbox?.status,
    // Capture threads write to the brokers themselves.
    attachCapture: (port) => port.close(),
    trimmed: {
      logStart: log.logStart,
      async trim(seq, known) {
        const done = await log.trim(seq, known);
        if (!done) outbox!.tellAgain();
        return done;
      },
    },
    importTopic: (topic, signal) => log.importTopic(topic, signal),
    noteApplied: (append) => written!.note(append),
  };
}
