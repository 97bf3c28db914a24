// One connected run of the source: checks, position, the stream, and beside it the snapshot where one is due; from all of that
// one sequence of chunks. It ends with the signal, with an error, or when a snapshot was all that was asked for. What the next
// run has to know stands in `resume`.
//
// Steps of the loop, over and over: events from the queue to their encoders until a chunk is full or the queue empty; then, at
// the border of a transaction, a piece of a snapshot chunk whose place the stream has passed; then the chunk goes out. Nothing
// is asked of the socket while the caller keeps us waiting, because the queue is bounded. A crash anywhere loses only what was
// not yet stored with its position.
import { randomInt } from 'node:crypto';
import { systemClock } from '../../core/clock.js';
import { AppError } from '../../core/errors.js';
import { failpoint } from '../../core/failpoint.js';
import type { Logger } from '../../core/logger.js';
import type { Chunk } from '../../core/append.js';
import type { SourceClock, SourceContext } from '../source-connector.js';
import { BinlogStream } from './binlog-stream.js';
import type { CapturedTables } from './captured-tables.js';
import { checkNewTable, inspect, throwError, type Inspection } from './checks.js';
import type { MysqlConfig } from './config.js';
import { Session } from './connection.js';
import { Emptying } from './emptying.js';
import { EndProbe } from './end-probe.js';
import { copyPosition, printCursor, type SnapshotCursor, type StreamPosition } from './position.js';
import { askCollations, askClock, askServer, currentPosition, type Server } from './server.js';
import { SnapshotEmitter } from './snapshot-emitter.js';
import { Snapshotter, type SnapshotTable, type StreamRead } from './snapshotter.js';
import { checkPosition } from './start-position.js';
import type { Emptied } from './table-knowledge.js';
import type { TableMap } from './table-map.js';
import { readSchema, tableName } from './table-schema.js';
import { TransactionReader, type HalfSent } from './transaction-reader.js';
import { Wakeup } from './wakeup.js';

const chunkBytes = 256 << 10;

/** Where a run begins, and where the one before it ended. */
export interface Resume {
  /** Undefined: nothing was ever handed over. */
  readonly stream: StreamPosition | undefined;
  readonly cursor: SnapshotCursor | undefined;
  readonly halfSent: HalfSent | undefined;
}

export interface CaptureRunOptions {
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly from: Resume;
  readonly logger: Logger;
  /** Called when the stream stands: the connection counts as good again. */
  onConnected(): void;
}

/** A part of the snapshot that waits for the border between two transactions. */
interface Waiter {
  run(now: StreamRead): void;
  reject(reason: Error): void;
}

export class CaptureRun {
  readonly #options: CaptureRunOptions;
  readonly #wakeup = new Wakeup();
  #session: Session | undefined;
  #stream: BinlogStream | undefined;
  #reader: TransactionReader | undefined;
  #snapshotter: Snapshotter | undefined;
  #emitter: SnapshotEmitter | undefined;
  #probe: EndProbe | undefined;
  #clock: SourceClock | undefined;
  #cursor: SnapshotCursor | undefined;
  #atBorder: Waiter[] = [];
  #closed = false;
  #snapshotTurn = false;
  /** A statement whose rows are being deleted, and its event. */
  #emptying: { readonly event: Buffer; readonly emptying: Emptying } | undefined;

  constructor(options: CaptureRunOptions) {
    this.#options = options;
    this.#cursor = options.from.cursor;
  }

