// Which keys the stream has changed while a snapshot chunk was being read: rows of the chunk with such a key are older than what
// the stream has handed over already, and are dropped. A key is kept as its text (key-text.ts).
export class KeyWindow {
  readonly #keys = new Set<string>();

  add(key: string): void {
    this.#keys.add(key);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  get empty(): boolean {
    return this.#keys.size === 0;
  }
}
