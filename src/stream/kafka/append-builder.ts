// Puts the appends of a commit together again from the records of its partitions. The commit says how many records of which
// partition belong to an append; each record's `order` header says which place it has there.
import { AppError } from '../../core/errors.js';
import { extent, extentSize, opCode, RecordSet, type Append } from '../../core/record.js';
import { seqOf, type CommitAppend, type CommitPart, type LogHeader } from './commit-record.js';
import type { PlacedCommit } from './commit-topic.js';
import type { PartitionFeed } from './partition-feed.js';
import type { RecordReader } from './record-reader.js';

/** Op codes by letter. */
const opOfLetter = new Int8Array(128).fill(-1);
for (const [letter, code] of Object.entries(opCode)) opOfLetter[letter.charCodeAt(0)] = code;
/** The headers `op` and `order` come first and look like this (lengths are zig-zag varints): 4 'op' 2 <letter>, 10 'order' <length> <digits>. */
const opLetterAt = 4;
const orderKeyAt = 5;
const orderLengthAt = 11;

/** Where the next record of a part is to be found. */
interface PartCursor {
  readonly part: CommitPart;
  /** Undefined: not wanted. */
  readonly feed: PartitionFeed | undefined;
  readonly topic: number;
  segment: number;
  /** Records of the segment that are behind us. */
  used: number;
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

  /** All feeds must be fetched to the end of their part. */
  constructor(placed: PlacedCommit, feeds: readonly (PartitionFeed | undefined)[], header: LogHeader) {
    this.#placed = placed;
    this.#header = header;
    this.#cursors = placed.commit.parts.map((part, i) => {
      const known = this.#topics.indexOf(part.topic);
      const topic = known < 0 ? this.#topics.push(part.topic) - 1 : known;
      return { part, feed: feeds[i], topic, segment: 0, used: 0, source: undefined, buffer: -1 };
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
    for (let i = 0; i < counts.length; i += 2) this.#walk(this.#cursors[counts[i]!]!, counts[i + 1]!, false);
  }

  #build({ counts, ownTimestamps }: CommitAppend): RecordSet {
    let total = 0;
    for (let i = 1; i < counts.length; i += 2) total += counts[i]!;
    this.#extents = new Int32Array(total * extentSize);
    this.#offsets = new Float64Array(total).fill(-1);
    this.#timestamps = ownTimestamps ? new Float64Array(total) : undefined;
    this.#found = 0;
    for (let i = 0; i < counts.length; i += 2) this.#walk(this.#cursors[counts[i]!]!, counts[i + 1]!, true);
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

  /** Over the next `count` records of a part, which may lie in several segments. */
  #walk(cursor: PartCursor, count: number, take: boolean): void {
    const { segments } = cursor.part;
    for (let left = count; left > 0;) {
      const inSegment = segments[cursor.segment + 1]! - cursor.used;
      const taken = Math.min(left, inSegment);
      const from = segments[cursor.segment]! + cursor.used;
      if (take) this.#place(cursor, from, from + taken);
      left -= taken;
      cursor.used += taken;
      if (taken === inSegment) {
        cursor.segment += 2;
        cursor.used = 0;
      }
    }
  }

  #place(cursor: PartCursor, from: number, end: number): void {
    const { feed } = cursor;
    if (feed === undefined || feed.gone) return;
    for (let record = feed.read(from, end); record !== undefined; record = feed.read(from, end)) {
      if (record.source !== cursor.source) {
        cursor.source = record.source;
        cursor.buffer = this.#buffers.push(record.source) - 1;
      }
      const { source, headersStart } = record;
      const op = opOfLetter[source[headersStart + opLetterAt]! & 127]!;
      const order = readOrder(record);
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

/** -1: it is not there. */
function readOrder({ source, headersStart, headerCount }: RecordReader): number {
  if (headerCount < 2 || source[headersStart] !== 4 || source[headersStart + orderKeyAt] !== 10) return -1;
  const length = source[headersStart + orderLengthAt]! >> 1;
  let order = 0;
  for (let at = headersStart + orderLengthAt + 1, end = at + length; at < end; at++) {
    const digit = source[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    order = order * 10 + digit;
  }
  return length === 0 ? -1 : order;
}

function notOurs({ topic, partition }: CommitPart, offset: number): AppError {
  return new AppError(
    'log-corrupt',
    `topic "${topic}", partition ${partition} holds at offset ${offset} not the record that the commit topic names`,
  );
}
