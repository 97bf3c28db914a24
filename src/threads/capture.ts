// A capture thread: runs one connector's task. Decoding and encoding take most of a core under load, so they have a thread of their
// own; chunks go to the engine by transfer (embedded) or to Kafka from here.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { runConnector } from '../connect/worker.js';
import { producerName, TopicNames } from '../connect/naming.js';
import { openSideRecords } from '../connect/side-topics.js';
import { EventTables } from '../connect/event-tables.js';
import { planTable } from '../connect/table-plan.js';
import { tableRecords } from '../connect/table-records.js';
import type { HeldName, HeldRowsPage, HeldRowsRequest, LookupDeclaration } from '../connect/held-rows.js';
import { EncoderMakers, type CompareRowsRequest } from '../connect/row-comparison.js';
import type { RecordDifference, VerifyReport, VerifyRequest } from '../source/verification.js';
import type { OutputSettings, RecordForm } from '../connect/output-settings.js';
import type { PluginFamily } from '../connect/config-def.js';
import { AppError, assert, toThrownMessage, type ErrorMessage } from '../core/errors.js';
import { replacedTopicName } from '../core/topic-name.js';
import { createLogger, type LogFields, type LogLevel } from '../core/logger.js';
import { positionToResume } from '../core/append.js';
import type { RowEncoder, SourceTable } from '../core/row-encoder.js';
import { qualifiedName } from '../core/table-name.js';
import { RecordChunkBuilder } from '../schema/formats/chunk-builder.js';
import { CountingRowEncoder } from '../schema/formats/counting-row-encoder.js';
import { ProjectedRowEncoder } from '../schema/formats/projected-row-encoder.js';
import { createRowEncoder } from '../schema/formats/row-encoder.js';
import type {
  HeldFound,
  HeldSearch,
  OpenOptions,
  SideRecords,
  SnapshotRequest,
  SourceConfig,
  SourceConnector,
  SourceReport,
  SourceState,
} from '../source/source-connector.js';
import { connectBridge } from '../stream/bridge/bridge-client.js';
import type { AppendProducer } from '../stream/event-log.js';
import type { OpenedTable, OpenTableRequest, StreamOptions } from '../engine/engine-api.js';
import type { KnownPositions } from '../stream/kafka/kafka-log-options.js';
import { version } from '../process/version.js';
import { connectRpc } from './rpc.js';
import { freeMemoryAtRest } from './rest.js';
import { sourceFactory } from './source-factory.js';
import { SourceReports } from './source-reports.js';

export interface CaptureData {
  readonly name: string;
  readonly family: PluginFamily;
  readonly source: SourceConfig;
  readonly output: OutputSettings;
  readonly stream: StreamOptions;
  readonly serviceId: string;
  /** Embedded: our end of the bridge. */
  readonly bridge: MessagePort | undefined;
}

/** What the main thread answers to a capture thread. */
export interface CaptureMainApi {
  openTable(request: OpenTableRequest): Promise<OpenedTable>;
  caughtUp(): Promise<void>;
  heldTables(connector: string): Promise<readonly HeldName[]>;
  heldRows(request: HeldRowsRequest): Promise<HeldRowsPage>;
  compareRows(request: CompareRowsRequest): Promise<readonly RecordDifference[] | 'unknown'>;
  declareLookups(declaration: LookupDeclaration): Promise<void>;
  lookupNotes(connector: string): Promise<string | null>;
  findHeld(connector: string, search: HeldSearch): Promise<HeldFound | 'empty' | 'unknown' | 'other-columns'>;
  /** Kafka: where the engine stands; only what is behind it has to be searched for the producer's position. */
  knownPositions(): Promise<KnownPositions>;
  state(report: SourceReport): void;
  verified(so: VerifyReport): void;
  log(level: LogLevel, message: string, fields: LogFields): void;
  done(error: ErrorMessage | undefined): void;
}

export interface CaptureApi {
  stop(): void;
  /** Tells how far it is by `verified`. */
  verify(request: VerifyRequest): Promise<VerifyReport>;
  snapshot(request: SnapshotRequest): Promise<readonly string[]>;
}

const chunkBytes = 256 * 1024;

const port = parentPort;
assert(port, 'capture.ts runs as a worker thread');
const data = workerData as CaptureData;
const stopping = new AbortController();
let opened: (source: SourceConnector) => void = () => {};
const sourceOpened = new Promise<SourceConnector>((resolve) => (opened = resolve));
let running: SourceConnector | undefined;
const api: CaptureApi = {
  stop: () => stopping.abort(),
  verify: async (request) => {
    if (!running?.verify)
      throw running
        ? new AppError('method-not-allowed', 'tables of this source cannot be compared')
        : new AppError('not-ready', 'the connector is starting', { retriable: true });
    return running.verify(request, (so) => rpc.notify('verified', so));
  },
  snapshot: async (request) => {
    const source = await sourceOpened;
    if (source.snapshot) return source.snapshot(request);
    throw new AppError('bad-request', `the tables of connector ${data.name} cannot be read again on demand`, {
      hint: 'a source that is polled reads its tables again by itself in mode bulk',
    });
  },
};
const rpc = connectRpc<CaptureMainApi>(port, { ...api } as never, (error) =>
  rpc.notify('done', toThrownMessage(error)),
);
const logger = createLogger((level, message, fields) => rpc.notify('log', level, message, fields), {
  thread: 'capture',
  connector: data.name,
});

