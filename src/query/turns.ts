// Turns at the event loop: of those who have much to read, one reads a page each time the loop comes round, in the order in which they have
// asked. So a thousand of them together hold other requests up no longer than one does.
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #armed = false;

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#armed) this.#arm();
    });
  }

  #arm(): void {
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#arm();
    });
  }
}
