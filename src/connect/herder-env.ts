// What the herder stands on: where connectors are kept, what runs one, and what is known of its source.
import type { Logger } from '../core/logger.js';
import type { VerifyReport, VerifyRequest } from '../source/verification.js';
import type { SnapshotRequest, SourceConfig, SourceInquiry, SourceReport } from '../source/source-connector.js';
import type { ConnectorConfig, StoppedTable, VerifySummary } from './connect-facade.js';
import type { PluginFamily } from './config-def.js';
import type { CheckedConfig } from './connector-config.js';
import type { Owner } from './reach.js';
import type { SourceFreshness } from './source-freshness.js';
import type { StoredConnector } from './stored-connector.js';

/**
 * What stays of a connector that is removed: `all`; `topics` and tables, but not its position; only what is `derived` from its tables, which is
 * refused where there is something; or `nothing`.
 */
export type Kept = 'all' | 'topics' | 'derived' | 'nothing';

export interface ConnectorStore {
  load(): Promise<readonly StoredConnector[]>;
  put(connector: StoredConnector): Promise<void>;
  remove(name: string, keep: Kept): Promise<void>;
  /** Of one that rests; null: it is given up. */
  setPosition(name: string, position: string | null): Promise<void>;
  /** Position of the connector's newest applied append, and what it has captured. */
  progress(name: string): Promise<ConnectorProgress>;
}

export interface ConnectorProgress {
  readonly position: string | null;
  readonly tables: readonly string[];
  readonly topics: readonly string[];
  /** Of its tables those that stand still. */
  readonly stopped: readonly StoppedTable[];
}

export interface ConnectorTask {
  /** Resolves when the task has ended after stop; rejects with the error that ended it. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
  /** Compares tables with the source while it runs; rejects when it ends before. One at a time. */
  verify(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport>;
  /** As `snapshot` of the port; rejects where the source cannot do that. */
  snapshot(request: SnapshotRequest): Promise<readonly string[]>;
}

export interface HerderEnv {
  readonly store: ConnectorStore;
  readonly startTask: (name: string, checked: CheckedConfig, onReport: (report: SourceReport) => void) => ConnectorTask;
  readonly freshness: SourceFreshness;
  /** For a question or two; whoever opens it closes it. */
  readonly openInquiry: (family: PluginFamily, source: SourceConfig) => SourceInquiry;
  /** Resolves `${env:NAME}` and `${file:PATH}`; throws not-allowed for what a connector of this owner may not reach (reach.ts). */
  readonly resolveReferences: (config: ConnectorConfig, owner: Owner) => ConnectorConfig;
  /**
   * Whether this process leads, asked now. Of one that slept, another has gone on with its sources: what it finds there when it wakes
   * is no fault of theirs.
   */
  readonly stillLeads: () => Promise<boolean>;
  /** A connector that had failed is started again. */
  readonly onRestart: (connector: string) => void;
  /** Tables of a connector were compared with their source. */
  readonly onVerified: (connector: string, summary: VerifySummary) => void;
  /** The service begins to stop: what a source is being asked is given up, since whoever asks is waited for. */
  readonly stopping?: AbortSignal | undefined;
  readonly workerId: string;
  readonly version: string;
  readonly logger: Logger;
}