async function run(): Promise<void> {
  const chunks = new RecordChunkBuilder({ chunkBytes });
  const create = await sourceFactory(data.family);
  const source = (running = create(data.source, logger));
  opened(source);
  const snapshots = ['initial', 'initial_only', 'when_needed', 'always'].includes(
    data.source['snapshot.mode'] ?? 'initial',
  );
  const topics = new TopicNames();
  let side: Promise<SideRecords> | undefined;
  const openSide = async (table: SourceTable, topic: string, cleanup: 'compact' | 'delete'): Promise<RowEncoder> => {
    const keyFormat = data.output.keyFormat === 'TEXT' ? 'JSON' : data.output.keyFormat;
    const { envelope: _, ...output } = data.output;
    const form = { ...output, shape: 'flat', cleanup, partitions: 1, keyFormat } as const satisfies RecordForm;
    const asked = { connector: data.name, table, topic, output: form, hidden: false, createTable: false };
    return createRowEncoder({ ...form, ...(await rpc.remote.openTable(asked)), table, chunks });
  };
  const events = new EventTables({
    output: data.output,
    logger,
    open: async (table, topic, output) => {
      const asked = { connector: data.name, table, topic, output, hidden: false, createTable: false };
      return (await rpc.remote.openTable(asked)).topic;
    },
  });
  const encoders = new EncoderMakers();
  let producer: AppendProducer | undefined;
  let phase: SourceState['phase'] = 'connecting';
  const reports = new SourceReports((report) => rpc.notify('state', report));
  await runConnector({
    name: data.name,
    source,
    chunks,
    logger,
    signal: stopping.signal,
    openProducer: async () => (producer = await openProducer()),
    report: (report) => {
      phase = report.state.phase;
      reports.tell(report);
    },
    encoders,
    beforeWrite: () => events.openFresh(),
    held: {
      holdsNothing: (table) => events.has(table),
      caughtUp: () => rpc.remote.caughtUp(),
      heldTables: (connector) => rpc.remote.heldTables(connector),
      heldRows: (request) => rpc.remote.heldRows(request),
      compareRows: (request) => rpc.remote.compareRows(request),
      declareLookups: (declaration) => rpc.remote.declareLookups(declaration),
      lookupNotes: (connector) => rpc.remote.lookupNotes(connector),
      findHeld: (connector, search) => rpc.remote.findHeld(connector, search),
    },
    recordsOf: (source) => tableRecords(source, data.output),
    openSideRecords: () =>
      (side ??= openSideRecords(data.output.side, { prefix: data.output.topicPrefix, version, logger }, openSide)),
    openTable: async (source: SourceTable, { held, hidden: asked, cause }: OpenOptions = {}) => {
      const plan = planTable(source, data.output, held === true);
      if (held === true && events.has(qualifiedName(source))) return events.silent(source, plan.topic);
      topics.claim(plan.topic, source, data.output);
      const replaced = replacedTopicName(data.output, source);
      if (replaced !== undefined)
        logger.warn('Kafka does not take the name that the topic of a table would have', {
          table: qualifiedName(source),
          name: replaced,
          topic: plan.topic,
        });
      const counted = (encoder: RowEncoder) =>
        data.output.side.transactions === undefined ? encoder : new CountingRowEncoder(encoder, chunks);
      if (plan.events) {
        const own = { topic: plan.topic, events: plan.events };
        encoders.opened(qualifiedName(source), (builder) => events.over(source, own, builder));
        return counted(await events.encoder(source, own, chunks));
      }
      const form: RecordForm = { ...data.output, keyFormat: plan.keyFormat, keyShape: plan.keyShape };
      const { table, topic } = plan;
      // Before the first streamed change everything that is announced belongs to the first snapshot.
      const hidden =
        asked ??
        (snapshots &&
          (phase === 'snapshot' || (phase === 'connecting' && positionToResume(producer?.position) === null)));
      const createTable = data.source['table.create'] !== 'false';
      const ids = await rpc.remote.openTable({
        connector: data.name,
        table,
        topic,
        output: form,
        hidden,
        cause,
        createTable,
      });
      const envelope = form.envelope && { ...form.envelope, server: data.output.topicPrefix, version };
      const over = (builder: RecordChunkBuilder): RowEncoder => {
        const encoder = createRowEncoder({
          ...form,
          ...ids,
          table,
          opColumns: plan.opColumns,
          headers: plan.headers,
          chunks: builder,
          envelope,
        });
        if (plan.projection === undefined) return encoder;
        return new ProjectedRowEncoder(source, encoder, plan.projection, builder.origin);
      };
      if (held !== true) encoders.opened(qualifiedName(source), over);
      const projected = over(chunks);
      // An envelope counts its events itself.
      return envelope === undefined ? counted(projected) : projected;
    },
  });
}

async function openProducer(): Promise<AppendProducer> {
  const name = producerName(data.name);
  if (data.stream.kind === 'embedded') {
    assert(data.bridge, 'an embedded log is reached over a bridge');
    return connectBridge(data.bridge).openProducer(name);
  }
  const { openKafkaStream } = await import('../engine/kafka-options.js');
  const log = await openKafkaStream({
    url: data.stream.url,
    serviceId: data.serviceId,
    logger,
    signal: stopping.signal,
    knownPositions: await rpc.remote.knownPositions(),
  });
  return log.openProducer(name);
}

freeMemoryAtRest();
run()
  .then(() => rpc.notify('done', undefined))
  .catch((error: unknown) => rpc.notify('done', toThrownMessage(error)));
