// Records as they travel from a source to the log and from the log to the projector: bytes in few large buffers, and beside
// them a flat table of numbers that tells where each key and value lies. No object per record: at 100,000 records/s the
// objects would cost more than the work. Chunks cross threads by transfer, so their parts are plain typed arrays.

/** What happened to the row, by Debezium's letters; their codes in an extent. */
export type Op = 'c' | 'u' | 'd' | 'r';
export const opCode = { c: 0, u: 1, d: 2, r: 3 } as const satisfies Record<Op, number>;
export const opOfCode: readonly Op[] = ['c', 'u', 'd', 'r'];

/** The numbers of one record in `extents`: `extents[i * extentSize + extent.keyStart]`. */
export const extent = {
  /**
   * opCode in the lowest two bits. A tombstone has code d and valueLength -1. Above them the number of bytes of the headers that the record
   * has of its own (record-headers.ts), which lie behind its value: behind `valueStart` where it has none.
   */
  op: 0,
  /** index into `topics` */
  topic: 1,
  partition: 2,
  /** index into `buffers` of a RecordSet; 0 in a chunk, which has one buffer */
  buffer: 3,
  keyStart: 4,
  /** bytes; -1 = null */
  keyLength: 5,
  valueStart: 6,
  /** bytes; -1 = null, a tombstone */
  valueLength: 7,
} as const;
export const extentSize = 8;

/** Bytes of the headers that the record at `at` in the extents has of its own, with their number. */
export function headersSize(extents: Int32Array, at: number): number {
  return extents[at + extent.op]! >>> 2;
}

/** Where the headers of the record at `at` in the extents begin; only where it has some. */
export function headersStart(extents: Int32Array, at: number): number {
  return extents[at + extent.valueStart]! + Math.max(0, extents[at + extent.valueLength]!);
}

/** Where bytes lie; used again for one record after the other, since a view for each costs more than most decoding does. */
export interface ByteRange {
  buffer: Buffer;
  start: number;
  end: number;
}

export function emptyRange(): ByteRange {
  return { buffer: Buffer.alloc(0), start: 0, end: 0 };
}

/** Records in append order, as whoever applies them takes them: in memory, or (a very long append) in a file. */
export interface Records {
  readonly count: number;
  readonly topics: readonly string[];
  /** Per record, ms since the epoch, where it is not the commit time of the append (INSERT VALUES with ROWTIME). */
  readonly timestamps: Float64Array | undefined;
  op(i: number): Op;
  topicIndex(i: number): number;
  topic(i: number): string;
  partition(i: number): number;
  /** A view on the key's bytes, null when there is none. */
  key(i: number): Buffer | null;
  /** A view on the value's bytes, null for a tombstone. */
  value(i: number): Buffer | null;
  /** Finds the key's bytes; false: there is none. */
  findKey(i: number, range: ByteRange): boolean;
  /** Finds the value's bytes; false: a tombstone. */
  findValue(i: number, range: ByteRange): boolean;
  /** The offset in its partition; undefined: the log does not have the record yet. */
  offset(i: number): number | undefined;
}

/** Records that lie in memory. Made by sources (through chunks) and by both logs when read. */
export class RecordSet implements Records {
  readonly buffers: readonly Buffer[];
  readonly topics: readonly string[];
  /** Of these records and maybe of others beside them: many small appends come in one chunk, and a view for each costs more than its rest. */
  readonly extents: Int32Array;
  /** The record of `extents` with which these begin. */
  readonly first: number;
  readonly count: number;
  readonly timestamps: Float64Array | undefined;
  #offsets: Float64Array | undefined;
  #offsetsFrom: number;

  constructor(parts: {
    buffers: readonly Buffer[];
    topics: readonly string[];
    extents: Int32Array;
    first?: number;
    count: number;
    timestamps?: Float64Array | undefined;
    offsets?: Float64Array | undefined;
  }) {
    this.buffers = parts.buffers;
    this.topics = parts.topics;
    this.extents = parts.extents;
    this.first = parts.first ?? 0;
    this.count = parts.count;
    this.timestamps = parts.timestamps;
    this.#offsets = parts.offsets;
    this.#offsetsFrom = 0;
  }

