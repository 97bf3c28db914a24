// The parts of the engine thread, joined: log, store, catalogue, runtime, projector and the loop that runs them. What each part does
// stands in its room. It knows no thread, so that tests can have a whole engine in theirs.
import type { MessagePort } from 'node:worker_threads';
import { join } from 'node:path';
import { Catalog } from '../catalog/catalog.js';
import { systemClock } from '../core/clock.js';
import { AppError, toAppError, toErrorMessage, toThrownMessage } from '../core/errors.js';
import { connectorOfProducer } from '../connect/naming.js';
import type { AppendControl } from '../core/append-control.js';
import { createLogger } from '../core/logger.js';
import { createMetrics } from '../core/metrics.js';
import { Builder } from '../projector/builder.js';
import { isBeingCreated } from '../projector/build.js';
import { compileQuery } from '../projector/compile-query.js';
import { DefinitionApplier } from '../projector/definition-applier.js';
import { statementsTopic } from '../projector/definition.js';
import { Garbage } from '../projector/garbage.js';
import { Projector } from '../projector/projector.js';
import { querySources } from '../projector/query-sources.js';
import { compareRows } from './compare-rows.js';
import { createRecordDecoder } from '../projector/record-decoder.js';
import { SinkTopics } from '../projector/sink-topics.js';
import { Visibility } from '../projector/visibility.js';
import { Registry, type RegistryOutcome } from '../registry/registry.js';
import { RegistryService } from '../registry/registry-service.js';
import { Runtime } from '../runtime/runtime.js';
import { newApplyContext } from '../runtime/apply-context.js';
import { alterTopic } from './alter-topic.js';
import { openCapturedTable } from './capture-tables.js';
import { ConnectorDocuments } from './connector-documents.js';
import { ConnectorRemoval } from './connector-removal.js';
import { setPosition } from './set-position.js';
import { DefinitionAppends } from './definition-appends.js';
import type { EngineApi, EngineOptions, MainApi } from './engine-api.js';
import { EngineLoop } from './engine-loop.js';
import type { EngineLog } from './engine-log.js';
import { gaugeOutbox } from './outbox.js';
import { EngineStatements } from './engine-statements.js';
import { heldRows, heldTables } from './held-rows.js';
import { declareLookups, findHeld, forgetLookups, lookupNotes } from './held-lookups.js';
import { Imports } from './imports.js';
import { FeedRetention } from './feed-retention.js';
import { Housekeeping } from './housekeeping.js';
import { LocalAppends, localProducer } from './local-appends.js';
import { LogTrimming, noteLogStart } from './log-trimming.js';
import { openEngineLog } from './open-engine-log.js';
import { followersProducer, LogEnd } from './following.js';
import { Rebuilds } from './rebuilds.js';
import { schemaDocuments, takeOverSchemas, topicWithSchemas } from './schema-documents.js';
import { SkippedRecords } from './skipped-records.js';
import { TopicRows } from './topic-rows.js';
import { topicSamples } from './topic-samples.js';
import { SourceCounts } from './source-counts.js';
import { TableSourcesTeller } from './table-sources.js';
import { openDatabase } from '../sqlite/database.js';
import { storageError } from '../sqlite/storage-error.js';
import { openStateStore } from '../store/sqlite/state-store.js';
import type { ProducerOptions } from '../stream/event-log.js';
import type { TopicRefusal } from '../stream/topic-refusal.js';

/** Behind these a table that stood still may go on. */
const maySetGoing: ReadonlySet<string> = new Set(['snapshot-completed', 'rebuild-swapped']);

/** Rejects with data-folder-unusable where the place of the data file is to blame. */
export async function openEngine(options: EngineOptions, main: MainApi): Promise<EngineApi> {
  const path = join(options.dataFolder, 'writethrough.db');
  try {
    return await open(path, options, main);
  } catch (error) {
    throw storageError(error, path);
  }
}

