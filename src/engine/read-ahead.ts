// What is read of the log ahead of the engine.
import { extentSize, RecordSet } from '../core/record.js';
import type { Append } from '../core/append.js';

const aheadBytes = 16 * 1024 * 1024;

/**
 * Appends that are read and not applied yet, bounded in bytes: over the bound nothing more is fetched. An append that lies in a file is
 * there until the next group is asked for, so that is done when the engine has confirmed it.
 */
export class ReadAhead {
  #groups: (readonly Append[])[] = [];
  #bytes = 0;
  #taken = false;
  #stopped = false;
  #listener: (() => void) | undefined;
  #changed: (() => void) | undefined;
  #failure: Error | undefined;

  onAvailable(listener: () => void): void {
    this.#listener = listener;
  }

  async follow(read: AsyncIterable<readonly Append[]>): Promise<void> {
    for await (const group of read) {
      this.#groups.push(group);
      this.#bytes += sizeOf(group);
      this.#listener?.();
      if (group.some(({ records }) => !(records instanceof RecordSet))) {
        while (!this.#stopped && (this.#groups.length > 0 || this.#taken)) await this.#change();
      }
      while (!this.#stopped && this.#bytes > aheadBytes) await this.#change();
    }
  }

  take(bytesMax: number): readonly Append[] {
    if (this.#failure) throw this.#failure;
    const taken: Append[] = [];
    let bytes = 0;
    while (this.#groups.length > 0) {
      const size = sizeOf(this.#groups[0]!);
      if (taken.length > 0 && bytes + size > bytesMax) break;
      taken.push(...this.#groups.shift()!);
      bytes += size;
    }
    this.#bytes -= bytes;
    this.#taken = taken.length > 0;
    this.#wake();
    return taken;
  }

  /** What was taken is applied. */
  confirm(): void {
    this.#taken = false;
    this.#wake();
  }

  /** Nothing more will be taken. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve));
  }

  #wake(): void {
    this.#changed?.();
    this.#changed = undefined;
  }

  /** The engine learns of it at its next turn. */
  fail(error: Error): void {
    this.#failure = error;
    this.#listener?.();
  }
}

/** In memory. The appends of a commit share their buffers, so each is counted once. */
function sizeOf(group: readonly Append[]): number {
  const buffers = new Set<Buffer>();
  let bytes = 0;
  for (const { records } of group) {
    bytes += 64;
    if (!(records instanceof RecordSet)) continue;
    bytes += records.count * extentSize * 4;
    for (const buffer of records.buffers) buffers.add(buffer);
  }
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}
