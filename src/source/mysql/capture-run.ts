// One connected run of the source: checks, position, the stream, and beside it the snapshot where one is due; from all of that
// one sequence of chunks. It ends with the signal, with an error, or when a snapshot was all that was asked for. What the next
// run has to know stands in `resume`. What is read of tables beside the stream is the business of snapshots.ts.
//
// Steps of the loop, over and over: events from the queue to their encoders until a chunk is full or the queue empty; then, at
// the border of a transaction, a piece of a snapshot chunk whose place the stream has passed; then the chunk goes out. Nothing
// is asked of the socket while the caller keeps us waiting, because the queue is bounded. A crash anywhere loses only what was
// not yet stored with its position.
import { randomInt } from 'node:crypto';
import { systemClock } from '../../core/clock.js';
import { failpoint } from '../../core/failpoint.js';
import type { Logger } from '../../core/logger.js';
import type { Chunk } from '../../core/append.js';
import type { SourceClock, SourceContext } from '../source-connector.js';
import type { AskedSnapshots } from './asked-snapshots.js';
import { BinlogStream } from './binlog-stream.js';
import type { CapturedTables } from './captured-tables.js';
import type { Cascades } from './cascades.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import { inspect, throwError } from './checks.js';
import type { MysqlConfig } from './config.js';
import { Session } from './connection.js';
import { Emptying } from './emptying.js';
import { Heartbeats } from './heartbeats.js';
import { EndProbe } from './end-probe.js';
import { copyPosition } from './position.js';
import { SchemaChanges } from './schema-changes.js';
import { askCollations, askClock, askServer } from './server.js';
import { preparedBefore } from './prepared-before.js';
import { beginAnew, whyAll, type Resume } from './resume.js';
import { RunCascades } from './run-cascades.js';
import { Snapshots } from './snapshots.js';
import type { StreamRead } from './snapshot-window.js';
import { startPosition } from './start-position.js';
import { AlteredTables } from './altered-tables.js';
import { StoppedTables } from './stopped-tables.js';
import { beginOf } from './stream-begin.js';
import type { TableMap } from './table-map.js';
import { TableOpening } from './table-opening.js';
import { TransactionReader } from './transaction-reader.js';
import { Verifications } from './verifications.js';
import { Wakeup } from './wakeup.js';

const chunkBytes = 256 << 10;

export interface CaptureRunOptions {
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly cascades: Cascades;
  readonly columns: ColumnKnowledge;
  readonly from: Resume;
  readonly asked: AskedSnapshots;
  readonly logger: Logger;
  /** Called when the stream stands: the connection counts as good again. */
  onConnected(): void;
}

/** A part of the snapshot that waits for the border between two transactions. */
interface Waiter {
  run(now: StreamRead): void;
  reject(reason: Error): void;
}

/** A table map that waits for its table, and its event. */
interface Opening {
  readonly event: Buffer;
  readonly map: TableMap;
}

export class CaptureRun {
  readonly #options: CaptureRunOptions;
  readonly #wakeup = new Wakeup();
  #session: Session | undefined;
  #stream: BinlogStream | undefined;
  #reader: TransactionReader | undefined;
  #snapshots: Snapshots | undefined;
  readonly verifications = new Verifications();
  #tables: TableOpening | undefined;
  #probe: EndProbe | undefined;
  #atBorder: Waiter[] = [];
  #closed = false;
  #snapshotTurn = false;
  #clock: SourceClock | undefined;
  #opening: Opening | undefined;
  /** An event that is read again, since what it had to wait for is done. */
  #again: Buffer | undefined;
  readonly #cascades: RunCascades;
  readonly #stopped: StoppedTables;
  readonly #altered: AlteredTables;
  /** A statement whose rows are being deleted, and its event. */
  #heartbeats: Heartbeats | undefined;
  #schemaChanges: SchemaChanges | undefined;
  #emptying: { readonly event: Buffer; readonly emptying: Emptying } | undefined;

