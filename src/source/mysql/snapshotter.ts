// Reads the tables of a snapshot chunk by chunk, one chunk ahead of the stream. It hands over nothing itself: a chunk that has
// been read waits here, with its window and its place in the binlog, until the run finds that the stream has passed that place.
import { systemClock } from '../../core/clock.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { SnapshotProgress, TableProgress } from '../source-connector.js';
import type { CapturedTables, OpenTable } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import { Session, type ResolvedOptions } from './connection.js';
import type { KeyWindow } from './key-window.js';
import type { FileOffset, SnapshotCursor } from './position.js';
import { RawRows, readRaw } from './raw-rows.js';
import { ReadAhead } from './read-ahead.js';
import { binlogEnd, type Server } from './server.js';
import { ChunkQuery } from './snapshot-query.js';
import { openWindow, type OpenWindow, type WindowOptions } from './snapshot-window.js';
import { sourceError } from './source-error.js';
import { isOtherTable, readSignature, tableName, type TableSchema } from './table-schema.js';
import { tableRefusal } from './unreadable.js';
import type { Wakeup } from './wakeup.js';

/** What a chunk aims at, and where a chunk of unexpectedly large rows is cut off. */
const chunkBytes = 8 << 20;
const chunkBytesMax = 32 << 20;
const chunksAhead = 2;

export interface SnapshotTable {
  readonly schema: TableSchema;
  readonly open: OpenTable;
  /** Only rows that meet it are read. */
  readonly where?: string | undefined;
}

export interface SnapshotChunk {
  readonly table: SnapshotTable;
  readonly query: ChunkQuery;
  readonly rows: RawRows;
  readonly window: KeyWindow;
  readonly high: FileOffset;
  readonly kind: 'true' | 'incremental';
  /** The last of the table. */
  readonly last: boolean;
  /** The server does not read the table on; there are no rows. */
  readonly refusal?: AppError | undefined;
  /** Called when all its rows were handed over or dropped. */
  release(): void;
}

interface ReadChunk {
  readonly rows: RawRows;
  readonly cut: boolean;
  readonly refusal?: AppError;
}

