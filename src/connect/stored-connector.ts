// A connector as it is kept in the store: what was asked for, not how it stands.
import type { ConnectorConfig, VerifySummary } from './connect-facade.js';

/** What is kept of a connector. `config` as it was given: references like `${env:}` unresolved. */
export interface StoredConnector {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly wanted: 'running' | 'paused' | 'stopped';
  readonly owner: 'flag' | 'file' | 'api';
  /** Who its source said it is when it was last reached; absent before, and in documents from before this was kept. */
  readonly identity?: string | undefined;
  /** When what its schedules ask for was begun last, of the wall clock, ms (schedules.ts). */
  readonly begun?: { readonly snapshot?: number; readonly verify?: number } | undefined;
  /** What its newest verification has shown. */
  readonly verified?: VerifySummary | undefined;
}
