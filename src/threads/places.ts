// So many at once; a bounded number more waits, in order, and whoever comes then is refused.
import { AppError } from '../core/errors.js';

export class Places {
  readonly #max: number;
  readonly #what: string;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /** `what` is done in them, for the refusal. */
  constructor(max: number, what: string) {
    this.#max = max;
    this.#what = what;
  }

  /** Resolves with what gives the place back; rejects with `overloaded`, or when the signal aborts. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.#max) this.#taken++;
    else await this.#wait(signal);
    let isMine = true;
    return () => {
      if (isMine) this.#leave();
      isMine = false;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#max)
      throw new AppError('overloaded', `${this.#max} ${this.#what}, and as many wait`, { retriable: true });
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(next);
        reject(signal.reason as Error);
      };
      const next = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(next);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The place goes from hand to hand. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
