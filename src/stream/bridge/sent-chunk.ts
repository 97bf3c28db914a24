// How a chunk looks on its way between threads: what it has is plain, but for its ends.
import type { Chunk } from '../../core/append.js';
import { ChunkEnds, type EndColumns } from '../../core/chunk-ends.js';

export interface SentChunk extends Omit<Chunk, 'ends'> {
  readonly ends: EndColumns;
}

/** `data` and `extents` are handed over as they are. */
export function packChunk({ ends, ...chunk }: Chunk): SentChunk {
  return { ...chunk, ends: ends.columns };
}

export function unpackChunk({ ends, ...chunk }: SentChunk): Chunk {
  return { ...chunk, ends: new ChunkEnds(ends) };
}
