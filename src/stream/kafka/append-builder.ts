// Puts the appends of a commit together again from the records of its partitions. The commit says how many records of which
// partition belong to an append; each record's `order` header says which place it has there.
import { extent, extentSize, opCode, RecordSet } from '../../core/record.js';
import type { Append } from '../../core/append.js';
import { seqOf, type CommitAppend, type CommitPart, type LogHeader } from './commit-record.js';
import type { PlacedCommit } from './commit-topic.js';
import type { FetchQueue } from './fetch-queue.js';
import { notOurs, readOp, readOrder } from './record-headers.js';
import { SegmentWalk } from './segment-walk.js';

/** Where the next record of a part is to be found. */
interface PartCursor {
  readonly part: CommitPart;
  /** Undefined: not wanted. */
  readonly queue: FetchQueue | undefined;
  readonly topic: number;
  readonly walk: SegmentWalk;
  /** The buffer that its last record came from, and its index. */
  source: Buffer | undefined;
  buffer: number;
}

export class AppendBuilder {
  readonly #placed: PlacedCommit;
  readonly #header: LogHeader;
  readonly #cursors: PartCursor[];
  readonly #topics: string[] = [];
  readonly #buffers: Buffer[] = [];
  // The append under construction.
  #extents = new Int32Array(0);
  #offsets = new Float64Array(0);
  #timestamps: Float64Array | undefined;
  #found = 0;
  bytes = 0;

  /** All queues must be fetched to the end of their part. */
  constructor(placed: PlacedCommit, queues: readonly (FetchQueue | undefined)[], header: LogHeader) {
    this.#placed = placed;
    this.#header = header;
    this.#cursors = placed.commit.parts.map((part, i) => {
      const known = this.#topics.indexOf(part.topic);
      const topic = known < 0 ? this.#topics.push(part.topic) - 1 : known;
      return { part, queue: queues[i], topic, walk: new SegmentWalk(part), source: undefined, buffer: -1 };
    });
  }

  /** The appends with seq > `after`. */
  appends(after: number): Append[] {
    const { offset, commit, producer } = this.#placed;
    const result: Append[] = [];
    commit.appends.forEach((append, place) => {
      const seq = seqOf(this.#header, offset, place);
      const records = seq > after ? this.#build(append) : this.#pass(append);
      if (records === undefined) return;
      const { position, commitTimeUs, transactionId, control } = append;
      result.push({ seq, producer, position, commitTimeUs, transactionId, control, records });
    });
    return result;
  }

  #pass({ counts }: CommitAppend): undefined {
    for (let i = 0; i < counts.length; i += 2) this.#cursors[counts[i]!]!.walk.take(counts[i + 1]!, () => {});
  }

  #build({ counts, ownTimestamps }: CommitAppend): RecordSet {
    let total = 0;
    for (let i = 1; i < counts.length; i += 2) total += counts[i]!;
    this.#extents = new Int32Array(total * extentSize);
    this.#offsets = new Float64Array(total).fill(-1);
    this.#timestamps = ownTimestamps ? new Float64Array(total) : undefined;
    this.#found = 0;
    for (let i = 0; i < counts.length; i += 2) {
      const cursor = this.#cursors[counts[i]!]!;
      cursor.walk.take(counts[i + 1]!, (from, end) => this.#place(cursor, from, end));
    }
    if (this.#found < total) this.#closeHoles(total);
    return new RecordSet({
      buffers: this.#buffers,
      topics: this.#topics,
      extents: this.#extents,
      count: this.#found,
      timestamps: this.#timestamps,
      offsets: this.#offsets,
    });
  }

  #place(cursor: PartCursor, from: number, end: number): void {
    const { queue } = cursor;
    if (queue === undefined || queue.gone) return;
    for (let record = queue.read(from, end); record !== undefined; record = queue.read(from, end)) {
      if (record.source !== cursor.source) {
        cursor.source = record.source;
        cursor.buffer = this.#buffers.push(record.source) - 1;
      }
      const imported = this.#placed.commit.imported;
      const op = imported ? (record.valueLength < 0 ? opCode.d : opCode.u) : readOp(record);
      const order = imported ? this.#found : readOrder(record);
      if (op < 0 || order < 0 || order >= this.#offsets.length || this.#offsets[order] !== -1)
        throw notOurs(cursor.part, record.offset);
      const at = order * extentSize;
      const extents = this.#extents;
      extents[at + extent.op] = op;
      extents[at + extent.topic] = cursor.topic;
      extents[at + extent.partition] = cursor.part.partition;
      extents[at + extent.buffer] = cursor.buffer;
      extents[at + extent.keyStart] = record.keyStart;
      extents[at + extent.keyLength] = record.keyLength;
      extents[at + extent.valueStart] = record.valueStart;
      extents[at + extent.valueLength] = record.valueLength;
      this.#offsets[order] = record.offset;
      if (this.#timestamps !== undefined) this.#timestamps[order] = record.timestampMs;
      this.#found++;
      this.bytes += 48 + Math.max(0, record.keyLength) + Math.max(0, record.valueLength);
    }
  }

  /** Records that compaction has removed, or whose topics nobody wants, leave no gap. */
  #closeHoles(total: number): void {
    let to = 0;
    for (let i = 0; i < total; i++) {
      if (this.#offsets[i] === -1) continue;
      if (to < i) {
        this.#extents.copyWithin(to * extentSize, i * extentSize, (i + 1) * extentSize);
        this.#offsets[to] = this.#offsets[i]!;
        if (this.#timestamps !== undefined) this.#timestamps[to] = this.#timestamps[i]!;
      }
      to++;
    }
    this.#extents = this.#extents.subarray(0, to * extentSize);
    this.#offsets = this.#offsets.subarray(0, to);
    this.#timestamps = this.#timestamps?.subarray(0, to);
  }
}
