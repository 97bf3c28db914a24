// What the server may ask of connect: Kafka Connect's REST calls, as functions. Passwords are masked in every answer.
import type { Standing } from '../core/freshness.js';
import type { Diagnosis } from './diagnosis.js';
import type { VerifyReport, VerifyRequest } from '../source/verification.js';
import type { SnapshotRequest, SourceState } from '../source/source-connector.js';

export type ConnectorConfig = Readonly<Record<string, string>>;
export type ConnectorState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING';

export interface ConnectorInfo {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly tasks: readonly { readonly connector: string; readonly task: number }[];
  readonly type: 'source';
}

export interface StoppedTable {
  readonly table: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

export interface ConnectorStatus {
  readonly name: string;
  readonly connector: { readonly state: ConnectorState; readonly worker_id: string; readonly trace?: string };
  readonly tasks: readonly {
    readonly id: number;
    readonly state: ConnectorState;
    readonly worker_id: string;
    readonly trace?: string;
  }[];
  readonly type: 'source';
  /** Beyond Kafka Connect: what the source does. */
  readonly source: SourceState;
  /** How far behind its source its tables may be at most, whatever the reason. */
  readonly lagMs?: number;
  readonly standing?: Standing;
  readonly position: string | null;
  readonly tables: readonly string[];
  /** Of these, what stands still alone while the others go on; absent: none does. */
  readonly stopped?: readonly StoppedTable[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly verified?: VerifySummary;
  readonly schedules?: { readonly snapshot?: ScheduleStatus; readonly verify?: ScheduleStatus };
}

/** PUT /connector-plugins/{class}/config/validate */
export interface ValidationResult {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly {
    /** Null: there is no such property. */
    readonly definition: Readonly<Record<string, unknown>> | null;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
}

/** The newest verification of a connector. */
export interface VerifyStatus extends VerifyReport {
  readonly connector: string;
  readonly state: 'none' | 'running' | 'done' | 'failed';
  readonly repair: boolean;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What a verification that has ended has shown. Kept with the connector. */
export interface VerifySummary {
  readonly state: 'done' | 'failed';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly seconds: number;
  /** Of its tables, those that were compared, and those that could not be. */
  readonly tables: number;
  readonly skipped: number;
  /** Rows that were compared, those of them that differ or are missing on one side, and those that were read again for it. */
  readonly rows: number;
  readonly differences: number;
  readonly repaired: number;
  readonly error?: VerifyStatus['error'];
}

/** What a connector does by the clock. */
export interface ScheduleStatus {
  readonly intervalMs: number;
  /** When it was begun last, or the schedule was; and when it is due. */
  readonly since?: string;
  readonly due?: string;
}

/** Beyond Kafka Connect, where a connector that is made again under its name always goes on where it was. */
export interface DeleteOptions {
  /** Takes away what the source has added to its database, and gives the position up, which is of no use then. */
  readonly uninstall?: boolean;
  /** Drops its tables with their topics, and gives the position up: made again, it begins with a snapshot. */
  readonly topics?: boolean;
  /** With `topics`: also what is derived from its tables, which is refused else. */
  readonly cascade?: boolean;
}

export type { SnapshotRequest };

export interface SnapshotAnswer {
  readonly name: string;
  /** `database.table` of each that is read again. */
  readonly tables: readonly string[];
}

/** Null: it is given up. */
export interface ConnectorOffset {
  readonly partition: Readonly<Record<string, unknown>>;
  readonly offset: Readonly<Record<string, unknown>> | null;
}

/** What a connector does once it is made. */
export type InitialState = 'running' | 'paused' | 'stopped';

export interface PluginInfo {
  readonly class: string;
  readonly type: 'source' | 'converter' | 'transformation' | 'predicate';
  readonly version: string;
}

export interface ConnectFacade {
  list(): Promise<readonly string[]>;
  /** Of all, for the status page. */
  statuses(): Promise<readonly ConnectorStatus[]>;
  /** Rejects with bad-connector-config (every problem in `detail`), already-exists, filter-matches-nothing, source-*. */
  create(
    name: string,
    config: ConnectorConfig,
    owner: 'flag' | 'file' | 'api',
    initially?: InitialState,
    offsets?: readonly ConnectorOffset[],
  ): Promise<ConnectorInfo>;
  /** PUT .../config: created tells whether it is new. */
  update(name: string, config: ConnectorConfig): Promise<{ readonly info: ConnectorInfo; readonly created: boolean }>;
  info(name: string): Promise<ConnectorInfo>;
  status(name: string): Promise<ConnectorStatus>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /**
   * Beyond Kafka Connect: reads tables again, beside the stream. Resolves when that is durable; rejects with unknown-table or bad-request,
   * also where the connector does not run.
   */
  snapshot(name: string, request: SnapshotRequest): Promise<SnapshotAnswer>;
  delete(name: string, options?: DeleteOptions): Promise<void>;
  topics(name: string): Promise<readonly string[]>;
  offsets(name: string): Promise<{ readonly offsets: readonly ConnectorOffset[] }>;
  /**
   * Of a stopped connector only: gives the position up. The next start reads everything again in place, with the deletes of rows that are
   * gone; with `topics` the tables are dropped with their topics instead.
   */
  resetOffsets(name: string, options?: Pick<DeleteOptions, 'topics'>): Promise<void>;
  /**
   * Of a stopped connector only: has it go on somewhere else, and read every table again in place there, so that no row is wrong for the
   * changes that are left out or told twice. What `offsets` has told moves nothing. Rejects with bad-request, and as the source would with
   * such a position.
   */
  alterOffsets(name: string, offsets: readonly ConnectorOffset[]): Promise<void>;
  /** `all`: also converters, transforms and predicates. */
  plugins(all?: boolean): readonly PluginInfo[];
  /** Definitions of the properties of a class. Throws unknown-plugin. */
  pluginConfig(pluginClass: string): readonly Readonly<Record<string, unknown>>[];
  validate(pluginClass: string, config: ConnectorConfig): Promise<ValidationResult>;
  /** Everything that is wrong or risky with its source, and whether it can go on where it is. */
  diagnose(name: string): Promise<Diagnosis>;
  /** Begins to compare tables with the source; `verification` tells how far it is. Rejects with verify-running, not-ready. */
  verify(name: string, request: VerifyRequest): Promise<VerifyStatus>;
  verification(name: string): Promise<VerifyStatus>;
}
