// The first part of a first snapshot: tables whose rows follow those of others by foreign keys that are followed here. What follows from a
// change is found in what is held, so of such tables everything has to be held from the first change on. They are read from one view,
// before the stream begins, and it begins exactly there. That takes no window and no lock, but it cannot go on in the middle: after a
// crash or a lost connection what was handed over is deleted, and they are read from a new view.
import { delay } from '../../core/backoff.js';
import type { Chunk } from '../../core/append.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { SnapshotProgress, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { MysqlConfig } from './config.js';
import { quoteText, Session, type ResolvedOptions } from './connection.js';
import { Emptying } from './emptying.js';
import { KeyWindow } from './key-window.js';
import { MariadbPosition } from './mariadb-gtid.js';
import { contains, printCursor, printStream, type FileOffset, type StreamPosition } from './position.js';
import { readRaw, type RawRows } from './raw-rows.js';
import { binlogEnd, currentPosition, type Server } from './server.js';
import { SnapshotEmitter } from './snapshot-emitter.js';
import { ChunkQuery } from './snapshot-query.js';
import { openView } from './snapshot-view.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import { isOtherTable, readSignature, tableName } from './table-schema.js';
import { stopsTable, tableRefusal } from './unreadable.js';

export interface LinkedSnapshotOptions {
  readonly config: MysqlConfig;
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly columns: ColumnKnowledge;
  readonly tables: readonly SnapshotTable[];
  /** Where the stream would begin without them. */
  readonly position: StreamPosition;
  readonly sourceNowUs: () => number;
  readonly chunkBytes: number;
  readonly logger: Logger;
}

/** What one question aims at. The first is for few rows, since rows may be much larger than the server estimates. */
const readBytes = 8 << 20;
const firstRows = 200;
/** How often a moment is sought in which the server commits nothing. */
const viewTries = 40;

/** A value of it has no form here, or the server itself cannot read it. */
export interface UnreadTable {
  /** Folded. */
  readonly name: string;
  readonly error: AppError;
}

export class LinkedSnapshot {
  readonly #options: LinkedSnapshotOptions;
  readonly #rowCounts = new Map<string, number>();
  readonly #done = new Set<string>();
  /** What was read of these is not whole: they are to stand still. */
  readonly unread: UnreadTable[] = [];
  /** Where the stream begins: everything before it is in the view. */
  position: StreamPosition;
  /** Transactions up to here may be in the view, too; undefined: none. */
  doubtfulUpTo: FileOffset | undefined;

  constructor(options: LinkedSnapshotOptions) {
    this.#options = options;
    this.position = options.position;
  }

  get names(): string[] {
    return this.#options.tables.map(({ schema }) => tableName(schema));
  }

