// What the reader keeps of XA transactions: the events of one that is being read, since only its end tells whether its rows count now
// (ONE PHASE) or at an XA COMMIT to come; and those that are prepared.
import { qualifiedName } from '../../core/table-name.js';
import { eventType, header, headerSize, isRowsEvent, parseXaPrepare } from './binlog-event.js';
import type { CapturedTables } from './captured-tables.js';
import { EventSpool } from './event-spool.js';
import type { EventsWithin } from './events-within.js';
import type { Group } from './open-group.js';
import type { FileOffset, StreamPosition } from './position.js';
import { anyOther, printPrepared, type Prepared } from './prepared.js';
import type { PreparedBefore } from './prepared-before.js';
import { tableMapName } from './table-map.js';

interface Open {
  readonly prepared: Prepared;
  /** Undefined: there are no rows, or they have not come again. */
  events: EventSpool | undefined;
}

/** What a group comes to. `rows`: they come from within, and then its last event once more; `known`: it was read before. */
export type XaEnd = 'rows' | 'known' | 'end';

export class XaTransactions {
  readonly #tables: CapturedTables;
  readonly #within: EventsWithin;
  readonly #open = new Map<string, Open>();
  /** Of the transaction that is being read: its events, the numbers of captured tables in it, and the names of all. */
  #events: EventSpool | undefined;
  readonly #maps = new Set<number>();
  readonly #touched = new Set<string>();
  /** Of captured tables. */
  #hasRows = false;
  /** The event that commits the rows which come from within. */
  #committing: Buffer | undefined;
  #text: string;
  #foreseen: { readonly before: PreparedBefore; readonly reached: (place: FileOffset) => boolean } | undefined;

  constructor(tables: CapturedTables, prepared: readonly Prepared[], within: EventsWithin) {
    this.#tables = tables;
    this.#within = within;
    for (const each of prepared) this.#open.set(each.xid, { prepared: each, events: undefined });
    this.#text = printPrepared(prepared);
  }

  /**
   * Of those that were prepared before the stream began: what is known holds of what is read once `reached` says so of its end, which it
   * says between two groups alone: of the group that ends there it does not hold.
   */
  foresee(before: PreparedBefore | undefined, reached: (place: FileOffset) => boolean): void {
    if (before !== undefined) this.#foreseen = { before, reached };
  }

  #look(): void {
    if (this.#foreseen === undefined || !this.#foreseen.reached(this.#foreseen.before.end)) return;
    const tables = this.#foreseen.before.tables.map((name) => this.#tables.known.fold(name));
    this.#foreseen = undefined;
    // Where nothing was locked none was prepared, and none is to come.
    if (tables.length === 0) return;
    this.#open.set(anyOther, { prepared: { xid: anyOther, id: '', tables, from: null }, events: undefined });
    this.#changed();
  }

  get prepared(): readonly Prepared[] {
    this.#look();
    return Array.from(this.#open.values(), ({ prepared }) => prepared);
  }

  /** Part of the position's text. */
  get text(): string {
    this.#look();
    return this.#text;
  }

  /** An event of the transaction that is being read: a table map, rows, their statement, or one about savepoints. */
  hold(event: Buffer): void {
    switch (header.type(event)) {
      case eventType.tableMap: {
        const number = event.readUIntLE(headerSize, 6);
        const { database, table } = tableMapName(event, headerSize);
        // Another configuration may capture it by the time of the commit.
        this.#touched.add(this.#tables.known.fold(qualifiedName({ database, table })));
        if (!this.#tables.filter.matches(database, table)) {
          this.#maps.delete(number);
          return;
        }
        this.#maps.add(number);
        this.#hasRows = true;
        break;
      }
      case eventType.query:
      case eventType.rowsQuery:
      case eventType.mariadbAnnotateRows:
        break;
      default:
        if (!isRowsEvent(header.type(event)) || !this.#maps.has(event.readUIntLE(headerSize, 6))) return;
    }
    this.#events ??= new EventSpool();
    this.#events.add(event);
  }

  /** XA PREPARE, or XA COMMIT ... ONE PHASE, of the transaction that is being read. */
  ended(event: Buffer, group: Group | undefined, position: StreamPosition): XaEnd {
    if (group === undefined || this.#isCommitting(event)) return 'end';
    const { onePhase, xid } = parseXaPrepare(event);
    const id = group.id?.text ?? group.place ?? '';
    const tables = [...this.#touched];
    const hasRows = this.#hasRows;
    if (!hasRows) this.#events?.close();
    const events = hasRows ? this.#events : undefined;
    this.#events = undefined;
    this.#hasRows = false;
    this.#maps.clear();
    this.#touched.clear();
    group.xa = false;
    if (group.kind === 'wanted') {
      const open = this.#open.get(xid);
      if (open?.prepared.id === id && open.events === undefined) open.events = events;
      else events?.close();
      return 'known';
    }
    if (onePhase) {
      this.#read(events, event, () => events?.close());
      return 'rows';
    }
    this.#open.get(xid)?.events?.close();
    // Behind the others, in the order in which they are prepared.
    this.#open.delete(xid);
    const from = hasRows ? placeBefore(group, position, id) : null;
    this.#open.set(xid, { prepared: { xid, id, tables, from }, events });
    this.#changed();
    return 'end';
  }

  /**
   * An XA COMMIT. Its transaction stays until `end`, since its rows may be handed over in parts. `lose` is told of tables whose rows cannot
   * be had; undefined: which they are is not known either.
   */
  committed(
    event: Buffer,
    xid: string | undefined,
    group: Group | undefined,
    lose: (tables: readonly string[] | undefined) => void,
  ): XaEnd {
    if (this.#isCommitting(event)) return 'end';
    if (group !== undefined) group.ends = xid;
    const open = xid === undefined ? undefined : (this.#open.get(xid) ?? this.#open.get(anyOther));
    if (open?.events !== undefined) {
      this.#read(open.events, event, () => {});
      return 'rows';
    }
    const tables = open?.prepared.tables.filter((name) => this.#tables.known.matches(name));
    if (tables === undefined || tables.length > 0) lose(tables);
    return 'end';
  }

  /** This event has come once more: all rows that it commits have been read. */
  #isCommitting(event: Buffer): boolean {
    if (this.#committing !== event) return false;
    this.#committing = undefined;
    return true;
  }

  #read(events: EventSpool | undefined, committing: Buffer, close: () => void): void {
    this.#committing = committing;
    const source = events?.read();
    let ended = false;
    this.#within.begin({
      next() {
        if (ended) return undefined;
        const event = source?.next();
        ended = event === undefined;
        return event ?? committing;
      },
      close,
    });
  }

  /** It is committed, or rolled back. */
  end(xid: string): void {
    this.#open.get(xid)?.events?.close();
    if (this.#open.delete(xid)) this.#changed();
  }

  #changed(): void {
    this.#text = printPrepared(Array.from(this.#open.values(), ({ prepared }) => prepared));
  }

  close(): void {
    this.#within.close();
    this.#events?.close();
    for (const { events } of this.#open.values()) events?.close();
  }
}

/** What the stream has to begin behind for the group to come again (prepared.ts). */
function placeBefore({ gtid }: Group, position: StreamPosition, id: string): string {
  const isMariadb = position.kind === 'mariadb-gtid' && gtid !== undefined && 'domain' in gtid;
  return isMariadb ? position.gtids.lastOf(gtid.domain) : id;
}
