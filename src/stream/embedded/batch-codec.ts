// How the records of one partition and commit lie in a row of wt_batch: close to Kafka's record batch, with the bytes of keys
// and values apart from what describes them, so that runs of records that lie together in a source's chunk are copied at once.
// `records`: format byte, base time; then per record a byte of flags and, as the flags say, varints: offset gap, time
// difference, seq difference, key length, value length, length of headers, place of the key behind the beginning of the value. `data`: key,
// value and headers of each record in turn; where the key is a part of the value (a column of a row) value and headers alone, and where it
// lies behind them all three so. The length of a key is told with a bit below it that says whether its place follows. Format 1 had the key in
// front always, and no such bit. In front of the base time stands the checksum of a sealed blob (core/seal.ts), over both blobs and the row's
// other columns.
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { assert } from '../../core/errors.js';
import { extent, extentSize, headersStart, type RecordSet } from '../../core/record.js';
import { seal, sealBytes, sealedFormat, type Identity } from '../../core/seal.js';

const batchFormat = 2;
/** Bits of a record's flags; the lowest two hold the opCode. */
const flag = { gap: 4, time: 8, seq: 16, nullKey: 32, nullValue: 64, headers: 128 } as const;

export class BatchBuilder {
  count = 0;
  baseOffset = 0;
  lastOffset = 0;
  firstSeq = 0;
  lastSeq = 0;
  maxTimeMs = 0;
  #timeMs = 0;
  readonly #index = new ByteWriter(16 * 1024);
  readonly #data = new ByteWriter(64 * 1024);
  // The run of source bytes that is not copied yet; it grows while records lie one behind the other.
  #source: Buffer | undefined;
  #sourceStart = 0;
  #sourceEnd = 0;

  get dataBytes(): number {
    return this.#data.length + this.#sourceEnd - this.#sourceStart;
  }

  start(baseOffset: number, firstSeq: number, baseTimeMs: number): void {
    this.count = 0;
    this.baseOffset = baseOffset;
    this.lastOffset = baseOffset - 1;
    this.firstSeq = firstSeq;
    this.lastSeq = firstSeq;
    this.maxTimeMs = baseTimeMs;
    this.#timeMs = baseTimeMs;
    this.#index.reset();
    this.#index.u8(sealedFormat(batchFormat));
    this.#index.length += sealBytes;
    this.#index.signed(baseTimeMs);
    this.#data.reset();
    this.#source = undefined;
    this.#sourceStart = this.#sourceEnd = 0;
  }

