// The newest changes of one table, printed once for all its subscribers. Holds a bounded stretch of the change feed's end; who is
// further behind reads the feed itself. Nothing is queued per subscriber: each has only a place, so a slow one costs no more than the
// page that it is handing out, and falls back to the feed, until the feed itself is too short (too-old).
import { printType, type Row, type RowSchema } from '../core/data-type.js';
import { comparePlaces, printEventId, type Place } from '../core/version.js';
import type { RowChange } from '../store/state-store.js';
import type { ChangeItem } from './query-facade.js';

export type RowPrinter = (row: Row) => string;

export interface PrintedChange extends Place {
  readonly item: ChangeItem;
}

export interface ChangePrinter {
  change(change: RowChange): PrintedChange;
  /** A row of the initial snapshot; `id` is where a broken-off snapshot goes on. */
  row(id: string, row: Row, commitTimeUs: number): ChangeItem;
  mark(id: string, op: 'rebuilt' | 'caught-up'): ChangeItem;
  /** The table has other columns from here on: these. */
  schema(id: string): ChangeItem;
  /** How the table stands, as members of the item. */
  stands(id: string, op: 'behind' | 'stopped', members: Readonly<Record<string, string | number>>): ChangeItem;
}

export function createChangePrinter(
  logId: string,
  schema: RowSchema,
  printRow: RowPrinter,
  printKey: (row: Row) => string,
): ChangePrinter {
  const json = (id: string, op: ChangeItem['op'], key: string, before: string, after: string, commitTimeUs: number) =>
    `{"id":"${id}","op":"${op}","key":${key},"before":${before},"after":${after},"commitTime":"${printMicros(commitTimeUs)}"}`;
  return {
    change({ seq, index, before, after, commitTimeUs }) {
      const id = printEventId({ logId, seq, index });
      const op = after === null ? 'd' : before === null ? 'c' : 'u';
      const text = json(
        id,
        op,
        printKey((after ?? before)!),
        before ? printRow(before) : 'null',
        after ? printRow(after) : 'null',
        commitTimeUs,
      );
      return { seq, index, item: { id, op, json: text } };
    },
    row: (id, row, commitTimeUs) => ({
      id,
      op: 'r',
      json: json(id, 'r', printKey(row), 'null', printRow(row), commitTimeUs),
    }),
    mark: (id, op) => ({ id, op, json: `{"id":"${id}","op":"${op}"}` }),
    schema: (id) => ({ id, op: 'schema', json: JSON.stringify({ id, op: 'schema', columns: shownColumns(schema) }) }),
    stands: (id, op, members) => ({ id, op, json: JSON.stringify({ id, op, ...members }) }),
  };
}

function shownColumns({ columns, keyColumns }: RowSchema) {
  return columns.map(({ name, type }, i) => ({ name, type: printType(type), key: keyColumns.includes(i) }));
}

/** ISO 8601 in UTC with microseconds. */
function printMicros(us: number): string {
  const whole = Math.floor(us / 1000);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(Math.round(us - whole * 1000)).padStart(3, '0')}Z`;
}

const cacheBytesDefault = 1024 * 1024;

export class ChangeChannel {
  /** All changes behind `from` and not behind `head` are in `#items`. */
  #from: Place;
  #head: Place;
  #items: PrintedChange[] = [];
  #bytes = 0;
  #waiting: (() => void)[] = [];
  /** Commits may hold more than is read here. */
  #stale = false;
  subscribers = 0;
  readonly #cacheBytes: number;

  constructor(head: Place, cacheBytes = cacheBytesDefault) {
    this.#from = head;
    this.#head = head;
    this.#cacheBytes = cacheBytes;
  }

  get head(): Place {
    return this.#head;
  }

  /** A commit happened: whoever waits looks again. */
  wake(): void {
    this.#stale = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  get stale(): boolean {
    return this.#stale;
  }

  /** Goes on at a later place: what lies between is read by those who want it. */
  skipTo(place: Place): void {
    this.#items = [];
    this.#bytes = 0;
    this.#from = place;
    this.#head = place;
  }

  /** Takes what the feed holds behind `head`, up to a place. */
  extend(changes: readonly PrintedChange[], head: Place): void {
    this.#stale = false;
    for (const change of changes) {
      this.#items.push(change);
      this.#bytes += change.item.json.length;
    }
    this.#head = head;
    if (this.#bytes > this.#cacheBytes) this.#trim();
  }

  #trim(): void {
    let drop = 0;
    while (this.#bytes > this.#cacheBytes / 2 && drop < this.#items.length)
      this.#bytes -= this.#items[drop++]!.item.json.length;
    const { seq, index } = this.#items[drop - 1]!;
    this.#from = { seq, index };
    this.#items.splice(0, drop);
  }

  /**
   * The changes behind a place that come first, up to about `characters`, and where they end; undefined when the cache does not reach
   * back to the place.
   */
  after(
    place: Place,
    characters: number,
  ): { readonly changes: readonly PrintedChange[]; readonly next: Place } | undefined {
    if (comparePlaces(place, this.#from) < 0) return undefined;
    const start = countUpTo(this.#items, place);
    let end = start;
    for (let length = 0; end < this.#items.length && length < characters; end++)
      length += this.#items[end]!.item.json.length;
    if (end < this.#items.length) {
      const { seq, index } = this.#items[end - 1]!;
      return { changes: this.#items.slice(start, end), next: { seq, index } };
    }
    // A subscription may begin ahead of the channel; it must not be put back.
    return { changes: this.#items.slice(start), next: comparePlaces(this.#head, place) > 0 ? this.#head : place };
  }

  /** Made once for a subscription: a listener of its signal for each commit would cost more than to hand the change out. */
  waiter(signal: AbortSignal): ChangeWaiter {
    let resume: (() => void) | undefined;
    const wake = () => {
      const waiting = resume;
      resume = undefined;
      waiting?.();
    };
    signal.addEventListener('abort', wake);
    return {
      changed: () => {
        if (this.#stale || signal.aborted) return Promise.resolve();
        return new Promise((resolve) => {
          resume = resolve;
          this.#waiting.push(wake);
        });
      },
      close: () => signal.removeEventListener('abort', wake),
    };
  }
}

/** How many of the changes, which are in order, are not behind the place. */
export function countUpTo(changes: readonly PrintedChange[], place: Place): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePlaces(changes[middle]!, place) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where one subscription waits for changes. */
export interface ChangeWaiter {
  /** Resolves at the next commit or when the signal aborts. */
  changed(): Promise<void>;
  close(): void;
}