export interface SnapshotterOptions {
  readonly config: MysqlConfig;
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly tables: readonly SnapshotTable[];
  /** What its rows are called. */
  readonly kind: SnapshotChunk['kind'];
  readonly captured: CapturedTables;
  /** What earlier runs have handed over already. */
  readonly cursor: SnapshotCursor;
  readonly betweenTransactions: WindowOptions['betweenTransactions'];
  /** The table (folded name) is not as it was described, and is not read on. */
  readonly onChanged: (name: string) => void;
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #ahead: ReadAhead<SnapshotChunk>;
  readonly #rowCounts = new Map<string, number>();
  readonly #begunMs = new Map<string, number>();
  readonly #doneTables = new Set<string>();
  readonly #skipped = new Set<string>();
  #session: Session | undefined;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#ahead = new ReadAhead({
      ahead: chunksAhead,
      wakeup: options.wakeup,
      release: (chunk) => chunk.release(),
      failure: (error) => sourceError(error, 'reading the snapshot', options.config.user),
    });
    this.#ahead.begin(() => this.#run());
  }

  /** The oldest chunk that waits; throws what ended the reading. */
  peek(): SnapshotChunk | undefined {
    return this.#ahead.peek();
  }

  /** The oldest chunk has been handed over. */
  shift(): void {
    const chunk = this.#ahead.shift();
    chunk?.release();
    if (chunk?.last) this.#doneTables.add(chunk.table.open.name);
  }

  /** Nothing more is handed over of this table (folded name). */
  skip(name: string): void {
    this.#skipped.add(name);
    this.#ahead.drop((chunk) => this.#fold(chunk.table) === name);
  }

  #fold({ schema }: SnapshotTable): string {
    return this.#options.captured.known.fold(tableName(schema));
  }

  countRows(table: string, rows: number): void {
    this.#rowCounts.set(table, (this.#rowCounts.get(table) ?? 0) + rows);
  }

  /** True when all tables have been read and handed over. */
  get done(): boolean {
    return this.#ahead.done;
  }

  get progress(): SnapshotProgress {
    return {
      tables: this.#options.tables.map(({ schema, open }) => ({
        table: open.name,
        rows: this.#rowCounts.get(open.name) ?? 0,
        rowsEstimated: schema.rowsEstimated,
        done: this.#doneTables.has(open.name),
        ...this.#pace(open.name, schema.rowsEstimated),
      })),
    };
  }

  /** How fast it comes; nothing before its first rows. */
  #pace(table: string, estimated: number | null): Pick<TableProgress, 'rowsPerSecond' | 'secondsLeft'> {
    const begun = this.#begunMs.get(table);
    const rows = this.#rowCounts.get(table) ?? 0;
    if (begun === undefined || rows === 0) return {};
    const rowsPerSecond = Math.round((rows * 1000) / Math.max(1, systemClock.monotonicMs() - begun));
    if (estimated === null || estimated < rows || rowsPerSecond === 0) return { rowsPerSecond };
    return { rowsPerSecond, secondsLeft: Math.ceil((estimated - rows) / rowsPerSecond) };
  }

  close(): Promise<void> {
    // Ends a query that runs: its promise rejects with the lost connection, which nobody asks for any more.
    return this.#ahead.close(() => this.#session?.close());
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
        this.#options.wakeup.notify();
      }
    } finally {
      this.#session?.close();
    }
  }

  async #readTable(table: SnapshotTable, from: readonly string[] | null): Promise<void> {
    const { config, captured } = this.#options;
    this.#begunMs.set(table.open.name, systemClock.monotonicMs());
    const query = new ChunkQuery(table.schema, captured.filter, table.where);
    let after = from;
    let limit = Math.min(
      config.chunkRows,
      Math.max(100, Math.trunc(chunkBytes / Math.max(1, table.schema.rowBytesEstimated))),
    );
    let view: OpenWindow | undefined;
    try {
      for (;;) {
        await this.#ahead.room();
        if (this.#skipped.has(this.#fold(table))) return await view?.view.close();
        const session = (this.#session ??= await this.#connect());
        view ??= await openWindow({ ...this.#options, open: table.open, session, signal: this.#ahead.signal });
        const read = await this.#readChunk(session, table, query.sql(after, limit));
        if (read === undefined) return;
        const { rows, cut } = read;
        if (read.refusal) {
          const { window, view: refused, release } = view;
          const high = await refused.high();
          await refused.close();
          view = undefined;
          this.#ahead.push({
            table,
            query,
            rows,
            window,
            high,
            kind: this.#options.kind,
            last: true,
            release,
            refusal: read.refusal,
          });
          return;
        }
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
        if (this.#skipped.has(this.#fold(table))) {
          release();
          return;
        }
        this.#ahead.push({ table, query, rows, window, high, kind: this.#options.kind, last, release });
        if (last) return;
      }
    } finally {
      view?.release();
    }
  }

  /** Undefined: the table is not as it was described, so what was read may be something else than it is taken for. */
  async #readChunk(session: Session, table: SnapshotTable, sql: string): Promise<ReadChunk | undefined> {
    const { schema } = table;
    try {
      const read = await readRaw(session, sql, chunkBytesMax);
      if (read.cut || (await readSignature(session, schema)) === schema.signature) return read;
    } catch (error) {
      const refusal = tableRefusal(error, table.open.name);
      if (refusal) return { rows: new RawRows(), cut: false, refusal };
      if (!isOtherTable(error)) throw error;
    }
    session.close();
    this.#session = undefined;
    this.#options.onChanged(this.#fold(table));
    return undefined;
  }

  /** MariaDB's view knows its place already; MySQL's end of the binlog can be asked on any connection. */
  async #highElsewhere({ view }: OpenWindow): Promise<FileOffset> {
    const { config, connection, server } = this.#options;
    if (server.mariadb) return view.high();
    const session = await Session.openWith(config, connection, this.#ahead.signal);
    this.#session = await this.#prepare(session);
    const at = await binlogEnd(session, server);
    if (!at)
      throw new AppError('source-misconfigured', 'the source has no binary log', { hint: 'start it with --log-bin' });
    return at;
  }

  async #connect(): Promise<Session> {
    const { config, connection } = this.#options;
    return this.#prepare(await Session.openWith(config, connection, this.#ahead.signal));
  }

  async #prepare(session: Session): Promise<Session> {
    if (this.#ahead.signal.aborted) session.close();
    // Text in each column's own character set: the same bytes as in the binlog, decoded by the same code.
    await session.query('SET SESSION character_set_results = NULL');
    return session;
  }
}
