// What has to be read of the tables beside the stream: all of them at first, and single ones again when a statement has changed their rows
// or columns otherwise than by events, when rows came of a table that nobody knew, or when the position was lost. One of those is read
// after the other, in the order in which they were called for, and each is a generation: behind its last row the rows that are held and
// no longer at the source are deleted (absent-rows.ts). A table that is called for while it is read is read from the beginning.
//
// What is still to be read stands in the cursor, and which tables stand still beside it (reading-list.ts).
import { unreachable, type AppError } from '../../core/errors.js';
import type { HeldTable, SnapshotProgress } from '../source-connector.js';
import { Alterations } from './alterations.js';
import { AbsentRows } from './absent-rows.js';
import type { FileOffset, SnapshotCursor } from './position.js';
import { ReadingList, type ReadingListOptions } from './reading-list.js';
import { startReading } from './reading-start.js';
import { callFollower, statementCalls, type SnapshotCalls, type TableCall } from './snapshot-calls.js';
import { SnapshotEmitter } from './snapshot-emitter.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import { Snapshotter } from './snapshotter.js';
import { followsStopped } from './stopped-tables.js';
import type { StatementEffect } from './table-knowledge.js';
import type { Reading, SnapshotsOptions } from './snapshots-options.js';
import { tableName } from './table-schema.js';
import { stopsTable } from './unreadable.js';

/** A table whose description does not stand still is asked for again. */
const againMs = 50;

export class Snapshots implements SnapshotCalls {
  readonly #options: SnapshotsOptions;
  readonly #list: ReadingList;
  readonly #alterations: Alterations;
  #reading: Reading | undefined;
  #emitter: SnapshotEmitter | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Where the binlog ended when a table was to be described: the stream has to come there first. */
  #notBefore: FileOffset | undefined;

  constructor(options: SnapshotsOptions, left: Pick<ReadingListOptions, 'cursor' | 'stopped' | 'altered'>) {
    this.#options = options;
    const { captured, reader } = options;
    this.#list = new ReadingList({ ...left, captured, onCursor: (text) => (reader.cursor = text) });
    const { notices } = this.#list;
    const readAgain = (calls: readonly TableCall[]): void => this.call(calls);
    this.#alterations = new Alterations({ ...options, tables: left.altered, notices, readAgain });
  }

  /** What is left to be read; undefined: nothing. */
  get cursor(): SnapshotCursor | undefined {
    return this.#list.cursor;
  }
  get isFirst(): boolean {
    return this.#list.isFirst;
  }

  get progress(): SnapshotProgress | undefined {
    return this.#list.progress(this.#reading?.snapshotter?.progress);
  }

  /** Begins with the first snapshot, or goes on with it. */
  begin(tables: readonly SnapshotTable[]): void {
    const { table, key, beside, again = [], linked = [] } = this.#list.cursor!;
    const left = tables.filter(({ schema }) => !linked.includes(tableName(schema)));
    const snapshotter = this.#snapshotter(left, { table, key, beside }, 'true');
    for (const name of again) snapshotter.skip(name);
    this.#reading = { name: undefined, snapshotter, absent: undefined, held: undefined, table: undefined };
  }

  /** None is asked for: what is there counts as read. */
  completeNone(): void {
    this.#complete(this.#options.captured.topicsWithout([]));
  }

