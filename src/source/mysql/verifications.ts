// The verification of a run, of which there is one at a time: begun when it is asked for, stepped by the loop, ended with the run.
import { AppError } from '../../core/errors.js';
import type { VerifyReport, VerifyRequest } from '../verification.js';
import type { StatementEffect } from './table-knowledge.js';
import { Verification, type VerificationOptions } from './verification.js';

/** What a run has of it, once it is open. */
export type Verifiable = Omit<VerificationOptions, 'report'>;

export class Verifications {
  /** The run, when it is open; undefined: it has ended before. */
  readonly #run: Promise<Verifiable | undefined>;
  #settle!: (run: Verifiable | undefined) => void;
  #closed = false;
  #current: Verification | undefined;

  constructor() {
    this.#run = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** From now on tables can be compared. */
  opened(run: Verifiable): void {
    this.#settle(run);
  }

  async verify(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport> {
    const run = await this.#run;
    if (!run || this.#closed) throw notConnected();
    if (run.snapshots.isFirst)
      throw new AppError('snapshotting', 'the first snapshot is not complete: there is nothing to compare yet');
    if (this.#current)
      throw new AppError('verify-running', 'tables of the connector are being compared with their source already');
    const current = (this.#current = new Verification({ ...run, report }, request));
    run.wakeup.notify();
    try {
      return await current.done;
    } finally {
      this.#current = undefined;
    }
  }

  /** Between two transactions. False: what is under construction has to go out first. */
  async step(): Promise<boolean> {
    return this.#current === undefined || this.#current.step();
  }

  follow(effect: StatementEffect): void {
    this.#current?.follow(effect);
  }

  close(): void {
    this.#closed = true;
    this.#settle(undefined);
    this.#current?.fail(notConnected());
  }
}

export function notConnected(): AppError {
  return new AppError('source-unreachable', 'the connector is not connected to its source', { retriable: true });
}
