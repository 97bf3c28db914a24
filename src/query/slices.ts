// Work on the thread that also answers requests, in slices: between two of them the event loop looks at the network. All who share it have
// one slice together for each turn of the loop, so that many of them hold up nobody longer than one does; who waits gets the turns in order.

/** Of one slice; what a single row takes is bounded by itself (`rowWork` of the table of bounds). */
const sliceMs = 8;

export class Slices {
  readonly #sliceMs: number;
  /** Of this turn; undefined: nobody has worked in it yet. */
  #endMs: number | undefined;
  #scheduled = false;
  readonly #waiting: (() => void)[] = [];

  constructor(ms = sliceMs) {
    this.#sliceMs = ms;
  }

  /** Whether this turn's slice is used up: wait for `next`. */
  over(): boolean {
    const now = performance.now();
    if (this.#endMs !== undefined) return now >= this.#endMs;
    this.#endMs = now + this.#sliceMs;
    this.#schedule();
    return false;
  }

  /** Resolves in a turn whose slice is the caller's. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#endMs = undefined;
      const resolve = this.#waiting.shift();
      if (resolve === undefined) return;
      this.#endMs = performance.now() + this.#sliceMs;
      this.#schedule();
      resolve();
    });
  }
}
