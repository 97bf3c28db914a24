// Which failure of a task may pass, and what is done about it: the one place that says so. Four kinds:
//   passes     what the error itself calls retriable: a database, a network or a log that does not answer. Tried again by the connector's
//              settings (errors.max.retries: without end), from the shortest pause on each time that it has worked
//   doubtful   a bug of ours, or answers and a binlog that cannot be decoded: memory, a broken packet or a rare order of things may be behind it, so it
//              is tried again, but not without end: what comes `sameMax` times at one position does not pass
//   by a file  a password that was refused, or a property that cannot be resolved, where the configuration takes values from files or the
//              environment: it stays FAILED, is never tried with the values that were refused (a server may lock the account), and starts as
//              soon as they are others, as after a rotation of secrets
//   final      everything else waits for somebody who grants a right, changes a setting or decides what is to become of the rows. It stays
//              FAILED with its remedy: trying again could only hide it
import type { AppError, ErrorCode } from '../core/errors.js';
import { Retries, type Retry, type RetrySettings } from '../core/retries.js';

const doubtful: ReadonlySet<ErrorCode> = new Set(['internal', 'corrupt-binlog', 'source-failed']);
const ofValues: ReadonlySet<ErrorCode> = new Set(['source-access-denied', 'bad-connector-config']);
const sameMax = 5;

/** May end when what the configuration refers to is another value. */
export function isOfValues({ code }: AppError): boolean {
  return ofValues.has(code);
}

export type AfterFailure =
  | { readonly kind: 'again'; readonly retry: Retry; readonly waitMs: number }
  | { readonly kind: 'failed'; readonly error: AppError };

/** Of one connector, from its start until it fails for good. */
export class Restarts {
  readonly #passing: Retries;
  #doubtful: { readonly position: string | null; readonly retries: Retries } | undefined;
  readonly #settings: RetrySettings;

  constructor(settings: RetrySettings) {
    this.#settings = settings;
    this.#passing = new Retries(settings);
  }

  /** The source streams: what comes now is another trouble. */
  works(): void {
    this.#passing.reset();
  }

  /** `position`: of the newest append in the log. */
  after(error: AppError, position: string | null): AfterFailure {
    const isDoubtful = doubtful.has(error.code);
    if (!isDoubtful && !error.retriable) return { kind: 'failed', error };
    try {
      return { kind: 'again', ...(isDoubtful ? this.#of(position) : this.#passing).next(error) };
    } catch (usedUp) {
      return { kind: 'failed', error: usedUp as AppError };
    }
  }

  #of(position: string | null): Retries {
    if (this.#doubtful?.position !== position || this.#doubtful === undefined) {
      const maxRetries = Math.min(this.#settings.maxRetries, sameMax);
      this.#doubtful = { position, retries: new Retries({ ...this.#settings, maxRetries }) };
    }
    return this.#doubtful.retries;
  }
}
