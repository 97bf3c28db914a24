// What the herder stands on: where connectors are kept, what runs one, and what is known of its source.
import type { Logger } from '../core/logger.js';
import type { SourceConfig, SourceInquiry, SourceReport } from '../source/source-connector.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { PluginFamily } from './config-def.js';
import type { CheckedConfig } from './connector-config.js';
import type { SourceFreshness } from './source-freshness.js';
import type { StoredConnector } from './stored-connector.js';

export interface ConnectorStore {
  load(): Promise<readonly StoredConnector[]>;
  put(connector: StoredConnector): Promise<void>;
  remove(name: string, keep: 'all' | 'topics' | 'nothing'): Promise<void>;
  /** Position of the connector's newest applied append, and what it has captured. */
  progress(name: string): Promise<{
    readonly position: string | null;
    readonly tables: readonly string[];
    readonly topics: readonly string[];
  }>;
}

export interface ConnectorTask {
  /** Resolves when the task has ended after stop; rejects with the error that ended it. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export interface HerderEnv {
  readonly store: ConnectorStore;
  readonly startTask: (name: string, checked: CheckedConfig, onReport: (report: SourceReport) => void) => ConnectorTask;
  readonly freshness: SourceFreshness;
  /** For a question or two; whoever opens it closes it. */
  readonly openInquiry: (family: PluginFamily, source: SourceConfig) => SourceInquiry;
  /** Resolves `${env:NAME}` and `${file:PATH}`. */
  readonly resolveReferences: (config: ConnectorConfig) => ConnectorConfig;
  /**
   * Whether this process leads, asked now. Of one that slept, another has gone on with its sources: what it finds there when it wakes
   * is no fault of theirs.
   */
  readonly stillLeads: () => Promise<boolean>;
  readonly workerId: string;
  readonly version: string;
  readonly logger: Logger;
}
