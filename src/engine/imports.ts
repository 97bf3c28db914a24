// Imports of topics that others write: one per topic that the catalogue reads so, while this process leads. What fails for good is told
// by an append, so that what reads the topic stands still at one seq on every process.
import { delay } from '../core/backoff.js';
import type { Catalog } from '../catalog/catalog.js';
import { toAppError, toErrorMessage, type ErrorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

const retryMs = 1000;

export interface ImportsEnv {
  readonly catalog: Catalog;
  /** Runs until the signal aborts; rejects when the topic cannot be imported any further. */
  readonly importTopic: (topic: string, signal: AbortSignal) => Promise<void>;
  /** Resolves when it is applied that what reads the topic stands still. */
  readonly onFailed: (topic: string, error: ErrorMessage) => Promise<void>;
  readonly logger: Logger;
}

export class Imports {
  readonly #env: ImportsEnv;
  readonly #running = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();

  #stopped = false;

  constructor(env: ImportsEnv) {
    this.#env = env;
  }

  /** The catalogue may have changed. */
  follow(): void {
    const wanted = new Set<string>();
    for (const { imported, failed, properties } of this.#env.catalog.all())
      if (imported === true && failed === null) wanted.add(properties.topic);
    for (const [topic, { stop }] of this.#running) if (!wanted.has(topic)) stop.abort();
    for (const topic of wanted) if (!this.#running.has(topic)) this.#start(topic);
  }

  /** The process ends: nothing begins any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  #start(topic: string): void {
    const stop = new AbortController();
    const ended = this.#run(topic, stop.signal).finally(() => {
      this.#running.delete(topic);
      // It may have been dropped and declared again meanwhile.
      if (stop.signal.aborted && !this.#stopped) this.follow();
    });
    this.#running.set(topic, { stop, ended });
  }

  /** What is retriable is healed by beginning anew: the position is in the log. */
  async #import(topic: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await this.#env.importTopic(topic, signal);
      } catch (error) {
        if (signal.aborted || !toAppError(error).retriable) throw error;
        await delay(retryMs, signal);
      }
    }
  }

  async #run(topic: string, signal: AbortSignal): Promise<void> {
    const { onFailed, logger } = this.#env;
    try {
      await this.#import(topic, signal);
    } catch (error) {
      if (signal.aborted) return;
      // Rejected only when the engine ends: the next start finds the same.
      await onFailed(topic, toErrorMessage(error)).catch((again: unknown) =>
        logger.debug('an import that failed was not told', { topic, error: String(again) }),
      );
    }
  }
}
