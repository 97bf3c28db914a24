// The newest offset of each key, for one pass of compaction: an open table in flat arrays and the keys' bytes one behind the other, so
// that a million keys cost some 30 MB, nothing for the collector to walk over, and no string. Keys are compared byte by byte: two that
// hash alike stay two. What Kafka's cleaner keeps is a digest instead of the key; ours are short, and a digest that can be forged loses
// records.

const slotBytes = 4 + 4 + 4;
/** Offsets are kept as distances from the first; room for more than any batch is left. */
const distanceMax = 2 ** 32 - 2 ** 26;
/** A key of so many bytes and more has its length in the four bytes behind this one. */
const longKey = 0xff;
const fullAt = 0.7;
const smallest = 1024;

export class OffsetMap {
  /** Of keys that were noted more than once. */
  replaced = 0;
  readonly #bytesMax: number;
  #mask: number;
  #count = 0;
  #hashes: Uint32Array;
  /** Where the key stands in #keys, and one more; 0: the slot is free. */
  #places: Uint32Array;
  /** Behind #base. */
  #offsets: Uint32Array;
  #base: number | undefined;
  #last = 0;
  /** Each key with its length before it. */
  #keys: Buffer;
  #keysLength = 0;
  readonly #seed = Math.trunc(Math.random() * 0x1_0000_0000);

  /** `records`: how many are expected; a table that has to grow stops the engine for a moment. */
  constructor(bytesMax: number, records: number) {
    this.#bytesMax = bytesMax;
    let slots = smallest;
    while (slots * fullAt < records && slots * 2 * slotBytes <= bytesMax / 2) slots *= 2;
    this.#mask = slots - 1;
    this.#hashes = new Uint32Array(slots);
    this.#places = new Uint32Array(slots);
    this.#offsets = new Uint32Array(slots);
    this.#keys = Buffer.allocUnsafeSlow(Math.max(smallest, Math.min(slots * 8, bytesMax / 2)));
  }

  /** Asked between batches: it takes at most one more than it should. */
  get full(): boolean {
    const slots = this.#mask + 1;
    if (this.#last > distanceMax) return true;
    const grows = this.#count >= slots * fullAt * 0.9;
    return this.#keysLength >= this.#bytesMax / 2 || (grows && slots * 2 * slotBytes > this.#bytesMax / 2);
  }

  /** Offsets come in rising order. */
  note(bytes: Buffer, start: number, length: number, offset: number): void {
    const hash = this.#hash(bytes, start, length);
    let slot = this.#find(bytes, start, length, hash);
    if (this.#places[slot] !== 0) this.replaced++;
    else {
      if (this.#count + 1 > (this.#mask + 1) * fullAt) {
        this.#grow();
        slot = this.#find(bytes, start, length, hash);
      }
      this.#count++;
      this.#hashes[slot] = hash;
      this.#places[slot] = this.#keep(bytes, start, length) + 1;
    }
    this.#offsets[slot] = this.#last = offset - (this.#base ??= offset);
  }

  /** -1: the key was not noted. */
  newest(bytes: Buffer, start: number, length: number): number {
    const slot = this.#find(bytes, start, length, this.#hash(bytes, start, length));
    return this.#places[slot] === 0 ? -1 : this.#base! + this.#offsets[slot]!;
  }

  /** FNV-1a, then mixed, since the table looks at the low bits; the seed differs in every pass. */
  #hash(bytes: Buffer, start: number, length: number): number {
    let hash = this.#seed;
    for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** The slot of the key, or the free one where it would stand. */
  #find(bytes: Buffer, start: number, length: number, hash: number): number {
    const mask = this.#mask;
    const places = this.#places;
    const hashes = this.#hashes;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = places[slot]!;
      if (place === 0 || (hashes[slot] === hash && this.#isKey(place - 1, bytes, start, length))) return slot;
    }
  }

  #isKey(place: number, bytes: Buffer, start: number, length: number): boolean {
    const keys = this.#keys;
    if (keys[place] !== Math.min(length, longKey)) return false;
    if (length >= longKey && keys.readUInt32LE(place + 1) !== length) return false;
    const at = place + (length < longKey ? 1 : 5);
    for (let i = 0; i < length; i++) if (keys[at + i] !== bytes[start + i]) return false;
    return true;
  }

  #keep(bytes: Buffer, start: number, length: number): number {
    const place = this.#keysLength;
    const at = place + (length < longKey ? 1 : 5);
    const end = at + length;
    if (end > this.#keys.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#keys.length * 2));
      this.#keys.copy(grown, 0, 0, place);
      this.#keys = grown;
    }
    this.#keys[place] = Math.min(length, longKey);
    if (length >= longKey) this.#keys.writeUInt32LE(length, place + 1);
    bytes.copy(this.#keys, at, start, start + length);
    this.#keysLength = end;
    return place;
  }

  #grow(): void {
    const [hashes, places, offsets] = [this.#hashes, this.#places, this.#offsets];
    const slots = hashes.length * 2;
    const mask = (this.#mask = slots - 1);
    this.#hashes = new Uint32Array(slots);
    this.#places = new Uint32Array(slots);
    this.#offsets = new Uint32Array(slots);
    for (let i = 0; i < hashes.length; i++) {
      if (places[i] === 0) continue;
      let slot = hashes[i]! & mask;
      while (this.#places[slot] !== 0) slot = (slot + 1) & mask;
      this.#hashes[slot] = hashes[i]!;
      this.#places[slot] = places[i]!;
      this.#offsets[slot] = offsets[i]!;
    }
  }
}
