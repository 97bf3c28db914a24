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
import { rowBytes } from '../core/row-size.js';
import { comparePlaces, parseEventId, printVersion, rebuiltIndex, type EventId, type Place } from '../core/version.js';
import type { Frontier, ReadSession, StateReader, StoredRow, TableFrontier } from '../store/state-store.js';
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
import { Page } from './page.js';
import type { ChangeItem, NumberStyle, SubscribeOptions } from './query-facade.js';
import { keyPrinter, rowPrinter } from './printers.js';
import { shown, shownChange, type RowStep } from './shown-rows.js';
import { limitsDefault, type SubscriptionLimits } from './subscription-limits.js';
import { Turns } from './turns.js';
import { caughtUp, standingMark, type Told } from './standing-mark.js';

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
  readonly #turns = new Turns();
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
        const { page, next, more } = this.#itemsAfter(start.table, held, place);
        if (page.count > 0) yield page.take();
        place = next;
        if (more) await this.#turns.next();
        else if (page.count === 0) {
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
          await this.#turns.next();
          if (signal.aborted) break;
          const { page, ends, last } = this.#page(start.table, held, after, ({ row, rowtimeMs }): RowStep => {
            return { before: null, after: shown(row, held, start), rowtimeMs };
          });
          if (page.count > 0) yield page.take();
          if (ends || signal.aborted) break;
          after = last;
        }
      }
      while (!signal.aborted) {
        const { page, next, end } = this.#session(start.table, held, (session) => {
          const { changes, next: behind } = session.changes(start.table, place, this.#limits.readBytes);
          const steps = new Page(changes.map((change) => shownChange(change, held, start)));
          return { page: steps, next: behind, end: endOf(session.frontier) };
        });
        held.channel.extend([], end);
        place = next;
        if (page.count > 0) yield page.take();
        if (comparePlaces(place, end) < 0) await this.#turns.next();
        else if (page.count === 0) await waiter.changed();
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
    for (;;) {
      await this.#turns.next();
      if (signal.aborted) return;
      const { page, ends, last } = this.#page(table, held, after, ({ row, rowtimeMs }) => {
        const key = printKeyText(keyOf(row, held.schema), held.schema);
        return held.printer.row(`${version}~${key}`, row, rowtimeMs * 1000);
      });
      if (page.count > 0) yield page.take();
      if (ends) return;
      after = last;
    }
  }

  /** `last`: the key to go on behind. */
  #page<T>(table: string, held: Held, after: Row | undefined, shownAs: (stored: StoredRow) => T) {
    const { snapshotPageRows, snapshotBytes } = this.#limits;
    return this.#session(table, held, (session) => {
      const rows: T[] = [];
      let bytes = 0;
      for (const stored of session.scan({ table, after, bytesMax: snapshotBytes })) {
        rows.push(shownAs(stored));
        bytes += rowBytes(stored.row);
        if (rows.length === snapshotPageRows || bytes >= snapshotBytes)
          return { page: new Page(rows), ends: false, last: keyOf(stored.row, held.schema) };
      }
      return { page: new Page(rows), ends: true, last: undefined };
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

  #itemsAfter(table: string, held: Held, place: Place) {
    const { changes, next, more } = this.#changesAfter(table, held, place);
    return { page: new Page(changes.map(({ item }) => item)), next, more };
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

function keyOf(row: Row, { keyColumns }: RowSchema): Row {
  return keyColumns.map((i) => row[i]!);
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
