// One partition of the simulated Kafka: batches as the producer has written them, what transactions have left open in it, and how far
// everybody may read.
import { RecordBatch } from '../../../src/stream/kafka/record-batch.js';
import { writeInt64 } from '../../../src/stream/kafka/wire.js';

interface StoredBatch {
  readonly base: number;
  readonly last: number;
  readonly bytes: Buffer;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface PartitionRead {
  readonly records: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

const attributesAt = 21;
const controlBatch = 0x30;
const noHeaders = Buffer.from([0]);

export class SimulatedPartition {
  readonly #batches: StoredBatch[] = [];
  /** First offset of what is undecided, by producer id. */
  readonly #open = new Map<number, number>();
  readonly #aborted: (AbortedTransaction & { readonly lastOffset: number })[] = [];
  /** The sequence that comes next, by producer id. */
  readonly #sequences = new Map<number, { readonly epoch: number; readonly next: number }>();
  readonly start = 0;
  end = 0;

  /** Up to the first transaction that is open. */
  get stableEnd(): number {
    return Math.min(this.end, ...this.#open.values());
  }

  /** A batch of an open transaction; undefined: it does not follow the one before it. */
  append(batch: Buffer): number | undefined {
    const producerId = Number(batch.readBigInt64BE(43));
    const epoch = batch.readInt16BE(51);
    const sequence = batch.readInt32BE(53);
    const count = batch.readInt32BE(57);
    const known = this.#sequences.get(producerId);
    if (sequence !== (known?.epoch === epoch ? known.next : 0)) return undefined;
    this.#sequences.set(producerId, { epoch, next: sequence + count });
    if (!this.#open.has(producerId)) this.#open.set(producerId, this.end);
    return this.#store(Buffer.from(batch), count);
  }

  #store(bytes: Buffer, count: number): number {
    const base = this.end;
    writeInt64(bytes, base, 0);
    this.#batches.push({ base, last: base + count - 1, bytes });
    this.end = base + count;
    return base;
  }

  /** The end of a transaction: decides what the producer has open here, be it of this one or of one whose marker was lost. */
  mark(producer: { readonly producerId: number; readonly producerEpoch: number }, commit: boolean): void {
    const batch = new RecordBatch(128);
    const key = Buffer.from([0, 0, 0, commit ? 1 : 0, 0, 0, 0, 0, 0, 0]);
    batch.add(0, key, 0, 4, 4, 6, noHeaders, 1);
    const bytes = Buffer.from(batch.seal(producer, -1));
    bytes.writeInt16BE(controlBatch, attributesAt);
    const lastOffset = this.#store(bytes, 1);
    const { producerId } = producer;
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (firstOffset !== undefined && !commit) this.#aborted.push({ producerId, firstOffset, lastOffset });
  }

  /** Whole batches from the one that holds the offset on: the first, and more as far as they fit. */
  read(offset: number, committed: boolean, bytesMax: number): PartitionRead {
    const end = committed ? this.stableEnd : this.end;
    const found: Buffer[] = [];
    let bytes = 0;
    let last = offset;
    for (const batch of this.#batches) {
      if (batch.last < offset || batch.base >= end) continue;
      if (found.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      found.push(batch.bytes);
      bytes += batch.bytes.length;
      last = batch.last;
    }
    const aborted = committed
      ? this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset <= last)
      : [];
    return { records: Buffer.concat(found), aborted };
  }
}
