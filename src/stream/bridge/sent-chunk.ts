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
  readonly positions: SentTexts;
  readonly transactionIds: SentTexts;
  /** Null: no end has any. */
  readonly controls: readonly (AppendControl | undefined)[] | null;
}

/** Texts one behind the other: a message pays for each string in it more than for its characters. */
interface SentTexts {
  readonly all: string;
  /** Characters of each; -1: there is none. */
  readonly lengths: Int32Array;
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
    positions: packTexts(ends, ({ position }) => position),
    transactionIds: packTexts(ends, ({ transactionId }) => transactionId),
    controls: ends.some(({ control }) => control !== undefined) ? ends.map(({ control }) => control) : null,
  };
  return { ...chunk, ends: sent };
}

function packTexts(ends: readonly AppendEnd[], textOf: (end: AppendEnd) => string | null | undefined): SentTexts {
  const texts: string[] = [];
  const lengths = new Int32Array(ends.length).fill(-1);
  for (let i = 0; i < ends.length; i++) {
    const text = textOf(ends[i]!);
    if (text === undefined || text === null) continue;
    lengths[i] = text.length;
    texts.push(text);
  }
  return { all: texts.join(''), lengths };
}

function unpackTexts<None>({ all, lengths }: SentTexts, none: None): (string | None)[] {
  const texts: (string | None)[] = [];
  let at = 0;
  for (const length of lengths) {
    if (length >= 0) texts.push(all.slice(at, (at += length)));
    else texts.push(none);
  }
  return texts;
}

export function unpackChunk({ ends, ...chunk }: SentChunk): Chunk {
  const { recordEnds, commitTimesUs, controls } = ends;
  const positions = unpackTexts(ends.positions, null);
  const transactionIds = unpackTexts(ends.transactionIds, undefined);
  return {
    ...chunk,
    ends: positions.map((position, i): AppendEnd => ({
      recordEnd: recordEnds[i]!,
      position,
      commitTimeUs: commitTimesUs[i]!,
      transactionId: transactionIds[i],
      control: controls?.[i],
    })),
  };
}
