// What is read at once for one subscriber, handed out once: a generator that waits for its next page would else keep the last one, and a
// thousand that wait a thousand pages.
export class Page<T> {
  readonly count: number;
  #items: readonly T[];

  constructor(items: readonly T[]) {
    this.count = items.length;
    this.#items = items;
  }

  take(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}
