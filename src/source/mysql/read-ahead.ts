// Parts of a table that are read ahead of who hands them over: a few wait here, and the reading waits for room.
import type { AppError } from '../../core/errors.js';
import type { Wakeup } from './wakeup.js';

export interface ReadAheadOptions<T> {
  /** How many parts may wait. */
  readonly ahead: number;
  readonly wakeup: Wakeup;
  /** Frees what a part holds that is not handed over. */
  readonly release: (part: T) => void;
  /** What has ended the reading, as it is thrown; undefined: it is dealt with already. */
  readonly failure: (error: unknown) => AppError | undefined;
}

export class ReadAhead<T> {
  readonly #options: ReadAheadOptions<T>;
  readonly #stop = new AbortController();
  readonly #ready: T[] = [];
  #resume: (() => void) | undefined;
  #finished = false;
  #failure: AppError | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReadAheadOptions<T>) {
    this.#options = options;
  }

  /** Aborts when it is closed. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Reads until `read` ends. Once. */
  begin(read: () => Promise<void>): void {
    const { wakeup, failure } = this.#options;
    this.#running = read().then(
      () => {
        this.#finished = true;
        wakeup.notify();
      },
      (error: unknown) => {
        this.#failure = failure(error);
        wakeup.notify();
      },
    );
  }

  /** Resolves when another part may be read. */
  async room(): Promise<void> {
    while (this.#ready.length >= this.#options.ahead && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.signal.throwIfAborted();
  }

  push(part: T): void {
    this.#ready.push(part);
    this.#options.wakeup.notify();
  }

  /** The oldest part that waits; throws what ended the reading when there is none. */
  peek(): T | undefined {
    const part = this.#ready[0];
    if (part === undefined && this.#failure) throw this.#failure;
    return part;
  }

  /** The oldest part has been handed over. */
  shift(): T | undefined {
    const part = this.#ready.shift();
    this.#resume?.();
    return part;
  }

  /** Parts that are not wanted any more. */
  drop(unwanted: (part: T) => boolean): void {
    const parts = this.#ready.splice(0);
    for (const part of parts) {
      if (unwanted(part)) this.#options.release(part);
      else this.#ready.push(part);
    }
    this.#resume?.();
  }

  /** Everything was read and handed over. */
  get done(): boolean {
    return this.#finished && this.#ready.length === 0;
  }

  /** `interrupt` ends what is being asked at the moment. */
  async close(interrupt: () => void): Promise<void> {
    this.#stop.abort(new DOMException('stopped', 'AbortError'));
    this.#resume?.();
    interrupt();
    await this.#running;
    this.drop(() => true);
  }
}
