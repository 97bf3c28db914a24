// A set of MySQL's global transaction ids: per source (uuid, or uuid and tag) the numbers that are in it. Pure; made to be added
// to and printed after every transaction, so the text of each source is kept until it changes.
import { AppError, assert } from '../../core/errors.js';
import { TransactionId } from '../../core/transaction-id.js';

/** One transaction's own id. */
export interface Gtid {
  /** Lower case, with dashes. */
  readonly uuid: string;
  /** Empty without a tag (tags exist since MySQL 8.3). */
  readonly tag: string;
  readonly number: number;
}

export function printGtid({ uuid, tag, number }: Gtid): string {
  return tag === '' ? `${uuid}:${number}` : `${uuid}:${tag}:${number}`;
}

/** Of the id made last: nearly all transactions of a binlog are of one server. */
const lastHead = { uuid: '', tag: '', text: '' };

/** The same text, as the id of a transaction. */
export function idOfGtid({ uuid, tag, number }: Gtid): TransactionId {
  if (uuid !== lastHead.uuid || tag !== lastHead.tag)
    Object.assign(lastHead, { uuid, tag, text: tag === '' ? `${uuid}:` : `${uuid}:${tag}:` });
  return new TransactionId(lastHead.text, number);
}

class GtidSource {
  readonly uuid: string;
  readonly tag: string;
  /** first, last, first, last ...: inclusive, rising, never touching. */
  intervals: number[] = [];
  #text: string | undefined;

  constructor(uuid: string, tag: string) {
    this.uuid = uuid;
    this.tag = tag;
  }

  /** True: of the text the last number is another, and nothing else. */
  add(first: number, last: number): boolean {
    const { intervals } = this;
    this.#text = undefined;
    // The ordinary case: the next number of the newest interval.
    const at = intervals.length - 1;
    if (at > 0 && first === intervals[at]! + 1) {
      const isRange = intervals[at - 1]! < intervals[at]!;
      intervals[at] = last;
      return isRange;
    }
    const merged: number[] = [];
    let [low, high] = [first, last];
    let i = 0;
    for (; i < intervals.length && intervals[i + 1]! + 1 < low; i += 2) merged.push(intervals[i]!, intervals[i + 1]!);
    for (; i < intervals.length && intervals[i]! <= high + 1; i += 2) {
      low = Math.min(low, intervals[i]!);
      high = Math.max(high, intervals[i + 1]!);
    }
    merged.push(low, high, ...intervals.slice(i));
    this.intervals = merged;
    return false;
  }

  subtract(first: number, last: number): void {
    this.#text = undefined;
    const left: number[] = [];
    for (let i = 0; i < this.intervals.length; i += 2) {
      const [low, high] = [this.intervals[i]!, this.intervals[i + 1]!];
      if (low < first) left.push(low, Math.min(high, first - 1));
      if (high > last) left.push(Math.max(low, last + 1), high);
    }
    this.intervals = left;
  }

  contains(first: number, last: number): boolean {
    for (let i = 0; i < this.intervals.length; i += 2) {
      if (this.intervals[i]! <= first && last <= this.intervals[i + 1]!) return true;
    }
    return false;
  }

  /** `1-5:7` */
  get text(): string {
    if (this.#text === undefined) {
      const parts: string[] = [];
      for (let i = 0; i < this.intervals.length; i += 2) {
        const [first, last] = [this.intervals[i]!, this.intervals[i + 1]!];
        parts.push(first === last ? String(first) : `${first}-${last}`);
      }
      this.#text = parts.join(':');
    }
    return this.#text;
  }
}

export class GtidSet {
  /** By `uuid:tag`, in the order of the text: uuid, then tag, the empty tag first. */
  #sources = new Map<string, GtidSource>();
  /** Asked for last; it is among them. */
  #lastSource: GtidSource | undefined;
  /** The text in front of its last number and behind it; undefined: they are not known, or not those of before. */
  #around: { readonly front: string; readonly behind: string } | undefined;

