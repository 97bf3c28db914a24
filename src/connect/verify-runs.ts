// The verifications of the connectors of this process: one at a time of each, begun by a call that does not wait for it; the newest of each
// is kept, so that whoever asked hears how far it is and what it has found.
import { delay } from '../core/backoff.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { VerifyReport, VerifyRequest } from '../source/verification.js';
import type { VerifyStatus, VerifySummary } from './connect-facade.js';
import type { ConnectorTask } from './herder-env.js';

export interface VerifyRunsEnv {
  readonly nowMs: () => number;
  /** One has come to its end. */
  readonly onEnded: (connector: string, summary: VerifySummary) => void;
  readonly redact: (connector: string, error: AppError) => AppError;
}

/** For a connector that is just connecting. */
const connectingMs = 15_000;
const retryMs = 200;

const nothing: VerifyReport = { tables: [], differences: [] };

export class VerifyRuns {
  readonly #env: VerifyRunsEnv;
  readonly #runs = new Map<string, VerifyStatus>();

  constructor(env: VerifyRunsEnv) {
    this.#env = env;
  }

  /** `taskOf`: of the moment; one that is connecting is waited for. */
  begin(connector: string, taskOf: () => ConnectorTask | undefined, request: VerifyRequest): VerifyStatus {
    if (taskOf() === undefined)
      throw new AppError('not-ready', `connector ${connector} does not run`, { hint: 'resume or restart it first' });
    if (this.#runs.get(connector)?.state === 'running')
      throw new AppError('verify-running', `tables of connector ${connector} are being compared already`);
    const { nowMs, onEnded, redact } = this.#env;
    const startedMs = nowMs();
    const began = { connector, repair: request.repair, startedAt: new Date(startedMs).toISOString() };
    let newest = nothing;
    const put = (state: VerifyStatus['state'], more: Partial<VerifyStatus> = {}): VerifyStatus => {
      const status = { ...began, state, ...newest, ...more };
      this.#runs.set(connector, status);
      return status;
    };
    const ended = (state: VerifySummary['state'], error?: VerifyStatus['error']): void => {
      const endedMs = nowMs();
      const times = { startedAt: began.startedAt, endedAt: new Date(endedMs).toISOString() };
      put(state, { ...times, ...(error && { error }) });
      const seconds = (endedMs - startedMs) / 1000;
      onEnded(connector, { state, ...times, seconds, ...countsOf(newest), ...(error && { error }) });
    };
    const running = put('running');
    const report = (so: VerifyReport): void => {
      newest = so;
      put('running');
    };
    this.#verify(taskOf, request, report)
      .then((report) => {
        newest = report;
        ended('done');
      })
      .catch((error: unknown) => {
        const { code, message, hint } = redact(connector, toAppError(error));
        ended('failed', { code, message, ...(hint === undefined ? {} : { hint }) });
      });
    return running;
  }

  /** Tried again while the connector is not connected and nothing was compared. */
  async #verify(
    taskOf: () => ConnectorTask | undefined,
    request: VerifyRequest,
    report: (so: VerifyReport) => void,
  ): Promise<VerifyReport> {
    const untilMs = this.#env.nowMs() + connectingMs;
    let begun = false;
    for (;;) {
      try {
        const task = taskOf();
        if (task === undefined) throw new AppError('not-ready', 'the connector has stopped');
        return await task.verify(request, (so) => {
          begun = true;
          report(so);
        });
      } catch (error) {
        if (begun || !toAppError(error).retriable || this.#env.nowMs() > untilMs) throw error;
        await delay(retryMs);
      }
    }
  }

  /** The newest. */
  of(connector: string): VerifyStatus {
    return this.#runs.get(connector) ?? { connector, state: 'none', repair: false, ...nothing };
  }

  forget(connector: string): void {
    this.#runs.delete(connector);
  }
}

function countsOf({
  tables,
}: VerifyReport): Pick<VerifySummary, 'tables' | 'skipped' | 'rows' | 'differences' | 'repaired'> {
  const sum = (of: (table: VerifyReport['tables'][number]) => number) =>
    tables.reduce((total, each) => total + of(each), 0);
  const skipped = sum(({ state }) => Number(state === 'skipped'));
  return {
    tables: tables.length - skipped,
    skipped,
    rows: sum(({ rows }) => rows),
    differences: sum(({ missing, ghosts, different }) => missing + ghosts + different),
    repaired: sum((table) => table.repaired),
  };
}

/** Of one that has ended; what the newest one has shown is told by the status (`verified`). */
export function countVerification(metrics: Metrics, connector: string, { rows, repaired }: VerifySummary): void {
  metrics.count('writethrough_verify_rows_total', rows, { connector });
  metrics.count('writethrough_verify_repaired_total', repaired, { connector });
}

/** A warning where tables are not proved to be as their source has them. */
export function logVerification(logger: Logger, connector: string, summary: VerifySummary): void {
  const { state, differences, skipped, error } = summary;
  const isSound = state === 'done' && differences === 0 && skipped === 0;
  const lines = { connector, ...summary, error: error?.message };
  logger[isSound ? 'info' : 'warn']('tables were compared with their source', lines);
}
