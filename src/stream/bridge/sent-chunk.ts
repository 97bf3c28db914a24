// How a chunk looks on its way between threads. Its ends lie side by side by what they say: a message spells out the names of all properties
// of every object in it, which for a transaction of one row is more than the row.
import type { AppendControl } from '../../core/append-control.js';
import type { AppendEnd, Chunk } from '../../core/append.js';

export interface SentChunk extends Omit<Chunk, 'ends'> {
  readonly ends: SentEnds;
}

/** Each with one entry per end. */
export interface SentEnds {
  readonly recordEnds: Float64Array;
  readonly commitTimesUs: Float64Array;
  readonly positions: readonly (string | null)[];
  /** Null: no end has any. */
  readonly transactionIds: readonly (string | undefined)[] | null;
  readonly controls: readonly (AppendControl | undefined)[] | null;
}

/** `data` and `extents` are handed over as they are. */
export function packChunk(chunk: Chunk): SentChunk {
  const { ends } = chunk;
  // Filled by hand: `from` asks an iterator for each number.
  const recordEnds = new Float64Array(ends.length);
  const commitTimesUs = new Float64Array(ends.length);
  for (let i = 0; i < ends.length; i++) {
    recordEnds[i] = ends[i]!.recordEnd;
    commitTimesUs[i] = ends[i]!.commitTimeUs;
  }
  const sent: SentEnds = {
    recordEnds,
    commitTimesUs,
    positions: ends.map(({ position }) => position),
    transactionIds: ends.some(({ transactionId }) => transactionId !== undefined)
      ? ends.map(({ transactionId }) => transactionId)
      : null,
    controls: ends.some(({ control }) => control !== undefined) ? ends.map(({ control }) => control) : null,
  };
  return { ...chunk, ends: sent };
}

export function unpackChunk({ ends, ...chunk }: SentChunk): Chunk {
  const { recordEnds, commitTimesUs, positions, transactionIds, controls } = ends;
  return {
    ...chunk,
    ends: positions.map((position, i): AppendEnd => ({
      recordEnd: recordEnds[i]!,
      position,
      commitTimeUs: commitTimesUs[i]!,
      transactionId: transactionIds?.[i],
      control: controls?.[i],
    })),
  };
}
