// Makes whole appends of a producer's chunks: an append may end anywhere in a chunk, several may end in one, and one may span
// many. Bytes are not copied; an append that grows over the bound goes to a spill file, extents and all, so that what it holds in
// memory does not grow with it. Appends that lie within a chunk wait as that chunk (ChunkAppends): objects are made of them when they are
// taken, since thousands that wait would outlive the collector's young generation.
import { extent, extentSize, RecordSet } from '../../core/record.js';
import type { Chunk } from '../../core/append.js';
import type { ChunkEnds } from '../../core/chunk-ends.js';
import type { PendingAppend } from '../pending-append.js';
import { SpillFile } from '../spill-file.js';
import { SpilledPiecesWriter, type SpilledRecords } from '../spilled-records.js';

/** A source may run ahead of the engine by so much memory: more than two of the engine's commits, so that neither waits for the other. */
export const producerCreditBytes = 2.5 * 1024 * 1024;
/** Less than the credit: a producer that has used it up with one append would wait for ever for the append's end. */
export const spillBytesDefault = 2 * 1024 * 1024;

/** An append with what it holds until it is confirmed, and whose it is. */
export interface QueuedAppend<Owner> extends PendingAppend {
  readonly owner: Owner;
  /** Its size, for the bounds of groups. */
  readonly bytes: number;
  /** Bytes of memory that it holds of its producer's credit. */
  readonly heldBytes: number;
  readonly spill: SpillFile | undefined;
}

export interface AssemblerOptions {
  /** Undefined: nothing is spilled (tests and tools with appends of known size). */
  readonly spillFolder: string | undefined;
  readonly spillBytes: number;
}

/** Records `from` to `to` of a chunk, which belong to one append. */
interface Piece {
  readonly chunk: Chunk;
  /** The chunk's data, alone. */
  readonly buffers: readonly Buffer[];
  readonly from: number;
  readonly to: number;
}

export class AppendAssembler<Owner extends { readonly name: string }> {
  readonly #owner: Owner;
  readonly #options: AssemblerOptions;
  readonly #pieces: Piece[] = [];
  #bytes = 0;
  #heldBytes = 0;
  #spill: SpillFile | undefined;
  #spilled: SpilledPiecesWriter | undefined;

