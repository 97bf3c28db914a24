// The end that the service did not ask for: its engine, or what keeps its file small, cannot go on. The first failure counts. Everyone who
// asks afterwards and everyone who waits hears it at once, since what is in memory and on disk grows old without a word; the process of
// `writethrough start` ends, and a program that embeds the service is told.
import { errorFields, type AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { StateReader } from '../store/state-store.js';

export class ServiceFailure {
  /** Resolves with the reason. */
  readonly happened: Promise<AppError>;
  readonly #logger: Logger;
  readonly #listeners: ((error: AppError) => void)[] = [];
  #error: AppError | undefined;
  #settle: (error: AppError) => void = () => {};

  constructor(logger: Logger) {
    this.#logger = logger;
    this.happened = new Promise((resolve) => (this.#settle = resolve));
  }

  get error(): AppError | undefined {
    return this.#error;
  }

  /** Throws when it has happened. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  fail(error: AppError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#logger.error('the service has failed', errorFields(error));
    this.#settle(error);
    for (const listener of this.#listeners) listener(error);
  }

  /** Called once, also when it has happened already. */
  onFailed(listener: (error: AppError) => void): void {
    if (this.#error === undefined) this.#listeners.push(listener);
    else listener(this.#error);
  }
}

/** Answers as long as the service lives: rows of a store that nobody writes any more would be taken for current ones. */
export function readerOfLiving(reader: StateReader, failure: ServiceFailure): StateReader {
  return {
    session() {
      failure.check();
      return reader.session();
    },
    point(table, keyOf, atLeastSeq) {
      failure.check();
      return reader.point(table, keyOf, atLeastSeq);
    },
    close: () => reader.close(),
  };
}