  get resume(): Resume {
    const reader = this.#reader;
    if (!reader) return this.#options.from;
    return { stream: copyPosition(reader.position), cursor: this.#cursor, halfSent: reader.halfSent };
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
      const stream = await this.#open();
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
    await this.#snapshotter?.close();
    await this.#stream?.close();
    this.#session?.close();
  }

  /** Undefined: a snapshot was all that was asked for, and it has been handed over already. */
  async #open(): Promise<BinlogStream | undefined> {
    const { config, context, captured, from } = this.#options;
    context.reportState({ phase: 'connecting' });
    const session = (this.#session = await Session.open(config, context.signal));
    const server = await askServer(session);
    this.#clock = await askClock(session);
    context.sourceClock(this.#clock.sourceUs, this.#clock.atMs);
    const start = await this.#startPosition(session, server);
    if (config.snapshotMode === 'initial_only' && !start.fresh && !start.cursor) return undefined;
    const inspection = await inspect(session, server, config, captured.filter);
    throwError(inspection.findings);
    for (const { code, message, hint, severity } of inspection.findings) {
      if (severity === 'warning') this.#options.logger.warn(message, { code, hint });
    }
    this.#cursor = start.cursor;
    // Said before the tables are opened, because a table of a snapshot stays hidden until its end.
    if (start.cursor) context.reportState({ phase: 'snapshot' });
    const tables = await this.#openTables(inspection, start.fresh, start.cursor !== undefined);
    this.#reader = new TransactionReader({
      tables: captured,
      chunks: context.chunks,
      collations: await askCollations(session, server),
      from: start.stream,
      halfSent: from.halfSent,
    });
    this.#reader.cursor = start.cursor ? printCursor(start.cursor) : '';
    if (start.fresh && !start.cursor) this.#completeSnapshot();
    this.#stream = await BinlogStream.open({
      connection: session.options,
      server,
      from: start.stream,
      serverId: config.serverId ?? randomInt(0x8000_0000, 0xffff_ffff),
      user: config.user,
      wakeup: this.#wakeup,
      deadline: config.deadlines.short,
      signal: context.signal,
    });
    if (start.cursor) this.#startSnapshot(tables, start.cursor, session, server);
    this.#probe = new EndProbe(session, server, this.#wakeup);
    this.#options.onConnected();
    return this.#stream;
  }

  async #startPosition(
    session: Session,
    server: Server,
  ): Promise<{ stream: StreamPosition; cursor: SnapshotCursor | undefined; fresh: boolean }> {
    const { config, from } = this.#options;
    if (from.stream) {
      await checkPosition(session, server, from.stream);
      return { stream: from.stream, cursor: from.cursor, fresh: false };
    }
    const cursor = config.snapshotMode === 'none' ? undefined : { table: null, key: null };
    return { stream: await currentPosition(session, server), cursor, fresh: true };
  }

  /** At a fresh start and while a snapshot runs all tables are opened at once, in the order of their names. */
  async #openTables(
    { tables, keyless, foldsCase }: Inspection,
    fresh: boolean,
    snapshot: boolean,
  ): Promise<SnapshotTable[]> {
    const { captured } = this.#options;
    captured.known.foldCase(foldsCase);
    if (fresh) captured.known.startWith({ keyed: tables.map(tableName), keyless: keyless.map(tableName) });
    if (!fresh && !snapshot) return [];
    // Side by side: each is a definition, and those that wait together become durable together.
    return Promise.all(tables.map(async (schema) => ({ schema, open: await captured.open(schema) })));
  }

  #startSnapshot(tables: readonly SnapshotTable[], cursor: SnapshotCursor, session: Session, server: Server): void {
    const { config, captured, logger } = this.#options;
    this.#snapshotter = new Snapshotter({
      config,
      connection: session.options,
      server,
      tables,
      captured,
      cursor,
      betweenTransactions: (begin) => this.#betweenTransactions(begin),
      wakeup: this.#wakeup,
      logger,
    });
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
    // The snapshot and a stream that never rests take turns.
    this.#snapshotTurn = !this.#snapshotTurn;
    if (this.#snapshotTurn) this.#emitSnapshot(reader);
    while (chunks.byteLength < chunkBytes) {
      if (this.#emptying) {
        if (!(await this.#empty(this.#emptying))) break;
        continue;
      }
      const event = stream.next();
      if (event === undefined) break;
      const pending = reader.read(event);
      if (pending?.kind === 'empty') {
        this.#emptying = { event, emptying: this.#beginEmptying(pending.what) };
        continue;
      }
      if (pending) {
        await this.#openPending(pending.map);
        if (reader.read(event)) throw new AppError('internal', `table ${tableName(pending.map)} does not stay open`);
      }
      if (this.#atBorder.length > 0) this.#runAtBorder();
    }
    if (!this.#snapshotTurn && chunks.byteLength < chunkBytes) this.#emitSnapshot(reader);
    reader.beforeTake();
    return chunks.take();
  }

  #beginEmptying(what: Emptied): Emptying {
    const { captured, context } = this.#options;
    return new Emptying({
      tables: captured,
      what,
      heldTables: () => context.heldTables(),
      passOver: this.#reader!.rowsToPassOver,
    });
  }

  /** False: the chunk has to go out first, before rows are asked for or since it is full. */
  async #empty({ event, emptying }: { readonly event: Buffer; readonly emptying: Emptying }): Promise<boolean> {
    const { chunks } = this.#options.context;
    const reader = this.#reader!;
    if (emptying.rows === 0 && chunks.recordCount > 0) return false;
    const before = emptying.rows;
    await emptying.fill(() => chunks.byteLength < chunkBytes);
    reader.emptied(emptying.rows - before, emptying.done);
    if (!emptying.done) return false;
    this.#emptying = undefined;
    if (reader.read(event)) throw new AppError('internal', 'a statement that takes rows away is not done with');
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

  /** A table that appeared while the stream runs: the server is asked for what its table map does not tell. */
  async #openPending(map: TableMap): Promise<void> {
    const session = this.#session!;
    const { captured } = this.#options;
    const schema = await readSchema(session, map.database, map.table);
    if (!captured.known.begins(map, schema)) return;
    if (schema) await checkNewTable(session, schema, captured.filter);
    await captured.open(map);
  }

  #emitSnapshot(reader: TransactionReader): void {
    const { chunks } = this.#options.context;
    const snapshotter = this.#snapshotter;
    while (snapshotter && !reader.inGroup && chunks.byteLength < chunkBytes) {
      const chunk = snapshotter.peek();
      if (!chunk) {
        if (snapshotter.done) this.#completeSnapshot();
        return;
      }
      if (this.#emitter?.chunk !== chunk) {
        if (!reader.reached(chunk.high)) return;
        this.#emitter = new SnapshotEmitter(chunk);
      }
      const emitter = this.#emitter;
      const rows = emitter.emit(() => chunks.byteLength < chunkBytes);
      snapshotter.countRows(chunk.table.open.name, rows);
      if (rows > 0) {
        this.#moveCursor({ table: chunk.table.open.name, key: emitter.cursorKey });
        chunks.endAppend({ position: reader.positionText, commitTimeUs: this.#sourceNowUs() });
      }
      if (emitter.done) {
        this.#emitter = undefined;
        snapshotter.shift();
      }
    }
  }

  #moveCursor(cursor: SnapshotCursor): void {
    this.#cursor = cursor;
    this.#reader!.cursor = printCursor(cursor);
  }

  /** The last append of the snapshot: from here on the tables are the state of the source at exactly this place of the stream. */
  #completeSnapshot(): void {
    const { context, config, captured } = this.#options;
    const reader = this.#reader!;
    this.#cursor = undefined;
    reader.cursor = '';
    const closing = this.#snapshotter;
    this.#snapshotter = undefined;
    void closing?.close();
    context.chunks.endAppend({
      position: reader.positionText,
      commitTimeUs: this.#sourceNowUs(),
      control: { kind: 'snapshot-completed', connector: config.name, topics: captured.topics },
    });
  }

  /** True when only a snapshot was asked for and it is done. */
  get #finished(): boolean {
    return this.#options.config.snapshotMode === 'initial_only' && !this.#cursor;
  }

  /** Rows of a snapshot have the time of the source, as changes have. */
  #sourceNowUs(): number {
    const { sourceUs, atMs } = this.#clock!;
    return Math.round(sourceUs + (systemClock.monotonicMs() - atMs) * 1000);
  }

  /** How it stands, when all that was read is handed over. `moved`: something has come since the last time. */
  #tell(moved: boolean): void {
    const { context } = this.#options;
    const snapshotter = this.#snapshotter;
    if (snapshotter) {
      context.reportState({ phase: 'snapshot', snapshot: snapshotter.progress, caughtUp: false });
      return;
    }
    const probe = this.#probe!;
    if (moved) probe.moved();
    const confirmed = probe.step(this.#reader!);
    context.reportState({ phase: 'streaming', caughtUp: probe.atRest });
    if (confirmed !== undefined) context.confirm(confirmed);
  }
}
