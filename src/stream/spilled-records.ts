// Records of a very long append that lie in a spill file. They are written in pages, each with the numbers of its records and their
// bytes, and read page by page: what is held in memory does not grow with the append, but for a few numbers per page.
import { extent, extentSize, RecordSet, type ByteRange, type Op, type Records } from '../core/record.js';
import type { SpillFile } from './spill-file.js';

/** A page ends with the record that takes its bytes over this. */
const pageBytesDefault = 256 * 1024;
/** Per record in a page: its offset and its extents. */
const numbersBytes = 8 + extentSize * 4;

/** One record as a page takes it. Lengths of -1 are null. */
export interface SpilledRecord {
  readonly op: number;
  /** Index into the topics. */
  readonly topic: number;
  readonly partition: number;
  readonly offset: number;
  readonly source: Buffer;
  readonly keyStart: number;
  readonly keyLength: number;
  readonly valueStart: number;
  readonly valueLength: number;
}

/** Takes the records of one append in their order. Several appends, one after the other, may share a file. */
export class SpilledRecordsWriter {
  readonly #file: SpillFile;
  readonly #topics: readonly string[];
  readonly #pageBytes: number;
  /** Chunk of each page, and the index of the record behind its last. */
  readonly #pages: number[] = [];
  readonly #ends: number[] = [];
  // The page under construction.
  #data: Buffer;
  #length = 0;
  #extents = new Int32Array(64 * extentSize);
  #offsets = new Float64Array(64);
  #inPage = 0;
  #count = 0;

  constructor(file: SpillFile, topics: readonly string[], pageBytes = pageBytesDefault) {
    this.#file = file;
    this.#topics = topics;
    this.#pageBytes = pageBytes;
    this.#data = Buffer.allocUnsafeSlow(pageBytes);
  }