  /** Reads `uuid:1-5:7,uuid:tag:1`; white space is the server's line breaks. */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.replaceAll(/\s/g, '').split(',')) {
      if (part === '') continue;
      const [uuid, ...items] = part.toLowerCase().split(':');
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid!) || items.length === 0) throw malformed(text);
      let tag = '';
      for (const item of items) {
        const interval = /^(\d{1,19})(?:-(\d{1,19}))?$/.exec(item);
        if (interval) {
          const first = Number(interval[1]);
          const last = Number(interval[2] ?? interval[1]);
          if (first < 1 || last < first || last > Number.MAX_SAFE_INTEGER) throw malformed(text);
          set.#source(uuid!, tag).add(first, last);
        } else if (/^[a-z_][a-z0-9_]{0,31}$/.test(item)) {
          tag = item;
        } else {
          throw malformed(text);
        }
      }
    }
    return set;
  }

  #source(uuid: string, tag: string): GtidSource {
    // Mostly that of the transaction before.
    const last = this.#lastSource;
    if (last !== undefined && last.tag === tag && last.uuid === uuid) return last;
    this.#around = undefined;
    const key = `${uuid}:${tag}`;
    let source = this.#sources.get(key);
    if (!source) {
      source = new GtidSource(uuid, tag);
      this.#sources.set(key, source);
      this.#sources = new Map([...this.#sources].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    }
    this.#lastSource = source;
    return source;
  }

  add(gtid: Gtid): void {
    assert(gtid.number <= Number.MAX_SAFE_INTEGER, 'a GTID number below 2^53');
    if (!this.#source(gtid.uuid, gtid.tag).add(gtid.number, gtid.number)) this.#around = undefined;
  }

  /** Takes all transactions of `other` out. */
  subtract(other: GtidSet): void {
    this.#lastSource = this.#around = undefined;
    for (const [key, { intervals }] of other.#sources) {
      const own = this.#sources.get(key);
      if (own === undefined) continue;
      for (let i = 0; i < intervals.length; i += 2) own.subtract(intervals[i]!, intervals[i + 1]!);
      if (own.intervals.length === 0) this.#sources.delete(key);
    }
  }

  has(gtid: Gtid): boolean {
    return this.#sources.get(`${gtid.uuid}:${gtid.tag}`)?.contains(gtid.number, gtid.number) ?? false;
  }

  /** True when every transaction of `other` is in this set. */
  contains(other: GtidSet): boolean {
    for (const [key, { intervals }] of other.#sources) {
      const own = this.#sources.get(key);
      for (let i = 0; i < intervals.length; i += 2) {
        if (!own?.contains(intervals[i]!, intervals[i + 1]!)) return false;
      }
    }
    return true;
  }

  get empty(): boolean {
    return this.#sources.size === 0;
  }

  /** The last of the source with the most transactions: a set does not know in which order they came. */
  get newest(): Gtid | undefined {
    let newest: Gtid | undefined;
    for (const { uuid, tag, intervals } of this.#sources.values()) {
      const number = intervals.at(-1)!;
      if (newest === undefined || number > newest.number) newest = { uuid, tag, number };
    }
    return newest;
  }

  toString(): string {
    const last = this.#lastSource;
    // Printed behind every transaction, which moves one number.
    if (last !== undefined && this.#around !== undefined)
      return this.#around.front + String(last.intervals.at(-1)) + this.#around.behind;
    let text = '';
    let uuid = '';
    let front = '';
    for (const source of this.#sources.values()) {
      if (source.uuid !== uuid) text += `${text === '' ? '' : ','}${source.uuid}`;
      uuid = source.uuid;
      text += source.tag === '' ? `:${source.text}` : `:${source.tag}:${source.text}`;
      if (source === last) front = text.slice(0, text.length - String(source.intervals.at(-1)).length);
    }
    if (last !== undefined)
      this.#around = { front, behind: text.slice(front.length + String(last.intervals.at(-1)).length) };
    return text;
  }
}

function malformed(text: string): AppError {
  return new AppError('bad-connector-config', `"${text.slice(0, 120)}" is not a set of GTIDs`, {
    hint: 'it looks like 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77',
  });
}