  /** The log has their offsets, per record from `from` on; again, where its transaction was rolled back. */
  place(offsets: Float64Array, from: number): void {
    this.#offsets = offsets;
    this.#offsetsFrom = from;
  }

  op(i: number): Op {
    return opOfCode[this.extents[(this.first + i) * extentSize + extent.op]! & 3]!;
  }
  topicIndex(i: number): number {
    return this.extents[(this.first + i) * extentSize + extent.topic]!;
  }
  topic(i: number): string {
    return this.topics[this.topicIndex(i)]!;
  }
  partition(i: number): number {
    return this.extents[(this.first + i) * extentSize + extent.partition]!;
  }
  key(i: number): Buffer | null {
    return this.#slice(i, extent.keyStart, extent.keyLength);
  }
  value(i: number): Buffer | null {
    return this.#slice(i, extent.valueStart, extent.valueLength);
  }
  findKey(i: number, range: ByteRange): boolean {
    return this.#find(i, extent.keyStart, extent.keyLength, range);
  }
  findValue(i: number, range: ByteRange): boolean {
    return this.#find(i, extent.valueStart, extent.valueLength, range);
  }
  offset(i: number): number | undefined {
    return this.#offsets?.[this.#offsetsFrom + i];
  }
  #find(i: number, start: number, length: number, range: ByteRange): boolean {
    const { extents } = this;
    const at = (this.first + i) * extentSize;
    const n = extents[at + length]!;
    if (n < 0) return false;
    range.buffer = this.buffers[extents[at + extent.buffer]!]!;
    range.start = extents[at + start]!;
    range.end = range.start + n;
    return true;
  }
  #slice(i: number, start: number, length: number): Buffer | null {
    const at = (this.first + i) * extentSize;
    const n = this.extents[at + length]!;
    if (n < 0) return null;
    const from = this.extents[at + start]!;
    return this.buffers[this.extents[at + extent.buffer]!]!.subarray(from, from + n);
  }
}

/** Whether a topic is among those of records; asked of every append, and neighbours of one chunk have one list. */
export function amongTopics(topic: string): (records: Pick<Records, 'topics'>) => boolean {
  let last: readonly string[] = [];
  let length = 0;
  let among = false;
  return ({ topics }) => {
    // A list that is shared may have grown.
    if (topics !== last || topics.length !== length) {
      last = topics;
      length = topics.length;
      among = topics.includes(topic);
    }
    return among;
  };
}

/** Of records that have no offsets yet: those of other topics than these, in their order; the same set where there are none of these. */
export function withoutTopics(records: RecordSet, topics: readonly string[]): RecordSet {
  if (topics.length === 0) return records;
  const left = new Set(topics.map((topic) => records.topics.indexOf(topic)));
  const kept: number[] = [];
  for (let i = 0; i < records.count; i++) if (!left.has(records.topicIndex(i))) kept.push(i);
  const extents = new Int32Array(kept.length * extentSize);
  for (const [to, i] of kept.entries()) {
    const at = (records.first + i) * extentSize;
    extents.set(records.extents.subarray(at, at + extentSize), to * extentSize);
  }
  // Who writes them looks for all topics, so those that are left out are not among them.
  const used = [...new Set(kept.map((i) => records.topicIndex(i)))];
  for (let to = 0; to < kept.length; to++) {
    const at = to * extentSize + extent.topic;
    extents[at] = used.indexOf(extents[at]!);
  }
  return new RecordSet({
    buffers: records.buffers,
    topics: used.map((index) => records.topics[index]!),
    extents,
    count: kept.length,
    timestamps: records.timestamps && Float64Array.from(kept, (i) => records.timestamps![i]!),
  });
}
