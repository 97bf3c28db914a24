// What the server may ask of connect: Kafka Connect's REST calls, as functions. Passwords are masked in every answer.
import type { Standing } from '../core/freshness.js';
import type { SourceState } from '../source/source-connector.js';

export type ConnectorConfig = Readonly<Record<string, string>>;
export type ConnectorState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING';

export interface ConnectorInfo {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly tasks: readonly { readonly connector: string; readonly task: number }[];
  readonly type: 'source';
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
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** PUT /connector-plugins/{class}/config/validate */
export interface ValidationResult {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly {
    readonly definition: Readonly<Record<string, unknown>>;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
}

/** Beyond Kafka Connect, where a connector that is made again under its name always goes on where it was. */
export interface DeleteOptions {
  /** Takes away what the source has added to its database, and gives the position up, which is of no use then. */
  readonly uninstall?: boolean;
  /** Drops its tables with their topics, and gives the position up: made again, it begins with a snapshot. */
  readonly topics?: boolean;
}

export interface ConnectFacade {
  list(): Promise<readonly string[]>;
  /** Of all, for the status page. */
  statuses(): Promise<readonly ConnectorStatus[]>;
  /** Rejects with bad-connector-config (every problem in `detail`), already-exists, filter-matches-nothing, source-*. */
  create(name: string, config: ConnectorConfig, owner: 'flag' | 'file' | 'api'): Promise<ConnectorInfo>;
  /** PUT .../config: created tells whether it is new. */
  update(name: string, config: ConnectorConfig): Promise<{ readonly info: ConnectorInfo; readonly created: boolean }>;
  info(name: string): Promise<ConnectorInfo>;
  status(name: string): Promise<ConnectorStatus>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  delete(name: string, options?: DeleteOptions): Promise<void>;
  topics(name: string): Promise<readonly string[]>;
  offsets(
    name: string,
  ): Promise<{ readonly offsets: readonly { readonly partition: unknown; readonly offset: unknown }[] }>;
  plugins(): readonly { readonly class: string; readonly type: 'source'; readonly version: string }[];
  validate(pluginClass: string, config: ConnectorConfig): Promise<ValidationResult>;
}