  add(record: SpilledRecord): void {
    if (this.#inPage === this.#offsets.length) this.#growNumbers();
    const at = this.#inPage * extentSize;
    const extents = this.#extents;
    extents[at + extent.op] = record.op;
    extents[at + extent.topic] = record.topic;
    extents[at + extent.partition] = record.partition;
    extents[at + extent.buffer] = 0;
    extents[at + extent.keyLength] = record.keyLength;
    extents[at + extent.keyStart] = this.#copy(record.source, record.keyStart, record.keyLength);
    extents[at + extent.valueLength] = record.valueLength;
    extents[at + extent.valueStart] = this.#copy(record.source, record.valueStart, record.valueLength);
    this.#offsets[this.#inPage] = record.offset;
    this.#inPage++;
    this.#count++;
    if (this.#length + this.#inPage * numbersBytes >= this.#pageBytes) this.#writePage();
  }

  /** Nothing more comes. `timestamps` as in RecordSet. */
  finish(timestamps: Float64Array | undefined): SpilledRecords {
    if (this.#inPage > 0) this.#writePage();
    return new SpilledRecords({
      file: this.#file,
      topics: this.#topics,
      timestamps,
      pages: this.#pages,
      ends: this.#ends,
      offsets: 'stored',
    });
  }

  #copy(source: Buffer, start: number, length: number): number {
    const to = this.#length;
    if (length <= 0) return to;
    if (to + length > this.#data.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(to + length, this.#data.length * 2));
      this.#data.copy(grown, 0, 0, to);
      this.#data = grown;
    }
    source.copy(this.#data, to, start, start + length);
    this.#length += length;
    return to;
  }

  #growNumbers(): void {
    const extents = new Int32Array(this.#extents.length * 2);
    extents.set(this.#extents);
    this.#extents = extents;
    const offsets = new Float64Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
  }

  /** Offsets, extents, bytes: what has to be aligned comes first. */
  #writePage(): void {
    const count = this.#inPage;
    const page = Buffer.allocUnsafeSlow(count * numbersBytes + this.#length);
    new Float64Array(page.buffer, 0, count).set(this.#offsets.subarray(0, count));
    new Int32Array(page.buffer, count * 8, count * extentSize).set(this.#extents.subarray(0, count * extentSize));
    this.#data.copy(page, count * numbersBytes, 0, this.#length);
    this.#pages.push(this.#file.write(page));
    this.#ends.push(this.#count);
    this.#inPage = 0;
    this.#length = 0;
    // One very long record must not leave its buffer behind.
    if (this.#data.length > 2 * this.#pageBytes) this.#data = Buffer.allocUnsafeSlow(this.#pageBytes);
  }
}

/** Takes the records of one append in the pieces in which they came; they have no offsets yet. */
export class SpilledPiecesWriter {
  readonly #file: SpillFile;
  readonly #topics: string[] = [];
  readonly #pages: number[] = [];
  readonly #ends: number[] = [];

  constructor(file: SpillFile) {
    this.#file = file;
  }

  /** The extents are the writer's: their topics get the numbers that they have in the append. */
  add(topics: readonly string[], extents: Int32Array, data: Buffer): void {
    const numbers = topics.map((name) => {
      const known = this.#topics.indexOf(name);
      return known < 0 ? this.#topics.push(name) - 1 : known;
    });
    for (let at = extent.topic; at < extents.length; at += extentSize) extents[at] = numbers[extents[at]!]!;
    const bytes = Buffer.from(extents.buffer, extents.byteOffset, extents.byteLength);
    this.#pages.push(this.#file.write(bytes, data));
    this.#ends.push((this.#ends.at(-1) ?? 0) + extents.length / extentSize);
  }

  finish(): SpilledRecords {
    const { topics, pages, ends } = { topics: this.#topics, pages: this.#pages, ends: this.#ends };
    return new SpilledRecords({ file: this.#file, topics, timestamps: undefined, pages, ends, offsets: 'none' });
  }
}

/**
 * Offsets of the records of a page: before them in the page, not known yet, or counted up in each partition from the page's first ones,
 * which stand here as triples: topic, partition, offset.
 */
type PageOffsets = 'stored' | 'none' | readonly (readonly number[])[];

interface SpilledParts {
  readonly file: SpillFile;
  readonly topics: readonly string[];
  readonly timestamps: Float64Array | undefined;
  /** Chunk of each page, and the index of the record behind its last. */
  readonly pages: readonly number[];
  readonly ends: readonly number[];
  readonly offsets: PageOffsets;
}

/** Usable until the file is closed. */
export class SpilledRecords implements Records {
  readonly count: number;
  readonly topics: readonly string[];
  readonly timestamps: Float64Array | undefined;
  readonly #parts: SpilledParts;
  // The page at hand, and its records.
  #number = -1;
  #page: RecordSet | undefined;
  #from = 0;
  #end = 0;

  /** Use one of the writers. */
  constructor(parts: SpilledParts) {
    this.#parts = parts;
    this.topics = parts.topics;
    this.count = parts.ends.at(-1) ?? 0;
    this.timestamps = parts.timestamps;
  }

  /** Page by page, each in memory of its own. */
  *pages(): Generator<RecordSet> {
    for (let number = 0; number < this.#parts.pages.length; number++) yield this.#load(number);
  }

  /** The same records, now that the log has given them offsets: per page the first of each partition, as triples. */
  withOffsets(firsts: readonly (readonly number[])[]): SpilledRecords {
    return new SpilledRecords({ ...this.#parts, offsets: firsts });
  }

  op(i: number): Op {
    return this.#pageOf(i).op(i - this.#from);
  }
  topicIndex(i: number): number {
    return this.#pageOf(i).topicIndex(i - this.#from);
  }
  topic(i: number): string {
    return this.topics[this.topicIndex(i)]!;
  }
  partition(i: number): number {
    return this.#pageOf(i).partition(i - this.#from);
  }
  key(i: number): Buffer | null {
    return this.#pageOf(i).key(i - this.#from);
  }
  value(i: number): Buffer | null {
    return this.#pageOf(i).value(i - this.#from);
  }
  findKey(i: number, range: ByteRange): boolean {
    return this.#pageOf(i).findKey(i - this.#from, range);
  }
  findValue(i: number, range: ByteRange): boolean {
    return this.#pageOf(i).findValue(i - this.#from, range);
  }
  offset(i: number): number | undefined {
    return this.#pageOf(i).offset(i - this.#from);
  }

  #pageOf(i: number): RecordSet {
    if (i < this.#from || i >= this.#end || this.#page === undefined) this.#page = this.#turnTo(i);
    return this.#page;
  }

  #turnTo(i: number): RecordSet {
    // Mostly the next one; back to the first when the appends are applied again after a rollback.
    const { ends } = this.#parts;
    let number = i >= this.#end ? this.#number + 1 : 0;
    while (ends[number]! <= i) number++;
    const page = this.#load(number);
    this.#number = number;
    this.#end = ends[number]!;
    this.#from = this.#end - page.count;
    return page;
  }

  #load(number: number): RecordSet {
    const { file, pages, ends, offsets } = this.#parts;
    const count = ends[number]! - (number === 0 ? 0 : ends[number - 1]!);
    const page = file.chunk(pages[number]!);
    const stored = offsets === 'stored' ? count * 8 : 0;
    const extents = new Int32Array(page.buffer, stored, count * extentSize);
    return new RecordSet({
      buffers: [page.subarray(stored + extents.byteLength)],
      topics: this.topics,
      extents,
      count,
      offsets:
        offsets === 'stored'
          ? new Float64Array(page.buffer, 0, count)
          : offsets === 'none'
            ? undefined
            : countedUp(extents, count, offsets[number]!),
    });
  }
}

function countedUp(extents: Int32Array, count: number, firsts: readonly number[]): Float64Array {
  const next = Float64Array.from(firsts);
  const offsets = new Float64Array(count);
  // Neighbours mostly lie in one partition.
  let here = 0;
  for (let i = 0; i < count; i++) {
    const topic = extents[i * extentSize + extent.topic]!;
    const partition = extents[i * extentSize + extent.partition]!;
    if (next[here] !== topic || next[here + 1] !== partition)
      for (here = 0; next[here] !== topic || next[here + 1] !== partition;) here += 3;
    offsets[i] = next[here + 2]!;
    next[here + 2] = offsets[i]! + 1;
  }
  return offsets;
}
