// What has been fetched of one data partition and not been read yet. Whether a record counts is decided by the commit topic, which
// names its offset; so everything else (aborted records, control records, records of others) is passed over here.
import type { RecordReader } from './record-reader.js';

interface Block {
  readonly reader: RecordReader;
  readonly bytes: number;
  /** The offset that it was asked for, and the one behind its last batch. */
  readonly from: number;
  readonly end: number;
}

export class FetchQueue {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** The next offset to fetch. */
  position: number;
  /** So far the commits that were seen want it read. */
  target = 0;
  /** The first offset that is still wanted. */
  needed: number;
  /** The topic was deleted: it has no records any more. */
  gone = false;
  /** Others write the topic, and decide how long it keeps its records. */
  imported = false;
  /** Gave nothing beside others although it should have: next it is asked alone. */
  askAlone = false;
  bufferedBytes = 0;
  readonly #blocks: Block[] = [];
  /** The first block stands on a record that has not been given out. */
  #ahead = false;

  constructor(topic: string, topicId: string, partition: number, position: number) {
    this.topic = topic;
    this.topicId = topicId;
    this.partition = partition;
    this.position = position;
    this.needed = position;
  }

  get wanting(): boolean {
    return !this.gone && this.position < this.target;
  }

  /** A commit needs records from `from` up to `end`. */
  want(from: number, end: number): void {
    if (!this.wanting) {
      // What lies between belongs to no commit, and may be gone.
      this.position = Math.max(this.position, from);
      this.needed = this.position;
    }
    this.target = Math.max(this.target, end);
  }

  /** Fetched: whole batches, and where they end. */
  push(reader: RecordReader, bytes: number, next: number): void {
    this.#blocks.push({ reader, bytes, from: this.position, end: next });
    this.bufferedBytes += bytes;
    this.position = Math.max(this.position, next);
  }

  /** About how many of the fetched bytes are records from `from` up to `end`. */
  bytesBetween(from: number, end: number): number {
    let bytes = 0;
    for (const block of this.#blocks) {
      if (block.from >= end) break;
      const shared = Math.min(end, block.end) - Math.max(from, block.from);
      if (shared > 0) bytes += (block.bytes * shared) / (block.end - block.from);
    }
    return bytes;
  }

  /** The next record at or behind `from` and before `end`, or undefined: what compaction has removed is not there. */
  read(from: number, end: number): RecordReader | undefined {
    this.needed = Math.max(this.needed, from);
    for (;;) {
      const block = this.#blocks[0];
      if (block === undefined) return undefined;
      const { reader } = block;
      if (!this.#ahead && !this.#advance(reader, from)) {
        this.#blocks.shift();
        this.bufferedBytes -= block.bytes;
        continue;
      }
      if (reader.offset >= end) {
        this.#ahead = true;
        return undefined;
      }
      this.#ahead = false;
      if (reader.offset >= from) return reader;
    }
  }

  /** To the next record of this block that may matter. */
  #advance(reader: RecordReader, from: number): boolean {
    for (;;) {
      // The reader stands in a batch that is of no use (or in none): on to the next.
      if (reader.lastOffset >= from && !reader.control && reader.nextRecord()) return true;
      if (!reader.nextBatch()) return false;
    }
  }
}