  get progress(): SnapshotProgress['tables'] {
    return this.#options.tables.map(({ schema, open }) => ({
      table: open.name,
      rows: this.#rowCounts.get(open.name) ?? 0,
      rowsEstimated: schema.rowsEstimated,
      done: this.#done.has(open.name),
    }));
  }

  async *chunks(): AsyncGenerator<Chunk, void, undefined> {
    const { config, connection, context } = this.#options;
    yield* this.#empty();
    const session = await Session.openWith(config, connection, context.signal);
    const onAbort = () => session.close();
    context.signal.addEventListener('abort', onAbort);
    try {
      // Text in each column's own character set: the same bytes as in the binlog, decoded by the same code.
      await session.query('SET SESSION character_set_results = NULL');
      await this.#openView(session);
      for (const table of this.#options.tables) {
        yield* this.#read(table, session);
        this.#done.add(table.open.name);
      }
      await session.query('COMMIT');
    } finally {
      context.signal.removeEventListener('abort', onAbort);
      session.close();
    }
  }

  /** What an earlier try has handed over. */
  async *#empty(): AsyncGenerator<Chunk, void, undefined> {
    const { captured, context, chunkBytes } = this.#options;
    const { chunks } = context;
    // An append that was open when the connection broke ends here, so that its rows are among those that are deleted.
    yield this.#chunk();
    const emptying = new Emptying({
      captured,
      what: { tables: this.names.map((name) => captured.known.fold(name)), databases: [] },
      context,
      passOver: 0,
    });
    while (!emptying.done) {
      const before = emptying.rows;
      chunks.origin.read('true', this.#place);
      await emptying.fill(() => chunks.byteLength < chunkBytes);
      if (emptying.rows > before) yield this.#chunk();
    }
  }

  get #place(): FileOffset {
    return this.position.kind === 'file' ? this.position.at : { file: '', offset: 0 };
  }

  #chunk(): Chunk {
    const { chunks } = this.#options.context;
    chunks.endAppend({
      position: printStream(this.position, printCursor({ table: null, key: null, linked: 'begun' })),
      commitTimeUs: this.#options.sourceNowUs(),
    });
    return chunks.take()!;
  }

  async #openView(session: Session): Promise<void> {
    const { server, position, context, logger } = this.#options;
    switch (server.position) {
      case 'mariadb-gtid': {
        await session.queryLong('START TRANSACTION WITH CONSISTENT SNAPSHOT', 'beginning a snapshot');
        const rows = await session.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'");
        const status = new Map(rows.map((row) => [row['Variable_name']!.toLowerCase(), row['Value'] ?? '']));
        const at = `${quoteText(status.get('binlog_snapshot_file') ?? '')}, ${Number(status.get('binlog_snapshot_position'))}`;
        // It reads through the binlog file, which is done once here.
        const [row] = await session.queryLong(`SELECT BINLOG_GTID_POS(${at}) AS gtids`, 'placing a snapshot');
        this.position = { kind: 'mariadb-gtid', gtids: MariadbPosition.parse(row!['gtids'] ?? '') };
        return;
      }
      case 'mysql-gtid':
        return this.#openGtidView(session);
      case 'file': {
        const view = await openView({
          session,
          server,
          read: position,
          place: undefined,
          signal: context.signal,
          logger,
        });
        const uuid = position.kind === 'file' ? position.server : undefined;
        this.position = { kind: 'file', at: await view.high(), server: uuid };
        return;
      }
    }
  }

  /**
   * What a view of MySQL holds is told by nothing, but at a moment at which the server commits nothing it is known: the same transactions
   * are executed before and behind it, and the binlog has not grown. A server that never rests leaves a few in doubt.
   */
  async #openGtidView(session: Session): Promise<void> {
    const { server, context } = this.#options;
    for (let tries = 1; ; tries++) {
      context.signal.throwIfAborted();
      const placeBefore = await binlogEnd(session, server);
      const before = await currentPosition(session, server);
      await session.queryLong('START TRANSACTION WITH CONSISTENT SNAPSHOT', 'beginning a snapshot');
      const after = await currentPosition(session, server);
      const place = await binlogEnd(session, server);
      const rested = place!.file === placeBefore!.file && place!.offset === placeBefore!.offset;
      if ((rested && contains(before, after)) || tries === viewTries) {
        this.position = before;
        this.doubtfulUpTo = rested && contains(before, after) ? undefined : place;
        return;
      }
      await session.query('COMMIT');
      await delay(tries, context.signal);
    }
  }

  async *#read(table: SnapshotTable, session: Session): AsyncGenerator<Chunk, void, undefined> {
    const { config, captured, columns, context } = this.#options;
    const query = new ChunkQuery(table.schema, captured.filter);
    let after: readonly string[] | null = null;
    let limit = Math.min(config.chunkRows, firstRows);
    for (;;) {
      const rows = await this.#rows(table, session, query.sql(after, limit));
      if (rows === undefined || rows.count === 0) return;
      const last = rows.count < limit;
      after = query.keyPlaces.map((place, k) => query.literal(k, rows.column(rows.count - 1, place)!));
      const aim = Math.max(1, Math.trunc((readBytes * rows.count) / rows.bytes));
      limit = Math.min(config.chunkRows, aim, limit * 4);
      const chunk = {
        table,
        query,
        rows,
        window: new KeyWindow(),
        high: this.#place,
        kind: 'true' as const,
        last,
        release: () => {},
      };
      const emitter = new SnapshotEmitter(chunk, columns.charsets, context.chunks.origin);
      while (!emitter.done) {
        const count = this.#emit(emitter, table);
        if (count === undefined) return;
        this.#rowCounts.set(table.open.name, (this.#rowCounts.get(table.open.name) ?? 0) + count);
        yield this.#chunk();
        context.reportState({ phase: 'snapshot', snapshot: { tables: this.progress }, caughtUp: false });
      }
      if (last) return;
    }
  }

  /** Undefined: the table cannot be read on. */
  #emit(emitter: SnapshotEmitter, { open }: SnapshotTable): number | undefined {
    const { context, chunkBytes } = this.#options;
    const { chunks } = context;
    try {
      return emitter.emit(() => chunks.byteLength < chunkBytes);
    } catch (error) {
      this.#leave(open.name, error);
      chunks.dropOpen(open.encoder.topic);
      return undefined;
    }
  }

  /** Throws what is to end the task. */
  #leave(name: string, error: unknown): void {
    const { config, captured } = this.#options;
    if (!stopsTable(error) || config.failures === 'fail') throw error;
    this.unread.push({ name: captured.known.fold(name), error });
  }

  /** Undefined: the table cannot be read on. */
  async #rows({ schema, open }: SnapshotTable, session: Session, sql: string): Promise<RawRows | undefined> {
    try {
      const { rows } = await readRaw(session, sql, Number.POSITIVE_INFINITY);
      if ((await readSignature(session, schema)) === schema.signature) return rows;
    } catch (error) {
      const refusal = tableRefusal(error, open.name);
      if (refusal) {
        this.#leave(open.name, refusal);
        return undefined;
      }
      if (!isOtherTable(error)) throw error;
    }
    throw new AppError('source-unreachable', `table ${tableName(schema)} has changed while the snapshot began`, {
      retriable: true,
    });
  }
}
