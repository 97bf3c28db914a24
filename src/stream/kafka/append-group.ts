// The appends of one Kafka transaction, encoded as they come: record batches per partition, and what the commit record will say.
// A group keeps its batches until it is durable, so that it can be sent again under a new epoch. Only a streaming group, which
// holds one append that is too large to wait for its end in memory, lets go of what is stored.
import { extent, extentSize, headersSize, headersStart, opOfCode } from '../../core/record.js';
import type { AppendEnd } from '../../core/chunk-ends.js';
import type { CommitAppend, CommitPart } from './commit-record.js';
import { batchHeaderBytes, RecordBatch, writeVarint } from './record-batch.js';
import type { TopicEntry } from './topic-directory.js';
import type { PartitionBatches } from './transaction.js';

/** Batches are sent at about this size; fewer, larger ones gain nothing. */
const batchBytesTarget = 512 * 1024;

/** A topic that an append writes to. */
export interface TargetTopic extends TopicEntry {
  /** `max.message.bytes` */
  readonly messageBytesMax: number;
}

/** Records from `from` up to `to` of something that holds them as core/record.ts describes. */
export interface Piece {
  readonly buffers: readonly Buffer[];
  readonly targets: readonly TargetTopic[];
  readonly extents: Int32Array;
  readonly from: number;
  readonly to: number;
  readonly timestamps?: Float64Array | undefined;
}

/** The end of an append; without its place in a chunk. Position null: the producer's stays as it is. */
export type GroupEnd = Omit<AppendEnd, 'recordEnd'>;

/** One partition's share of a group. */
export class GroupPart implements PartitionBatches, CommitPart {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly index: number;
  readonly #batchBytesMax: number;
  batches: RecordBatch[] = [];
  segments: number[] = [];
  /** Of the append that is open. */
  openCount = 0;

  constructor(target: TargetTopic, partition: number, index: number) {
    this.topic = target.name;
    this.topicId = target.topicId;
    this.partition = partition;
    this.index = index;
    this.#batchBytesMax = Math.min(batchBytesTarget, target.messageBytesMax);
  }

