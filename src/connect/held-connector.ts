// A connector as its herder holds it: what is kept of it, what it does, and its task while there is one.
import type { AppError } from '../core/errors.js';
import type { SourceState } from '../source/source-connector.js';
import type { ConnectorState } from './connect-facade.js';
import type { Redact } from './connector-secrets.js';
import type { ConnectorTask } from './herder-env.js';
import type { StoredConnector } from './stored-connector.js';

export interface HeldConnector {
  stored: StoredConnector;
  state: ConnectorState;
  source: SourceState;
  error: AppError | undefined;
  task: ConnectorTask | undefined;
  /** Aborted to leave a back-off wait. */
  stopping: AbortController;
  loop: Promise<void> | undefined;
  /** By what its configuration referred to when it was started last. */
  redact: Redact;
}

export const idleState: SourceState = { phase: 'connecting' };

const stateOf = { paused: 'PAUSED', stopped: 'STOPPED', running: 'UNASSIGNED' } as const;

export function holdConnector(stored: StoredConnector, redact: Redact): HeldConnector {
  return {
    stored,
    state: stateOf[stored.wanted],
    source: idleState,
    error: undefined,
    task: undefined,
    stopping: new AbortController(),
    loop: undefined,
    redact,
  };
}
