// The chunk under construction: one buffer that all row encoders of a source write into, and the extents beside it. A taken
// chunk owns its memory, so it can be transferred to another thread. Not shared between sources.
import { assert } from '../../core/errors.js';
import { ChangeOrigin } from '../../core/change-origin.js';
import { extent, extentSize } from '../../core/record.js';
import type { Chunk } from '../../core/append.js';
import { ChunkEndsBuilder, type NewEnd } from '../../core/chunk-ends.js';
import type { ChunkBuilder, ChunkMark } from '../../core/row-encoder.js';
import { ByteWriter, standalone } from '../../core/bytes.js';

export interface ChunkBuilderOptions {
  /** The size that the source aims at; a larger record makes a larger chunk. */
  readonly chunkBytes: number;
}

export class RecordChunkBuilder implements ChunkBuilder {
  readonly out: ByteWriter;
  readonly origin = new ChangeOrigin();
  readonly #chunkBytes: number;
  #extents = new Int32Array(1024 * extentSize);
  #topics: string[] = [];
  #count = 0;
  readonly #ends = new ChunkEndsBuilder();
  #unplaced = 0;
  /** Where the open append began; undefined when a part of it has been taken already. */
  #openStart: { readonly count: number; readonly bytes: number } | undefined = { count: 0, bytes: 0 };
  /** Rises with each taken chunk: indexes into `topics` are valid within one. */
  generation = 0;

  constructor(options: ChunkBuilderOptions) {
    this.#chunkBytes = options.chunkBytes;
    // Sources look at the size between rows, so the last row goes beyond it.
    this.out = new ByteWriter(options.chunkBytes + (options.chunkBytes >> 3) + 4096);
  }

  get byteLength(): number {
    return this.out.length;
  }
  get recordCount(): number {
    return this.#count;
  }
  get isEmpty(): boolean {
    return this.#count === 0 && this.#ends.length === 0;
  }

  /** The index of a topic in the chunk under construction. */
  topicIndex(topic: string): number {
    const known = this.#topics.indexOf(topic);
    return known >= 0 ? known : this.#topics.push(topic) - 1;
  }

  /** Adds the extent of a record whose bytes are in `out`; `headersSize` of them, behind the value, are its headers. */
  add(
    op: number,
    topic: number,
    partition: number,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    headersSize = 0,
  ): void {
    let at = this.#count * extentSize;
    if (at === this.#extents.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.#extents);
      this.#extents = larger;
    }
    const extents = this.#extents;
    extents[at++] = op | (headersSize << 2);
    extents[at++] = topic;
    extents[at++] = partition;
    extents[at++] = 0;
    extents[at++] = keyStart;
    extents[at++] = keyLength;
    extents[at++] = valueStart;
    extents[at] = valueLength;
    this.#count++;
  }

  endAppend(end: NewEnd): void {
    this.#ends.add(this.#count, end);
    this.#unplaced = end.position === null ? this.#unplaced + 1 : 0;
    this.#openStart = { count: this.#count, bytes: this.out.length };
  }

  get unplaced(): number {
    return this.#unplaced;
  }

  placeLast(position: string): void {
    assert(this.#ends.length > 0, 'a position belongs to an end');
    this.#ends.placeLast(position);
    this.#unplaced = 0;
  }

  mark(): ChunkMark {
    return { generation: this.generation, count: this.#count, bytes: this.out.length };
  }

  rewind({ generation, count, bytes }: ChunkMark): boolean {
    if (generation !== this.generation) return false;
    this.#count = count;
    this.out.length = bytes;
    return true;
  }

  dropOpen(topic: string): boolean {
    if (this.#openStart === undefined) return false;
    const dropped = this.#topics.indexOf(topic);
    const extents = this.#extents;
    let to = this.#openStart.count;
    for (let from = to; from < this.#count; from++) {
      if (extents[from * extentSize + extent.topic] === dropped) continue;
      extents.copyWithin(to++ * extentSize, from * extentSize, (from + 1) * extentSize);
    }
    this.#count = to;
    return true;
  }

  discardOpenAppend(): void {
    assert(this.#openStart !== undefined, 'an append of which a part was handed over cannot be discarded');
    this.#count = this.#openStart.count;
    this.out.length = this.#openStart.bytes;
  }

  take(): Chunk | null {
    if (this.isEmpty) return null;
    assert(this.#unplaced === 0, 'the last end of a chunk has a position');
    const open = this.#count > this.#ends.recordEnd || (this.#openStart === undefined && this.#ends.length === 0);
    const chunk: Chunk = {
      data: this.#takeBytes(),
      topics: this.#topics,
      extents: this.#extents.slice(0, this.#count * extentSize),
      recordCount: this.#count,
      ends: this.#ends.take(),
    };
    this.#topics = [];
    this.#count = 0;
    this.#openStart = open ? undefined : { count: 0, bytes: 0 };
    this.generation++;
    return chunk;
  }

  #takeBytes(): Uint8Array<ArrayBuffer> {
    const out = this.out;
    const size = out.length;
    out.length = 0;
    const full = out.buffer;
    // A small chunk is copied out; handing over the whole buffer would cost its memory on the other side.
    if (size < full.length >> 1) {
      const copy = new Uint8Array(size);
      copy.set(full.subarray(0, size));
      return copy;
    }
    out.buffer = standalone(this.#chunkBytes + (this.#chunkBytes >> 3) + 4096);
    return new Uint8Array(full.buffer, full.byteOffset, size);
  }
}

export function createChunkBuilder(options: ChunkBuilderOptions): RecordChunkBuilder {
  return new RecordChunkBuilder(options);
}
