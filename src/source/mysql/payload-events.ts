// A compressed transaction of MySQL: one event that holds the others of its group, without checksums, inflated as they are read.
import { AppError } from '../../core/errors.js';
import { eventTooLarge } from './answer-bounds.js';
import { headerSize } from './binlog-event.js';
import type { EventSource } from './events-within.js';
import { inflateZstd } from './zstd.js';

const field = { end: 0, compression: 2, inflatedSize: 3 } as const;
const compression = { zstd: 0, none: 255 } as const;

/** Of the largest packet that servers know; what is longer is damaged. */
const eventBytesOfServersMax = 1.1 * 2 ** 30;

export class PayloadEvents implements EventSource {
  readonly #eventBytesMax: number;
  readonly #pieces: Iterator<Buffer>;
  /** Inflated, and not yet read. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(event: Buffer, eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax;
    const { algorithm, size, at } = parsePayload(event);
    const payload = event.subarray(at);
    if (algorithm === compression.none) this.#pieces = [payload].values();
    else if (algorithm === compression.zstd) this.#pieces = inflateZstd(payload, size);
    else throw new AppError('corrupt-binlog', `a transaction is compressed in the unknown way ${algorithm}`);
  }

  next(): Buffer | undefined {
    if (!this.#fill(headerSize)) {
      if (this.#rest.length === 0) return undefined;
      throw new AppError('corrupt-binlog', 'a compressed transaction ends within an event');
    }
    const length = this.#rest.readUInt32LE(9);
    if (length > this.#eventBytesMax && length <= eventBytesOfServersMax) throw eventTooLarge(length);
    if (length < headerSize || length > eventBytesOfServersMax || !this.#fill(length)) {
      throw new AppError('corrupt-binlog', `a compressed transaction has an event of ${length} bytes`);
    }
    const event = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return event;
  }

  /** False: there is less. */
  #fill(length: number): boolean {
    if (this.#rest.length >= length) return true;
    const parts = [this.#rest];
    let bytes = this.#rest.length;
    while (bytes < length) {
      const { value, done } = this.#pieces.next();
      if (done === true) break;
      parts.push(value);
      bytes += value.length;
    }
    this.#rest = Buffer.concat(parts, bytes);
    return bytes >= length;
  }

  close(): void {
    this.#pieces.return?.();
  }
}

/** Fields of a number and a length, both packed, up to one of the number 0; behind that the payload. */
function parsePayload(event: Buffer): { readonly algorithm: number; readonly size: number; readonly at: number } {
  let at = headerSize;
  let algorithm: number = compression.zstd;
  let size = 0;
  const packed = (): number => {
    const first = event[at++]!;
    const width = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
    if (width === 0) return first;
    at += width;
    return width === 8 ? Number(event.readBigUInt64LE(at - 8)) : event.readUIntLE(at - width, width);
  };
  for (;;) {
    const number = packed();
    if (number === field.end) return { algorithm, size, at };
    const end = packed() + at;
    if (number === field.compression) algorithm = packed();
    else if (number === field.inflatedSize) size = packed();
    at = end;
  }
}
