// A Kafka record batch (format 2) under construction. Records are encoded as they arrive, straight from the buffer that holds
// them; what depends on the producer's epoch (and with it the checksum) is filled in when the batch is sent, so that a batch
// can be sent again under a new epoch without being encoded again.
import { crc32c } from '../../core/crc.js';
import { writeInt64 } from './wire.js';

export const batchHeaderBytes = 61;
/** More than the numbers of one record can take (length, attributes, timestamp, offset, key, value, headers). */
export const recordOverheadBytes = 5 + 1 + 10 + 5 + 5 + 5 + 5;

const at = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const;
const transactional = 0x10;

/** Who sends a batch; sequences count the records of one partition under one epoch. */
export interface BatchProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export class RecordBatch {
  #buffer: Buffer;
  #length = batchHeaderBytes;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  count = 0;

  constructor(initialBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(initialBytes, 2 * batchHeaderBytes));
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Appends one record. Lengths of -1 are null. `headers` holds the record's encoded headers, their number in front. */
  add(
    timestampMs: number,
    source: Buffer,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    headers: Buffer,
    headersLength: number,
  ): void {
    if (this.count === 0) {
      this.#baseTimestamp = timestampMs;
      this.#maxTimestamp = timestampMs;
    } else if (timestampMs > this.#maxTimestamp) {
      this.#maxTimestamp = timestampMs;
    }
    const delta = timestampMs - this.#baseTimestamp;
    const bodyLength =
      1 +
      sizeOfVarint(delta) +
      sizeOfVarint(this.count) +
      sizeOfVarint(keyLength) +
      (keyLength > 0 ? keyLength : 0) +
      sizeOfVarint(valueLength) +
      (valueLength > 0 ? valueLength : 0) +
      headersLength;
    this.#reserve(bodyLength + 5);
    const buffer = this.#buffer;
    let to = writeVarint(buffer, bodyLength, this.#length);
    buffer[to++] = 0;
    to = writeVarint(buffer, delta, to);
    to = writeVarint(buffer, this.count, to);
    to = writeVarint(buffer, keyLength, to);
    if (keyLength > 0) to += source.copy(buffer, to, keyStart, keyStart + keyLength);
    to = writeVarint(buffer, valueLength, to);
    if (valueLength > 0) to += source.copy(buffer, to, valueStart, valueStart + valueLength);
    to += headers.copy(buffer, to, 0, headersLength);
    this.#length = to;
    this.count++;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }

  /** The whole batch as the broker takes it; a view, valid until the next call. */
  seal(producer: BatchProducer, sequence: number): Buffer {
    const buffer = this.#buffer;
    writeInt64(buffer, 0, at.baseOffset);
    buffer.writeInt32BE(this.#length - at.leaderEpoch, at.length);
    buffer.writeInt32BE(-1, at.leaderEpoch);
    buffer[at.magic] = 2;
    buffer.writeInt16BE(transactional, at.attributes);
    buffer.writeInt32BE(this.count - 1, at.lastOffsetDelta);
    writeInt64(buffer, this.#baseTimestamp, at.baseTimestamp);
    writeInt64(buffer, this.#maxTimestamp, at.maxTimestamp);
    writeInt64(buffer, producer.producerId, at.producerId);
    buffer.writeInt16BE(producer.producerEpoch, at.producerEpoch);
    buffer.writeInt32BE(sequence, at.baseSequence);
    buffer.writeInt32BE(this.count, at.count);
    buffer.writeUInt32BE(crc32c(buffer, at.attributes, this.#length), at.crc);
    return buffer.subarray(0, this.#length);
  }
}

/** Bytes of a zig-zag varint; up to 2^53. */
function sizeOfVarint(value: number): number {
  let rest = zigZag(value);
  let bytes = 1;
  while (rest > 0x7f) {
    rest = Math.floor(rest / 128);
    bytes++;
  }
  return bytes;
}

/** Writes a zig-zag varint and gives the place behind it. */
export function writeVarint(buffer: Uint8Array, value: number, start: number): number {
  let rest = zigZag(value);
  let to = start;
  while (rest > 0x7fffffff) {
    buffer[to++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    buffer[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[to++] = rest;
  return to;
}

function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
