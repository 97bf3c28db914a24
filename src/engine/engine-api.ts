// What the engine thread offers to the main thread, what it is started with, and what it tells.
import type { HeldName, HeldRowsPage, HeldRowsRequest, LookupDeclaration } from '../connect/held-rows.js';
import type { CompareRowsRequest } from '../connect/row-comparison.js';
import type { RecordDifference } from '../source/verification.js';
import type { RecordForm } from '../connect/output-settings.js';
import type { StoredMoment } from '../connect/source-facts.js';
import type { TableSources } from '../connect/source-freshness.js';
import type { ConnectorProgress, Kept } from '../connect/herder-env.js';
import type { StoredConnector } from '../connect/stored-connector.js';
import type { ErrorMessage } from '../core/errors.js';
import type { LogFields, LogLevel } from '../core/logger.js';
import type { MetricSample } from '../core/metrics.js';
import type { AskedRetention } from '../core/topic-retention.js';
import type { SourceTable } from '../core/row-encoder.js';
import type {
  QueryStatus,
  RebuildProgress,
  StatementRequest,
  StatementResult,
  StatementRun,
} from '../projector/statement-facade.js';
import type { RegistryFacade } from '../registry/registry-facade.js';
import type { HeldFound, HeldSearch } from '../source/source-connector.js';
import type { Durability } from '../sqlite/database.js';
import type { TapRecord, TopicDescription } from '../stream/event-log.js';
import type { OutboxStatus } from './outbox.js';

export interface EngineOptions {
  readonly dataFolder: string;
  readonly durability: Durability;
  readonly serviceId: string;
  readonly strict: boolean;
  /** A record without a usable TIMESTAMP column stops the source that a statement declares, unless the statement says otherwise. */
  readonly failsOnTimestamp?: boolean | undefined;
  readonly stream: StreamOptions;
  /** `follower`: it applies what another process writes, and writes nothing itself. */
  readonly role: EngineRole;
  /** Of new topics that are not compacted, where neither statement nor connector says anything; undefined: for ever. */
  readonly topicRetention?: AskedRetention | undefined;
  /** Kafka: how long what everybody has applied stays in the commit topic; undefined: for ever. */
  readonly commitsRetentionMs?: number | undefined;
  readonly feed: { readonly ms: number; readonly bytes: number };
  /** So much of a compacted topic may wait for compaction under load; only the embedded log is compacted by us. */
  readonly compactionBytes?: number | undefined;
  /** Settings as SHOW PROPERTIES tells them; no secrets. */
  readonly properties: Readonly<Record<string, string>>;
  /** Rows that a build takes in one step, and that a new query takes at once; by default as many as take a few ms. */
  readonly rowsPerStep?: number | undefined;
  readonly rowsAtOnce?: number | undefined;
  /** Of derived records that wait for Kafka: over it the engine applies no more. */
  readonly outboxBytes?: number | undefined;
}

/** -1: without limit; default: as a new topic would have it by the settings of the process; absent: as it is. */
export interface RetentionChanges {
  readonly ms?: number | 'default' | undefined;
  readonly bytes?: number | 'default' | undefined;
}

export type EngineRole = 'leader' | 'follower';

export type StreamOptions = { readonly kind: 'embedded' } | { readonly kind: 'kafka'; readonly url: string };

/** What a capture thread asks before it captures a table. */
export interface OpenTableRequest {
  readonly connector: string;
  readonly table: SourceTable;
  readonly topic: string;
  readonly output: RecordForm;
  /** Readable only when the connector's snapshot is complete. */
  readonly hidden: boolean;
  /** Why it is read again, if it is. */
  readonly cause?: string | undefined;
  /** Make it a queryable table (else only a topic). */
  readonly createTable: boolean;
}

export interface OpenedTable {
  /** Mostly the one that was asked for. */
  readonly topic: string;
  readonly keySchemaId: number | undefined;
  readonly valueSchemaId: number | undefined;
  /** Their texts, of PROTOBUF. */
  readonly keySchema: string | undefined;
  readonly valueSchema: string | undefined;
}