  /** Records `from` to `to` of one append, all of this partition; offsets from `firstOffset` on. The hot loop of the log. */
  addRun(records: RecordSet, from: number, to: number, firstOffset: number, seq: number, commitTimeMs: number): void {
    const { extents, first, timestamps, buffers } = records;
    const index = this.#index;
    let offset = firstOffset;
    for (let i = from; i < to; i++, offset++) {
      const at = (first + i) * extentSize;
      const keyLength = extents[at + extent.keyLength]!;
      const valueLength = extents[at + extent.valueLength]!;
      const timeMs = timestamps === undefined ? commitTimeMs : timestamps[i]!;
      const gap = offset - this.lastOffset - 1;
      const code = extents[at + extent.op]!;
      const headersLength = code >>> 2;
      const keyStart = extents[at + extent.keyStart]!;
      const valueStart = extents[at + extent.valueStart]!;
      const keyPlace = keyStart - valueStart;
      const within = keyPlace >= 0 && keyPlace + keyLength <= valueLength;
      const placed = keyLength > 0 && valueLength >= 0 && (within || keyPlace === valueLength + headersLength);
      let flags = code & 3;
      if (headersLength !== 0) flags |= flag.headers;
      if (gap !== 0) flags |= flag.gap;
      if (timeMs !== this.#timeMs) flags |= flag.time;
      if (seq !== this.lastSeq) flags |= flag.seq;
      if (keyLength < 0) flags |= flag.nullKey;
      if (valueLength < 0) flags |= flag.nullValue;
      index.u8(flags);
      if (gap !== 0) index.varint(gap);
      if (timeMs !== this.#timeMs) {
        index.signed(timeMs - this.#timeMs);
        this.#timeMs = timeMs;
        if (timeMs > this.maxTimeMs) this.maxTimeMs = timeMs;
      }
      if (seq !== this.lastSeq) {
        index.varint(seq - this.lastSeq);
        this.lastSeq = seq;
      }
      this.lastOffset = offset;
      if (keyLength >= 0) index.varint(keyLength * 2 + (placed ? 1 : 0));
      if (valueLength >= 0) index.varint(valueLength);
      if (headersLength !== 0) index.varint(headersLength);
      const source = buffers[extents[at + extent.buffer]!]!;
      if (placed) {
        index.varint(keyPlace);
        this.#take(source, valueStart, valueLength + headersLength + (within ? 0 : keyLength));
        continue;
      }
      if (keyLength > 0) this.#take(source, keyStart, keyLength);
      if (valueLength > 0) this.#take(source, valueStart, valueLength);
      if (headersLength !== 0) this.#take(source, headersStart(extents, at), headersLength);
    }
    this.count += to - from;
  }

  #take(source: Buffer, start: number, length: number): void {
    if (source === this.#source && start === this.#sourceEnd) {
      this.#sourceEnd += length;
      return;
    }
    this.#copySource();
    this.#source = source;
    this.#sourceStart = start;
    this.#sourceEnd = start + length;
  }

  #copySource(): void {
    if (this.#source === undefined) return;
    const length = this.#sourceEnd - this.#sourceStart;
    this.#data.reserve(length);
    this.#source.copy(this.#data.buffer, this.#data.length, this.#sourceStart, this.#sourceEnd);
    this.#data.length += length;
  }

  /**
   * Views, valid until the next start. A batch that is one run of its source is not copied at all. `identity`: of the row, by the bytes that
   * it takes.
   */
  finish(identity: (bytes: number) => Identity): { readonly records: Buffer; readonly data: Buffer } {
    const source = this.#source;
    let data: Buffer;
    if (source !== undefined && this.#data.length === 0) data = source.subarray(this.#sourceStart, this.#sourceEnd);
    else {
      this.#copySource();
      data = this.#data.written();
    }
    this.#source = undefined;
    this.#sourceStart = this.#sourceEnd = 0;
    const records = this.#index.written();
    seal(records, identity(records.length + data.length), data);
    return { records, data };
  }
}

/** The records of a batch, flat; extents as in RecordSet. */
export interface DecodedBatch {
  readonly count: number;
  readonly extents: Int32Array;
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  readonly seqs: Float64Array;
}

export interface StoredBatch {
  readonly baseOffset: number;
  readonly firstSeq: number;
  readonly recordCount: number;
  readonly records: Buffer;
  readonly format: number;
  /** Where the base time stands. */
  readonly at: number;
}

/** `place`: what the extents shall say of topic, partition and buffer. */
export function decodeBatch(
  batch: StoredBatch,
  place: { readonly topic: number; readonly partition: number; readonly buffer: number },
): DecodedBatch {
  const count = batch.recordCount;
  const extents = new Int32Array(count * extentSize);
  const offsets = new Float64Array(count);
  const timestamps = new Float64Array(count);
  const seqs = new Float64Array(count);
  const reader = new ByteReader(batch.records, batch.at);
  const { format } = batch;
  assert(format >= 1 && format <= batchFormat, 'the format of a batch is known');
  let timeMs = Number(reader.signed());
  let offset = batch.baseOffset - 1;
  let seq = batch.firstSeq;
  let dataAt = 0;
  for (let i = 0; i < count; i++) {
    const flags = reader.u8();
    offset += (flags & flag.gap) === 0 ? 1 : reader.varint() + 1;
    if ((flags & flag.time) !== 0) timeMs += Number(reader.signed());
    if ((flags & flag.seq) !== 0) seq += reader.varint();
    const told = (flags & flag.nullKey) === 0 ? reader.varint() : -1;
    const keyLength = format === 1 || told < 0 ? told : Math.floor(told / 2);
    const placed = format !== 1 && told > 0 && told % 2 === 1;
    const valueLength = (flags & flag.nullValue) === 0 ? reader.varint() : -1;
    const headersLength = (flags & flag.headers) === 0 ? 0 : reader.varint();
    const at = i * extentSize;
    extents[at + extent.op] = (flags & 3) | (headersLength << 2);
    extents[at + extent.topic] = place.topic;
    extents[at + extent.partition] = place.partition;
    extents[at + extent.buffer] = place.buffer;
    extents[at + extent.keyLength] = keyLength;
    extents[at + extent.valueLength] = valueLength;
    if (placed) {
      const keyPlace = reader.varint();
      extents[at + extent.keyStart] = dataAt + keyPlace;
      extents[at + extent.valueStart] = dataAt;
      dataAt += Math.max(valueLength + headersLength, keyPlace + keyLength);
    } else {
      extents[at + extent.keyStart] = dataAt;
      if (keyLength > 0) dataAt += keyLength;
      extents[at + extent.valueStart] = dataAt;
      if (valueLength > 0) dataAt += valueLength;
      dataAt += headersLength;
    }
    offsets[i] = offset;
    timestamps[i] = timeMs;
    seqs[i] = seq;
  }
  assert(reader.done, 'a batch ends with its last record');
  return { count, extents, offsets, timestamps, seqs };
}
