// From events to appends: follows the groups of the binlog (a transaction, or a statement of its own), hands the rows of captured
// tables to their encoders as they come, and ends the append when the group commits. The binlog holds committed groups only, but
// for the odd ROLLBACK with a non-transactional table in it.
// Events may also come from within: those of an XA transaction that is committed, which were held since it was prepared.
// What would make rows of captured tables unknown ends the task: statement-format changes, incomplete row images. What a statement does
// to tables is told to who reads them again.
import { AppError, assert } from '../../core/errors.js';
import type { ChunkBuilder } from '../../core/row-encoder.js';
import { AppendEnds } from './append-ends.js';
import { eventType, header, isQuery, isRowsEvent, parseQuery, threadOf, wholeText, xidOf } from './binlog-event.js';
import { BinlogPlace } from './binlog-place.js';
import type { CapturedTables } from './captured-tables.js';
import type { Cascades } from './cascades.js';
import { inflateEvent, isCompressed } from './compressed-event.js';
import { EventsWithin } from './events-within.js';
import { groupOf, groupWithoutId } from './group-begin.js';
import type { Group, HalfSent, Pending, TransactionReaderOptions } from './open-group.js';
import { compareOffsets, moved, printStream, type FileOffset, type StreamPosition } from './position.js';
import { passOver } from './other-events.js';
import { wholeRows } from './partial-rows.js';
import { PayloadEvents } from './payload-events.js';
import { endsGroup, isInside, ReturningGroups } from './returning-groups.js';
import { readRows } from './rows-event.js';
import { Savepoints } from './savepoints.js';
import { positionLost } from './source-error.js';
import { refuseStatement, rolledBack } from './statement-format.js';
import { printPlace } from './stream-begin.js';
import { isTableStatement, takesRows } from './table-knowledge.js';
import { classify } from './statement.js';
import { TableMaps } from './table-maps.js';
import { isUnconvertible } from './unconvertible.js';
import { XaTransactions, type XaEnd } from './xa-transactions.js';

export class TransactionReader {
  readonly #tables: CapturedTables;
  readonly #cascades: Cascades;
  readonly #chunks: ChunkBuilder;
  readonly #ends: AppendEnds;
  readonly #maps: TableMaps;
  readonly #tell: Pick<
    TransactionReaderOptions,
    'onStatement' | 'onLost' | 'onUnconvertible' | 'side' | 'queries' | 'schemaChanges' | 'eventBytesMax'
  >;
  #position: StreamPosition;
  readonly #place: BinlogPlace;
  readonly #returning: ReturningGroups;
  /** Transactions whose rows are still to come. */
  readonly xa: XaTransactions;
  /** Events of the group at hand, to be read before those of the stream. */
  readonly within = new EventsWithin();
  #group: Group | undefined;
  #halfSent: HalfSent | undefined;
  /** Rows of the open group lie in chunks that are handed over. */
  #taken = false;
  /** The rows that the statement at hand takes away whole are deleted. */
  #emptied = false;
  /** The foreign keys behind the statement at hand are known. */
  keysKnown = false;
  /** Text of the snapshot's cursor for positions; empty once it is done. */
  cursor = '';

  constructor(options: TransactionReaderOptions) {
    this.#tables = options.tables;
    this.#cascades = options.cascades;
    this.#chunks = options.chunks;
    this.#ends = new AppendEnds(options.chunks, () => printStream(this.#position, this.xa.text + this.cursor));
    this.#maps = new TableMaps(options.tables, options.columns, options.collations);
    this.#position = options.from;
    this.#halfSent = options.halfSent;
    this.#tell = options;
    this.#place = new BinlogPlace(options.begin.kind === 'file' ? options.begin.at : undefined);
    this.#returning = new ReturningGroups(options.begin, options.from, options.prepared);
    this.xa = new XaTransactions(options.tables, options.prepared, this.within);
  }

  /** What is applied; a set that goes on changing. */
  get position(): StreamPosition {
    return this.#position;
  }

  get positionText(): string {
    return this.#ends.positionText;
  }

  get inGroup(): boolean {
    return this.#group !== undefined;
  }

  /** The place in the binlog up to which everything has been read; unknown for a moment after a start by GTID, or before the position. */
  get place(): FileOffset | undefined {
    return this.#place.exact && !this.#returning.expected ? this.#place.at : undefined;
  }

  /** True when everything before this place in the binlog has been read. Only asked between groups. */
  reached(place: FileOffset): boolean {
    return this.#place.reached(place);
  }

  /** The table was opened anew. */
  forgetTable(name: string): void {
    this.#maps.forget(name);
  }

