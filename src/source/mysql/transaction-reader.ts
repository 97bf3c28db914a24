// From events to appends: follows the groups of the binlog (a transaction, or a statement of its own), hands the rows of captured
// tables to their encoders as they come, and ends the append when the group commits. The binlog holds committed groups only, but
// for the odd ROLLBACK with a non-transactional table in it.
//
// What would make rows of captured tables unknown ends the task: statement-format changes, incomplete row images, partial JSON,
// compressed transactions, an XA transaction that is only prepared, DDL that is more than a new table.
import { AppError, assert } from '../../core/errors.js';
import { endsPerPositionMax, toldPositionLengthMax } from '../../core/append.js';
import type { ChunkBuilder } from '../../core/row-encoder.js';
import {
  eventType,
  header,
  headerSize,
  isQuery,
  parseGtid,
  parseHeartbeat,
  parseMariadbGtid,
  parseQuery,
  parseRotate,
  parseTaggedGtid,
} from './binlog-event.js';
import type { CapturedTables } from './captured-tables.js';
import { printGtid, type Gtid } from './gtid-set.js';
import { printMariadbGtid, type MariadbGtid } from './mariadb-gtid.js';
import { compareOffsets, printWithSnapshot, type FileOffset, type StreamPosition } from './position.js';
import { passOver } from './other-events.js';
import { readRows } from './rows-event.js';
import { refuseStatement } from './statement-format.js';
import type { Emptied } from './table-knowledge.js';
import { classify } from './statement.js';
import type { Collations, TableMap } from './table-map.js';
import { TableMaps } from './table-maps.js';

/** The open group. */
interface Group {
  gtid: Gtid | MariadbGtid | undefined;
  id: string | undefined;
  commitTimeUs: number;
  /** BEGIN was seen (MariaDB: implied): the group goes on until XID, COMMIT or ROLLBACK. */
  begun: boolean;
  xa: boolean;
  /** Changes of captured tables so far. */
  rowCount: number;
}

/** What has to be done before an event can be read: then it is given again. */
export type Pending =
  | { readonly kind: 'open'; readonly map: TableMap }
  /** Deletes of all rows of these tables stand in the open group; `emptied` is called then. */
  | { readonly kind: 'empty'; readonly what: Emptied };

/** An append that was begun when the connection broke: its first rows come again and are passed over. */
export interface HalfSent {
  readonly id: string | undefined;
  readonly rowCount: number;
  /** Some of them lie in chunks that are handed over. */
  readonly taken: boolean;
}

export interface TransactionReaderOptions {
  readonly tables: CapturedTables;
  readonly chunks: ChunkBuilder;
  readonly collations: Collations;
  readonly from: StreamPosition;
  readonly halfSent: HalfSent | undefined;
}

export class TransactionReader {
  readonly #tables: CapturedTables;
  readonly #chunks: ChunkBuilder;
  readonly #maps: TableMaps;
  #position: StreamPosition;
  #file = '';
  #offset = 0;
  /** File and offset are the end of what has been read, not only a place before it, as they are after a start by GTID. */
  #exact = false;
  #group: Group | undefined;
  #halfSent: HalfSent | undefined;
  /** Rows of the open group lie in chunks that are handed over. */
  #taken = false;
  /** The position has moved behind the last end. */
  #moved = false;
  /** As it was when it was printed last. */
  #longPosition = false;
  /** The rows that the statement at hand takes away whole are deleted. */
  #emptied = false;
  #lastId: string | undefined;
  #lastCommitTimeUs = 0;
  /** Text of the snapshot's cursor for positions; empty once it is done. */
  cursor = '';

  constructor(options: TransactionReaderOptions) {
    this.#tables = options.tables;
    this.#chunks = options.chunks;
    this.#maps = new TableMaps(options.tables, options.collations);
    this.#position = options.from;
    this.#halfSent = options.halfSent;
    if (options.from.kind === 'file') {
      this.#file = options.from.at.file;
      this.#offset = options.from.at.offset;
      this.#exact = true;
    }
  }

  /** What is applied; a set that goes on changing. */
  get position(): StreamPosition {
    return this.#position;
  }

