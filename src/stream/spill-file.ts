// Where the bytes of a very long append wait until it is applied: a file without a name, so that nothing is left of it when the process
// dies. Its chunks are read when they are touched, a few at a time, since whoever walks over records does so in order.
import { closeSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, assert, toAppError } from '../core/errors.js';

const cachedChunks = 4;
const namePattern = /^spill-\d+-\d+$/;
let spillCount = 0;

export class SpillFile {
  #fd: number | undefined;
  #length = 0;
  readonly #folder: string;
  readonly #chunks: { readonly at: number; readonly length: number }[] = [];
  readonly #cache = new Map<number, Buffer>();

  constructor(folder: string) {
    this.#folder = folder;
    const path = join(folder, `spill-${process.pid}-${spillCount++}`);
    this.#fd = this.#attempt(() => {
      const fd = openSync(path, 'wx+', 0o600);
      rmSync(path);
      return fd;
    });
  }

  /** The chunk's index; it holds the parts, one behind the other. */
  write(...parts: readonly Buffer[]): number {
    const fd = this.#open();
    const at = this.#length;
    let length = 0;
    for (const data of parts) {
      const from = at + length;
      this.#attempt(() => {
        for (let done = 0; done < data.length;) done += writeSync(fd, data, done, data.length - done, from + done);
      });
      length += data.length;
    }
    this.#chunks.push({ at, length });
    this.#length += length;
    return this.#chunks.length - 1;
  }

  /** In memory of its own, from its beginning on. */
  chunk(index: number): Buffer {
    const fd = this.#open();
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const { at, length } = this.#chunks[index]!;
    const data = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const read = this.#attempt(() => readSync(fd, data, done, length - done, at + done));
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
    assert(this.#fd !== undefined, 'a spilled append is used after its file was closed');
    return this.#fd;
  }

  /** A full disk is the operator's to repair, and no bug. */
  #attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (cause) {
      throw new AppError('data-folder-unusable', `a long transaction cannot be kept in a file of ${this.#folder}`, {
        detail: toAppError(cause).message,
        hint: 'the data folder needs room for the longest transaction',
        cause,
      });
    }
  }
}

/** What a process left that died between making a file and taking its name away. Only whoever holds the folder may call it. */
export function removeLeftSpillFiles(folder: string): void {
  for (const name of readdirSync(folder)) if (namePattern.test(name)) rmSync(join(folder, name), { force: true });
}
