// What queries derive from an append for the topics of their sinks, numbered by what caused it: (seq, piece). A long append's records
// leave in several pieces, cut by nothing but what the append itself derives; so every process, every replay of the log and every
// restored folder gives the same groups the same numbers, and a number tells whether a group is out already.
import { AppError } from './errors.js';
import type { RecordSet } from './record.js';

export interface DerivedNumber {
  /** The append that caused the records. */
  readonly seq: number;
  /** From 0 in each append. */
  readonly piece: number;
}

export interface DerivedGroup extends DerivedNumber {
  readonly commitTimeUs: number;
  readonly records: RecordSet;
}

/** Before every group. */
export const nothingDerived: DerivedNumber = { seq: 0, piece: 0 };

export function isBehind(one: DerivedNumber, other: DerivedNumber): boolean {
  return one.seq > other.seq || (one.seq === other.seq && one.piece > other.piece);
}

/** As the sink producer's position holds it. */
export function printNumber({ seq, piece }: DerivedNumber): string {
  return `${seq}.${piece}`;
}

/** Undefined: it is of a version that numbered groups in another way (a plain number). */
export function parseNumber(position: string): DerivedNumber | undefined {
  if (/^\d+$/.test(position)) return undefined;
  const [, seq, piece] = /^(\d+)\.(\d+)$/.exec(position) ?? [];
  if (seq === undefined) throw new AppError('log-corrupt', `"${position}" is no position of derived records`);
  return { seq: Number(seq), piece: Number(piece) };
}
