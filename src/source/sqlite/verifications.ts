// The verification of a run, of which there is one at a time: begun when it is asked for, stepped by the polls, ended with the run.
import { AppError } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import type { VerifyReport, VerifyRequest } from '../verification.js';
import { Verification, type VerificationOptions } from './verification.js';

export class Verifications {
  readonly #options: Omit<VerificationOptions, 'report'>;
  #current: Verification | undefined;

  constructor(options: Omit<VerificationOptions, 'report'>) {
    this.#options = options;
  }

  async verify(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport> {
    if (this.#current)
      throw new AppError('verify-running', 'tables of the connector are being compared with their source already');
    const current = (this.#current = new Verification({ ...this.#options, report }, request));
    try {
      return await current.done;
    } finally {
      this.#current = undefined;
    }
  }

  /** A poll is wanted, whether there are changes or not. */
  get isDue(): boolean {
    return this.#current?.isDue === true;
  }

  /** In the read transaction of a poll, behind its changes. */
  read(): void {
    this.#current?.read();
  }

  /** Behind that poll; nothing else is handed over before it ends. */
  async *compare(): AsyncGenerator<Chunk> {
    if (this.#current) yield* this.#current.compare();
  }

  close(): void {
    this.#current?.fail(notConnected());
  }
}

export function notConnected(): AppError {
  return new AppError('source-unreachable', 'the file is not open', { retriable: true });
}
