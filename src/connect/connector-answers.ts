// What Kafka Connect's REST API answers about a connector, from what the herder holds of it.
import { AppError, errorCodes, type ErrorCode } from '../core/errors.js';
import type { Age } from '../core/freshness.js';
import type { SourceFinding, SourceState } from '../source/source-connector.js';
import type { ConnectorInfo, ConnectorState, ConnectorStatus } from './connect-facade.js';
import { configError } from './connector-config.js';
import type { ConnectorProgress } from './herder-env.js';
import { maskSecrets } from './connector-secrets.js';
import { scheduleStatus } from './schedule-settings.js';
import type { StoredConnector } from './stored-connector.js';

export function infoOf(stored: StoredConnector): ConnectorInfo {
  return {
    name: stored.name,
    config: { ...maskSecrets(stored.config), name: stored.name },
    tasks: stored.wanted === 'stopped' ? [] : [{ connector: stored.name, task: 0 }],
    type: 'source',
  };
}

export function statusOf(
  name: string,
  {
    state,
    source,
    error,
    age,
    stored,
  }: {
    readonly stored: Pick<StoredConnector, 'config' | 'begun' | 'verified'>;
    readonly state: ConnectorState;
    readonly source: SourceState;
    readonly error: AppError | undefined;
    readonly age: Age | undefined;
  },
  workerId: string,
  progress: Pick<ConnectorProgress, 'position' | 'tables' | 'stopped'>,
): ConnectorStatus {
  const trace =
    error === undefined ? {} : { trace: `${error.code}: ${error.message}${error.detail ? `\n${error.detail}` : ''}` };
  return {
    name,
    // As in Kafka Connect: it is the task that has failed.
    connector: { state: state === 'FAILED' ? 'RUNNING' : state, worker_id: workerId },
    tasks: state === 'STOPPED' ? [] : [{ id: 0, state, worker_id: workerId, ...trace }],
    type: 'source',
    source: {
      ...source,
      // One word on it: what was handed over is applied, too.
      ...(source.caughtUp === undefined ? {} : { caughtUp: age?.standing === 'current' }),
    },
    ...(age === undefined ? {} : { lagMs: age.lagMs, standing: age.standing }),
    position: progress.position,
    tables: progress.tables,
    ...(progress.stopped.length === 0 ? {} : { stopped: progress.stopped }),
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) } }),
    ...(stored.verified && { verified: stored.verified }),
    ...scheduleStatus(stored),
  };
}

/** The first problem decides the code, so that a wrong filter is told apart from a missing grant. */
export function liveError(name: string, errors: readonly SourceFinding[]): AppError {
  const summary = configError(name, errors);
  const code = errors[0]!.code;
  if (!Object.hasOwn(errorCodes, code)) return summary;
  return new AppError(code as ErrorCode, errors[0]!.message, {
    detail: summary.detail,
    hint: summary.hint,
    place: summary.place,
  });
}

export function positionValue(position: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(position) as Readonly<Record<string, unknown>>;
  } catch {
    return { position }; // a source's position is opaque text; JSON is only its usual form
  }
}
