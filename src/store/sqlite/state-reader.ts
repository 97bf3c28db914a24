// The readers' face of the store, for one thread, over read-only connections to the file that the engine writes. A session is a cut of
// its own; point reads share one cut for a turn of the event loop, because to begin and end one (two file locks, a look at the
// frontier) costs about as much as the row. Frontier and catalogue are parsed when they have moved and shared by every read until
// they move again.
import type { Row } from '../../core/data-type.js';
import { AppError, assert } from '../../core/errors.js';
import { openDatabase, type SqlValue } from '../../sqlite/database.js';
import { readError } from '../../sqlite/storage-error.js';
import type { Frontier, ReadSession, StateReader, StoredRow, TableFrontier, TableSpec } from '../state-store.js';
import { checkFrontier, frontierSql, parseFrontier } from './frontier.js';
import { ReadConnection } from './read-connection.js';
import { SqliteReadSession, type FeedCodec } from './read-session.js';
import { ReaderCatalogue } from './reader-catalogue.js';
import { readCatalogue } from './table-catalogue.js';

/** Idle connections kept for the next sessions. */
const idleConnectionsMax = 4;

interface Cut {
  readonly frontier: Frontier;
  readonly catalogue: ReaderCatalogue;
}

export class SqliteStateReader implements StateReader {
  readonly #path: string;
  readonly #points: ReadConnection;
  readonly #idle: ReadConnection[] = [];
  readonly #feedCodecs = new Map<number, FeedCodec>();
  #frontier: { readonly commitNo: number; readonly value: Frontier; readonly json: string } | undefined;
  #catalogue: ReaderCatalogue | undefined;
  /** Of the point reads of this turn; the connection is in a transaction as long as it is there. */
  #turnCut: Cut | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#points = this.#connect();
  }

  #connect(): ReadConnection {
    return new ReadConnection(openDatabase(this.#path, { readonly: true }));
  }

  session(): ReadSession {
    const connection = this.#idle.pop() ?? this.#connect();
    try {
      connection.database.statement('BEGIN').run();
      const { frontier, catalogue } = this.#cut(connection);
      const release = () => this.#release(connection);
      return new SqliteReadSession({ connection, frontier, catalogue, feedCodecs: this.#feedCodecs, release });
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #release(connection: ReadConnection): void {
    connection.database.statement('COMMIT').run();
    if (this.#idle.length < idleConnectionsMax) this.#idle.push(connection);
    else connection.close();
  }

  /** Frontier and catalogue of the connection's cut; its first statement fixes the cut. */
  #cut(connection: ReadConnection): Cut {
    const row = connection.database.statement(frontierSql).get(this.#frontier?.commitNo ?? -1);
    if (row === undefined) throw new AppError('not-ready', 'the store is not there yet: the engine has not opened it');
    checkFrontier(row);
    const version = Number(row[1]);
    const frontier = this.#frontierOf(Number(row[0]), row[2]!);
    let catalogue = this.#catalogue;
    if (catalogue === undefined || catalogue.version !== version) {
      catalogue = new ReaderCatalogue(version, readCatalogue(connection.database, frontier.logId, catalogue?.tables));
      this.#catalogue = catalogue;
      for (const each of [connection, this.#points, ...this.#idle]) each.keepOnly(catalogue.tables);
    }
    return { frontier, catalogue };
  }

  #frontierOf(commitNo: number, json: SqlValue): Frontier {
    const known = this.#frontier;
    if (json === null || known?.json === json) {
      assert(known !== undefined, 'a frontier that has not moved is known');
      if (known.commitNo !== commitNo) this.#frontier = { ...known, commitNo };
      return known.value;
    }
    const value = parseFrontier(json as string);
    this.#frontier = { commitNo, value, json: json as string };
    return value;
  }

  point(
    name: string,
    keyOf: (spec: TableSpec) => Row,
    atLeastSeq: number,
  ): { readonly found: StoredRow | undefined; readonly frontier: TableFrontier; readonly spec: TableSpec } {
    let cut = this.#turnCut;
    if (cut === undefined || cut.frontier.seq < atLeastSeq) cut = this.#beginTurnCut();
    const { frontier, catalogue } = cut;
    const table = catalogue.get(name);
    const { spec } = table;
    const key = keyOf(spec);
    try {
      return { found: this.#points.get(table, key), frontier: table.stopped ?? frontier, spec };
    } catch (error) {
      throw readError(error, spec.name);
    }
  }

  #beginTurnCut(): Cut {
    // A cut that is too old is followed by a newer one; either way one end of the turn is on its way.
    if (this.#turnCut === undefined) setImmediate(this.#endTurnCut);
    else this.#endTurnCut();
    this.#points.database.statement('BEGIN').run();
    try {
      return (this.#turnCut = this.#cut(this.#points));
    } catch (error) {
      this.#points.database.statement('COMMIT').run();
      throw error;
    }
  }

  readonly #endTurnCut = (): void => {
    if (this.#turnCut === undefined) return;
    this.#turnCut = undefined;
    this.#points.database.statement('COMMIT').run();
  };

  close(): void {
    this.#endTurnCut();
    for (const connection of this.#idle.splice(0)) connection.close();
    this.#points.close();
  }
}

/** Readers of the store in the file at `path`, which the engine has opened before. One per thread. */
export function openStateReader(path: string): StateReader {
  return new SqliteStateReader(path);
}
