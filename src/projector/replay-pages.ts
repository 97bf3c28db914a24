// The records of a topic, taken from the log again page by page for a build by replay. A page holds whole appends: as many as have so
// many records of the topic, or all up to the frontier. So where a page ends is a function of the log, and a build's step derives the
// same on every process. A page stays what it is until the one behind it is asked for.
//
// The log is read beside the engine's loop, which only takes what is there: a broker that is slow, or silent, holds up the build and
// nothing else. While a page is read the frontier moves on, so the end would never be met by reading alone: from the moment that the
// reader is near, the appends that the loop applies are kept here too (the tail, bounded), and the last page needs no reading.
import { RecordSet } from '../core/record.js';
import type { Append } from '../core/append.js';

export interface ReplayPage {
  readonly appends: readonly Append[];
  /** Where the next page begins. */
  readonly upTo: number;
  /** Everything up to the frontier is in this page and those before. */
  readonly atEnd: boolean;
}

export interface ReplayPagesEnv {
  readonly topic: string;
  /** Whole appends behind a seq, to the end that the log has at that moment or later; ends when the signal aborts. */
  readonly read: (after: number, signal: AbortSignal) => AsyncIterable<readonly Append[]>;
  /** It is worth asking again. */
  readonly onRead: () => void;
  readonly tailBytesMax?: number | undefined;
}

/** A page that is being put together. */
interface Gathered {
  readonly after: number;
  readonly rows: number;
  readonly appends: Append[];
  count: number;
}

const tailBytesDefault = 8 * 1024 * 1024;

export class ReplayPages {
  readonly #env: ReplayPagesEnv;
  readonly #closing = new AbortController();
  #gathered: Gathered | undefined;
  #page: { readonly after: number; readonly rows: number; readonly page: ReplayPage } | undefined;
  /** The newest append that is in a page. */
  #reached = -1;
  #reader: AsyncIterator<readonly Append[]> | undefined;
  /** The reader gives everything up to here before it ends. */
  #readerCovers = -1;
  /** The reader has ended: everything up to here was given. */
  #readUpTo = -1;
  /** Read and in no page yet. */
  #ahead: Append[] = [];
  #reading: Promise<void> | undefined;
  #failure: Error | undefined;
  /** What the loop has applied behind `#tailFrom`, as far as it is in no page yet; undefined: the reader is far from the frontier. */
  #tail: Append[] | undefined;
  #tailFrom = -1;
  /** The buffers of its records, which several appends share. */
  readonly #tailBuffers = new Set<Buffer>();
  #tailBytes = 0;

  constructor(env: ReplayPagesEnv) {
    this.#env = env;
  }

  /** The page that was given last. */
  get last(): { readonly after: number; readonly page: ReplayPage } | undefined {
    return this.#page;
  }

  /** Reading has failed; the next call of `next` throws it. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * The page behind `after`, with at least `rows` records unless the frontier comes first; undefined: it is being read, and `onRead` is
   * called. Called between commits.
   */
  next(after: number, frontier: number, rows: number): ReplayPage | undefined {
    const known = this.#page;
    if (known?.after === after && known.rows === rows && !(known.page.atEnd && known.page.upTo < frontier))
      return known.page;
    if (this.#gathered?.after !== after || this.#gathered.rows !== rows) this.#begin(after, rows);
    const gathered = this.#gathered!;
    while (gathered.count < rows) {
      const append = this.#take(frontier);
      if (append === undefined) return undefined;
      if (append === 'end') return this.#give(gathered, frontier, true);
      gathered.appends.push(append);
      // One that lies in a file is usable only until the next is asked for, and so long that it is a page by itself.
      gathered.count = append.records instanceof RecordSet ? gathered.count + this.#countIn(append) : rows;
    }
    return this.#give(gathered, this.#reached, false);
  }

  #give({ after, rows, appends }: Gathered, upTo: number, atEnd: boolean): ReplayPage {
    // One at the end goes on being put together when the frontier has moved.
    const page = { appends: [...appends], upTo, atEnd };
    this.#page = { after, rows, page };
    return page;
  }

