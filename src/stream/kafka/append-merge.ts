// Puts the appends of a commit together whose records are too many for memory: the partitions are walked side by side while they are
// fetched, and each record goes to a spill file when its turn in the append has come, which its `order` header tells. In one partition
// orders only rise, because a producer sends an append's records in order; so the lowest of those that the partitions stand on is the next.
import { RecordSet, type Records } from '../../core/record.js';
import type { Append } from '../../core/append.js';
import type { SpillFile } from '../spill-file.js';
import { SpilledRecordsWriter } from '../spilled-records.js';
import { seqOf, type CommitAppend, type CommitPart, type LogHeader } from './commit-record.js';
import type { PlacedCommit } from './commit-topic.js';
import type { FetchQueue } from './fetch-queue.js';
import { notOurs, readOp, readOrder } from './record-headers.js';
import type { RecordReader } from './record-reader.js';
import { SegmentWalk } from './segment-walk.js';

export interface MergeOptions {
  readonly header: LogHeader;
  readonly file: SpillFile;
  /** Resolves when the queue has been fetched up to `end`, or is gone. */
  readonly ready: (queue: FetchQueue, end: number) => Promise<void>;
  readonly pageBytes?: number | undefined;
}

const noRecords = new RecordSet({ buffers: [], topics: [], extents: new Int32Array(0), count: 0 });

/** One partition's share of the commit, standing on a record of the append under way. */
class Strand {
  readonly part: CommitPart;
  readonly topic: number;
  readonly queue: FetchQueue;
  readonly #walk: SegmentWalk;
  /** Of the append: pairs of offsets that are still to be walked over, and the pair at hand. */
  #ranges: number[] = [];
  #from = 0;
  #end = 0;
  record: RecordReader | undefined;
  /** Of the record; infinite when the append has no more here. */
  order = Infinity;

  constructor(part: CommitPart, topic: number, queue: FetchQueue) {
    this.part = part;
    this.topic = topic;
    this.queue = queue;
    this.#walk = new SegmentWalk(part);
  }

  /** The next append has so many records here. */
  begin(count: number): void {
    const ranges: number[] = [];
    this.#walk.take(count, (from, end) => ranges.push(from, end));
    this.#ranges = ranges;
    this.#from = this.#end = 0;
  }

  /** To the append's next record here, or its end. False: what comes next must be fetched first. */
  advance(): boolean {
    this.record = undefined;
    this.order = Infinity;
    for (;;) {
      // A topic that was deleted has no records; what has been read of it before goes with it when its table is dropped.
      if (this.queue.gone) return true;
      if (this.#from < this.#end) {
        const record = this.queue.read(this.#from, this.#end);
        if (record !== undefined) {
          this.#from = record.offset + 1;
          this.record = record;
          this.order = readOrder(record);
          return true;
        }
        if (this.queue.position < this.#end) return false;
      }
      if (this.#ranges.length === 0) return true;
      [this.#from, this.#end] = this.#ranges.splice(0, 2) as [number, number];
    }
  }
}

export class AppendMerge {
  readonly #placed: PlacedCommit;
  readonly #options: MergeOptions;
  readonly #topics: string[] = [];
  /** By part; undefined: not wanted. */
  readonly #strands: readonly (Strand | undefined)[];

  constructor(placed: PlacedCommit, queues: readonly (FetchQueue | undefined)[], options: MergeOptions) {
    this.#placed = placed;
    this.#options = options;
    this.#strands = placed.commit.parts.map((part, i) => {
      const known = this.#topics.indexOf(part.topic);
      const topic = known < 0 ? this.#topics.push(part.topic) - 1 : known;
      const queue = queues[i];
      return queue && new Strand(part, topic, queue);
    });
  }

  /** The appends with seq > `after`; their records are usable until the file is closed. */
  async appends(after: number): Promise<Append[]> {
    const { offset, commit, producer } = this.#placed;
    const result: Append[] = [];
    for (const [place, append] of commit.appends.entries()) {
      const seq = seqOf(this.#options.header, offset, place);
      const strands = this.#begin(append);
      if (seq <= after) continue;
      const records = await this.#merge(append, strands);
      const { position, commitTimeUs, transactionId, control } = append;
      result.push({ seq, producer, position, commitTimeUs, transactionId, control, records });
    }
    return result;
  }

  #begin({ counts }: CommitAppend): Strand[] {
    const strands: Strand[] = [];
    for (let i = 0; i < counts.length; i += 2) {
      const strand = this.#strands[counts[i]!];
      strand?.begin(counts[i + 1]!);
      if (strand !== undefined) strands.push(strand);
    }
    return strands;
  }

  async #merge({ counts, ownTimestamps }: CommitAppend, strands: readonly Strand[]): Promise<Records> {
    if (strands.length === 0) return noRecords;
    const { file, pageBytes } = this.#options;
    let total = 0;
    for (let i = 1; i < counts.length; i += 2) total += counts[i]!;
    const timestamps = ownTimestamps ? new Float64Array(total) : undefined;
    const writer = new SpilledRecordsWriter(file, this.#topics, pageBytes);
    for (const strand of strands) await this.#advance(strand);
    let count = 0;
    let last = -1;
    // Neighbouring records mostly lie in one partition.
    for (let strand = lowest(strands); strand.record !== undefined;) {
      const { record, order, part, topic } = strand;
      const op = readOp(record);
      if (op < 0 || order <= last || order >= total) throw notOurs(part, record.offset);
      const { offset, source, keyStart, keyLength, valueStart, valueLength } = record;
      const { partition } = part;
      writer.add({ op, topic, partition, offset, source, keyStart, keyLength, valueStart, valueLength });
      if (timestamps !== undefined) timestamps[count] = record.timestampMs;
      count++;
      last = order;
      if (!strand.advance()) await this.#advance(strand);
      if (strand.order !== last + 1) strand = lowest(strands);
    }
    return writer.finish(timestamps?.subarray(0, count));
  }

  async #advance(strand: Strand): Promise<void> {
    const { queue } = strand;
    while (!strand.advance()) await this.#options.ready(queue, queue.position + 1);
  }
}

/** The one whose record comes first. */
function lowest(strands: readonly Strand[]): Strand {
  let found = strands[0]!;
  for (const strand of strands) if (strand.order < found.order) found = strand;
  return found;
}
