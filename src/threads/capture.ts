// A capture thread: runs one connector's task. Decoding and encoding take most of a core under load, so they have a thread of their
// own; chunks go to the engine by transfer (embedded) or to Kafka from here.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { runConnector } from '../connect/worker.js';
import { keyShapeOf, producerName, topicName } from '../connect/naming.js';
import type { HeldRowsPage, HeldRowsRequest } from '../connect/held-rows.js';
import type { OutputSettings } from '../connect/connector-config.js';
import type { PluginFamily } from '../connect/config-def.js';
import { assert, toErrorMessage, type ErrorMessage } from '../core/errors.js';
import { createLogger, type LogFields, type LogLevel } from '../core/logger.js';
import { positionToResume } from '../core/append.js';
import type { SourceTable } from '../core/row-encoder.js';
import { RecordChunkBuilder } from '../schema/formats/chunk-builder.js';
import { createRowEncoder } from '../schema/formats/row-encoder.js';
import type { SourceConfig, SourceReport, SourceState } from '../source/source-connector.js';
import { connectBridge } from '../stream/bridge/bridge-client.js';
import type { AppendProducer } from '../stream/event-log.js';
import type { OpenedTable, OpenTableRequest, StreamOptions } from '../engine/engine-api.js';
import type { KnownPositions } from '../stream/kafka/kafka-log-options.js';
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
  heldTables(connector: string): Promise<readonly string[]>;
  heldRows(request: HeldRowsRequest): Promise<HeldRowsPage>;
  /** Kafka: where the engine stands; only what is behind it has to be searched for the producer's position. */
  knownPositions(): Promise<KnownPositions>;
  state(report: SourceReport): void;
  log(level: LogLevel, message: string, fields: LogFields): void;
  done(error: ErrorMessage | undefined): void;
}

export interface CaptureApi {
  stop(): void;
}

const chunkBytes = 256 * 1024;

const port = parentPort;
assert(port, 'capture.ts runs as a worker thread');
const data = workerData as CaptureData;
const stopping = new AbortController();
const rpc = connectRpc<CaptureMainApi>(port, { stop: () => stopping.abort() }, (error) =>
  rpc.notify('done', toErrorMessage(error)),
);
const logger = createLogger((level, message, fields) => rpc.notify('log', level, message, fields), {
  thread: 'capture',
  connector: data.name,
});

async function run(): Promise<void> {
  const chunks = new RecordChunkBuilder({ chunkBytes });
  const create = await sourceFactory(data.family);
  const source = create(data.source, logger);
  const snapshots = ['initial', 'initial_only', 'when_needed', 'always'].includes(
    data.source['snapshot.mode'] ?? 'initial',
  );
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
    held: {
      caughtUp: () => rpc.remote.caughtUp(),
      heldTables: (connector) => rpc.remote.heldTables(connector),
      heldRows: (request) => rpc.remote.heldRows(request),
    },
    openTable: async (table: SourceTable) => {
      const topic = topicName(data.output.topicPrefix, table);
      // Before the first streamed change everything that is announced belongs to the first snapshot.
      const hidden =
        snapshots &&
        (phase === 'snapshot' || (phase === 'connecting' && positionToResume(producer?.position) === null));
      const createTable = data.source['table.create'] !== 'false';
      const ids = await rpc.remote.openTable({
        connector: data.name,
        table,
        topic,
        output: data.output,
        hidden,
        createTable,
      });
      return createRowEncoder({
        ...data.output,
        ...ids,
        keyShape: keyShapeOf(data.output, table),
        table,
        chunks,
      });
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
  .catch((error: unknown) => rpc.notify('done', toErrorMessage(error)));