  /** The batch that takes a record of at most `bytes`. */
  batchFor(bytes: number): RecordBatch {
    const last = this.batches.at(-1);
    if (last !== undefined && last.byteLength + bytes <= this.#batchBytesMax) return last;
    // Most groups are small; one that has filled a batch is not.
    const batch = new RecordBatch(last === undefined ? batchHeaderBytes + bytes * 4 : this.#batchBytesMax);
    this.batches.push(batch);
    return batch;
  }

  stored(baseOffset: number, count: number): void {
    const last = this.segments.length - 2;
    if (last >= 0 && this.segments[last]! + this.segments[last + 1]! === baseOffset) this.segments[last + 1]! += count;
    else this.segments.push(baseOffset, count);
  }
}

export class AppendGroup {
  readonly streaming: boolean;
  /** Instead of parts: records that others have written. */
  readonly imported: readonly CommitPart[];
  readonly parts: GroupPart[] = [];
  readonly #partOf = new Map<string, GroupPart[]>();
  readonly appends: CommitAppend[] = [];
  /** Encoded records that it holds. */
  bytes = 0;
  /** What the commit record will be long, roughly. */
  commitBytes = 0;
  /** Nothing more will come: it is under way, or its one append has ended. */
  sealed = false;
  /** The next append has the position of its last one too. */
  joined = false;
  /** Number of its commit record in the producer's session; 0: not sent yet. */
  number = 0;
  /** The last position in it; undefined: none moves. */
  position: string | undefined;
  /** Place of the append with that position. */
  positionPlace = -1;

  #order = 0;
  #ownTimestamps = false;
  #timestampMs = 0;
  /** The headers that all records of the append share, and how many headers a record has. */
  #shared: Buffer = Buffer.alloc(0);
  #headerCount = 2;
  #headers: Buffer = Buffer.allocUnsafe(256);

  constructor(streaming: boolean, imported: readonly CommitPart[] = []) {
    this.streaming = streaming;
    this.imported = imported;
  }

  /** One append of records that lie in a topic of others: nothing is written but the commit that names them. */
  static ofImported(parts: readonly CommitPart[], position: string, commitTimeUs: number): AppendGroup {
    const group = new AppendGroup(false, parts);
    const counts = parts.flatMap(({ segments }, i) => [
      i,
      segments.reduce((sum, count, at) => (at % 2 === 1 ? sum + count : sum), 0),
    ]);
    group.appends.push({
      position,
      commitTimeUs,
      counts,
      transactionId: undefined,
      control: undefined,
      ownTimestamps: true,
    });
    group.position = position;
    group.positionPlace = 0;
    group.sealed = true;
    return group;
  }

  /** `end` is undefined while it is not known (streaming): the records then go without what only the end tells. */
  beginAppend(end: GroupEnd | undefined, sinkSeq: string | undefined): void {
    this.#order = 0;
    this.#ownTimestamps = false;
    this.#timestampMs = end === undefined ? Date.now() : Math.floor(end.commitTimeUs / 1000);
    const shared: string[] = [];
    if (end?.transactionId !== undefined) shared.push('gtid', end.transactionId);
    if (end !== undefined) shared.push('commit-time-us', String(end.commitTimeUs));
    if (sinkSeq !== undefined) shared.push('seq', sinkSeq);
    this.#headerCount = 2 + shared.length / 2;
    this.#shared = encodeStrings(shared);
  }

  /** The next records of the open append. */
  addRecords({ buffers, targets, extents, from, to, timestamps }: Piece): void {
    for (let i = from; i < to; i++) {
      const at = i * extentSize;
      const keyLength = extents[at + extent.keyLength]!;
      const valueLength = extents[at + extent.valueLength]!;
      const source = buffers[extents[at + extent.buffer]!]!;
      const headersLength = this.#encodeHeaders(extents, at, source);
      const part = this.#part(targets[extents[at + extent.topic]!]!, extents[at + extent.partition]!);
      const batch = part.batchFor(Math.max(0, keyLength) + Math.max(0, valueLength) + headersLength + 36);
      const before = batch.byteLength;
      batch.add(
        timestamps === undefined ? this.#timestampMs : timestamps[i]!,
        source,
        extents[at + extent.keyStart]!,
        keyLength,
        extents[at + extent.valueStart]!,
        valueLength,
        this.#headers,
        headersLength,
      );
      part.openCount++;
      this.bytes += batch.byteLength - before;
    }
    if (timestamps !== undefined) this.#ownTimestamps = true;
  }

  endAppend({ position, commitTimeUs, transactionId, control }: GroupEnd): void {
    const counts: number[] = [];
    for (const part of this.parts) {
      if (part.openCount > 0) counts.push(part.index, part.openCount);
      part.openCount = 0;
    }
    if (position !== null) {
      this.position = position;
      this.positionPlace = this.appends.length;
    }
    this.appends.push({ position, commitTimeUs, counts, transactionId, control, ownTimestamps: this.#ownTimestamps });
    // Positions count twice: once for themselves, once for what JSON may make of them.
    this.commitBytes += 64 + 2 * (position?.length ?? 0) + (transactionId?.length ?? 0) + counts.length * 8;
    if (control !== undefined) this.commitBytes += JSON.stringify(control).length;
  }

  #part(target: TargetTopic, partition: number): GroupPart {
    let parts = this.#partOf.get(target.topicId);
    if (parts === undefined) this.#partOf.set(target.topicId, (parts = []));
    let part = parts[partition];
    if (part === undefined) {
      part = new GroupPart(target, partition, this.parts.length);
      parts[partition] = part;
      this.parts.push(part);
      this.commitBytes += 64 + target.name.length;
    }
    return part;
  }

  /** The number of headers, `op`, `order` (the reader finds these two by their place), the shared ones, and those of the record alone. */
  #encodeHeaders(extents: Int32Array, at: number, source: Buffer): number {
    const ownSize = headersSize(extents, at);
    const ownStart = headersStart(extents, at);
    const needed = this.#shared.length + 64 + ownSize;
    if (this.#headers.length < needed) this.#headers = Buffer.allocUnsafe(needed);
    const headers = this.#headers;
    let to = writeVarint(headers, this.#headerCount + (ownSize === 0 ? 0 : source[ownStart]!), 0);
    headers[to] = 4;
    headers[to + 1] = 0x6f; // o
    headers[to + 2] = 0x70; // p
    headers[to + 3] = 2;
    headers[to + 4] = opOfCode[extents[at + extent.op]! & 3]!.charCodeAt(0);
    to += 5;
    to += orderKey.copy(headers, to);
    const order = this.#order++;
    let digits = 1;
    for (let limit = 10; order >= limit; limit *= 10) digits++;
    headers[to++] = digits * 2;
    for (let rest = order, place = to + digits - 1; place >= to; place--) {
      headers[place] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    to += digits;
    to += this.#shared.copy(headers, to);
    // Their number is in front of all.
    return ownSize === 0 ? to : to + source.copy(headers, to, ownStart + 1, ownStart + ownSize);
  }

  /** What can be sent: everything of a sealed group, else the batches that are full. */
  sendable(): PartitionBatches[] {
    const all = this.sealed;
    return this.parts.flatMap((part) => {
      const batches = all ? part.batches : part.batches.slice(0, -1);
      if (batches.length === 0) return [];
      return [
        {
          topic: part.topic,
          partition: part.partition,
          batches,
          stored: (base: number, count: number) => part.stored(base, count),
        },
      ];
    });
  }

  /** Streaming: what was sent is stored and leaves memory; gives its bytes. */
  release(sent: readonly PartitionBatches[]): number {
    let bytes = 0;
    const gone = new Set(sent.flatMap(({ batches }) => batches));
    for (const batch of gone) bytes += batch.byteLength - batchHeaderBytes;
    for (const part of this.parts) part.batches = part.batches.filter((batch) => !gone.has(batch));
    this.bytes -= bytes;
    return bytes;
  }

  /** Before it is sent again from the start. */
  rewind(): void {
    for (const part of this.parts) part.segments = [];
  }
}

const orderKey = Buffer.from([10, ...Buffer.from('order')]);

/** Names and values as they lie in headers. */
function encodeStrings(texts: readonly string[]): Buffer {
  const encoded = texts.map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.allocUnsafe(5);
    return Buffer.concat([length.subarray(0, writeVarint(length, bytes.length, 0)), bytes]);
  });
  return Buffer.concat(encoded);
}
