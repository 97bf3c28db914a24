// Subscriptions to a table: current rows if wanted, then every later change once and in order. A subscription is only a place in the
// log's sequence; it reads the shared channel, or the change feed where it is further behind. States of one, with the invariants:
//   snapshot -> changes -> ended
//   1. every id that was handed out is a place from which another subscription goes on without gap and without repeat
//   2. changes are handed out strictly rising by (seq, index)
//   3. what is read, printed and handed out at once is a page of bounded size, which may end in the middle of an append
//   4. a page of the snapshot is one cut; the snapshot's place is the version of its first page, so that changes made while later
//      pages were read are told again and folding all events gives the table (`caught-up` tells when)
import type { Row, RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { staleness, type Standing } from '../core/freshness.js';
import type { Logger } from '../core/logger.js';
import { comparePlaces, parseEventId, printVersion, rebuiltIndex, type EventId, type Place } from '../core/version.js';
import type { Frontier, ReadSession, StateReader, TableFrontier } from '../store/state-store.js';
import {
  ChangeChannel,
  countUpTo,
  createChangePrinter,
  type ChangePrinter,
  type PrintedChange,
} from './change-channel.js';
import type { Ages } from './freshness.js';
import { snapshotTrouble } from './hidden-table.js';
import { parseKeyText, printKeyText } from './key-text.js';
import type { ChangeItem, NumberStyle, SubscribeOptions } from './query-facade.js';
import { keyPrinter, rowPrinter } from './printers.js';
import { shown, shownChange, type RowStep } from './shown-rows.js';
import { caughtUp, standingMark, type Told } from './standing-mark.js';

export interface SubscriptionLimits {
  /** Of changes in one read of the feed: of a page, which a subscriber that takes nothing holds. */
  readonly readBytes: number;
  readonly snapshotPageRows: number;
  /** Of printed changes that a table's subscribers share. */
  readonly cacheBytes: number;
}
const limitsDefault: SubscriptionLimits = {
  readBytes: 256 * 1024,
  snapshotPageRows: 2_000,
  cacheBytes: 1024 * 1024,
};

/** How often it is looked whether a table has become stale, or is current again. */
const lookMs = 500;

interface Held {
  /** What the rows of the table contain, as last seen. */
  frontier: TableFrontier;
  /** How it stood when that was looked at last. */
  standing: Standing | undefined;
  /** Of the table as it was when the channel was opened: one that is made again under its name is another. */
  readonly tableId: number;
  /** As last seen: the source's table may get other columns. */
  schema: RowSchema;
  readonly channel: ChangeChannel;
  printer: ChangePrinter;
  readonly printerOf: (schema: RowSchema) => ChangePrinter;
}

export class Subscriptions {
  readonly #reader: StateReader;
  readonly #logger: Logger;
  readonly #limits: SubscriptionLimits;
  readonly #held = new Map<string, Held>();
  readonly #ages: Ages;
  #watch: NodeJS.Timeout | undefined;

  constructor(reader: StateReader, ages: Ages, logger: Logger, limits: SubscriptionLimits = limitsDefault) {
    this.#reader = reader;
    this.#ages = ages;
    this.#logger = logger;
    this.#limits = limits;
  }

  get count(): number {
    let count = 0;
    for (const { channel } of this.#held.values()) count += channel.subscribers;
    return count;
  }

  /** The engine has committed. */
  wake(): void {
    for (const { channel } of this.#held.values()) channel.wake();
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
    const { signal } = options;
    const start = this.#start(options);
    const key = `${start.table}\n${start.tableId}\n${options.numbers ?? 'strings'}`;
    const held = this.#hold(key, start, options.numbers ?? 'strings');
    const waiter = held.channel.waiter(signal);
    held.channel.subscribers++;
    try {
      let place: Place = start.place;
      // How the table stands, as it was told last; who goes on from a place takes it to be current.
      let told: Told = caughtUp;
      const stand = (): readonly ChangeItem[] => {
        const { frontier, printer } = held;
        const age = this.#ages.ofTable(held.tableId, frontier);
        const stands = standingMark({ frontier, age, place, told }, printer);
        if (stands === undefined) return [];
        told = stands.told;
        return stands.item ? [stands.item] : [];
      };
      yield [];
      if (start.snapshot) {
        yield* this.#snapshot(start.table, held, start.place, start.snapshot.after, signal);
        // Broken off: to go on behind the mark would leave out the rest of the rows.
        if (signal.aborted) return;
        told = undefined;
        const mark = stand();
        if (mark.length > 0) yield mark;
      }
      while (!signal.aborted) {
        const { changes, next, more } = this.#changesAfter(start.table, held, place);
        if (changes.length > 0) yield changes.map(({ item }) => item);
        place = next;
        if (more) await turn();
        else if (changes.length === 0) {
          const mark = stand();
          if (mark.length > 0) yield mark;
          await waiter.changed();
        }
      }
    } finally {
      waiter.close();
      this.#leave(key, held);
    }
  }

  /** The same changes as rows, for push queries: current rows first if wanted (`before` null). */
  async *rows(options: {
    readonly table: string;
    readonly snapshot: boolean;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly RowStep[]> {
    const { signal } = options;
    const start = this.#start({ ...options, after: undefined });
    const key = `${start.table}\n${start.tableId}\nrows`;
    const held = this.#hold(key, start, 'literals');
    const waiter = held.channel.waiter(signal);
    held.channel.subscribers++;
    try {
      let place: Place = start.place;
      if (options.snapshot) {
        let after: Row | undefined;
        for (;;) {
          const page = this.#page(start.table, held, after);
          if (page.length > 0)
            yield page.map(({ row, rowtimeMs }) => ({ before: null, after: shown(row, held, start), rowtimeMs }));
          if (page.length < this.#limits.snapshotPageRows || signal.aborted) break;
          after = held.schema.keyColumns.map((i) => page.at(-1)!.row[i]!);
        }
      }
      while (!signal.aborted) {
        const { read, frontier } = this.#session(start.table, held, (session) => ({
          read: session.changes(start.table, place, this.#limits.readBytes),
          frontier: session.frontier,
        }));
        const end = endOf(frontier);
        held.channel.extend([], end);
        place = read.next;
        if (read.changes.length > 0) yield read.changes.map((change) => shownChange(change, held, start));
        if (comparePlaces(place, end) < 0) await turn();
        else if (read.changes.length === 0) await waiter.changed();
      }
    } finally {
      waiter.close();
      this.#leave(key, held);
    }
  }

  #leave(key: string, held: Held): void {
    held.channel.subscribers--;
    if (held.channel.subscribers > 0) return;
    this.#held.delete(key);
    if (this.#held.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** What ages, ages without a commit: whoever waits for one looks again when another thing is to be said. */
  #look(): void {
    for (const held of this.#held.values()) {
      const standing = staleness(this.#ages.ofTable(held.tableId, held.frontier));
      if (standing === held.standing) continue;
      held.standing = standing;
      held.channel.wake();
    }
  }

  #start(options: SubscribeOptions) {
    try {
      return this.#begin(options);
    } catch (error) {
      throw snapshotTrouble(error, this.#ages);
    }
  }

  #begin({ table, snapshot, after }: SubscribeOptions) {
    const session = this.#reader.session();
    try {
      const { frontier } = session;
      const { spec, frontier: reached } = session.table(table);
      const head = frontier.seq;
      const here: EventId = { logId: frontier.logId, ...endOf(frontier) };
      const base = { table: spec.name, tableId: spec.id, schema: spec.schema, head: here, frontier: reached };
      if (after === undefined)
        return { ...base, place: here, snapshot: snapshot ? { after: undefined as Row | undefined } : undefined };
      const broken = /^([^~]*)~(.*)$/s.exec(after);
      const place = parseEventId(broken ? broken[1]! : after);
      if (place.logId !== frontier.logId) {
        throw new AppError('too-old', `${after} is a place in another log`, {
          detail: `this log is ${frontier.logId}: the data folder was restored, cleared, or belongs to another process`,
          hint: 'start again with ?snapshot=true',
        });
      }
      if (place.seq > head) {
        throw new AppError('too-old', `${after} lies behind the end of the log (${head})`, {
          hint: 'start again with ?snapshot=true',
        });
      }
      // Asked for now, so that a subscriber hears 410 at once and not after the first change.
      session.changes(spec.name, place, 1);
      if (!broken) return { ...base, place, snapshot: undefined };
      return {
        ...base,
        place,
        snapshot: { after: parseKeyText(broken[2]!, spec.schema, spec.name) as Row | undefined },
      };
    } finally {
      session.close();
    }
  }

  #hold(
    key: string,
    start: {
      readonly table: string;
      readonly tableId: number;
      readonly schema: RowSchema;
      readonly head: Place;
      readonly place: EventId;
      readonly frontier: TableFrontier;
    },
    numbers: NumberStyle,
  ): Held {
    const { table, tableId, schema, head } = start;
    const existing = this.#held.get(key);
    if (existing) {
      existing.frontier = start.frontier;
      return existing;
    }
    const printerOf = (of: RowSchema) =>
      createChangePrinter(start.place.logId, of, rowPrinter(of, numbers), keyPrinter(of, numbers));
    const held: Held = {
      frontier: start.frontier,
      standing: staleness(this.#ages.ofTable(tableId, start.frontier)),
      tableId,
      schema,
      channel: new ChangeChannel(head, this.#limits.cacheBytes),
      printer: printerOf(schema),
      printerOf,
    };
    this.#held.set(key, held);
    this.#watch ??= setInterval(() => this.#look(), lookMs).unref();
    this.#logger.debug('subscription channel opened', { table });
    return held;
  }

  async *#snapshot(
    table: string,
    held: Held,
    place: EventId,
    resume: Row | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ChangeItem[]> {
    const version = printVersion(place);
    let after = resume;
    while (!signal.aborted) {
      const page = this.#page(table, held, after);
      if (page.length === 0) return;
      const keyOf = (row: Row) => held.schema.keyColumns.map((i) => row[i]!);
      yield page.map(({ row, rowtimeMs }) =>
        held.printer.row(`${version}~${printKeyText(keyOf(row), held.schema)}`, row, rowtimeMs * 1000),
      );
      if (page.length < this.#limits.snapshotPageRows) return;
      after = keyOf(page.at(-1)!.row);
      await turn();
    }
  }

  #page(table: string, held: Held, after: Row | undefined) {
    return this.#session(table, held, (session) => {
      const rows = [];
      for (const row of session.scan({ table, after })) {
        rows.push(row);
        if (rows.length === this.#limits.snapshotPageRows) break;
      }
      return rows;
    });
  }

  /** A cut in which the table is still the one that was subscribed to. */
  #session<T>(table: string, held: Held, read: (session: ReadSession) => T): T {
    const session = this.#reader.session();
    try {
      const { spec, frontier } = session.table(table);
      if (spec.id !== held.tableId) {
        throw new AppError('too-old', `table ${table} was dropped and made again`, {
          hint: 'start again with ?snapshot=true',
        });
      }
      held.frontier = frontier;
      // Readers share one object as long as the table is as it was.
      if (spec.schema !== held.schema) {
        held.schema = spec.schema;
        held.printer = held.printerOf(spec.schema);
      }
      return read(session);
    } finally {
      session.close();
    }
  }

  #changesAfter(table: string, held: Held, place: Place): ChangesAfter {
    const { channel } = held;
    // The place is at the channel's end: bring the channel up to date once for everybody.
    if (channel.stale && comparePlaces(place, channel.head) >= 0) this.#extend(table, held, place);
    const { head } = channel;
    const cached = channel.after(place, this.#limits.readBytes);
    if (cached !== undefined) return { ...cached, more: channel.stale || comparePlaces(cached.next, head) < 0 };
    const { changes, next } = this.#read(table, held, place);
    if (comparePlaces(next, head) < 0) return { changes, next, more: true };
    // Not beyond the channel's end: from there on it is read for everybody.
    return { changes: changes.slice(0, countUpTo(changes, head)), next: head, more: channel.stale };
  }

  #extend(table: string, held: Held, place: Place): void {
    const { channel } = held;
    // Who has stood at the channel's end since then does not read; what it has left unread is not the others' to wait for.
    if (comparePlaces(place, channel.head) > 0) channel.skipTo(place);
    const read = this.#read(table, held, channel.head);
    channel.extend(read.changes, read.next);
    if (comparePlaces(read.next, read.end) < 0) channel.wake();
  }

  #read(table: string, held: Held, place: Place) {
    return this.#session(table, held, (session) => {
      const { frontier } = session;
      const read = session.changes(table, place, this.#limits.readBytes);
      const changes: PrintedChange[] = read.changes.map((change) => held.printer.change(change));
      for (const seq of read.rebuilt) insertMark(changes, seq, held.printer.mark(markId(frontier, seq), 'rebuilt'));
      for (const seq of read.altered) insertMark(changes, seq, held.printer.schema(markId(frontier, seq)));
      return { changes, next: read.next, end: endOf(frontier) };
    });
  }
}

interface ChangesAfter {
  readonly changes: readonly PrintedChange[];
  readonly next: Place;
  /** There may be more already. */
  readonly more: boolean;
}

function markId({ logId }: Frontier, seq: number): string {
  return `${logId}:${seq}.${rebuiltIndex}`;
}

/** A mark stands behind all changes of its append: that of a rebuild behind the differences that it emitted. */
function insertMark(changes: PrintedChange[], seq: number, item: ChangeItem): void {
  const place = { seq, index: rebuiltIndex };
  changes.splice(countUpTo(changes, place), 0, { ...place, item });
}

function endOf({ seq }: Frontier): Place {
  return { seq, index: Number.POSITIVE_INFINITY };
}

/** Other requests get their turn between two pages. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
