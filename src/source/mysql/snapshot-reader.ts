// Reads one table after the other on a connection of its own, chunk by chunk in key order, into the parts that wait for being handed over.
// Each chunk has its own window of changed keys and its own place in the binlog, so several readers need not know of each other.
import { AppError } from '../../core/errors.js';
import { Session } from './connection.js';
import type { FileOffset } from './position.js';
import { RawRows, readRaw } from './raw-rows.js';
import type { ReadAhead, Room } from './read-ahead.js';
import { binlogEnd } from './server.js';
import { ChunkQuery } from './snapshot-query.js';
import { openWindow, type OpenWindow } from './snapshot-window.js';
import type { SnapshotChunk, SnapshotTable, SnapshotterOptions } from './snapshot-chunk.js';
import { isOtherTable, readSignature } from './table-schema.js';
import { tableRefusal } from './unreadable.js';

/** What is cut off is read by another question, on another connection: for rows that are far larger than the server estimates. */
const cutAt = 4;
const rowsMin = 100;

interface ReadChunk {
  readonly rows: RawRows;
  readonly cut: boolean;
  readonly refusal?: AppError;
}

export interface SnapshotReaderOptions extends SnapshotterOptions {
  readonly ahead: ReadAhead<SnapshotChunk>;
  /** What a chunk aims at. */
  readonly chunkBytes: number;
  readonly isSkipped: (table: SnapshotTable) => boolean;
  /** The table is not as it was described. */
  readonly changed: (table: SnapshotTable) => void;
}

export class SnapshotReader {
  readonly #options: SnapshotReaderOptions;
  #session: Session | undefined;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  /** Before the first table; else the first of them does it. */
  async connect(): Promise<void> {
    const { config, connection, ahead } = this.#options;
    this.#session ??= await this.#prepare(await Session.openWith(config, connection, ahead.signal));
  }

  /** Ends a query that runs: its promise rejects with the lost connection. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** The rest of the table, behind `from`. */
  async read(table: SnapshotTable, from: readonly string[] | null): Promise<void> {
    const { config, captured, chunkBytes, ahead, isSkipped, kind } = this.#options;
    const query = new ChunkQuery(table.schema, captured.filter, table.where);
    const rowsOf = (rowBytes: number): number =>
      Math.min(config.chunkRows, Math.max(rowsMin, Math.trunc(chunkBytes / Math.max(1, rowBytes))));
    let after = from;
    let limit = rowsOf(table.schema.rowBytesEstimated);
    let view: OpenWindow | undefined;
    let room: Room<SnapshotChunk> | undefined;
    try {
      for (;;) {
        room = await ahead.room(chunkBytes);
        if (isSkipped(table)) return await view?.view.close();
        await this.connect();
        const session = this.#session!;
        view ??= await openWindow({ ...this.#options, open: table.open, session, signal: ahead.signal });
        const read = await this.#readChunk(session, table, query.sql(after, limit));
        if (read === undefined) return;
        const { rows, cut, refusal } = read;
        if (refusal) {
          const { window, view: refused, release } = view;
          const high = await refused.high();
          await refused.close();
          view = undefined;
          room.put({ table, query, rows, window, high, kind, last: true, release, refusal }, 0);
          return;
        }
        // The rest of the result would have to be read first.
        if (cut) this.close();
        const high = cut && !view.view.lasting ? await this.#highElsewhere(view) : await view.view.high();
        const last = !cut && rows.count < limit;
        const lasting = view.view.lasting && !cut && !last;
        if (!lasting && !cut) await view.view.close();
        const { window } = view;
        const release = lasting ? () => {} : view.release;
        if (rows.count > 0) {
          after = query.keyPlaces.map((place, k) => query.literal(k, rows.column(rows.count - 1, place)!));
          limit = rowsOf(rows.bytes / rows.count);
        }
        if (!lasting) view = undefined;
        if (isSkipped(table)) {
          release();
          return;
        }
        room.put({ table, query, rows, window, high, kind, last, release }, rows.bytes);
        if (last) return;
      }
    } finally {
      room?.leave();
      view?.release();
    }
  }

  /** Undefined: the table is not as it was described, so what was read may be something else than it is taken for. */
  async #readChunk(session: Session, table: SnapshotTable, sql: string): Promise<ReadChunk | undefined> {
    const { schema } = table;
    try {
      const read = await readRaw(session, sql, this.#options.chunkBytes * cutAt);
      if (read.cut || (await readSignature(session, schema)) === schema.signature) return read;
    } catch (error) {
      const refusal = tableRefusal(error, table.open.name);
      if (refusal) return { rows: new RawRows(), cut: false, refusal };
      if (!isOtherTable(error)) throw error;
    }
    this.close();
    this.#options.changed(table);
    return undefined;
  }

  /** MariaDB's view knows its place already; MySQL's end of the binlog can be asked on any connection. */
  async #highElsewhere({ view }: OpenWindow): Promise<FileOffset> {
    const { server } = this.#options;
    if (server.mariadb) return view.high();
    await this.connect();
    const at = await binlogEnd(this.#session!, server);
    if (!at)
      throw new AppError('source-misconfigured', 'the source has no binary log', { hint: 'start it with --log-bin' });
    return at;
  }

  async #prepare(session: Session): Promise<Session> {
    if (this.#options.ahead.signal.aborted) session.close();
    // Text in each column's own character set: the same bytes as in the binlog, decoded by the same code.
    await session.query('SET SESSION character_set_results = NULL');
    return session;
  }
}
