// Trying for ever what brokers refuse for the moment, with one log line when the bad state begins and one when it ends.
import { createBackoff, isAbort, untilAborted, type Backoff } from '../../core/backoff.js';
import { abortError } from './stopping.js';
import type { Logger } from '../../core/logger.js';
import { isRetriable, KafkaProtocolError, toLogError } from './kafka-errors.js';

/** The bad state of one thing that is tried again and again. */
export class Outage {
  readonly #what: string;
  readonly #logger: Logger;
  readonly #backoff: Backoff = createBackoff({ initialMs: 20, maxMs: 1000 });
  #failures = 0;
  #saidSoAtMs: number | undefined;
  #sinceMs = 0;

  constructor(what: string, logger: Logger) {
    this.#what = what;
    this.#logger = logger;
  }

  /** Waits before the next try; rejects with the error when trying again is useless. */
  async wait(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortError();
    if (isAbort(error) || !isRetriable(error)) throw error;
    const nowMs = performance.now();
    if (this.#failures++ === 0) this.#sinceMs = nowMs;
    // The first failure is often a leader that has just moved: only what lasts is worth a line.
    if (this.#saidSoAtMs === undefined && nowMs - this.#sinceMs > 500) {
      this.#saidSoAtMs = nowMs;
      const { message, detail } = toLogError(error, this.#what);
      this.#logger.warn(`${message}; trying again until they do`, { code: 'log-unreachable', detail });
    }
    await this.#backoff.wait(signal);
  }

  over(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#backoff.reset();
    if (this.#saidSoAtMs === undefined) return;
    this.#saidSoAtMs = undefined;
    this.#logger.info(`${this.#what}: the Kafka brokers answer again`, {
      outageMs: Math.round(performance.now() - this.#sinceMs),
    });
  }
}

/** Tries until it works; rejects when trying again is useless, and at once when the signal aborts. */
export async function retrying<T>(outage: Outage, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const result = await untilAborted(signal, attempt());
      outage.over();
      return result;
    } catch (error) {
      await outage.wait(error, signal);
    }
  }
}

/** The same for callers who want an answer: rejects with log-unreachable after so long, whatever is being tried then. */
export async function retryingFor<T>(
  ms: number,
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), ms);
  const either = AbortSignal.any([signal, ended.signal]);
  const backoff = createBackoff({ initialMs: 20, maxMs: 1000 });
  let failure: unknown = new KafkaProtocolError(7, `no answer for ${ms / 1000} s (default.api.timeout.ms)`);
  try {
    for (;;) {
      try {
        return await untilAborted(either, attempt());
      } catch (error) {
        if (either.aborted) break;
        if (isAbort(error) || !isRetriable(error)) throw toLogError(error, what);
        failure = error;
      }
      await backoff.wait(either);
    }
  } catch (error) {
    if (!either.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  throw signal.aborted ? abortError() : toLogError(failure, what);
}
