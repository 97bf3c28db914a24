// The readers' face of the store, for one thread, over read-only connections to the file that the engine writes. A point read is one
// statement that gives row and frontier together; everything else is a session. Frontier and catalogue are parsed when they
// have moved and shared by every read until they move again.
import type { Row } from '../../core/data-type.js';
import { AppError, assert } from '../../core/errors.js';
import { openDatabase, type SqlValue } from '../../sqlite/database.js';
import type { Frontier, ReadSession, StateReader, StoredRow, TableDescription, TableSpec } from '../state-store.js';
import { frontierColumns, parseFrontier } from './frontier.js';
import { ReadConnection } from './read-connection.js';
import { SqliteReadSession } from './read-session.js';
import { ReaderCatalogue } from './reader-catalogue.js';
import type { RowCodec } from './row-codec.js';
import { readCatalogue, type CataloguedTable } from './table-catalogue.js';

/** Idle connections kept for the next sessions. */
const idleConnectionsMax = 4;

/** A point read whose catalogue has moved is looked up again; more than a few moves in a row are no accident. */
const pointTries = 5;

export class SqliteStateReader implements StateReader {
  readonly #path: string;
  readonly #points: ReadConnection;
  readonly #idle: ReadConnection[] = [];
  readonly #feedCodecs = new Map<number, RowCodec>();
  #frontier: { readonly commitNo: number; readonly value: Frontier; readonly json: string } | undefined;
  #catalogue: ReaderCatalogue | undefined;
  /** Of point reads, while neither row count nor definition move. */
  #description: TableDescription | undefined;

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
  #cut(connection: ReadConnection): { readonly frontier: Frontier; readonly catalogue: ReaderCatalogue } {
    const row = connection.database
      .statement(`SELECT ${frontierColumns('f')} FROM wt_frontier f`)
      .get(this.#frontier?.commitNo ?? -1);
    if (row === undefined) throw new AppError('not-ready', 'the store is not there yet: the engine has not opened it');
    const version = Number(row[1]);
    const frontier = this.#frontierOf(Number(row[0]), row[2]!);
    let catalogue = this.#catalogue;
    if (catalogue === undefined || catalogue.version !== version) {
      catalogue = new ReaderCatalogue(version, readCatalogue(connection.database, catalogue?.tables));
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
  ): { readonly found: StoredRow | undefined; readonly frontier: Frontier; readonly table: TableDescription } {
    for (let i = 0; i < pointTries; i++) {
      const catalogue = this.#catalogue ?? this.#refresh();
      const table = this.#lookUp(catalogue, name);
      const key = this.#keyOf(catalogue, table, keyOf);
      const answer = key && this.#tryPoint(catalogue, table, key);
      if (answer !== undefined) return answer;
      this.#refresh();
    }
    throw new AppError('not-ready', `table "${name}" is being defined anew`, { retriable: true });
  }

  /** A name that is not known, or not readable, may have become so since. */
  #lookUp(catalogue: ReaderCatalogue, name: string): CataloguedTable {
    try {
      return catalogue.get(name);
    } catch (error) {
      const newer = this.#refresh();
      if (newer === catalogue) throw error;
      return newer.get(name);
    }
  }

  /** Undefined: the key does not fit the table as it is known, and the catalogue has moved. */
  #keyOf(catalogue: ReaderCatalogue, { spec }: CataloguedTable, keyOf: (spec: TableSpec) => Row): Row | undefined {
    try {
      return keyOf(spec);
    } catch (error) {
      if (this.#refresh() === catalogue) throw error;
      return undefined;
    }
  }

  /** Undefined: the catalogue has moved. */
  #tryPoint(catalogue: ReaderCatalogue, table: CataloguedTable, key: Row) {
    const { spec } = table;
    const read = this.#readPoint(table, key);
    if (read === undefined) return undefined;
    const { layout, stored, exact } = read;
    const json = stored.pop()!;
    const version = Number(stored.pop());
    const commitNo = Number(stored.pop());
    const rowCount = Number(stored.pop());
    if (version !== catalogue.version) return undefined;
    const frontier = this.#frontierOf(commitNo, json);
    const rowtime = stored.pop()!;
    const found =
      rowtime === null
        ? undefined
        : { row: exact ? layout.decodeExactRow(stored) : layout.decodeRow(stored), rowtimeMs: Number(rowtime) };
    if (this.#description?.spec !== spec || this.#description.rowCount !== rowCount) {
      this.#description = { spec, rowCount, visible: true };
    }
    return { found, frontier, table: this.#description };
  }

  #readPoint(table: CataloguedTable, key: Row) {
    const { spec } = table;
    try {
      const { layout, point, pointExact } = this.#points.table(table);
      const params: SqlValue[] = [this.#frontier?.commitNo ?? -1, spec.id, spec.version];
      for (let i = 0; i < key.length; i++) params.push(layout.encodeKeyColumn(i, key[i]!));
      const plain = point.get(params);
      if (plain === undefined) return undefined;
      if (!layout.isRounded(plain)) return { layout, stored: plain, exact: false };
      const stored = pointExact().get(params);
      return stored === undefined ? undefined : { layout, stored, exact: true };
    } catch (error) {
      // Dropped since the catalogue was read.
      if (error instanceof Error && error.message.includes('no such table')) return undefined;
      throw error;
    }
  }

  #refresh(): ReaderCatalogue {
    const { database } = this.#points;
    database.statement('BEGIN').run();
    try {
      return this.#cut(this.#points).catalogue;
    } finally {
      database.statement('COMMIT').run();
    }
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
    this.#points.close();
  }
}

/** Readers of the store in the file at `path`, which the engine has opened before. One per thread. */
export function openStateReader(path: string): StateReader {
  return new SqliteStateReader(path);
}
