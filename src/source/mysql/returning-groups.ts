// Groups that come once more, because the stream begins before the position: those of prepared transactions, which are wanted, and what
// lies between them and the position, which is passed over.
import { eventType, header, parseQuery } from './binlog-event.js';
import { inflateEvent, isCompressed, isCompressedQuery } from './compressed-event.js';
import type { Gtid } from './gtid-set.js';
import { parseMariadbGtid, type MariadbGtid } from './mariadb-gtid.js';
import { compareOffsets, type FileOffset, type StreamPosition } from './position.js';
import type { Prepared } from './prepared.js';
import { rewound } from './source-error.js';
import { classify } from './statement.js';
import { domainOf } from './stream-begin.js';

/** `wanted`: of a transaction that is still prepared. */
export type GroupKind = 'new' | 'wanted' | 'known';

export class ReturningGroups {
  readonly #position: StreamPosition;
  /** Ids of prepared transactions that have not come yet. */
  readonly #awaited: Set<string>;
  /** MariaDB: the last known transaction by domain, of those in which something comes again. */
  readonly #last = new Map<string, MariadbGtid & { readonly text: string }>();
  #expected: boolean;

  /** `begin`: where the stream begins; `position`: what is handed over. */
  constructor(begin: StreamPosition, position: StreamPosition, prepared: readonly Prepared[]) {
    this.#position = position;
    this.#awaited = new Set(prepared.filter(({ from }) => from !== null).map(({ id }) => id));
    if (position.kind === 'mariadb-gtid') {
      const known = new Map(
        position.gtids
          .toString()
          .split(',')
          .map((gtid) => [domainOf(gtid), gtid] as const),
      );
      for (const id of this.#awaited) {
        const text = known.get(domainOf(id))!;
        this.#last.set(domainOf(id), { ...parseMariadbGtid(text), text });
      }
    }
    this.#expected =
      position.kind === 'file' && begin.kind === 'file'
        ? compareOffsets(begin.at, position.at) === -1
        : this.#awaited.size > 0;
  }

  /** Some may still come. */
  get expected(): boolean {
    return this.#expected;
  }

  /** Of the group that begins. `place`: where it begins. */
  kindOf(gtid: Gtid | MariadbGtid | undefined, id: string, place: FileOffset): GroupKind {
    const isKnown = this.#isKnown(gtid, id, place);
    if (!isKnown) return 'new';
    const isAwaited = this.#awaited.delete(id);
    if (this.#position.kind === 'mysql-gtid') this.#expected = this.#awaited.size > 0;
    return isAwaited ? 'wanted' : 'known';
  }

  #isKnown(gtid: Gtid | MariadbGtid | undefined, id: string, place: FileOffset): boolean {
    const position = this.#position;
    switch (position.kind) {
      case 'mysql-gtid':
        return gtid !== undefined && 'uuid' in gtid && position.gtids.has(gtid);
      case 'mariadb-gtid': {
        // Without gtid_strict_mode the numbers of a domain may run backwards, so the last one is known again by its text only. Those of one
        // server do not: behind a later one of it the last one does not come any more.
        const last = this.#last.get(domainOf(id));
        if (last?.text === id) this.#last.delete(domainOf(id));
        else if (last && gtid && 'server' in gtid && gtid.server === last.server && gtid.sequence > last.sequence) {
          throw rewound(`it has transaction ${id} and not ${last.text}, which we have seen`);
        }
        this.#expected = this.#last.size > 0;
        return last !== undefined;
      }
      case 'file':
        this.#expected = compareOffsets(place, position.at) === -1;
        return this.#expected;
    }
  }
}

const borders: ReadonlySet<number> = new Set([
  eventType.gtid,
  eventType.anonymousGtid,
  eventType.gtidTagged,
  eventType.mariadbGtid,
  eventType.rotate,
  eventType.heartbeat,
  eventType.formatDescription,
]);

/** An event of the inside of a group. */
export function isInside(event: Buffer): boolean {
  return !borders.has(header.type(event));
}

/** Whether this event ends the group, which is passed over; it counts as begun where a BEGIN was. */
export function endsGroup(event: Buffer, group: { begun: boolean }, eventBytesMax: number): boolean {
  // Rows end none.
  if (isCompressed(event))
    return isCompressedQuery(event) && endsGroup(inflateEvent(event, eventBytesMax), group, eventBytesMax);
  switch (header.type(event)) {
    case eventType.xid:
    case eventType.xaPrepare:
    case eventType.transactionPayload:
      return true;
    case eventType.query:
      break;
    default:
      return false;
  }
  switch (classify(parseQuery(event).sql).kind) {
    case 'begin':
    case 'xa-start':
      group.begun = true;
      return false;
    case 'commit':
    case 'rollback':
    case 'xa-commit':
    case 'xa-rollback':
      return true;
    case 'savepoint':
    case 'rollback-to':
    case 'xa-end':
      return false;
    case 'rows':
    case 'create-table':
    case 'table-change':
    case 'drop-database':
    case 'neutral':
      return !group.begun;
  }
}
