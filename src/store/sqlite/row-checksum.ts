// The checksum of a stored row, over the values as they are bound and read, in the hidden column `wt_sum`. Made for the hot path: numbers
// are mixed as they are, all texts together as the bytes that they are stored in. Each step is a bijection of what came before for every input, so whatever
// changes in one place, as a flipped bit does, always changes the sum; changes in several places pass once in 2^32.
// It is the sum over the columns, each begun with its name, in which a null counts nothing: a column that is added later, or one that is no
// longer written, leaves the sums of the rows as they are.
import type { SqlValue } from '../../sqlite/database.js';

const mix = 0x01000193;
const finish = 0x85ebca6b | 0;
/** What tells kinds of values apart that have the same content. */
const kind = { integer: 0x3c6ef372, double: 0x1b873593, text: 0x2545f491, bytes: 0x5bd1e995, big: 0x68e31da4 } as const;

const doubles = new Float64Array(1);
const halves = new Int32Array(doubles.buffer);

const encoder = new TextEncoder();
const scratchBytes = 16 * 1024;
const scratch = new Uint8Array(scratchBytes);
const scratchWords = new Int32Array(scratch.buffer);

export class RowChecksum {
  readonly #seeds: Int32Array;
  readonly #rowtimeSeed: number;
  readonly #textSeed: number;
  /** Places of the columns in an order that is the same whatever order they have. */
  readonly #order: Int32Array;

  /** `columns`: as they are called in SQLite, in the order of the values. */
  constructor(table: string, columns: readonly string[]) {
    const seedOf = (what: string) => ofText(0, `${table}.${what}`);
    this.#seeds = Int32Array.from(columns, seedOf);
    this.#rowtimeSeed = seedOf(' rowtime');
    this.#textSeed = seedOf(' text');
    const places = columns.map((_, i) => i);
    this.#order = Int32Array.from(places.toSorted((a, b) => (columns[a]! < columns[b]! ? -1 : 1)));
  }

  /** Of the first `count` values. Integers beyond 2^53 as bigints, all others as numbers. A signed integer of 32 bits. */
  of(values: readonly SqlValue[], count: number, rowtimeMs: number): number {
    const seeds = this.#seeds;
    const order = this.#order;
    let sum = ofNumber(this.#rowtimeSeed, rowtimeMs);
    // One call into the runtime for all texts of a row: to ask it for each text, or each character, is what costs.
    let texts = '';
    for (let at = 0; at < order.length; at++) {
      const i = order[at]!;
      // A row that is written has no values of columns that are no longer.
      if (i >= count) continue;
      const value = values[i]!;
      if (value === null) continue;
      const seed = seeds[i]!;
      if (typeof value === 'number') sum += ofNumber(seed, value);
      else if (typeof value === 'string') {
        sum += finished(Math.imul(seed ^ kind.text ^ value.length, mix));
        texts += value;
      } else sum += typeof value === 'bigint' ? ofBig(seed, value) : ofBytes(seed, value);
      sum |= 0;
    }
    return texts === '' ? sum : (sum + ofText(this.#textSeed, texts)) | 0;
  }
}

function finished(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), finish);
}

function ofNumber(seed: number, value: number): number {
  const whole = value | 0;
  if (whole === value && whole !== 0) return finished(Math.imul(seed ^ kind.integer ^ whole, mix));
  // Zero and minus zero are told apart by their bits.
  doubles[0] = value;
  const low = Math.imul(seed ^ kind.double ^ halves[0]!, mix);
  return finished(Math.imul(low ^ halves[1]!, mix));
}

function ofBig(seed: number, value: bigint): number {
  const low = Math.imul(seed ^ kind.big ^ Number(BigInt.asIntN(32, value)), mix);
  return finished(Math.imul(low ^ Number(BigInt.asIntN(32, value >> 32n)), mix));
}

/** As SQLite stores it: halves of characters become the mark for what is none. */
function ofText(seed: number, text: string): number {
  if (text.length * 3 <= scratchBytes)
    return ofWords(seed ^ kind.text, scratchWords, scratch, encoder.encodeInto(text, scratch).written);
  return ofBytes(seed ^ kind.text, encoder.encode(text));
}

function ofBytes(seed: number, bytes: Uint8Array): number {
  const { length, byteOffset } = bytes;
  if (byteOffset % 4 === 0)
    return ofWords(seed ^ kind.bytes, new Int32Array(bytes.buffer, byteOffset, length >> 2), bytes, length);
  const aligned = new Uint8Array(bytes);
  return ofWords(seed ^ kind.bytes, new Int32Array(aligned.buffer, 0, length >> 2), aligned, length);
}

/** Two lanes that do not wait for each other. */
function ofWords(seed: number, words: Int32Array, bytes: Uint8Array, length: number): number {
  const count = length >> 2;
  let one = seed;
  let other = ~seed;
  let i = 0;
  for (; i < count - 1; i += 2) {
    one = Math.imul(one ^ words[i]!, mix);
    other = Math.imul(other ^ words[i + 1]!, mix);
  }
  if (i < count) one = Math.imul(one ^ words[i]!, mix);
  for (let at = count << 2; at < length; at++) other = Math.imul(other ^ bytes[at]!, mix);
  return (finished(Math.imul(one ^ length, mix)) + finished(other)) | 0;
}
