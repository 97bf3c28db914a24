// A ready answer as pages of bytes, as a reader thread hands it over: outside the heap, counted, and given back page by page while it is
// sent. Whoever holds one either sends it whole or frees it.
import type { AnswerShare } from './answer-budget.js';

export class AnswerPages {
  readonly bytes: number;
  readonly #share: AnswerShare | undefined;
  #pages: Uint8Array[];

  /** `share`: what of a budget the pages take; it is the answer's from now on. */
  constructor(pages: readonly Uint8Array[], share?: AnswerShare) {
    this.#pages = [...pages];
    this.#share = share;
    this.bytes = pages.reduce((sum, page) => sum + page.length, 0);
  }

  get share(): AnswerShare | undefined {
    return this.#share;
  }

  /** Each page once, in order; the one before is forgotten when the next is asked for. */
  *drain(): Generator<Buffer, void, undefined> {
    for (;;) {
      const page = this.#pages.shift();
      if (page === undefined) break;
      yield Buffer.from(page.buffer, page.byteOffset, page.length);
      this.#share?.release(page.length);
    }
  }

  /** The whole, which is freed. */
  take(): Buffer {
    const whole = Buffer.concat(this.#pages);
    this.free();
    return whole;
  }

  free(): void {
    this.#pages = [];
    this.#share?.end();
  }
}
