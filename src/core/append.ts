// Appends: what becomes durable and visible together, and the chunks in which they come from a source. What their records look like in
// memory stands in record.ts.
import type { AppendControl } from './append-control.js';
import type { ChunkEnds } from './chunk-ends.js';
import type { Records } from './record.js';

/** The position of a producer that has to begin anew: its earlier one was given up. */
export const noPosition = '';

/** Where a source goes on; null: it begins. */
export function positionToResume(position: string | null | undefined): string | null {
  return position === undefined || position === noPosition ? null : position;
}

/**
 * A position is printed at the end of a chunk and after at most so many ends, not for each transaction: what it costs would be a part of
 * what a small one costs. Few, since appends that become durable together are left out together by a query that fails in one of them.
 */
export const endsPerPosition = 16;

/**
 * The same where positions are long (a set of GTIDs names every server that ever wrote). Few enough that a log's transaction always has
 * room for them.
 */
export const endsPerPositionMax = 256;

/** Characters. A longer position is stored and told with the last append of its producer in a commit only, or not with appends at all. */
export const toldPositionLengthMax = 256;

/**
 * A byte-bounded piece of a source's output. `ends` are the appends that end inside it, in order; records behind the last
 * end belong to an append that goes on in the next chunk. A chunk without records and with one end moves a position.
 */
export interface Chunk {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly topics: readonly string[];
  readonly extents: Int32Array<ArrayBuffer>;
  readonly recordCount: number;
  readonly ends: ChunkEnds;
}

/** A whole append as the log gives it back and the projector takes it. */
export interface Append {
  /** Strictly rising, never assumed dense; a safe integer. */
  readonly seq: number;
  readonly producer: string;
  /** Null: it moves none, or a later append of the same commit tells it; read again, a long one may be told by none (`producerPosition` has it). */
  readonly position: string | null;
  readonly commitTimeUs: number;
  readonly transactionId?: string | undefined;
  readonly control?: AppendControl | undefined;
  readonly records: Records;
}