  #begin(after: number, rows: number): void {
    if (this.#reached !== after) {
      this.#hangUp();
      this.#dropTail();
      this.#reached = after;
    }
    this.#gathered = { after, rows, appends: [], count: 0 };
  }

  /** The next append; undefined: it has to be read first. */
  #take(frontier: number): Append | 'end' | undefined {
    for (;;) {
      const limit = this.#tail ? this.#tailFrom : frontier;
      const [first] = this.#ahead;
      if (first !== undefined && first.seq <= limit) {
        this.#ahead.shift();
        return this.#took(first);
      }
      // Nothing up to the limit is left to be read: what comes behind it is in the tail, or beyond the frontier.
      if (first !== undefined || this.#readUpTo >= limit || this.#reached >= limit) return this.#takeTail(frontier);
      if (this.#failure !== undefined) {
        const failure = this.#failure;
        this.#failure = undefined;
        throw failure;
      }
      if (this.#reading !== undefined) return undefined;
      // Read up to where the frontier was when the reader was opened: the rest is short, and what is applied from here on is kept.
      const isNear = this.#readUpTo >= 0 || (this.#reader !== undefined && this.#reached >= this.#readerCovers);
      if (isNear && this.#tail === undefined) this.#keepTail(frontier);
      this.#readOn(frontier);
    }
  }

  #takeTail(frontier: number): Append | 'end' {
    if (this.#tail === undefined) this.#keepTail(frontier);
    this.#hangUp();
    this.#readUpTo = this.#tailFrom;
    const append = this.#tail!.shift();
    if (append !== undefined) return this.#took(append);
    this.#tailBuffers.clear();
    this.#tailBytes = 0;
    return 'end';
  }

  #took(append: Append): Append {
    this.#reached = append.seq;
    return append;
  }

  #keepTail(frontier: number): void {
    this.#tail = [];
    this.#tailFrom = frontier;
  }

  #dropTail(): void {
    this.#tail = undefined;
    this.#tailBuffers.clear();
    this.#tailBytes = 0;
  }

  /** What the loop has committed, in order. */
  applied(appends: readonly Append[]): void {
    if (this.#tail === undefined) return;
    for (const append of appends) {
      if (!append.records.topics.includes(this.#env.topic)) continue;
      this.#tail.push(append);
      if (this.#holds(append)) continue;
      // Too much, or in a file that goes with its group: it is read like everything before.
      this.#dropTail();
      this.#hangUp();
      return;
    }
  }

  #holds({ records }: Append): boolean {
    if (!(records instanceof RecordSet)) return false;
    for (const buffer of records.buffers) {
      if (this.#tailBuffers.has(buffer)) continue;
      this.#tailBuffers.add(buffer);
      this.#tailBytes += buffer.length;
    }
    return this.#tailBytes <= (this.#env.tailBytesMax ?? tailBytesDefault);
  }

  #readOn(frontier: number): void {
    if (this.#reader === undefined) {
      this.#reader = this.#env.read(this.#reached, this.#closing.signal)[Symbol.asyncIterator]();
      this.#readerCovers = frontier;
      this.#readUpTo = -1;
    }
    const reader = this.#reader;
    const reading = reader.next().then(
      ({ value, done }) => {
        if (this.#reader !== reader) return;
        if (done !== true) this.#ahead = [...(value as readonly Append[])];
        else {
          this.#reader = undefined;
          this.#readUpTo = this.#readerCovers;
        }
      },
      (error: unknown) => {
        if (this.#reader !== reader) return;
        this.#reader = undefined;
        this.#failure = error instanceof Error ? error : new Error(String(error));
      },
    );
    this.#reading = reading.then(() => {
      this.#reading = undefined;
      if (!this.#closing.signal.aborted) this.#env.onRead();
    });
  }

  /** What is read from here on begins anew behind `#reached`. */
  #hangUp(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#ahead = [];
    this.#readUpTo = -1;
    this.#failure = undefined;
    // It ends when what it is doing has; whatever that comes to, nobody needs it: the next reader meets the same trouble.
    reader?.return?.().catch(() => {});
  }

  /** Ends the reading, also one that waits for an answer. Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    const reader = this.#reader;
    this.#closing.abort();
    await this.#reading;
    await reader?.return?.();
  }

  #countIn({ records }: Append): number {
    const topic = records.topics.indexOf(this.#env.topic);
    if (topic < 0) return 0;
    if (records.topics.length === 1) return records.count;
    let count = 0;
    for (let i = 0; i < records.count; i++) if (records.topic(i) === this.#env.topic) count++;
    return count;
  }
}
