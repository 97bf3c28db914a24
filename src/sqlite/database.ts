// SQLite files, opened the one way that this program uses them: write-ahead log, bounded cache, no automatic checkpoint
// (those run off the writing thread, see checkpoint.ts), statements prepared once, and transactions that refuse to be
// asynchronous, because an awaited step inside one would let unrelated work in.
import type BetterSqlite3 from 'better-sqlite3';
import { closeSync, openSync } from 'node:fs';
import { AppError, assert } from '../core/errors.js';
import { hasNoFiles, isFileShortage } from '../core/file-shortage.js';
import { Database } from './driver.js';
import { storageHint } from './storage-error.js';

/**
 * What a power failure may take. `full`: nothing that was committed. `extra`: as full, and the removal of a journal is synced too.
 * `normal`: the last commits; never the integrity of the file. An ended process (kill -9) loses nothing under any of them.
 */
export type Durability = 'normal' | 'full' | 'extra';

export interface DatabaseOptions {
  readonly readonly?: boolean | undefined;
  readonly durability?: Durability | undefined;
  /** Page cache of this connection. */
  readonly cacheBytes?: number | undefined;
  /** How long a lock of another connection is waited for. */
  readonly busyTimeoutMs?: number | undefined;
  /** A file of ours (the default) gets our journal mode and file mode; somebody else's is left as it is. */
  readonly foreign?: boolean | undefined;
}

export type SqlValue = null | number | bigint | string | Buffer;
/** A statement whose rows are arrays of column values. */
export type Statement = BetterSqlite3.Statement<unknown[], SqlValue[]>;

export type TransactionListener = () => void;

/**
 * SQLite's own default, said here because readers of the file's sizes count on it. Measured: 8 KB is no faster for batches, and an
 * update of a random row of a large table then writes twice the bytes.
 */
const pageBytes = 4096;
/** Holds the pages that one engine commit of 1 MB of events touches even where each touches a page of its own. */
const writerCacheBytes = 32 * 1024 * 1024;
const readerCacheBytes = 2 * 1024 * 1024;

export class SqliteDatabase {
  readonly path: string;
  readonly readonly: boolean;
  readonly raw: BetterSqlite3.Database;
  readonly #statements = new Map<string, Statement>();
  readonly #onCommit: TransactionListener[] = [];
  readonly #onRollback: TransactionListener[] = [];

  constructor(path: string, raw: BetterSqlite3.Database, readonly: boolean) {
    this.path = path;
    this.raw = raw;
    this.readonly = readonly;
  }

  /** The prepared statement of this text; made once per connection. For texts from a bounded set only. */
  statement(sql: string): Statement {
    let found = this.#statements.get(sql);
    if (found === undefined) {
      found = this.prepare(sql);
      this.#statements.set(sql, found);
    }
    return found;
  }

  /** A statement of its own, for a caller that keeps it itself (texts that name a table, and so are without bound). */
  prepare(sql: string): Statement {
    const statement = this.raw.prepare<unknown[], SqlValue[]>(sql);
    return statement.reader ? statement.raw(true) : statement;
  }

  /** Like `prepare`, with every integer read as a bigint: exact beyond 2^53, and several times slower. */
  prepareExact(sql: string): Statement {
    return this.prepare(sql).safeIntegers(true);
  }

  exec(sql: string): void {
    this.raw.exec(sql);
  }

  get inTransaction(): boolean {
    return this.raw.inTransaction;
  }

  /** Takes the write lock at once: a transaction that reads first and writes later could find its snapshot outdated. */
  begin(): void {
    assert(!this.raw.inTransaction, 'a transaction is open already');
    this.statement('BEGIN IMMEDIATE').run();
  }

