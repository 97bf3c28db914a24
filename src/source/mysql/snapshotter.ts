// Reads the tables of a snapshot chunk by chunk, one chunk ahead of the stream. It hands over nothing itself: a chunk that has
// been read waits here, with its window and its place in the binlog, until the run finds that the stream has passed that place.
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { SnapshotProgress } from '../source-connector.js';
import type { CapturedTables, OpenTable } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import { Session, type ResolvedOptions } from './connection.js';
import { KeyWindow } from './key-window.js';
import type { FileOffset, SnapshotCursor, StreamPosition } from './position.js';
import { readRaw, type RawRows } from './raw-rows.js';
import { binlogEnd, type Server } from './server.js';
import { ChunkQuery } from './snapshot-query.js';
import { openView, type SnapshotView } from './snapshot-view.js';
import { sourceError } from './source-error.js';
import { tableName, type TableSchema } from './table-schema.js';
import type { Wakeup } from './wakeup.js';

/** What a chunk aims at, and where a chunk of unexpectedly large rows is cut off. */
const chunkBytes = 8 << 20;
const chunkBytesMax = 32 << 20;
const chunksAhead = 2;

export interface SnapshotTable {
  readonly schema: TableSchema;
  readonly open: OpenTable;
}

export interface SnapshotChunk {
  readonly table: SnapshotTable;
  readonly query: ChunkQuery;
  readonly rows: RawRows;
  readonly window: KeyWindow;
  readonly high: FileOffset;
  /** The last of the table. */
  readonly last: boolean;
  /** Called when all its rows were handed over or dropped. */
  release(): void;
}

/** What the stream has read at some moment. */
export interface StreamRead {
  readonly read: StreamPosition;
  readonly place: FileOffset | undefined;
}