  constructor(options: CaptureRunOptions) {
    this.#options = options;
    this.#stopped = new StoppedTables(options.from.stopped, options.config);
    this.#altered = new AlteredTables(options.from.altered);
    this.#cascades = new RunCascades({
      ...options,
      chunkBytes,
      sourceNowUs: () => this.#sourceNowUs(),
      wakeup: this.#wakeup,
    });
  }

  get resume(): Resume {
    const reader = this.#reader;
    const { all: stopped } = this.#stopped;
    if (this.#cascades.beginsAnew) return { ...beginAnew, stopped };
    if (!reader) return this.#options.from;
    const { halfSent, position, xa } = reader;
    const cursor = this.#snapshots?.cursor;
    const { all: altered } = this.#altered;
    return { stream: copyPosition(position), cursor, prepared: xa.prepared, halfSent, stopped, altered, moved: false };
  }

  async *chunks(): AsyncGenerator<Chunk, void, undefined> {
    const { signal } = this.#options.context;
    const onAbort = () => {
      // What is asked at this moment is asked for nobody.
      this.#session?.close();
      this.#wakeup.notify();
    };
    signal.addEventListener('abort', onAbort);
    try {
      const stream = yield* this.#open();
      if (!stream) return;
      while (!signal.aborted) {
        const chunk = await this.#fill(stream);
        if (chunk) {
          failpoint('source-before-first-chunk');
          yield chunk;
          if (this.#finished) return;
          this.#tell(true);
        } else {
          this.#tell(this.#reader!.inGroup);
          if (stream.drained) await this.#wakeup.wait();
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#runAtBorder();
    this.#probe?.close();
    this.#heartbeats?.close();
    this.verifications.close();
    await this.#snapshots?.close();
    await this.#stream?.close();
    this.#session?.close();
    await this.#cascades.close();
    this.#reader?.xa.close();
  }

  /** Undefined: a snapshot was all that was asked for, and it has been handed over already. */
  async *#open(): AsyncGenerator<Chunk, BinlogStream | undefined> {
    const { config, context, captured, cascades, columns, from } = this.#options;
    context.reportState({ phase: 'connecting' });
    const session = (this.#session = await Session.open(config, context.signal));
    const server = await askServer(session);
    const clock = (this.#clock = await askClock(session));
    context.sourceClock(clock.sourceUs, clock.atMs);
    const held = await context.heldTables();
    let start = await startPosition(session, server, config, from);
    // What was known of tables at another place tells nothing at this one.
    if (start.fresh || from.moved) {
      this.#altered.clear();
      captured.mapped.clear();
    }
    if (config.snapshotMode === 'initial_only' && !start.fresh && !start.cursor && !from.moved) return undefined;
    // Nothing was captured yet: this is the place at which the stream of a first snapshot begins.
    if (from.moved && held.length === 0 && config.snapshotMode !== 'none')
      start = { ...start, cursor: { table: null, key: null } };
    const inspection = await inspect(session, server, config, captured.filter);
    throwError(inspection.findings);
    for (const { code, message, hint, severity } of inspection.findings) {
      if (severity === 'warning') this.#options.logger.warn(message, { code, hint });
    }
    const opening = (this.#tables = new TableOpening({ ...this.#options, session, server, stopped: this.#stopped }));
    await opening.learn(inspection, held);
    await this.#cascades.begin(session, inspection, start.fresh);
    // What was captured before is read again in place, so that rows which have gone meanwhile are found.
    const beginsAnew = start.anew && cascades.tables.size > 0;
    const isFirst =
      start.cursor !== undefined && !start.cursor.only && !(start.fresh && !beginsAnew && held.length > 0);
    // Said before the tables are opened, because a table of a snapshot stays hidden until its end.
    if (isFirst) context.reportState({ phase: 'snapshot' });
    const opensAll = isFirst || (start.fresh && held.length === 0);
    const tables = opensAll ? await opening.all(inspection) : [];
    if (isFirst)
      start = { ...start, ...(yield* this.#cascades.readLinked(tables, start.cursor!, { ...start, session, server })) };
    const side = await context.openSideRecords();
    if (side.heartbeat) this.#heartbeats = new Heartbeats(side.heartbeat, this.#wakeup);
    const collations = await askCollations(session, server);
    const write = side.schemaChange;
    this.#schemaChanges = write && new SchemaChanges({ ...this.#options, write, collations, session, server });
    if (start.fresh) await this.#schemaChanges?.lookAtFirst(inspection.tables);
    const prepared = start.fresh ? [] : from.prepared;
    const begin = beginOf(start.stream, prepared);
    this.#reader = new TransactionReader({
      tables: captured,
      cascades,
      columns,
      chunks: context.chunks,
      collations,
      from: start.stream,
      begin,
      prepared,
      halfSent: from.halfSent,
      side,
      schemaChanges: this.#schemaChanges,
      eventBytesMax: config.packetBytesMax,
      queries: config.includeQuery ? context.chunks.origin : undefined,
      onStatement: (effect) => {
        this.verifications.follow(effect);
        this.#snapshots!.follow(effect);
      },
      onUnconvertible: (name, error) => this.#snapshots!.stop(name, error),
      onLost: (names, cause) =>
        this.#snapshots!.call((names ?? captured.namesWith(inspection.tables)).map((name) => ({ name, cause }))),
    });
    if (start.fresh) {
      const before = await preparedBefore(config, session.options, server, context.signal);
      this.#reader.xa.foresee(before, (place) => !this.#reader!.inGroup && this.#reader!.reached(place));
    }
    const beside = {
      ...this.#options,
      session,
      server,
      opening,
      reader: this.#reader,
      betweenTransactions: <T>(begin: (now: StreamRead) => T) => this.#betweenTransactions(begin),
      mayComplete: () => this.#cascades.isPast(this.#reader!),
      sourceNowUs: () => this.#sourceNowUs(),
      wakeup: this.#wakeup,
    };
    const left = isFirst || start.cursor?.only ? start.cursor : undefined;
    this.#snapshots = new Snapshots(beside, { cursor: left, stopped: this.#stopped, altered: this.#altered });
    const tellsFirst = this.#schemaChanges?.writeFirst(this.#reader.place) === true;
    if (isFirst) this.#snapshots.begin(tables);
    else if (opensAll) this.#snapshots.completeNone();
    else opening.callFor(inspection, held, whyAll(from, start.fresh), this.#snapshots);
    // What could not be read before the stream; and what another configuration may let go on.
    for (const { name, error } of this.#cascades.unread) this.#snapshots.stop(name, error);
    this.#cascades.linkedIsKept();
    this.#snapshots.call(this.#stopped.callsOfOtherConfig);
    // With the place at which the tables begin to be read; where none is read, they stand in the append that says so.
    if (tellsFirst && (isFirst || !opensAll))
      context.chunks.endAppend({ position: this.#reader.positionText, commitTimeUs: this.#sourceNowUs() });
    this.#stream = await BinlogStream.open({
      connection: session.options,
      server,
      from: begin,
      config,
      serverId: config.serverId ?? randomInt(0x8000_0000, 0xffff_ffff),
      wakeup: this.#wakeup,
      signal: context.signal,
    });
    this.#options.asked.wake = () => this.#wakeup.notify();
    this.#probe = new EndProbe(session, server, this.#wakeup);
    this.verifications.opened({ ...beside, snapshots: this.#snapshots });
    this.#options.onConnected();
    return this.#stream;
  }

  #betweenTransactions<T>(begin: (now: StreamRead) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#atBorder.push({ run: (now) => resolve(begin(now)), reject });
      this.#runAtBorder();
    });
  }

  /** Fills the chunk under construction from what is here; gives it when there is something in it. */
  async #fill(stream: BinlogStream): Promise<Chunk | null> {
    const { chunks } = this.#options.context;
    const reader = this.#reader!;
    const snapshots = this.#snapshots!;
    // The snapshot and a stream that never rests take turns.
    this.#snapshotTurn = !this.#snapshotTurn;
    const hasRoom = () => chunks.byteLength < chunkBytes;
    const mayRead = () => this.#emptying === undefined && this.#opening === undefined && this.#again === undefined;
    if (mayRead() && !snapshots.isFirst) this.#heartbeats?.step(reader, chunks, () => this.#sourceNowUs());
    const goesOn =
      !this.#snapshotTurn || !mayRead() || ((await snapshots.step(hasRoom)) && (await this.verifications.step()));
    while (goesOn && hasRoom()) {
      if (this.#emptying) {
        if (!(await this.#empty(this.#emptying))) break;
        continue;
      }
      // Nothing is waited for between events of the usual kind.
      if (this.#cascades.isFollowing && !(await this.#cascades.step(reader))) break;
      if (this.#opening && !chunks.isEmpty) break;
      const event = this.#opening ? await this.#opened(this.#opening) : this.#next(stream);
      if (event === undefined) break;
      const pending = reader.read(event);
      if (pending?.kind === 'empty') {
        const of = { ...this.#options, what: pending.what, passOver: reader.rowsToPassOver };
        this.#emptying = { event, emptying: new Emptying(of) };
        continue;
      }
      if (pending?.kind === 'cascade')
        this.#cascades.follow(pending.event, pending.table, { reader, session: this.#session!, snapshots });
      else if (pending?.kind === 'keys') {
        await this.#cascades.followKeys(pending.what, { reader, session: this.#session!, snapshots });
        this.#again = event;
      } else if (pending?.kind === 'look') {
        await this.#schemaChanges!.look(pending.query);
        this.#again = event;
      } else if (pending) this.#opening = { event, map: pending.map };
      if (this.#atBorder.length > 0) this.#runAtBorder();
    }
    if (goesOn && !this.#snapshotTurn && hasRoom() && mayRead()) {
      if (await snapshots.step(hasRoom)) await this.verifications.step();
    }
    reader.beforeTake();
    return chunks.take();
  }

  /** False: the chunk has to go out first, before rows are asked for or since it is full. */
  async #empty({ event, emptying }: { readonly event: Buffer; readonly emptying: Emptying }): Promise<boolean> {
    const { chunks } = this.#options.context;
    const reader = this.#reader!;
    if (emptying.rows === 0 && !chunks.isEmpty) return false;
    const before = emptying.rows;
    await emptying.fill(() => chunks.byteLength < chunkBytes);
    reader.emptied(emptying.rows - before, emptying.done);
    if (!emptying.done) return false;
    this.#emptying = undefined;
    this.#again = event;
    return true;
  }

  /** On MariaDB also the place in the file has to be known, which takes a moment after a start. */
  #runAtBorder(): void {
    const reader = this.#reader;
    if (this.#closed) {
      for (const waiter of this.#atBorder.splice(0)) waiter.reject(new DOMException('the run has ended', 'AbortError'));
    } else if (reader && !reader.inGroup && (reader.position.kind !== 'mariadb-gtid' || reader.place)) {
      const now = { read: copyPosition(reader.position), place: reader.place };
      for (const waiter of this.#atBorder.splice(0)) waiter.run(now);
    }
  }

  #next(stream: BinlogStream): Buffer | undefined {
    const again = this.#again;
    if (again === undefined) return this.#reader!.within.next() ?? stream.next();
    this.#again = undefined;
    return again;
  }

  /** The event whose table had to be opened, once it is open. */
  async #opened({ event, map }: Opening): Promise<Buffer> {
    this.#again = undefined;
    const opened = await this.#tables!.ofMap(map, this.#snapshots!);
    if (opened !== undefined) this.#reader!.forgetTable(opened);
    this.#opening = undefined;
    return event;
  }

  /** True when only a snapshot was asked for and it is done. */
  get #finished(): boolean {
    return this.#options.config.snapshotMode === 'initial_only' && !this.#snapshots?.cursor;
  }

  /** Rows of a snapshot have the time of the source, as changes have. */
  #sourceNowUs(): number {
    const { sourceUs, atMs } = this.#clock!;
    return Math.round(sourceUs + (systemClock.monotonicMs() - atMs) * 1000);
  }

  /** How it stands, when all that was read is handed over. `moved`: something has come since the last time. */
  #tell(moved: boolean): void {
    const { context } = this.#options;
    const snapshots = this.#snapshots!;
    const { progress } = snapshots;
    if (snapshots.isFirst) {
      const tables = [...this.#cascades.progress, ...(progress?.tables ?? [])];
      context.reportState({ phase: 'snapshot', snapshot: { tables }, caughtUp: false });
      return;
    }
    const probe = this.#probe!;
    if (moved) probe.moved();
    const confirmed = snapshots.isTold ? probe.step(this.#reader!) : undefined;
    context.reportState({
      phase: 'streaming',
      caughtUp: probe.atRest && snapshots.isTold,
      ...(progress && { snapshot: progress }),
      ...this.#stopped.waitingTables,
    });
    if (confirmed !== undefined) context.confirm(confirmed);
  }
}
