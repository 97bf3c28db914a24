// The file, opened twice: a reader for everything that is asked of it, and a writer for the few short transactions of our own
// (install, prune). Both leave the file's settings as they are, except for WAL mode where the configuration asks for it.
import { statSync } from 'node:fs';
import { AppError } from '../../core/errors.js';
import { openDatabase, type SqliteDatabase } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';

export interface FileSession {
  readonly reader: SqliteDatabase;
  readonly writer: SqliteDatabase;
  /** Another file lies under the path now (restored from a backup, say), or none. */
  replaced(): boolean;
  close(): void;
}

/** Rejects with an AppError; a file that is missing or locked is retriable. */
export function openSession(config: SqliteSourceConfig): FileSession {
  const inode = inodeOf(config.file);
  if (inode === null) throw missing(config.file);
  const writer = open(config);
  try {
    refuseServiceFile(writer, config);
    requireWal(writer, config);
    // Our commits need not survive a power failure: changes that come back are below `confirmed` and pruned again.
    writer.raw.pragma('synchronous = NORMAL');
    // A checkpoint in the middle of one of them would hold the write lock longer than the transaction itself.
    writer.raw.pragma('wal_autocheckpoint = 0');
    const reader = open(config);
    reader.raw.pragma('query_only = ON');
    return {
      reader,
      writer,
      replaced: () => inodeOf(config.file) !== inode,
      close() {
        reader.close();
        writer.close();
      },
    };
  } catch (error) {
    writer.close();
    throw sourceError(error, config.file);
  }
}

/** A connection for questions only. */
export function openForReading(config: SqliteSourceConfig): SqliteDatabase {
  if (inodeOf(config.file) === null) throw missing(config.file);
  const database = open(config);
  database.raw.pragma('query_only = ON');
  return database;
}

/** Tables of the file in which a service keeps its log and its rows (store/sqlite). */
const serviceTables = ['wt_frontier', 'wt_table', 'wt_document'];

/**
 * By what lies in it, under whatever name it was opened, and of whatever process: what is captured of such a file is written into it again,
 * and triggers of ours would slow every commit of the service down.
 */
export function refuseServiceFile(database: SqliteDatabase, { file }: SqliteSourceConfig): void {
  const named = database.prepare(
    `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (${serviceTables.map(() => '?').join(', ')})`,
  );
  if (Number(named.get(...serviceTables)?.[0]) < serviceTables.length) return;
  throw new AppError('not-allowed', `database.file: ${file} is the file of a writethrough service`, {
    hint: 'capture the file of your application',
    place: { path: 'database.file' },
  });
}

export function journalMode(database: SqliteDatabase): string {
  return String(database.raw.pragma('journal_mode', { simple: true }));
}

/** Runs `read` in one read transaction: one cut of the file. */
export function inReadTransaction<T>(database: SqliteDatabase, read: () => T): T {
  database.exec('BEGIN');
  try {
    return read();
  } finally {
    database.exec('COMMIT');
  }
}

/** True of a lock that another connection holds for now. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(sqliteCode(error));
}

export function sourceError(error: unknown, file: string): AppError {
  if (error instanceof AppError && error.code !== 'data-folder-unusable') return error;
  const cause = error instanceof AppError ? error.cause : error;
  const code = sqliteCode(cause);
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (isBusy(cause)) return new AppError('source-unreachable', `${file} is locked`, { detail, retriable: true, cause });
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM' || code === 'SQLITE_AUTH') {
    return new AppError('source-access-denied', `${file} cannot be written`, {
      detail,
      hint: 'capture by triggers needs write access to the file and its folder',
      cause,
    });
  }
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return new AppError('source-unreachable', `cannot open ${file}`, { detail, retriable: true, cause });
  }
  if (code === 'SQLITE_NOTADB')
    return new AppError('source-misconfigured', `${file} is not a SQLite database`, { detail, cause });
  if (code !== '') return new AppError('source-unreachable', `${file}: ${detail}`, { detail: code, cause });
  throw error;
}

export const walStatement = 'PRAGMA journal_mode = WAL;';

function open(config: SqliteSourceConfig): SqliteDatabase {
  try {
    const database = openDatabase(config.file, { foreign: true, busyTimeoutMs: 50, cacheBytes: 4 * 1024 * 1024 });
    try {
      // The first look into the file: tells a file that is no database.
      database.raw.pragma('schema_version');
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw sourceError(error, config.file);
  }
}

function requireWal(writer: SqliteDatabase, config: SqliteSourceConfig): void {
  if (journalMode(writer) === 'wal') return;
  if (config.setWal) {
    if (writer.raw.pragma('journal_mode = WAL', { simple: true }) === 'wal') return;
    throw new AppError('source-unreachable', `${config.file} could not be switched to WAL mode`, { retriable: true });
  }
  throw new AppError(
    'source-misconfigured',
    `${config.file} is not in WAL mode, where reading would block its writers`,
    {
      hint: `run ${walStatement} on it once, or set sqlite.journal.mode.wal=true`,
    },
  );
}

function missing(file: string): AppError {
  return new AppError('source-unreachable', `there is no file ${file}`, {
    hint: 'check database.file; a relative path starts in the folder that writethrough was started in',
    retriable: true,
  });
}

function inodeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? null;
}

function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