  get positionText(): string {
    const text = printWithSnapshot(this.#position, this.cursor);
    this.#longPosition = text.length > toldPositionLengthMax;
    return text;
  }

  get inGroup(): boolean {
    return this.#group !== undefined;
  }

  /** The place in the binlog up to which everything has been read; unknown for a moment after a start by GTID. */
  get place(): FileOffset | undefined {
    return this.#exact ? { file: this.#file, offset: this.#offset } : undefined;
  }

  /** True when everything before this place in the binlog has been read. Only asked between groups. */
  reached(place: FileOffset): boolean {
    return this.#file !== '' && (compareOffsets({ file: this.#file, offset: this.#offset }, place) ?? -1) >= 0;
  }

  /** What the next connection has to pass over, when this one ends here. */
  get halfSent(): HalfSent | undefined {
    if (this.#halfSent) return this.#halfSent;
    const group = this.#group;
    return group && group.rowCount > 0 ? { id: group.id, rowCount: group.rowCount, taken: this.#taken } : undefined;
  }

  /**
   * Called just before the chunk is taken: a moved position is ended as an append without records, so that whoever waits for a
   * transaction that touched no captured table gets an answer. Inside a group its own end will carry the position.
   */
  beforeTake(): void {
    const group = this.#group;
    if (group) {
      this.#taken ||= group.rowCount > 0;
    } else if (this.#moved) {
      this.#end();
    }
    if (this.#chunks.unplaced > 0) this.#chunks.placeLast(this.positionText);
  }

  /** Of a statement that takes rows away whole so many more deletes are there, those that are passed over counted; `done`: all. */
  emptied(rows: number, done: boolean): void {
    this.#emptied = done;
    this.#count(rows);
  }

  /** Rows of the open group that were handed over before the connection broke. */
  get rowsToPassOver(): number {
    return this.#halfSent ? Math.max(0, this.#halfSent.rowCount - (this.#group?.rowCount ?? 0)) : 0;
  }

  #count(rows: number): void {
    const group = this.#group;
    assert(group, 'rows stand inside of a transaction');
    group.rowCount += rows;
    if (this.#halfSent && group.rowCount >= this.#halfSent.rowCount) this.#halfSent = undefined;
  }

  /** Reads one event, unless something is to be done first. */
  read(event: Buffer): Pending | undefined {
    const type = header.type(event);
    switch (type) {
      case eventType.writeRows:
      case eventType.writeRowsV1:
      case eventType.updateRows:
      case eventType.updateRowsV1:
      case eventType.deleteRows:
      case eventType.deleteRowsV1:
        this.#rows(event);
        return undefined;
      case eventType.tableMap: {
        const pending = this.#maps.read(event);
        if (pending) return { kind: 'open', map: pending };
        break;
      }
      case eventType.xid:
        this.#advance(event);
        this.#commit();
        return undefined;
      case eventType.gtid:
      case eventType.anonymousGtid:
      case eventType.gtidTagged: {
        const { gtid, commitTimeUs } = type === eventType.gtidTagged ? parseTaggedGtid(event) : parseGtid(event);
        this.#begin({ gtid, id: gtid && printGtid(gtid), commitTimeUs, begun: false, xa: false, rowCount: 0 });
        return undefined;
      }
      case eventType.mariadbGtid: {
        const { gtid, standalone } = parseMariadbGtid(event);
        const commitTimeUs = header.seconds(event) * 1_000_000;
        this.#begin({ gtid, id: printMariadbGtid(gtid), commitTimeUs, begun: !standalone, xa: false, rowCount: 0 });
        return undefined;
      }
      case eventType.query:
        this.#advance(event);
        return this.#query(event);
      case eventType.xaPrepare:
        this.#advance(event);
        this.#xaPrepare(event[headerSize] !== 0);
        return undefined;
      case eventType.rotate: {
        const at = parseRotate(event);
        this.#file = at.file;
        this.#offset = at.offset;
        this.#maps.clear();
        return undefined;
      }
      case eventType.heartbeat: {
        const at = parseHeartbeat(event);
        if (at) {
          this.#file = at.file;
          this.#offset = at.offset;
          this.#exact = true;
        }
        return undefined;
      }
      case eventType.formatDescription:
        // Table numbers begin anew with a server's start.
        this.#maps.clear();
        break;
      default:
        passOver(event, () => this.#maps.rowsTable(event) !== null);
    }
    this.#advance(event);
    return undefined;
  }

  #advance(event: Buffer): void {
    const next = header.nextOffset(event);
    if (next > 0) this.#offset = next;
  }

  #begin(group: Group): void {
    // A group without an end of its own, as MariaDB writes for some statements, ends where the next begins.
    if (this.#group) this.#commit();
    this.#group = group;
    const half = this.#halfSent;
    this.#taken = half?.taken ?? false;
    if (half && half.id !== group.id) {
      throw new AppError('internal', `the source goes on with transaction ${group.id}, but ${half.id} was half sent`);
    }
  }

  #commit(): void {
    const group = this.#group;
    if (!group) return;
    this.#group = undefined;
    this.#halfSent = undefined;
    this.#exact = true;
    this.#addPosition(group.gtid);
    this.#lastId = group.id;
    this.#lastCommitTimeUs = group.commitTimeUs;
    this.#moved = true;
    if (group.rowCount > 0) this.#end();
  }

  #addPosition(gtid: Gtid | MariadbGtid | undefined): void {
    if (this.#position.kind === 'file') {
      this.#position = { kind: 'file', at: { file: this.#file, offset: this.#offset } };
    } else if (gtid === undefined) {
      throw new AppError('source-misconfigured', 'the source writes transactions without GTID', {
        hint: 'SET GLOBAL gtid_mode = ON, and keep it on',
      });
    } else if (this.#position.kind === 'mysql-gtid' && 'uuid' in gtid) {
      this.#position.gtids.add(gtid);
    } else if (this.#position.kind === 'mariadb-gtid' && 'domain' in gtid) {
      this.#position.gtids.add(gtid);
    }
  }

  #end(): void {
    this.#moved = false;
    // A set that names many servers is as long with every transaction: it is printed once for some of them.
    const later = this.#longPosition && !this.#taken && this.#chunks.unplaced < endsPerPositionMax - 1;
    this.#chunks.endAppend({
      position: later ? null : this.positionText,
      commitTimeUs: this.#lastCommitTimeUs,
      ...(this.#lastId === undefined ? {} : { transactionId: this.#lastId }),
    });
  }