export interface SnapshotterOptions {
  readonly config: MysqlConfig;
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly tables: readonly SnapshotTable[];
  readonly captured: CapturedTables;
  /** What earlier runs have handed over already. */
  readonly cursor: SnapshotCursor;
  /**
   * Calls `begin` when the stream stands between two transactions, at once where it does, with a copy of what it has read.
   * Rejects when the run ends before.
   */
  readonly betweenTransactions: <T>(begin: (read: StreamRead) => T) => Promise<T>;
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #stop = new AbortController();
  readonly #ready: SnapshotChunk[] = [];
  readonly #rowCounts = new Map<string, number>();
  readonly #doneTables = new Set<string>();
  #resume: (() => void) | undefined;
  #session: Session | undefined;
  #finished = false;
  #failure: AppError | undefined;
  readonly #running: Promise<void>;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#running = this.#run().then(
      () => {
        this.#finished = true;
        options.wakeup.notify();
      },
      (error: unknown) => {
        this.#failure = sourceError(error, 'reading the snapshot', options.config.user);
        options.wakeup.notify();
      },
    );
  }

  /** The oldest chunk that waits; throws what ended the reading. */
  peek(): SnapshotChunk | undefined {
    const chunk = this.#ready[0];
    if (!chunk && this.#failure) throw this.#failure;
    return chunk;
  }

  /** The oldest chunk has been handed over. */
  shift(): void {
    const chunk = this.#ready.shift();
    chunk?.release();
    if (chunk?.last) this.#doneTables.add(chunk.table.open.name);
    this.#resume?.();
  }

  countRows(table: string, rows: number): void {
    this.#rowCounts.set(table, (this.#rowCounts.get(table) ?? 0) + rows);
  }

  /** True when all tables have been read and handed over. */
  get done(): boolean {
    return this.#finished && this.#ready.length === 0;
  }

  get progress(): SnapshotProgress {
    return {
      tables: this.#options.tables.map(({ schema, open }) => ({
        table: open.name,
        rows: this.#rowCounts.get(open.name) ?? 0,
        rowsEstimated: schema.rowsEstimated,
        done: this.#doneTables.has(open.name),
      })),
    };
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException('stopped', 'AbortError'));
    this.#resume?.();
    // Ends a query that runs: its promise rejects with the lost connection, which nobody asks for any more.
    this.#session?.close();
    await this.#running;
    for (const chunk of this.#ready.splice(0)) chunk.release();
  }

  async #run(): Promise<void> {
    const { tables, cursor } = this.#options;
    try {
      for (const table of tables) {
        const name = tableName(table.schema);
        if (cursor.table !== null && name < cursor.table) {
          this.#doneTables.add(name);
          continue;
        }
        await this.#readTable(table, cursor.table === name ? cursor.key : null);
      }
    } finally {
      this.#session?.close();
    }
  }

  async #readTable(table: SnapshotTable, from: readonly string[] | null): Promise<void> {
    const { config, captured } = this.#options;
    const query = new ChunkQuery(table.schema, captured.filter);
    let after = from;
    let limit = Math.min(
      config.chunkRows,
      Math.max(100, Math.trunc(chunkBytes / Math.max(1, table.schema.rowBytesEstimated))),
    );
    let view: OpenWindow | undefined;
    try {
      for (;;) {
        await this.#room();
        const session = (this.#session ??= await this.#connect());
        view ??= await this.#openWindow(table, session);
        const { rows, cut } = await readRaw(session, query.sql(after, limit), chunkBytesMax);
        if (cut) {
          // The rest of the result would have to be read first.
          session.close();
          this.#session = undefined;
        }
        const high = cut && !view.view.lasting ? await this.#highElsewhere(view) : await view.view.high();
        const last = !cut && rows.count < limit;
        const lasting = view.view.lasting && !cut && !last;
        if (!lasting && !cut) await view.view.close();
        const { window } = view;
        const release = lasting ? () => {} : view.release;
        if (rows.count > 0) {
          after = query.keyPlaces.map((place, k) => query.literal(k, rows.column(rows.count - 1, place)!));
          limit = Math.min(config.chunkRows, Math.max(100, Math.trunc((chunkBytes * rows.count) / rows.bytes)));
        }
        if (!lasting) view = undefined;
        this.#ready.push({ table, query, rows, window, high, last, release });
        this.#options.wakeup.notify();
        if (last) return;
      }
    } finally {
      view?.release();
    }
  }

  /** Waits until less than `chunksAhead` chunks are in memory. */
  async #room(): Promise<void> {
    while (this.#ready.length >= chunksAhead && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#stop.signal.throwIfAborted();
  }

  /**
   * Begins to record changed keys, and then opens the view: whatever the view does not see is recorded, because it comes in the
   * stream behind what had been read when the recording began. In the middle of a transaction its first rows would be missed.
   */
  async #openWindow(table: SnapshotTable, session: Session): Promise<OpenWindow> {
    const { server, betweenTransactions, logger } = this.#options;
    const { open } = table;
    const window = new KeyWindow();
    const release = () => {
      open.windows = open.windows.filter((other) => other !== window);
    };
    const read = await betweenTransactions((now) => {
      open.windows = [...open.windows, window];
      return now;
    });
    try {
      const view = await openView({ session, server, ...read, signal: this.#stop.signal, logger });
      return { window, view, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** MariaDB's view knows its place already; MySQL's end of the binlog can be asked on any connection. */
  async #highElsewhere({ view }: OpenWindow): Promise<FileOffset> {
    const { config, connection, server } = this.#options;
    if (server.mariadb) return view.high();
    const session = await Session.openWith(config, connection, this.#stop.signal);
    this.#session = await this.#prepare(session);
    const at = await binlogEnd(session, server);
    if (!at)
      throw new AppError('source-misconfigured', 'the source has no binary log', { hint: 'start it with --log-bin' });
    return at;
  }

  async #connect(): Promise<Session> {
    const { config, connection } = this.#options;
    return this.#prepare(await Session.openWith(config, connection, this.#stop.signal));
  }

  async #prepare(session: Session): Promise<Session> {
    if (this.#stop.signal.aborted) session.close();
    // Text in each column's own character set: the same bytes as in the binlog, decoded by the same code.
    await session.query('SET SESSION character_set_results = NULL');
    return session;
  }
}

interface OpenWindow {
  readonly window: KeyWindow;
  readonly view: SnapshotView;
  readonly release: () => void;
}
