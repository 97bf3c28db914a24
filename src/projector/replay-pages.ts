// The records of a topic, taken from the log again page by page for a build by replay. A page holds whole appends: as many as have so
// many records of the topic, or all up to the frontier. So where a page ends is a function of the log, and a build's step derives the
// same on every process. A page stays what it is until the one behind it is asked for.
import { RecordSet, type Append } from '../core/record.js';

export interface ReplayPage {
  readonly appends: readonly Append[];
  /** Where the next page begins. */
  readonly upTo: number;
  /** Everything up to the frontier is in this page and those before. */
  readonly atEnd: boolean;
}

export class ReplayPages {
  readonly #read: (after: number) => AsyncIterable<readonly Append[]>;
  readonly #topic: string;
  #iterator: AsyncIterator<readonly Append[]> | undefined;
  /** Read and not given yet. */
  #ahead: Append[] = [];
  #at = -1;
  #page: { readonly after: number; readonly page: ReplayPage } | undefined;

  constructor(read: (after: number) => AsyncIterable<readonly Append[]>, topic: string) {
    this.#read = read;
    this.#topic = topic;
  }

  /** The page that was asked for last. */
  get last(): { readonly after: number; readonly page: ReplayPage } | undefined {
    return this.#page;
  }

  /** The page behind `after`, with at least `rows` records unless the frontier comes first. */
  async next(after: number, frontier: number, rows: number): Promise<ReplayPage> {
    if (this.#page?.after === after && !(this.#page.page.atEnd && this.#page.page.upTo < frontier))
      return this.#page.page;
    if (this.#at !== after) await this.#begin(after);
    const appends: Append[] = [];
    let count = 0;
    let upTo = after;
    let atEnd = false;
    for (let fresh = this.#iterator === undefined; count < rows;) {
      const append = this.#ahead[0];
      if (append === undefined) {
        this.#iterator ??= this.#read(upTo)[Symbol.asyncIterator]();
        const { value, done } = await this.#iterator.next();
        if (done !== true) {
          this.#ahead = [...(value as readonly Append[])];
          continue;
        }
        this.#iterator = undefined;
        // It may have been opened when less was in the log.
        atEnd = fresh;
        if (atEnd) break;
        fresh = true;
      } else if (append.seq > frontier) {
        atEnd = true;
        break;
      } else {
        this.#ahead.shift();
        appends.push(append);
        upTo = append.seq;
        // One that lies in a file is usable only until the next is asked for, and so long that it is a page by itself.
        count = append.records instanceof RecordSet ? count + this.#countIn(append) : rows;
      }
    }
    if (atEnd) upTo = frontier;
    this.#at = upTo;
    const page = { appends, upTo, atEnd };
    this.#page = { after, page };
    return page;
  }

  async #begin(after: number): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#ahead = [];
    this.#at = after;
    await iterator?.return?.();
  }

  #countIn({ records }: Append): number {
    const topic = records.topics.indexOf(this.#topic);
    if (topic < 0) return 0;
    if (records.topics.length === 1) return records.count;
    let count = 0;
    for (let i = 0; i < records.count; i++) if (records.topic(i) === this.#topic) count++;
    return count;
  }
}
