// A connector as it is kept in the store: what was asked for, not how it stands.
import type { ConnectorConfig } from './connect-facade.js';

/** What is kept of a connector. `config` as it was given: references like `${env:}` unresolved. */
export interface StoredConnector {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly wanted: 'running' | 'paused' | 'stopped';
  readonly owner: 'flag' | 'file' | 'api';
}
