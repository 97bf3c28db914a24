// Calls of one name run one after the other; those of different names do not wait for each other.
export class Turns {
  /** The last call of each name that has one under way. */
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(name) ?? Promise.resolve()).then(work);
    const ended = result
      .catch(() => {}) // the caller has it
      .then(() => {
        if (this.#last.get(name) === ended) this.#last.delete(name);
      });
    this.#last.set(name, ended);
    return result;
  }
}
