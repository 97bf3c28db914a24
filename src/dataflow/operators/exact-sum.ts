// Sums of DOUBLEs without error, so that what is added and later taken away leaves nothing behind, and so that a sum depends on
// its values alone, not on their order. A sum is a list of doubles that do not overlap (Shewchuk's expansions, as in Python's
// fsum); rounded once when it is read.
//
// In an operator's state a sum takes two columns: the largest part, DOUBLE, and the rest, BYTES, which is NULL in the common case
// of one part. The rest: how many NaN, Infinity and -Infinity are in the sum, the number of parts among the huge values
// (4 x uint32), then those parts, then the parts of the others but the largest. Huge values (from 2^900) are kept apart and
// scaled by 2^-64: neither list can overflow.
import type { Column, Row, Value } from '../../core/data-type.js';

export function exactSumColumns(name: string): readonly Column[] {
  return [
    { name, type: { kind: 'DOUBLE' } },
    { name: `${name}_rest`, type: { kind: 'BYTES' } },
  ];
}

const huge = 2 ** 900;
const down = 2 ** -64;
const up = 2 ** 64;
const headerBytes = 16;

/** One sum taken apart. Reused between calls: the engine is one thread, and nothing here calls out. */
const work = { nan: 0, positive: 0, negative: 0, large: [] as number[], parts: [] as number[] };

export function addExact(state: Value[], at: number, value: number): void {
  const sum = state[at] as number;
  if (state[at + 1] === null && Math.abs(value) < huge) {
    // One part, and one part again when the addition is exact.
    const total = sum + value;
    const back = total - sum;
    if (sum - (total - back) + (value - back) === 0) {
      state[at] = total;
      return;
    }
  }
  change(state, at, value, 1);
}

/** Takes away a value that was added before. */
export function subtractExact(state: Value[], at: number, value: number): void {
  if (Number.isFinite(value)) addExact(state, at, -value);
  else change(state, at, value, -1);
}

function change(state: Value[], at: number, value: number, count: 1 | -1): void {
  load(state, at);
  if (Number.isNaN(value)) work.nan += count;
  else if (value === Infinity) work.positive += count;
  else if (value === -Infinity) work.negative += count;
  else if (Math.abs(value) < huge) grow(work.parts, value);
  else grow(work.large, value * down);
  save(state, at);
}

/** The nearest double to the exact sum. */
export function exactSum(state: Row, at: number): number {
  if (state[at + 1] === null) return state[at] as number;
  load(state, at);
  if (work.nan > 0 || (work.positive > 0 && work.negative > 0)) return NaN;
  if (work.positive > 0) return Infinity;
  if (work.negative > 0) return -Infinity;
  if (work.large.length === 0) return round(work.parts);
  const large = round(work.large);
  if (Math.abs(large) < 2 ** 936) {
    for (const part of work.large) grow(work.parts, part * up);
    return round(work.parts);
  }
  for (const part of work.parts) grow(work.large, part * down);
  return round(work.large) * up;
}

/** Adds a value to parts in order of rising size, dropping those that become 0. */
function grow(parts: number[], value: number): void {
  let kept = 0;
  let x = value;
  for (let i = 0; i < parts.length; i++) {
    const y = parts[i]!;
    const high = x + y;
    const low = Math.abs(x) < Math.abs(y) ? x - (high - y) : y - (high - x);
    if (low !== 0) parts[kept++] = low;
    x = high;
  }
  parts.length = kept;
  if (x !== 0) parts.push(x);
}

function round(parts: readonly number[]): number {
  let n = parts.length;
  if (n === 0) return 0;
  let high = parts[--n]!;
  let low = 0;
  while (n > 0 && low === 0) {
    const x = high;
    const y = parts[--n]!;
    high = x + y;
    low = y - (high - x);
  }
  // `high` is rounded half to even by `low` alone; when the next part pulls the same way, a half was really more than a half.
  if (n > 0 && low !== 0 && low < 0 === parts[n - 1]! < 0) {
    const y = low * 2;
    const x = high + y;
    if (x - high === y) high = x;
  }
  return high;
}

function load(state: Row, at: number): void {
  const rest = state[at + 1] as Buffer | null;
  const { large, parts } = work;
  large.length = 0;
  parts.length = 0;
  work.nan = rest?.readUInt32LE(0) ?? 0;
  work.positive = rest?.readUInt32LE(4) ?? 0;
  work.negative = rest?.readUInt32LE(8) ?? 0;
  if (rest) {
    const largeEnd = headerBytes + rest.readUInt32LE(12) * 8;
    for (let i = headerBytes; i < rest.length; i += 8) (i < largeEnd ? large : parts).push(rest.readDoubleLE(i));
  }
  const largest = state[at] as number;
  if (largest !== 0) parts.push(largest);
}

function save(state: Value[], at: number): void {
  const { nan, positive, negative, large, parts } = work;
  state[at] = parts.pop() ?? 0;
  if (nan === 0 && positive === 0 && negative === 0 && large.length === 0 && parts.length === 0) {
    state[at + 1] = null;
    return;
  }
  const rest = Buffer.allocUnsafe(headerBytes + (large.length + parts.length) * 8);
  rest.writeUInt32LE(nan, 0);
  rest.writeUInt32LE(positive, 4);
  rest.writeUInt32LE(negative, 8);
  rest.writeUInt32LE(large.length, 12);
  let offset = headerBytes;
  for (const part of large) offset = rest.writeDoubleLE(part, offset);
  for (const part of parts) offset = rest.writeDoubleLE(part, offset);
  state[at + 1] = rest;
}
