// A subscriber of one table: takes the snapshot and then the changes, at its own pace, is broken off anywhere and goes on behind the last
// id that it got, on the same process or on the next. What it has folded is the table at every moment at which it has caught up, and
// each change begins where the row was left: a gap or a repeat shows at once.
import { toAppError } from '../../src/core/errors.js';
import { parseEventId } from '../../src/core/version.js';
import type { ChangeItem } from '../../src/query/query-facade.js';
import type { Dice } from '../support/harness/dice.js';
import type { SimulatedProcess } from './process.js';

/** Pages are cut by the memory that changes take, which is more than what is printed of them needs where rows are small. */
const pageCharactersMax = 2000;

interface Printed {
  readonly key: unknown;
  readonly before: unknown;
  readonly after: unknown;
}

export interface SubscriberEnv {
  readonly dice: Dice;
  readonly note: (text: string) => void;
  readonly breach: (text: string) => void;
}

export class SubscriberActor {
  readonly table: string;
  readonly name: string;
  readonly #env: SubscriberEnv;
  readonly #rows = new Map<string, unknown>();
  #process: SimulatedProcess | undefined;
  #stream: AsyncIterator<readonly ChangeItem[]> | undefined;
  #stop = new AbortController();
  #taking = false;
  /** The newest attempt found no table to read. */
  #isRefused = false;
  #last: string | undefined;
  /** Up to here changes may be told of rows that the snapshot gave in a later state; undefined: it is still being told. */
  #snapshotSeq: number | undefined;

  constructor(table: string, env: SubscriberEnv) {
    this.table = table;
    this.name = `subscriber of ${table}`;
    this.#env = env;
  }

  /** That it was told by last. */
  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  /** It waits for a change, or for its table to be there. */
  isIdle(process: SimulatedProcess): boolean {
    return this.#process === process && (this.#taking || this.#isRefused);
  }

  act(process: SimulatedProcess, lively: boolean): boolean {
    if (this.#process !== process) {
      this.#process = process;
      this.#stream = undefined;
      this.#taking = false;
    }
    const { dice } = this.#env;
    if (lively && this.#stream !== undefined && dice.chance(0.05)) return this.#breakOff();
    if (this.#taking) return false;
    // There is nothing to read, and maybe nobody makes it.
    if (this.#isRefused && lively && dice.chance(0.8)) return false;
    if (this.#stream === undefined) this.#begin(process);
    this.#take(process);
    return true;
  }

  #begin(process: SimulatedProcess): void {
    this.#stop = new AbortController();
    const after = this.#last;
    const start = after === undefined ? { snapshot: true } : { snapshot: false, after };
    this.#stream = process.subscriptions
      .subscribe({ table: this.table, ...start, signal: this.#stop.signal })
      [Symbol.asyncIterator]();
  }

  #breakOff(): boolean {
    this.#env.note(`subscriber of ${this.table} goes on behind ${this.#last?.slice(this.#last.indexOf(':'))}`);
    this.#stop.abort();
    this.#stream = undefined;
    this.#taking = false;
    return true;
  }

  #take(process: SimulatedProcess): void {
    const stream = this.#stream!;
    this.#taking = true;
    const current = (): boolean => this.#stream === stream && this.#process === process && process.state === 'up';
    stream.next().then(
      ({ value, done }) => {
        if (!current()) return;
        this.#taking = false;
        this.#isRefused = false;
        if (done === true) this.#stream = undefined;
        else this.#takePage(value, process);
      },
      (error: unknown) => {
        if (!current()) return;
        this.#taking = false;
        this.#stream = undefined;
        const { code, message } = toAppError(error);
        this.#env.note(`subscriber of ${this.table}: ${code}`);
        if (!['too-old', 'unknown-table', 'snapshotting', 'detached'].includes(code))
          this.#env.breach(`a subscriber of ${this.table} was told ${code}: ${message}`);
        this.#isRefused = code !== 'too-old';
        if (code === 'snapshotting' || code === 'detached') return;
        this.#forget();
      },
    );
  }

  /** It has to begin again: the table is another one, or the feed no longer reaches back. */
  #forget(): void {
    this.#last = undefined;
    this.#snapshotSeq = undefined;
    this.#rows.clear();
  }

  #takePage(page: readonly ChangeItem[], process: SimulatedProcess): void {
    // The row that passes the bound is the last one.
    const held = page.slice(0, -1).reduce((sum, { json }) => sum + json.length, 0);
    if (page.length > 1 && page[0]!.op !== 'r' && held > pageCharactersMax)
      this.#env.breach(`a subscriber of ${this.table} is handed a page of ${held} characters and one more change`);
    for (const item of page) this.#apply(item, process);
  }

  #apply({ id, op, json }: ChangeItem, process: SimulatedProcess): void {
    this.#last = id;
    if (op === 'caught-up') this.#snapshotSeq = process.session(({ frontier }) => frontier.seq);
    if (op === 'caught-up' || op === 'rebuilt' || op === 'stopped') return;
    const { key, before, after } = JSON.parse(json) as Printed;
    const name = JSON.stringify(key);
    const held = this.#rows.get(name) ?? null;
    const isBehind = this.#snapshotSeq !== undefined && parseEventId(id).seq > this.#snapshotSeq;
    if (isBehind && JSON.stringify(held) !== JSON.stringify(before)) {
      this.#env.breach(
        `subscriber of ${this.table}: change ${id} begins at ${JSON.stringify(before)}, the row was ${JSON.stringify(held)}`,
      );
    }
    if (after === null) this.#rows.delete(name);
    else this.#rows.set(name, after);
  }

  /** Everything was told: compared with the rows of the table as the same printer writes them, without order. */
  check(rows: readonly string[]): void {
    if (this.#stream === undefined || this.#snapshotSeq === undefined) return;
    const folded = JSON.stringify([...this.#rows.values()].map((row) => JSON.stringify(row)).toSorted());
    if (folded !== JSON.stringify(rows.toSorted()))
      this.#env.breach(`subscriber of ${this.table} has ${folded}, the table is ${JSON.stringify(rows)}`);
  }
}