  #snapshotter(tables: readonly SnapshotTable[], cursor: SnapshotCursor, kind: 'true' | 'incremental'): Snapshotter {
    return new Snapshotter({
      ...this.#options,
      connection: this.#options.session.options,
      tables,
      cursor,
      kind,
      // It is read again as it is, which a statement in the stream will ask for, too.
      onChanged: (name) => this.call([{ name, cause: 'it has changed while it was read' }]),
    });
  }

  call(calls: readonly TableCall[]): void {
    const { config, captured, logger, opening, wakeup } = this.#options;
    const { stopped } = this.#list;
    // Where nothing was to be read at first, only what is asked for, or stands still, is.
    const isWanted = ({ name, asked }: TableCall): boolean =>
      asked === true || ((config.snapshotMode !== 'none' || stopped.has(name)) && opening.newTables.admits(name));
    const wanted = calls.filter(isWanted);
    const isWhole = ({ name }: TableCall): boolean => !this.isFirst && !this.isCalled(name) && !stopped.has(name);
    const isAltered = (call: TableCall): boolean => isWhole(call) && this.#alterations.note(call);
    const changed = wanted.filter((call) => call.columns === undefined || !isAltered(call));
    const all = changed.flatMap((call): TableCall[] => [
      // Rows of one that stands still, or is not what it was said to be, have changed unseen, wherever.
      stopped.has(call.name) || this.isAltered(call.name) ? { ...call, where: undefined } : call,
      ...stopped
        .release(call.name)
        .filter((name) => name !== call.name)
        .map((name) => callFollower(name, call.name)),
    ]);
    if (all.length === 0) return;
    for (const { name, cause, where } of all) {
      captured.known.letIn(name);
      this.#alterations.forget(name);
      logger.info('a table is read again', { table: name, cause, where });
      if (!this.isReading(name)) this.#reading?.snapshotter?.skip(name);
    }
    this.#list.call(all, (name) => this.isReading(name));
    if (all.some(({ name }) => this.isReading(name))) this.#abandon();
    wakeup.notify();
  }

  /**
   * A value of the table (folded) has no form here: it stands still from here on, and so do those whose rows follow its rows, as these do not
   * come any more. Gives them all. Throws the error where that is to end the task.
   */
  stop(name: string, error: AppError): readonly string[] {
    const { config, captured, cascades, context } = this.#options;
    if (config.failures === 'fail') throw error;
    const names = [name, ...[...cascades.below(name)].filter((each) => !captured.known.isLeftOut(each))];
    for (const each of names) {
      const topic = captured.byName(each)?.encoder.topic;
      if (topic !== undefined) context.chunks.dropOpen(topic);
      this.#alterations.forget(each);
      if (this.isReading(each)) this.#abandon();
      else this.#reading?.snapshotter?.skip(each);
      if (each === name) this.#list.stop(each, error);
      else this.#list.stop(each, followsStopped(each, name), name);
    }
    return names;
  }

  /**
   * Rows of the table follow those of another now, and those of `below` them. What is not handed over of it yet cannot be looked up: what
   * is being read may be from before, and is read anew; and which rows of `below` follow is not known, so they are read again behind it.
   */
  meets(name: string, below: Iterable<string>): void {
    if (!this.#isUnread(name)) return;
    this.callFollowing(this.isFirst ? [name, ...below] : below);
    if (this.isReading(name) && (this.#reading?.table?.open.windows.length ?? 0) > 0) this.#abandon();
  }

  /** Which rows of these follow those of others cannot be told. */
  callFollowing(names: Iterable<string>): void {
    const { known } = this.#options.captured;
    const late = [...new Set(names)].filter((each) => !this.#waits(each) && !known.isLeftOut(each));
    if (late.length > 0)
      this.call(late.map((name) => ({ name, cause: 'rows of it that follow others are not known' })));
  }

  #isUnread(name: string): boolean {
    if (this.isCalled(name)) return !this.isReading(name) || this.#reading?.absent === undefined;
    const linked = Array.from(this.#list.cursor?.linked ?? [], (each) => this.#options.captured.known.fold(each));
    return this.isFirst && !linked.includes(name);
  }

  /** It is read from its beginning, later. */
  #waits(name: string): boolean {
    const { only, again = [], key } = this.#list.cursor ?? {};
    return again.includes(name) && !this.isReading(name) && !(only && again[0] === name && key !== null);
  }

  isReading(name: string): boolean {
    return this.#reading?.name === name;
  }

  isAltered(name: string): boolean {
    return this.#list.altered.get(name) !== undefined;
  }

  ofAltered(...of: Parameters<SnapshotCalls['ofAltered']>): boolean {
    return this.#alterations.ofMap(...of);
  }

  isCalled(name: string): boolean {
    return this.#list.called.includes(name);
  }

  /** A statement in the stream, before its append is ended. */
  follow(effect: StatementEffect): void {
    const { captured, opening } = this.#options;
    opening.newTables.dropped(effect.ended);
    for (const name of effect.ended) this.#alterations.forget(name);
    const calls = statementCalls(effect, {
      waits: (name) => this.isCalled(name) || (this.isFirst && captured.byName(name) !== undefined),
      isRead: (name) => this.#isRead(name),
      standsStill: (name) => this.#standsStill(name),
    });
    if (calls.length > 0) this.call(calls);
  }

  /** Rows of it that were read may be waiting. */
  #isRead(name: string): boolean {
    return this.#reading !== undefined && (this.#reading.name === undefined || this.#reading.name === name);
  }

  /** What is held of it is not followed. */
  #standsStill(name: string): boolean {
    const { known } = this.#options.captured;
    return this.#list.stopped.has(name) || (known.isLeftOut(name) && known.isHeld(name));
  }

  fail(name: string, error: AppError): void {
    this.#list.notices.failed(name, error);
  }

  /**
   * Between two transactions, as long as there is room: hands over what has been read, and begins with what comes next. False: what is
   * under construction has to go out first.
   */
  async step(hasRoom: () => boolean): Promise<boolean> {
    const { reader, context, asked } = this.#options;
    while (!reader.inGroup && hasRoom()) {
      this.#tell();
      if (asked.waits) {
        if (!context.chunks.isEmpty) return false;
        await asked.serve({ ...this.#options, call: (calls) => this.call(calls) });
        continue;
      }
      if (this.#alterations.waits) {
        if (!context.chunks.isEmpty) return false;
        const topics = await this.#alterations.settle();
        if (topics.length > 0) this.#complete(topics);
        continue;
      }
      const reading = this.#reading;
      if (reading === undefined) {
        const { next } = this.#list;
        if (next === undefined || this.#timer !== undefined) return true;
        if (this.#notBefore && !reader.reached(this.#notBefore)) return true;
        if (!context.chunks.isEmpty) return false;
        await this.#beginAgain(next);
        continue;
      }
      if (!(reading.absent ? this.#deleteAbsent(reading) : this.#emit(reading, hasRoom))) return true;
    }
    return true;
  }

  /** What is called for, and what stands still, is told: until then nothing may be called current. */
  get isTold(): boolean {
    return this.#list.notices.allTold;
  }

  #tell(): void {
    const { context, config, reader, sourceNowUs } = this.#options;
    for (const control of this.#list.notices.take(config.name))
      context.chunks.endAppend({ position: reader.positionText, commitTimeUs: sourceNowUs(), control });
  }

  async #beginAgain(name: string): Promise<void> {
    const { captured, cascades } = this.#options;
    const parent = this.#list.stopped.all.find(({ table }) => cascades.below(table).has(name));
    if (parent) return this.#list.stop(name, followsStopped(name, parent.table), parent.table);
    this.#notBefore = undefined;
    const start = await startReading(this.#options, this.#list, name);
    switch (start.kind) {
      case 'behind':
        this.#notBefore = start.place;
        return;
      case 'changing':
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#options.wakeup.notify();
        }, againMs);
        return;
      case 'gone': {
        const { held } = start;
        this.#reading = { name, snapshotter: undefined, absent: undefined, held, table: undefined };
        if (held) this.#reading.absent = this.#absent(held, undefined);
        else this.#finish(name, []);
        return;
      }
      case 'refused':
        captured.known.leaveOut(name, start.error.message, start.error.hint);
        if (start.held) this.fail(start.held.name, start.error);
        return this.#finish(name, []);
      case 'read': {
        const { held, table, key } = start;
        const snapshotter = this.#snapshotter([table], { table: tableName(table.schema), key }, 'incremental');
        this.#reading = { name, snapshotter, absent: undefined, held, table };
        return;
      }
      default:
        return unreachable(start);
    }
  }

  #absent(held: HeldTable, table: SnapshotTable | undefined): AbsentRows {
    const { session, captured } = this.#options;
    const changed = { name: captured.known.fold(held.name), cause: 'it has changed while it was read' };
    const onChanged = () => this.call([changed]);
    return new AbsentRows({ ...this.#options, connection: session.options, held, table, onChanged });
  }

  /** Rows that have been read; false: nothing can be handed over now. */
  #emit(reading: Reading, hasRoom: () => boolean): boolean {
    const { captured, context, reader } = this.#options;
    const snapshotter = reading.snapshotter!;
    const chunk = snapshotter.peek();
    if (!chunk) {
      if (!snapshotter.done || (reading.name === undefined && !this.#options.mayComplete())) return false;
      this.#allRead(reading);
      return true;
    }
    if (this.#emitter?.chunk !== chunk) {
      if (!reader.reached(chunk.high)) return false;
      this.#emitter = new SnapshotEmitter(chunk, this.#options.columns.charsets, context.chunks.origin);
    }
    const emitter = this.#emitter;
    const rows = this.#tried(captured.known.fold(chunk.table.open.name), () => emitter.emit(hasRoom));
    if (rows === undefined) {
      this.#emitter = undefined;
      return true;
    }
    if (rows > 0) snapshotter.handedOver(chunk.table, rows, emitter.cursorKey);
    if (emitter.done) {
      this.#emitter = undefined;
      snapshotter.shift();
    }
    if (rows > 0) {
      this.#list.setCursor({ ...this.#list.cursor!, ...snapshotter.cursor });
      context.chunks.endAppend({ position: reader.positionText, commitTimeUs: this.#options.sourceNowUs() });
    }
    return true;
  }

  /** Undefined, too, where that stops the table (folded) alone. */
  #tried<T>(name: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!stopsTable(error)) throw error;
      this.stop(name, error);
      return undefined;
    }
  }

  /** From here on the rows that are read are the state of the source at exactly this place of the stream. */
  #allRead(reading: Reading): void {
    void reading.snapshotter?.close();
    const { captured } = this.#options;
    if (reading.name === undefined) {
      this.#reading = undefined;
      const { called: again } = this.#list;
      this.#list.setCursor(again.length === 0 ? undefined : { table: again[0]!, key: null, again, only: true });
      return this.#complete(captured.topicsWithout(again));
    }
    const { held, table } = reading;
    if (!held) return this.#finish(reading.name, [table!.open.encoder.topic]);
    reading.absent = this.#absent(held, table);
  }

  /** False: nothing can be deleted now. */
  #deleteAbsent(reading: Reading): boolean {
    const { context, reader } = this.#options;
    const absent = reading.absent!;
    const deleted = this.#tried(reading.name!, () => absent.emit(reader));
    if (this.#reading !== reading) return true;
    if (deleted === undefined) {
      if (!absent.done) return false;
      this.#finish(reading.name!, absent.topic === undefined ? [] : [absent.topic]);
      return true;
    }
    if (deleted > 0)
      context.chunks.endAppend({ position: reader.positionText, commitTimeUs: this.#options.sourceNowUs() });
    return true;
  }

  #finish(name: string, topics: readonly string[]): void {
    this.#abandon();
    this.#list.forget(name);
    this.#complete(topics);
  }

  #complete(topics: readonly string[]): void {
    const { context, config, reader } = this.#options;
    context.chunks.endAppend({
      position: reader.positionText,
      commitTimeUs: this.#options.sourceNowUs(),
      control: { kind: 'snapshot-completed', connector: config.name, topics },
    });
  }

  #abandon(): void {
    void this.#reading?.snapshotter?.close();
    void this.#reading?.absent?.close();
    this.#reading = undefined;
    this.#emitter = undefined;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all([this.#reading?.snapshotter?.close(), this.#reading?.absent?.close()]);
  }
}
