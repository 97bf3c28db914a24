// Events that are not the next ones of the stream: they come from within the group at hand, and are read before what follows it.

/** Where they come from, in order. */
export interface EventSource {
  /** The next event; undefined: that was all. */
  next(): Buffer | undefined;
  close(): void;
}

export class EventsWithin {
  /** The last is at hand. */
  readonly #sources: EventSource[] = [];

  get isEmpty(): boolean {
    return this.#sources.length === 0;
  }

  begin(source: EventSource): void {
    this.#sources.push(source);
  }

  next(): Buffer | undefined {
    if (this.#sources.length === 0) return undefined;
    for (let source = this.#sources.at(-1); source !== undefined; source = this.#sources.at(-1)) {
      const event = source.next();
      if (event !== undefined) return event;
      source.close();
      this.#sources.pop();
    }
    return undefined;
  }

  close(): void {
    for (const source of this.#sources.splice(0)) source.close();
  }
}