async function open(path: string, options: EngineOptions, main: MainApi): Promise<EngineApi> {
  const logger = createLogger((level, message, fields) => main.log(level, message, fields), { thread: 'engine' });
  const metrics = createMetrics();
  const sourceCounts = new SourceCounts();
  const skipped = new SkippedRecords(metrics, logger, () => systemClock.nowMs());
  const onSkipped = (name: string, reason: string) => skipped.add(name, reason);
  const database = openDatabase(path, { durability: options.durability });
  const engineLog: EngineLog = await openEngineLog({
    database,
    options,
    logger,
    metrics,
    rowsOf: (topic) => runtime.rowsOf(topic),
  });
  const { log } = engineLog;
  const state = openStateStore(database, { logId: log.logId });
  const topics = await engineLog.begin(state);
  const catalog = new Catalog(state);
  const sinks = new SinkTopics((id) => registry.schemaText(id));
  const tableSources = new TableSourcesTeller({
    catalog,
    sourcesOf: (query) => querySources(catalog, query),
    tell: (tables) => main.tableSources(tables),
  });
  const definitions = statementsTopic(options.serviceId);
  const schemas = options.stream.kind === 'embedded' ? '_schemas' : `${options.serviceId}_schemas`;
  const leads = options.role === 'leader';
  if (leads) await log.createTopic({ name: definitions, partitions: 1, cleanup: 'delete' });
  const openLocal = async (producer: ProducerOptions) =>
    leads ? log.openProducer(localProducer, producer) : followersProducer;
  const local = await LocalAppends.open(openLocal, systemClock.nowUs(), engineLog.deliveryMs);
  const logEnd = new LogEnd(log, () => state.frontier.seq);
  const appendControl = async (control: AppendControl): Promise<void> => {
    await local.append({ records: [], commitTimeUs: systemClock.nowUs(), control });
  };
  const connectors = new ConnectorDocuments(state, catalog, appendControl);
  const definitionAppends = new DefinitionAppends({
    local,
    topic: definitions,
    topics,
    nowUs: () => systemClock.nowUs(),
  });
  if (leads) await log.createTopic({ name: schemas, partitions: 1, cleanup: 'compact' });
  await takeOverSchemas(log, schemas, state);
  const context = newApplyContext();
  const registry = new Registry(
    schemaDocuments({ state, tell: (key, value) => sinks.put(schemas, key, value, context) }),
    (subject) => topicWithSchemas(catalog, subject),
  );
  const registryService = new RegistryService(
    registry,
    async (command) => (await definitionAppends.append(command)) as RegistryOutcome,
  );
  const resolve = Object.assign((id: number) => registry.schemaText(id), {
    imports: (id: number) => registry.schemaImports(id),
  });

  const runtime = new Runtime({
    state,
    catalog,
    context,
    decoderOf: (entry) => createRecordDecoder(entry, resolve),
    compile: (query, request) =>
      compileQuery(
        {
          catalog,
          state,
          onExpressionError: (queryId, reason) => logger.debug('an expression became NULL', { query: queryId, reason }),
          onSkipped,
        },
        query,
        request,
      ),
    isBeingCreated: (name) => isBeingCreated(state, name),
    onSkipped,
    sinkTopic: (entry) => sinks.listener(entry, context),
    sourcesOf: (query) => querySources(catalog, query),
  });
  const garbage = new Garbage(state, catalog);
  const visibility = new Visibility(state, catalog, runtime);
  const builder = new Builder({
    state,
    catalog,
    runtime,
    logger,
    garbage,
    nowMs: () => systemClock.nowMs(),
    readLog: (after, topic, signal) => log.read(after, { topics: [topic], follow: false, signal }),
    appendControl: leads ? appendControl : undefined,
    visibility,
    onStep: () => {
      main.committed(state.frontier.seq, state.frontier.commitTimeUs);
      tableSources.committed();
    },
    rowsPerStep: options.rowsPerStep,
  });
  const applier = new DefinitionApplier({
    state,
    catalog,
    runtime,
    builder,
    nowMs: () => systemClock.nowMs(),
    topics,
    registry,
    serviceId: options.serviceId,
    isConnector: (name) => connectors.load().some((connector) => connector.name === name),
    visibility,
    rowsAtOnce: options.rowsAtOnce,
  });
  const projector = new Projector({
    state,
    catalog,
    runtime,
    builder,
    applier,
    visibility,
    connectorChanged: (control) => {
      connectors.apply(control);
      if (control.kind !== 'connector-removed') return;
      applier.forgetConnector(control.name);
      forgetLookups({ catalog, runtime, state }, control.name);
    },
    logStarts: ({ seq, commitTimeUs }) => noteLogStart(state, { seq, timeMs: Math.floor(commitTimeUs / 1000) }),
    topics,
    registry,
    serviceId: options.serviceId,
    schemasTopic: schemas,
    logger,
    refuseDerived: (topic, upToSeq) => engineLog.refuseDerived(topic, upToSeq),
  });
  const writerOf = (topic: string) =>
    catalog.queries().find((q) => q.state.kind === 'running' && catalog.find(q.sink)?.properties.topic === topic)?.id;
  /** Every process that follows the log lets the query stand still at the same seq. */
  const refuse = async (refusal: TopicRefusal): Promise<void> => {
    const { topic } = refusal;
    const control = {
      kind: 'sink-failed',
      query: writerOf(topic) ?? null,
      topic,
      error: toErrorMessage(refusal),
    } as const;
    await appendControl(control);
  };
  const { importTopic } = engineLog;
  const imports =
    leads && importTopic
      ? new Imports({
          catalog,
          importTopic,
          onFailed: (topic, error) => appendControl({ kind: 'import-failed', topic, error }),
          logger,
        })
      : undefined;
  const housekeeping = new Housekeeping({
    chores: [new FeedRetention(state, options.feed), ...engineLog.intake.chores, garbage],
    metrics,
    nowMs: () => systemClock.nowMs(),
  });
  const rebuilds = new Rebuilds({
    catalog,
    builder,
    state,
    wake: () => loop.wake(),
    reload: () => projector.load(),
    logger,
  });
  const loop = new EngineLoop({
    intake: engineLog.intake,
    state,
    catalog,
    runtime,
    projector,
    builder,
    sinks,
    writerOf,
    noteApplied: (append) => engineLog.noteApplied(append),
    metrics,
    logger,
    isLocal: (producer) => producer === localProducer,
    onCommitted: (appends, outcomes) => {
      if (appends.length === 0) return;
      local.applied(appends, outcomes);
      if (outcomes.size > 0 || appends.some(({ control }) => control !== undefined)) imports?.follow();
      logEnd.applied(state.frontier.seq);
      sourceCounts.add(appends);
      main.committed(appends.at(-1)!.seq, state.frontier.commitTimeUs);
      tableSources.committed();
      if (leads && appends.some(({ control }) => control !== undefined && maySetGoing.has(control.kind)))
        setImmediate(() => rebuilds.heal());
    },
    onFatal: (error) => {
      const told = toAppError(storageError(error, database.path));
      state.fail(told);
      local.fail(told);
      logEnd.fail(told);
      main.failed(toThrownMessage(told));
    },
    housekeeping,
  });

  projector.load();
  loop.start();
  imports?.follow();
  if (leads)
    topics.start({ headSeq: await log.headSeq(), append: (definition) => definitionAppends.append(definition) });
  const statements = new EngineStatements({
    catalog,
    definitions: definitionAppends,
    topics,
    log,
    local,
    options,
    logger,
    connectors: () =>
      connectors.load().map(({ name, config, wanted }) => ({
        name,
        className: config['connector.class'] ?? '',
        state: wanted.toUpperCase(),
      })),
  });
  if (leads) rebuilds.heal();
  const positions = {
    openProducer: (name: string) => log.openProducer(name),
    nowUs: () => systemClock.nowUs(),
  };
  const removal = new ConnectorRemoval({
    ...positions,
    catalog,
    connectors,
    execute: (sql) => statements.execute({ sql, owner: 'api' }),
  });
  if (leads) await engineLog.startSending(refuse);
  const trimming =
    leads && engineLog.trimmed && options.commitsRetentionMs !== undefined
      ? new LogTrimming({
          state,
          log: engineLog.trimmed,
          retentionMs: options.commitsRetentionMs,
          append: appendControl,
          nowMs: () => systemClock.nowMs(),
          logger,
        })
      : undefined;
  const topicRows = new TopicRows({
    log,
    decoderOf: (form) => createRecordDecoder({ ...form, sourceKind: 'table' }, resolve),
    logger,
  });
  tableSources.tell();
  main.ready({ logId: log.logId, seq: state.frontier.seq });

  return {
    execute: (request) => statements.execute(request),
    run: (request) => statements.run(request),
    executeOrWait: (request) => statements.executeOrWait(request),
    rebuild: (table) => rebuilds.begin(table),
    rebuilds: async () => builder.progress(),
    queries: async () => statements.queryStatus(),
    waiting: async () => statements.waiting(),
    attachCapture: async ({ port }) => engineLog.attachCapture(port as MessagePort),
    openTable: (request) => openCapturedTable(definitionAppends, request, options.topicRetention),
    caughtUp: async () => {
      await logEnd.reached();
      if (leads) await connectors.sequence();
    },
    connectors: async () => connectors.load(),
    putConnector: (connector) => connectors.put(connector),
    removeConnector: async (name, keep) => {
      await removal.remove(name, keep);
    },
    setConnectorPosition: async (name, position) => {
      await setPosition(positions, name, position);
      await logEnd.reached();
    },
    connectorProgress: async (name) => connectors.progress(name),
    heldTables: async (connector) => heldTables({ catalog, runtime, state }, connector),
    heldRows: (request) => heldRows({ catalog, runtime, state, topicRows }, request),
    compareRows: async (request) =>
      compareRows({ catalog, runtime, state, decoderOf: (entry) => createRecordDecoder(entry, resolve) }, request),
    declareLookups: async (declaration) => declareLookups({ catalog, runtime, state }, declaration),
    lookupNotes: async (connector) => lookupNotes(state, connector),
    findHeld: async (connector, search) => findHeld({ catalog, runtime, state }, connector, search),
    knownPositions: async () => ({ seq: state.frontier.seq, positions: state.frontier.positions }),
    moments: async () => connectors.moments(),
    keepMoment: async (moment) => connectors.keepMoment(moment),
    registry: (method, args) => (registryService[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args),
    topics: () => topics.shown(),
    alterTopic: (topic, changes) => alterTopic(definitionAppends, topic, changes, options.topicRetention),
    readTopic: (topic, partition, offset, limit, bytesMax) =>
      log.readTopic(topic, partition, offset, limit, undefined, bytesMax),
    outbox: async () => engineLog.outbox(),
    stopSending: () => engineLog.stopSending(),
    startSending: () => engineLog.startSending(refuse),
    metrics: async () => {
      const outbox = engineLog.outbox();
      if (outbox) gaugeOutbox(metrics, outbox, systemClock.nowMs());
      housekeeping.note();
      metrics.gauge('writethrough_feed_bytes', state.feedBytes);
      return [...metrics.samples(), ...topicSamples(engineLog), ...sourceCounts.samples(connectorOfProducer)];
    },
    freeCaches: () => database.freeCache(),
    stop: async () => {
      await trimming?.close();
      await imports?.close();
      rebuilds.close();
      await loop.stop();
      await builder.close();
      tableSources.close();
      topicRows.close();
      const stopped = new AppError('not-ready', 'the engine stops', { retriable: true });
      local.fail(stopped);
      logEnd.fail(stopped);
      try {
        await engineLog.close();
      } catch (error) {
        // The mark of an end in order could not be written; everything that was confirmed is there.
        throw storageError(error, database.path);
      } finally {
        state.close();
        database.close();
      }
    },
  };
}
