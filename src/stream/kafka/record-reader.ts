// Walks over fetched record batches (format 2) without making objects: `nextBatch` moves to the next whole batch, `nextRecord`
// to the next record in it; what was found lies in the fields. The broker may cut the last batch off; such a rest is left.
import { gunzipSync } from 'node:zlib';
import { AppError } from '../../core/errors.js';
import { batchHeaderBytes } from './record-batch.js';
import { readInt64 } from './wire.js';

const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export class RecordReader {
  readonly #buffer: Buffer;
  #at = 0;

  // The batch.
  baseOffset = 0;
  lastOffset = -1;
  producerId = -1;
  transactional = false;
  control = false;
  /** Where key and value of its records lie: the fetched buffer, or what a compressed batch unpacked to. */
  source: Buffer;
  #left = 0;
  #recordAt = 0;
  #baseTimestamp = 0;

  // The record.
  offset = 0;
  timestampMs = 0;
  keyStart = 0;
  keyLength = -1;
  valueStart = 0;
  valueLength = -1;
  /** Where the headers begin, behind their number. */
  headersStart = 0;
  headerCount = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
    this.source = buffer;
  }

  nextBatch(): boolean {
    const buffer = this.#buffer;
    const at = this.#at;
    if (at + batchHeaderBytes > buffer.length) return false;
    const end = at + 12 + buffer.readInt32BE(at + 8);
    if (end > buffer.length) return false;
    if (buffer[at + 16] !== 2) {
      throw new AppError('log-foreign', 'a Kafka topic of the log holds records of a format older than 0.11', {
        hint: 'only writethrough may write to this topic; restore it from a backup or begin a new log',
      });
    }
    const attributes = buffer.readInt16BE(at + 21);
    this.baseOffset = readInt64(buffer, at);
    this.lastOffset = this.baseOffset + buffer.readInt32BE(at + 23);
    this.#baseTimestamp = readInt64(buffer, at + 27);
    this.producerId = readInt64(buffer, at + 43);
    this.transactional = (attributes & 0x10) !== 0;
    this.control = (attributes & 0x20) !== 0;
    this.#left = buffer.readInt32BE(at + 57);
    const compression = attributes & 7;
    if (compression === 0) {
      this.source = buffer;
      this.#recordAt = at + batchHeaderBytes;
    } else {
      this.source = unpack(compression, buffer.subarray(at + batchHeaderBytes, end));
      this.#recordAt = 0;
    }
    this.#at = end;
    return true;
  }

  nextRecord(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const source = this.source;
    this.#varintAt = this.#recordAt;
    const length = this.#varint();
    const end = this.#varintAt + length;
    this.#varintAt++; // attributes, unused
    this.timestampMs = this.#baseTimestamp + this.#varint();
    this.offset = this.baseOffset + this.#varint();
    this.keyLength = this.#varint();
    this.keyStart = this.#varintAt;
    if (this.keyLength > 0) this.#varintAt += this.keyLength;
    this.valueLength = this.#varint();
    this.valueStart = this.#varintAt;
    if (this.valueLength > 0) this.#varintAt += this.valueLength;
    this.headerCount = this.#varint();
    this.headersStart = this.#varintAt;
    if (end > source.length) throw new AppError('log-corrupt', 'a record batch of Kafka ends inside a record');
    this.#recordAt = end;
    return true;
  }

  /** Of a control batch: what became of the transaction of its producer. */
  controlType(): 'commit' | 'abort' | 'other' {
    if (!this.nextRecord() || this.keyLength < 4) return 'other';
    const type = this.source.readInt16BE(this.keyStart + 2);
    return type === 1 ? 'commit' : type === 0 ? 'abort' : 'other';
  }

  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.source.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.source.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  #varintAt = 0;
  #varint(): number {
    const source = this.source;
    let byte = source[this.#varintAt++]!;
    let value = byte & 0x7f;
    let factor = 128;
    while (byte > 0x7f) {
      byte = source[this.#varintAt++]!;
      value += (byte & 0x7f) * factor;
      factor *= 128;
    }
    // Zig-zag: even numbers are positive.
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function unpack(compression: number, data: Buffer): Buffer {
  if (compression === 1) return gunzipSync(data);
  throw new AppError(
    'log-corrupt',
    `records of a Kafka topic are compressed with ${compressionNames[compression] ?? compression}`,
    {
      hint: 'set compression.type=producer (or gzip) on the topics of the log',
    },
  );
}