  commit(): void {
    this.statement('COMMIT').run();
    for (const listener of this.#onCommit) listener();
  }

  /** Also right after SQLite has rolled back by itself (disk full): the listeners then bring memory in line. */
  rollback(): void {
    if (this.raw.inTransaction) this.statement('ROLLBACK').run();
    for (const listener of this.#onRollback) listener();
  }

  /** For what keeps a copy of the file's contents in memory: called after every commit and after every rollback. */
  onTransactionEnd(listeners: {
    readonly commit?: TransactionListener;
    readonly rollback?: TransactionListener;
  }): void {
    if (listeners.commit !== undefined) this.#onCommit.push(listeners.commit);
    if (listeners.rollback !== undefined) this.#onRollback.push(listeners.rollback);
  }

  /** Runs `body` in a transaction, or in the one that is open. What it throws rolls the transaction back. */
  transaction<T>(body: () => T): T {
    if (this.raw.inTransaction) return body();
    this.begin();
    try {
      const result = body();
      assert(!isThenable(result), 'a transaction must not be asynchronous');
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Gives up the pages that are kept in memory. */
  freeCache(): void {
    this.raw.pragma('shrink_memory');
  }

  close(): void {
    this.#statements.clear();
    this.raw.close();
  }
}

export function openDatabase(path: string, options: DatabaseOptions = {}): SqliteDatabase {
  const readonly = options.readonly ?? false;
  const foreign = options.foreign ?? false;
  try {
    if (!readonly && !foreign && path !== ':memory:') makePrivateFile(path);
    const raw = new Database(path, {
      readonly,
      fileMustExist: readonly || foreign,
      timeout: options.busyTimeoutMs ?? 10_000,
    });
    try {
      configure(raw, { readonly, foreign, durability: options.durability ?? 'full', cacheBytes: options.cacheBytes });
    } catch (error) {
      raw.close();
      throw error;
    }
    return new SqliteDatabase(path, raw, readonly);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unusable(path, error);
  }
}

/** Tables in a file that has no name and goes with the connection; small ones never leave memory. */
export function openTemporary(cacheBytes: number = readerCacheBytes): SqliteDatabase {
  const raw = new Database('');
  raw.pragma(`cache_size = ${-Math.ceil(cacheBytes / 1024)}`);
  raw.pragma('journal_mode = OFF');
  raw.pragma('synchronous = OFF');
  return new SqliteDatabase('', raw, false);
}

function unusable(path: string, error: unknown): AppError {
  if (isFileShortage(error) || hasNoFiles()) {
    return new AppError('overloaded', `no file descriptor is left to open ${path}`, {
      hint: 'try again, or permit more open files: ulimit -n',
      retriable: true,
      cause: error,
    });
  }
  return new AppError('data-folder-unusable', `cannot open the database file ${path}`, {
    detail: error instanceof Error ? error.message : String(error),
    hint: storageHint(error),
    cause: error,
  });
}

interface Configuration {
  readonly readonly: boolean;
  readonly foreign: boolean;
  readonly durability: Durability;
  readonly cacheBytes: number | undefined;
}

function configure(raw: BetterSqlite3.Database, options: Configuration): void {
  const cacheBytes = options.cacheBytes ?? (options.readonly ? readerCacheBytes : writerCacheBytes);
  raw.pragma(`cache_size = ${-Math.ceil(cacheBytes / 1024)}`);
  // Mapped memory would count as ours without bound, and a disk error in it ends the process.
  raw.pragma('mmap_size = 0');
  if (options.readonly) raw.pragma('query_only = ON');
  else {
    if (!options.foreign) {
      raw.pragma(`page_size = ${pageBytes}`);
      raw.pragma('journal_mode = WAL');
    }
    raw.pragma(`synchronous = ${options.durability.toUpperCase()}`);
    if (!options.foreign) raw.pragma('wal_autocheckpoint = 0');
  }
  raw.pragma('temp_store = MEMORY');
}

/**
 * Makes the file if it is not there. SQLite gives the files beside it (-wal, -shm) the mode of the main file, so it is enough
 * to make that one private. One that exists is not opened here: closing it would drop the locks that this process, in another
 * connection, holds on it (POSIX locks belong to the process, not to the descriptor).
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw unusable(path, error);
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