/** Statements that read tables which are not there yet, kept until they are. */
export interface WaitingStatement {
  readonly sql: string;
  readonly file: string;
  readonly missing: readonly string[];
}

/** Functions that the engine answers. */
export interface EngineApi {
  execute(request: StatementRequest): Promise<readonly StatementResult[]>;
  run(request: StatementRequest): Promise<StatementRun>;
  /** For query files: runs a statement, or keeps it until its sources are there. */
  executeOrWait(request: StatementRequest): Promise<{ readonly waiting: readonly string[] }>;
  rebuild(table: string): Promise<RebuildProgress>;
  rebuilds(): Promise<readonly RebuildProgress[]>;
  queries(): Promise<readonly QueryStatus[]>;
  waiting(): Promise<readonly WaitingStatement[]>;
  /** Gives the engine its end of a capture thread's bridge; the port is in the transfer list. */
  attachCapture(link: { readonly port: unknown }): Promise<void>;
  openTable(request: OpenTableRequest): Promise<OpenedTable>;
  /** Resolves when everything is applied that was in the log when it was called. */
  caughtUp(): Promise<void>;
  connectors(): Promise<readonly StoredConnector[]>;
  putConnector(connector: StoredConnector): Promise<void>;
  /** Gives its position up on request, and also drops its tables with their topics. */
  removeConnector(name: string, keep: Kept): Promise<void>;
  /** Of one that rests; null: it is given up. Resolves when `connectorProgress` tells it. */
  setConnectorPosition(name: string, position: string | null): Promise<void>;
  connectorProgress(name: string): Promise<ConnectorProgress>;
  /** What a connector has captured: `database.table` of each, and their rows as they are applied. */
  heldTables(connector: string): Promise<readonly HeldName[]>;
  heldRows(request: HeldRowsRequest): Promise<HeldRowsPage>;
  /** Rows of the source beside them: what is held otherwise. */
  compareRows(request: CompareRowsRequest): Promise<readonly RecordDifference[] | 'unknown'>;
  /** What they are found by. */
  declareLookups(declaration: LookupDeclaration): Promise<void>;
  lookupNotes(connector: string): Promise<string | null>;
  findHeld(connector: string, search: HeldSearch): Promise<HeldFound | 'empty' | 'unknown' | 'other-columns'>;
  /** Where producers stood at the seq that is applied. */
  knownPositions(): Promise<{ readonly seq: number; readonly positions: Readonly<Record<string, string>> }>;
  /** When the sources of connectors, and of tables whose connector is gone, were last known to be current. */
  moments(): Promise<readonly StoredMoment[]>;
  keepMoment(moment: StoredMoment): Promise<void>;
  registry(method: keyof RegistryFacade, args: readonly unknown[]): Promise<unknown>;
  topics(): Promise<readonly TopicDescription[]>;
  /** Changes what a topic keeps; resolves when it has effect. */
  alterTopic(topic: string, changes: RetentionChanges): Promise<void>;
  /** At most `limit`, and, behind the first, at most about `bytesMax`. */
  readTopic(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    bytesMax?: number,
  ): Promise<readonly TapRecord[]>;
  /** What waits to be written to Kafka; undefined with the embedded log, where nothing waits. */
  outbox(): Promise<OutboxStatus | undefined>;
  /** Derived records wait from here on (a process that no longer leads), until `startSending`. */
  stopSending(): Promise<void>;
  startSending(): Promise<void>;
  metrics(): Promise<readonly MetricSample[]>;
  /** At rest: gives up pages that SQLite keeps in memory; it reads them again when they are needed. */
  freeCaches(): void;
  stop(): Promise<void>;
}

/** Functions that the main thread answers to the engine; all are notices. */
export interface MainApi {
  ready(info: { readonly logId: string; readonly seq: number }): void;
  committed(seq: number, commitTimeUs: number): void;
  /** What each table's rows come from: before `ready`, and soon after each change of the catalogue. */
  tableSources(tables: readonly TableSources[]): void;
  failed(error: ErrorMessage): void;
  log(level: LogLevel, message: string, fields: LogFields): void;
}