  /** What the next connection has to pass over, when this one ends here. */
  get halfSent(): HalfSent | undefined {
    if (this.#halfSent) return this.#halfSent;
    const group = this.#group;
    if (!group || group.rowCount === 0) return undefined;
    return { id: group.id?.text, rowCount: group.rowCount, taken: this.#taken, uncounted: group.stopped };
  }

  /** Called just before the chunk is taken. Inside a group its own end will carry the position. */
  beforeTake(): void {
    const group = this.#group;
    if (group) this.#taken ||= group.rowCount > 0;
    else this.#ends.endMoved();
    this.#ends.placeLast();
  }

  /** Of a statement that takes rows away whole so many more deletes are there, those that are passed over counted; `done`: all. */
  emptied(rows: number, done: boolean): void {
    this.#emptied = done;
    this.counted(rows);
  }

  /** Rows of the open group that were handed over before the connection broke. */
  get rowsToPassOver(): number {
    return this.#halfSent ? Math.max(0, this.#halfSent.rowCount - (this.#group?.rowCount ?? 0)) : 0;
  }

  /** So many more rows of the open group are there, those that are passed over counted. */
  counted(rows: number): void {
    const group = this.#group;
    assert(group, 'rows stand inside of a transaction');
    group.rowCount += rows;
    if (this.#halfSent && group.rowCount >= this.#halfSent.rowCount) this.#halfSent = undefined;
  }

  /** Reads one event, unless something is to be done first. */
  read(event: Buffer): Pending | undefined {
    const type = header.type(event);
    const group = this.#group;
    if (group?.kind === 'known' && isInside(event)) {
      this.#advance(event);
      if (endsGroup(event, group, this.#tell.eventBytesMax)) this.#group = undefined;
      return undefined;
    }
    const isRows = isRowsEvent(type);
    if (isRows && !group?.xa) return this.#rows(event);
    switch (type) {
      case eventType.tableMap: {
        if (group?.xa) break;
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
      case eventType.gtidTagged:
      case eventType.mariadbGtid:
        this.#begin(groupOf(event));
        return undefined;
      case eventType.query:
        this.#advance(event);
        return this.#query(event);
      case eventType.xaPrepare:
        this.#advance(event);
        return this.#endXa(this.xa.ended(event, group, this.#position));
      case eventType.rotate:
        this.#rotate(event);
        return undefined;
      case eventType.heartbeat:
        this.#place.heartbeat(event);
        return undefined;
      case eventType.formatDescription:
        // Table numbers begin anew with a server's start.
        this.#maps.clear();
        break;
      case eventType.transactionPayload:
        this.#advance(event);
        this.within.begin(new PayloadEvents(event, this.#tell.eventBytesMax));
        return undefined;
      default:
        if (isCompressed(event)) return this.read(inflateEvent(event, this.#tell.eventBytesMax));
        if (!isRows) passOver(event, this.#tell.queries);
    }
    if (group?.xa) this.xa.hold(event);
    this.#advance(event);
    return undefined;
  }

  /** Events from within tell no place of the file. */
  #advance(event: Buffer): void {
    if (this.within.isEmpty) this.#place.advance(event);
  }

  #rotate(event: Buffer): void {
    const at = this.#place.rotate(event);
    this.#maps.clear();
    const position = this.#position;
    // A place in the last file may lie where no dump can begin any more.
    if (position.kind !== 'file' || this.#group || compareOffsets(position.at, at) !== -1) return;
    this.#position = { ...position, at };
    this.#ends.moved();
  }

  #begin(group: Group): void {
    // A group without an end of its own, as MariaDB writes for some statements, ends where the next begins.
    if (this.#group && this.#group.kind !== 'known') this.#commit();
    this.#cascades.end();
    this.#group = group;
    if (this.#position.kind === 'file') group.place = printPlace(this.#place.at);
    if (this.#returning.expected) {
      group.kind = this.#returning.kindOf(group.gtid, group.id?.text ?? group.place ?? '', this.#place.at);
      if (group.kind !== 'new') return;
    }
    const half = this.#halfSent;
    this.#taken = half?.taken ?? false;
    if (half && half.id !== group.id?.text) {
      const goesOn = `the source goes on with transaction ${group.id?.text}`;
      throw new AppError('internal', `${goesOn}, but ${half.id} was half sent`);
    }
    const id = group.id ?? `file=${this.#place.file},pos=${this.#place.offset}`;
    this.#chunks.origin.transactionOf(id, group.commitTimeUs, half !== undefined);
  }

  #commit(): void {
    const group = this.#group;
    if (!group) return;
    this.#group = undefined;
    this.#cascades.end();
    this.#halfSent = undefined;
    this.#place.exact = true;
    if (group.ends !== undefined) this.xa.end(group.ends);
    this.#position = moved(this.#position, group.gtid, this.#place);
    this.#ends.passed(group.id, group.commitTimeUs);
    if (group.rowCount === 0) return;
    if (group.rowCount > (group.statements ?? 0)) this.#tell.side.transaction?.(this.#chunks.origin);
    this.#ends.end(this.#taken);
  }

  /**
   * Rows behind the savepoint are forgotten; where some of them are handed over, their tables are read again. They stay counted, since a
   * next connection has to pass over their events.
   */
  #rollbackTo(savepoints: Savepoints | undefined, name: string): void {
    if (savepoints === undefined || savepoints.tables.size === 0) return;
    this.#cascades.takenBack = true;
    // Of what is passed over that was done the first time.
    if (this.#halfSent) return;
    const isRead = (table: string): boolean => (this.#tables.byName(table)?.windows.length ?? 0) > 0;
    const again = savepoints.takeBack(name, this.#chunks, isRead);
    if (again.length > 0) this.#tell.onLost(again, 'rows of it were taken back behind a savepoint');
  }

  /** Rows of prepared transactions cannot be had; nor can they be passed over. */
  readonly #lose = (tables: readonly string[] | undefined): void => {
    if (this.#halfSent) throw positionLost('it no longer has the rows of a prepared XA transaction');
    this.#tell.onLost(tables, 'an XA transaction was committed whose rows came before what was read');
  };

  #rollback(): void {
    const group = this.#group;
    if (!group) return;
    if (group.rowCount > 0) {
      if (this.#taken) throw rolledBack(group.id?.text);
      this.#chunks.discardOpenAppend();
      group.rowCount = 0;
    }
    this.#commit();
  }

  #query(event: Buffer): Pending | undefined {
    if (isQuery(event, 'BEGIN')) {
      if (!this.#group) this.#begin(groupWithoutId(event));
      this.#group!.begun = true;
      this.#chunks.origin.thread = threadOf(event);
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
      case 'xa-start':
      case 'xa-end':
        if (group) group.begun = true;
        if (group && statement.kind === 'xa-start') group.xa = true;
        return undefined;
      case 'savepoint':
        if (group?.xa) this.xa.hold(event);
        else if (group && statement.name !== null) {
          group.savepoints ??= new Savepoints();
          group.savepoints.set(statement.name, this.#halfSent ? undefined : this.#chunks.mark());
        }
        return undefined;
      case 'commit':
        this.#commit();
        return undefined;
      case 'xa-commit':
        return this.#endXa(this.xa.committed(event, xidOf(query.sql), group, this.#lose));
      case 'xa-rollback':
        if (group) group.ends = xidOf(query.sql);
        this.#commit();
        return undefined;
      case 'rollback':
        this.#rollback();
        return undefined;
      case 'rollback-to':
        if (group?.xa) this.xa.hold(event);
        else this.#rollbackTo(group?.savepoints, statement.name);
        return undefined;
      case 'rows':
        refuseStatement(statement.verb, query, this.#tables.filter);
        break;
      case 'create-table':
      case 'table-change':
      case 'drop-database':
      case 'neutral':
        break;
    }
    const { known } = this.#tables;
    const effect = isTableStatement(statement) ? known.effectOf(statement, query.database) : undefined;
    const what = this.keysKnown ? undefined : this.#cascades.changeOf(effect, wholeText(query), query.database);
    if (what) return { kind: 'keys', what };
    // Rows have to be deleted first; then the statement is read again.
    if (effect && !this.#emptied && takesRows(effect)) {
      this.#tellOrigin(event);
      return { kind: 'empty', what: effect.emptied };
    }
    const { schemaChanges } = this.#tell;
    if (group && schemaChanges?.waits(query)) return { kind: 'look', query: event };
    this.#emptied = this.keysKnown = false;
    if (group && schemaChanges) {
      this.#tellOrigin(event);
      group.statements = schemaChanges.write(this);
    }
    if (effect) {
      this.#tell.onStatement(effect);
      known.apply(effect);
      for (const name of effect.ended) this.#maps.forget(name);
    }
    // A statement that is not inside of a transaction is a group of its own.
    if (group && !group.begun) this.#commit();
    return undefined;
  }

  /** The end of an XA transaction, or of the rows of one that is committed. `rows`: they come from within first. */
  #endXa(ended: XaEnd): undefined {
    if (ended === 'known') this.#group = undefined;
    else if (ended === 'end') this.#commit();
  }

  /** The event at hand, which was read, has rows; one from within is where what it comes from is. */
  #tellOrigin(event: Buffer): void {
    const { file, begin } = this.#place;
    this.#chunks.origin.event(file, begin, header.serverId(event), this.rowsToPassOver);
  }

  #rows(logged: Buffer): Pending | undefined {
    this.#advance(logged);
    const table = this.#maps.rowsTable(logged);
    if (table === null) return undefined;
    const event = header.type(logged) === eventType.partialUpdateRows ? wholeRows(logged, table) : logged;
    const name = this.#tables.known.fold(table.open.name);
    this.#group?.savepoints?.touch(name, () => this.#cascades.below(name));
    this.#tellOrigin(event);
    try {
      if (this.#cascades.takes(event, table)) return { kind: 'cascade', event, table };
      this.counted(readRows(event, table, this.rowsToPassOver, this.#place.file));
    } catch (error) {
      this.standStill(name, error);
    }
    return undefined;
  }

  /** A row of this table (folded) could not be read: where it stands still alone, the group goes on without it. Other errors are thrown. */
  standStill(name: string, error: unknown): void {
    if (!isUnconvertible(error)) throw error;
    const group = this.#group;
    assert(group, 'rows stand inside of a transaction');
    for (const stopped of this.#tell.onUnconvertible(name, error)) this.#maps.leaveOut(stopped);
    // A place in the chunk is none any more; behind the rows that were to be passed over we are.
    group.savepoints?.forgetPlaces();
    this.#halfSent = undefined;
    group.stopped = true;
    group.rowCount++;
  }
}
