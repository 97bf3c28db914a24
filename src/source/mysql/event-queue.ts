// Events that wait to be read, as ranges of the buffers that came from the socket: a view of each is made when it is taken, since views that
// wait by the thousand would be copied by the collector again and again.
export class EventQueue {
  #buffers: (Buffer | undefined)[] = [];
  /** Start and end of each. */
  #ranges: number[] = [];
  #read = 0;
  /** Of all events that wait. */
  bytes = 0;

  get length(): number {
    return this.#buffers.length - this.#read;
  }

  push(buffer: Buffer, start: number, end: number): void {
    this.#buffers.push(buffer);
    this.#ranges.push(start, end);
    this.bytes += end - start;
  }

  next(): Buffer | undefined {
    const read = this.#read;
    const buffer = this.#buffers[read];
    if (buffer === undefined) return undefined;
    const start = this.#ranges[2 * read]!;
    const end = this.#ranges[2 * read + 1]!;
    // The list is cut now and then; what has been read must not be held until then.
    this.#buffers[read] = undefined;
    this.#read++;
    this.bytes -= end - start;
    if (this.#read === this.#buffers.length) this.clear();
    else if (this.#read === 4096) {
      this.#buffers = this.#buffers.slice(this.#read);
      this.#ranges = this.#ranges.slice(2 * this.#read);
      this.#read = 0;
    }
    return buffer.subarray(start, end);
  }

  clear(): void {
    this.#buffers.length = this.#ranges.length = 0;
    this.#read = this.bytes = 0;
  }
}
