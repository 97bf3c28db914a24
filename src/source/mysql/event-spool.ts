// Events that wait until it is known whether they count: those of an XA transaction between XA PREPARE and XA COMMIT. A few are kept in
// memory; of a long transaction the rest lies in a file without a name, so that nothing is left of it when the process dies.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../core/errors.js';
import type { EventSource } from './events-within.js';

const memoryBytesMax = 64 << 10;
const readBytes = 256 << 10;
let count = 0;

export class EventSpool {
  /** Length (4 bytes) and event, one behind the other. */
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #fd: number | undefined;
  #fileBytes = 0;

  add(event: Buffer): void {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(event.length);
    // A copy: the event is a part of a large buffer from the socket.
    this.#tail.push(length, Buffer.from(event));
    this.#tailBytes += 4 + event.length;
    if (this.#tailBytes > memoryBytesMax) this.#flush();
  }

  /** The events in their order, as often as it is asked for. Nothing may be added until they are read. */
  read(): EventSource {
    const tail = Buffer.concat(this.#tail);
    const whole = this.#fileBytes + tail.length;
    let page: Buffer = Buffer.alloc(0);
    let pageAt = 0;
    let at = 0;
    const bytes = (length: number): Buffer => {
      if (at < pageAt || at + length > pageAt + page.length) {
        page = this.#page(at, Math.min(Math.max(length, readBytes), whole - at), tail);
        pageAt = at;
      }
      const from = at - pageAt;
      at += length;
      return page.subarray(from, from + length);
    };
    return {
      next: () => (at === whole ? undefined : bytes(bytes(4).readUInt32LE(0))),
      close: () => {},
    };
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#tail = [];
    this.#tailBytes = this.#fileBytes = 0;
  }

  #flush(): void {
    const data = Buffer.concat(this.#tail);
    attempt(() => {
      if (this.#fd === undefined) {
        const path = join(tmpdir(), `writethrough-xa-${process.pid}-${count++}`);
        this.#fd = openSync(path, 'wx+', 0o600);
        rmSync(path);
      }
      for (let done = 0; done < data.length;)
        done += writeSync(this.#fd, data, done, data.length - done, this.#fileBytes + done);
    });
    this.#fileBytes += data.length;
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** In memory of its own, since rows may be looked at while the next page is read. */
  #page(at: number, length: number, tail: Buffer): Buffer {
    const page = Buffer.allocUnsafeSlow(length);
    const ofFile = Math.max(0, Math.min(length, this.#fileBytes - at));
    attempt(() => {
      for (let done = 0; done < ofFile;) {
        const read = readSync(this.#fd!, page, done, ofFile - done, at + done);
        if (read === 0) throw new Error('the file is shorter than what was written to it');
        done += read;
      }
    });
    if (ofFile < length) tail.copy(page, ofFile, at + ofFile - this.#fileBytes);
    return page;
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new AppError(
      'data-folder-unusable',
      'the events of a prepared XA transaction cannot be kept in the folder for temporary files',
      {
        hint: `see to room in ${tmpdir()}, or set TMPDIR to another folder`,
        cause,
      },
    );
  }
}
