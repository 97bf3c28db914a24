// The change feed within its retention.
import type { Chore } from '../core/chore.js';
import type { StateWriter } from '../store/state-store.js';

export class FeedRetention implements Chore {
  readonly name = 'feed';
  readonly #state: StateWriter;
  readonly #keep: { readonly ms: number; readonly bytes: number };

  constructor(state: StateWriter, keep: { readonly ms: number; readonly bytes: number }) {
    this.#state = state;
    this.#keep = keep;
  }

  debt(nowMs: number): number {
    return this.#state.feedDebt(this.#keep, nowMs);
  }

  step(nowMs: number): void {
    this.#state.pruneFeed(this.#keep, nowMs);
  }
}
