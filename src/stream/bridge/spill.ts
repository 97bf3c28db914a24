// Where the chunks of a very long append wait for its end: a file without a name, so that nothing is left of it when the process
// dies. Its chunks come back as the buffers of a RecordSet that are read when they are touched, a few at a time, since
// whoever walks over records does so in order.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, assert } from '../../core/errors.js';

const cachedChunks = 4;
let spillCount = 0;

export class SpillFile {
  #fd: number | undefined;
  #length = 0;
  readonly #chunks: { readonly at: number; readonly length: number }[] = [];
  readonly #cache = new Map<number, Buffer>();

  constructor(folder: string) {
    const path = join(folder, `spill-${process.pid}-${spillCount++}`);
    this.#fd = openSync(path, 'wx+', 0o600);
    rmSync(path);
  }

  /** The chunk's index among `buffers`. */
  write(data: Buffer): number {
    const fd = this.#open();
    for (let done = 0; done < data.length;) done += writeSync(fd, data, done, data.length - done, this.#length + done);
    this.#chunks.push({ at: this.#length, length: data.length });
    this.#length += data.length;
    return this.#chunks.length - 1;
  }

  /** One entry per chunk, each loaded on access; usable until `close`. */
  buffers(): readonly Buffer[] {
    const buffers: Buffer[] = [];
    for (let i = 0; i < this.#chunks.length; i++) {
      Object.defineProperty(buffers, i, { get: () => this.#load(i), enumerable: true });
    }
    return buffers;
  }

  #load(index: number): Buffer {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const { at, length } = this.#chunks[index]!;
    const data = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const read = readSync(this.#open(), data, done, length - done, at + done);
      if (read === 0)
        throw new AppError(
          'data-folder-unusable',
          'a spill file of the data folder is shorter than what was written to it',
        );
      done += read;
    }
    if (this.#cache.size >= cachedChunks) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(index, data);
    return data;
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#cache.clear();
  }

  #open(): number {
    assert(this.#fd !== undefined, 'a spilled append is used before it is confirmed');
    return this.#fd;
  }
}
