// Trying again after trouble with a source: how long is waited, how often, and what is told of it. The settings have the names that
// Debezium's users know; a source counts its lost connections by them, and the herder the tasks that have ended.
import { createBackoff, type Backoff } from './backoff.js';
import { systemClock, type Clock } from './clock.js';
import { AppError, type ErrorCode } from './errors.js';

export interface RetrySettings {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Infinity: for ever. */
  readonly maxRetries: number;
}

/** The next try of something that has failed, as status, metrics and log tell it. */
export interface Retry {
  /** From 1 on. */
  readonly attempt: number;
  /** When, of the wall clock (ISO 8601). */
  readonly at: string;
  readonly code: ErrorCode;
}

export const retryProperties = {
  maxRetries: 'errors.max.retries',
  initial: 'errors.retry.delay.initial.ms',
  max: 'errors.retry.delay.max.ms',
} as const;

export const retryDefaults = { maxRetries: '-1', initialMs: '300', maxMs: '10000' } as const;

/** Of a connector's properties, checked already. */
export function retrySettings(config: Readonly<Record<string, string>>): RetrySettings {
  const maxRetries = Number(config[retryProperties.maxRetries] ?? retryDefaults.maxRetries);
  return {
    initialMs: Number(config[retryProperties.initial] ?? retryDefaults.initialMs),
    maxMs: Number(config[retryProperties.max] ?? retryDefaults.maxMs),
    maxRetries: maxRetries < 0 ? Infinity : maxRetries,
  };
}

export class Retries {
  readonly #settings: RetrySettings;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #backoff: Backoff;

  constructor(settings: RetrySettings, clock: Pick<Clock, 'nowMs'> = systemClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#backoff = createBackoff(settings);
  }

  /** How often it was tried again since it last worked. */
  get attempt(): number {
    return this.#backoff.attempt;
  }

  reset(): void {
    this.#backoff.reset();
  }

  /** What comes of this error: another try; throws it as a final one when all tries are used up. */
  next(error: AppError): { readonly retry: Retry; readonly waitMs: number } {
    const { attempt } = this;
    const { maxRetries } = this.#settings;
    if (attempt >= maxRetries) throw usedUp(error, maxRetries);
    const waitMs = this.#backoff.next();
    const at = new Date(this.#clock.nowMs() + waitMs).toISOString();
    return { retry: { attempt: attempt + 1, at, code: error.code }, waitMs };
  }
}

function usedUp(error: AppError, maxRetries: number): AppError {
  const { code, message, detail, hint } = error;
  const tries =
    maxRetries === 0
      ? `it is not tried again (${retryProperties.maxRetries}=0)`
      : `it was tried again ${maxRetries} times (${retryProperties.maxRetries})`;
  return new AppError(code, message, {
    detail: detail === undefined ? tries : `${detail}\n${tries}`,
    hint: `${hint === undefined ? '' : `${hint}; `}restart the connector when the trouble is over, or leave ${retryProperties.maxRetries} out to try for ever`,
    retriable: false,
    cause: error,
  });
}
