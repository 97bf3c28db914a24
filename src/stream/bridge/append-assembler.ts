// Makes whole appends of a producer's chunks: an append may end anywhere in a chunk, several may end in one, and one may span
// many. Bytes are not copied; an append that grows over the bound goes to a spill file, extents and all, so that what it holds in
// memory does not grow with it.
import { extent, extentSize, RecordSet } from '../../core/record.js';
import type { AppendEnd, Chunk } from '../../core/append.js';
import type { PendingAppend } from '../pending-append.js';
import { SpillFile } from '../spill-file.js';
import { SpilledPiecesWriter } from '../spilled-records.js';

/**
 * A source may run ahead of the engine by so much memory: more than two of the engine's commits, so that neither waits for the other. What
 * waits is small objects for each append, too, which outlive the collector's young generation where they are many.
 */
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

  /** Calls `closed` with each append that ends in the chunk. Gives the bytes of memory that spilling has set free. */
  add(chunk: Chunk, closed: (append: QueuedAppend<Owner>) => void): number {
    const buffers = [Buffer.from(chunk.data.buffer, chunk.data.byteOffset, chunk.data.byteLength)];
    let rest = chunkBytes(chunk);
    const bytesPerRecord = chunk.recordCount === 0 ? 0 : rest / chunk.recordCount;
    let from = 0;
    chunk.ends.forEach((end, i) => {
      const to = end.recordEnd;
      // What rounding leaves belongs to whatever is the last, so that every byte of the chunk is accounted for once.
      const last = to === chunk.recordCount && i === chunk.ends.length - 1;
      const bytes = last ? rest : Math.floor((to - from) * bytesPerRecord);
      rest -= bytes;
      this.#take({ chunk, buffers, from, to }, bytes);
      closed(this.#close(end));
      from = to;
    });
    if (rest > 0) this.#take({ chunk, buffers, from, to: chunk.recordCount }, rest);
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

  #close(end: AppendEnd): QueuedAppend<Owner> {
    // An append that is in the file in part goes there as a whole.
    const heldBytes = this.#heldBytes;
    if (this.#spill !== undefined) this.#spillOpen();
    const queued: QueuedAppend<Owner> = {
      producer: this.#owner.name,
      position: end.position,
      joined: end.position === null,
      commitTimeUs: end.commitTimeUs,
      transactionId: end.transactionId,
      control: end.control,
      records: this.#spilled?.finish() ?? this.#records(),
      seq: undefined,
      owner: this.#owner,
      bytes: this.#bytes,
      heldBytes,
      spill: this.#spill,
    };
    this.#reset();
    return queued;
  }

  #records(): RecordSet {
    const pieces = this.#pieces;
    if (pieces.length !== 1) return joinPieces(pieces);
    const { chunk, buffers, from, to } = pieces[0]!;
    return new RecordSet({ buffers, topics: chunk.topics, extents: chunk.extents, first: from, count: to - from });
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

function extentsOf({ extents }: Chunk, from: number, to: number): Int32Array {
  return extents.subarray(from * extentSize, to * extentSize);
}

function joinPieces(pieces: readonly Piece[]): RecordSet {
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