  /** `owner`: the producer, by whose name the log knows it. */
  constructor(owner: Owner, options: AssemblerOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  /** Memory held by the append that is still open. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Calls `closed` with the appends that end in the chunk. Gives the bytes of memory that spilling has set free. */
  add(chunk: Chunk, closed: (appends: ChunkAppends<Owner>) => void): number {
    const buffers = [Buffer.from(chunk.data.buffer, chunk.data.byteOffset, chunk.data.byteLength)];
    const bytes = new BytesOf(chunk);
    const { ends } = chunk;
    let from = 0;
    if (ends.length > 0) {
      let first: QueuedAppend<Owner> | undefined;
      if (this.#bytes > 0) {
        const to = ends.recordEnd(0);
        this.#take({ chunk, buffers, from, to }, bytes.of(0, 0));
        first = this.#close(ends);
      }
      closed(new ChunkAppends(this.#owner, chunk, buffers, bytes, first));
      from = ends.recordEnd(ends.length - 1);
    }
    const open = bytes.behind;
    if (open > 0) this.#take({ chunk, buffers, from, to: chunk.recordCount }, open);
    return this.#heldBytes >= this.#options.spillBytes ? this.#spillOpen() : 0;
  }

  #take(piece: Piece, bytes: number): void {
    this.#bytes += bytes;
    this.#heldBytes += bytes;
    if (piece.from < piece.to) this.#pieces.push(piece);
  }

  #spillOpen(): number {
    const { spillFolder } = this.#options;
    if (spillFolder === undefined) return 0;
    this.#spill ??= new SpillFile(spillFolder);
    this.#spilled ??= new SpilledPiecesWriter(this.#spill);
    for (const { chunk, buffers, from, to } of this.#pieces)
      this.#spilled.add(chunk.topics, extentsOf(chunk, from, to), buffers[0]!);
    this.#pieces.length = 0;
    const freed = this.#heldBytes;
    this.#heldBytes = 0;
    return freed;
  }

  /** With the first of these ends. */
  #close(ends: ChunkEnds): QueuedAppend<Owner> {
    // An append that is in the file in part goes there as a whole.
    const heldBytes = this.#heldBytes;
    if (this.#spill !== undefined) this.#spillOpen();
    const records = this.#spilled?.finish() ?? joinPieces(this.#pieces);
    const queued = queuedAppend(this.#owner, ends, 0, records, this.#bytes, heldBytes, this.#spill);
    this.#reset();
    return queued;
  }

  /** Forgets the open append; gives the bytes of memory that it held. */
  drop(): number {
    const held = this.#heldBytes;
    this.#spill?.close();
    this.#reset();
    return held;
  }

  #reset(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
    this.#heldBytes = 0;
    this.#spill = undefined;
    this.#spilled = undefined;
  }
}

/** The appends that end in a chunk. */
export class ChunkAppends<Owner extends { readonly name: string }> {
  readonly owner: Owner;
  readonly #chunk: Chunk;
  readonly #buffers: readonly Buffer[];
  readonly #bytes: BytesOf;
  /** The end that is next, and its first record. */
  #at = 0;
  #from = 0;
  /** Made already: it began in an earlier chunk, or was looked at. */
  #next: QueuedAppend<Owner> | undefined;

  constructor(
    owner: Owner,
    chunk: Chunk,
    buffers: readonly Buffer[],
    bytes: BytesOf,
    first: QueuedAppend<Owner> | undefined,
  ) {
    this.owner = owner;
    this.#chunk = chunk;
    this.#buffers = buffers;
    this.#bytes = bytes;
    this.#next = first;
  }

  /** How many are left. */
  get count(): number {
    return this.#chunk.ends.length - this.#at;
  }

  /** While some are left. */
  get next(): QueuedAppend<Owner> {
    return (this.#next ??= this.#make());
  }

  /** The next one is taken. */
  advance(): void {
    this.#next = undefined;
    this.#from = this.#chunk.ends.recordEnd(this.#at++);
  }

  /** None of them is wanted any more. */
  drop(): void {
    this.#next?.spill?.close();
  }

  #make(): QueuedAppend<Owner> {
    const { topics, extents, ends } = this.#chunk;
    const count = ends.recordEnd(this.#at) - this.#from;
    const records = new RecordSet({ buffers: this.#buffers, topics, extents, first: this.#from, count });
    const bytes = this.#bytes.of(this.#at, this.#from);
    return queuedAppend(this.owner, ends, this.#at, records, bytes, bytes, undefined);
  }
}

function queuedAppend<Owner extends { readonly name: string }>(
  owner: Owner,
  ends: ChunkEnds,
  at: number,
  records: RecordSet | SpilledRecords,
  bytes: number,
  heldBytes: number,
  spill: SpillFile | undefined,
): QueuedAppend<Owner> {
  const position = ends.position(at);
  return {
    producer: owner.name,
    position,
    joined: position === null,
    commitTimeUs: ends.commitTimeUs(at),
    transaction: ends.transaction(at),
    control: ends.control(at),
    records,
    seq: undefined,
    owner,
    bytes,
    heldBytes,
    spill,
  };
}

/** Shares what a chunk costs out among its appends, by their records. */
class BytesOf {
  readonly #chunk: Chunk;
  readonly #whole: number;
  readonly #perRecord: number;

  constructor(chunk: Chunk) {
    this.#chunk = chunk;
    this.#whole = chunkBytes(chunk);
    this.#perRecord = chunk.recordCount === 0 ? 0 : this.#whole / chunk.recordCount;
  }

  /** Of the append that this end ends, whose first record in the chunk is `from`. */
  of(end: number, from: number): number {
    const { ends, recordCount } = this.#chunk;
    const to = ends.recordEnd(end);
    // What rounding leaves belongs to whatever is the last, so that every byte of the chunk is accounted for once.
    const last = to === recordCount && end === ends.length - 1;
    return (last ? this.#whole : this.#upTo(to)) - this.#upTo(from);
  }

  /** Of what is behind the last end. */
  get behind(): number {
    const { ends, recordCount } = this.#chunk;
    if (ends.length === 0) return this.#whole;
    const from = ends.recordEnd(ends.length - 1);
    return from === recordCount ? 0 : this.#whole - this.#upTo(from);
  }

  #upTo(record: number): number {
    return Math.floor(record * this.#perRecord);
  }
}

function extentsOf({ extents }: Chunk, from: number, to: number): Int32Array {
  return extents.subarray(from * extentSize, to * extentSize);
}

function joinPieces(pieces: readonly Piece[]): RecordSet {
  if (pieces.length === 1) {
    const { chunk, buffers, from, to } = pieces[0]!;
    return new RecordSet({ buffers, topics: chunk.topics, extents: chunk.extents, first: from, count: to - from });
  }
  const extents = new Int32Array(pieces.reduce((sum, { from, to }) => sum + (to - from) * extentSize, 0));
  const topics: string[] = [];
  const buffers: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const topicOf = piece.chunk.topics.map((name) => {
      const known = topics.indexOf(name);
      return known < 0 ? topics.push(name) - 1 : known;
    });
    const buffer = buffers.push(piece.buffers[0]!) - 1;
    const own = extentsOf(piece.chunk, piece.from, piece.to);
    extents.set(own, at);
    for (const end = at + own.length; at < end; at += extentSize) {
      extents[at + extent.topic] = topicOf[extents[at + extent.topic]!]!;
      extents[at + extent.buffer] = buffer;
    }
  }
  return new RecordSet({ buffers, topics, extents, count: extents.length / extentSize });
}

/** What a chunk costs of its producer's credit; both ends count it the same way. */
export function chunkBytes(chunk: Chunk): number {
  // The constant stands for the objects: without it, empty appends would be free and their queue without bound.
  return chunk.data.byteLength + chunk.extents.byteLength + 64 * (chunk.ends.length + 1);
}