  #rollback(): void {
    const group = this.#group;
    if (!group) return;
    if (group.rowCount > 0) {
      if (this.#taken) {
        throw new AppError(
          'unsupported-change',
          `transaction ${group.id ?? ''} was rolled back after a part of it was handed over`,
        );
      }
      this.#chunks.discardOpenAppend();
      group.rowCount = 0;
    }
    this.#commit();
  }

  #query(event: Buffer): Pending | undefined {
    if (isQuery(event, 'BEGIN')) {
      this.#group ??= {
        gtid: undefined,
        id: undefined,
        commitTimeUs: header.seconds(event) * 1e6,
        begun: true,
        xa: false,
        rowCount: 0,
      };
      this.#group.begun = true;
      return undefined;
    }
    if (isQuery(event, 'COMMIT')) {
      this.#commit();
      return undefined;
    }
    const query = parseQuery(event);
    let statement = classify(query.sql);
    // What is not refused by its first words may name tables behind the cut.
    if (query.whole && statement.kind !== 'rows') statement = classify(query.whole());
    const group = this.#group;
    switch (statement.kind) {
      case 'begin':
        if (group) group.begun = true;
        return undefined;
      case 'xa-start':
        if (group) group.begun = group.xa = true;
        return undefined;
      case 'xa-end':
      case 'savepoint':
        return undefined;
      case 'commit':
      case 'xa-commit':
      case 'xa-rollback':
        this.#commit();
        return undefined;
      case 'rollback':
        this.#rollback();
        return undefined;
      case 'rollback-to':
        if (group && group.rowCount > 0) {
          throw new AppError(
            'unsupported-change',
            `transaction ${group.id ?? ''} went back to a savepoint behind rows of captured tables`,
          );
        }
        return undefined;
      case 'rows':
        refuseStatement(statement.verb, query, this.#tables.filter);
        break;
      case 'create-table':
      case 'table-change':
      case 'drop-database':
        // While a snapshot runs, chunks that are being read may hold rows from before.
        if (this.cursor === '' && !this.#emptied) {
          const what = this.#tables.known.emptiedBy(statement, query.database);
          if (what.tables.length > 0 || what.databases.length > 0) return { kind: 'empty', what };
        }
        this.#tables.known.apply(statement, query.database, this.#emptied);
        this.#emptied = false;
        break;
      case 'neutral':
        break;
    }
    // A statement that is not inside of a transaction is a group of its own.
    if (group && !group.begun) this.#commit();
    return undefined;
  }

  #xaPrepare(onePhase: boolean): void {
    const group = this.#group;
    if (!onePhase && group && group.rowCount > 0) {
      throw new AppError(
        'unsupported-change',
        `XA transaction ${group.id ?? ''} is prepared and touches captured tables`,
        {
          detail: 'its rows are in the binlog before it is known whether they will be committed',
        },
      );
    }
    this.#commit();
  }

  #rows(event: Buffer): void {
    this.#advance(event);
    const table = this.#maps.rowsTable(event);
    if (table === null) return;
    this.#count(readRows(event, table, this.rowsToPassOver));
  }
}
