// One process per data folder: a write transaction that is held, without writing, on a small file of its own. The operating system
// drops the lock with the process, however it ends, so there is nothing to clean up; and the data file itself stays readable
// by any tool. The file holds the owner's pid, which the reserved lock of SQLite's rollback journal leaves readable.
import { join } from 'node:path';
import { AppError } from '../core/errors.js';
import { makePrivateFile, openDatabase, type SqliteDatabase } from './database.js';
import { storageError } from './storage-error.js';

export interface FolderLock {
  release(): void;
}

/** A connection that nobody refers to is closed by the garbage collector, and with it the lock would go. */
const held = new Set<SqliteDatabase>();

/** Takes the lock, or throws data-folder-in-use with the other's pid. The folder must exist. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock.db');
  makePrivateFile(path);
  // Not in write-ahead mode: two more files would lie in the folder. The wait is short, because whoever holds the lock holds it
  // for its whole life; only another start in progress is worth any.
  const database = openDatabase(path, { foreign: true, busyTimeoutMs: 200, cacheBytes: 64 * 1024 });
  try {
    claim(database);
  } catch (error) {
    const other = isBusy(error) ? ownerOf(database) : undefined;
    database.close();
    if (!isBusy(error)) throw storageError(error, path);
    throw new AppError(
      'data-folder-in-use',
      `the data folder ${folder} is in use by ${other === undefined ? 'another process' : `process ${other}`}`,
      {
        hint: 'stop that process, or give this one another folder with --data',
        cause: error,
      },
    );
  }
  held.add(database);
  return {
    release() {
      if (!held.delete(database)) return;
      database.raw.exec('ROLLBACK');
      database.close();
    },
  };
}

function claim(database: SqliteDatabase): void {
  // The pid has to be committed to be readable, and the lock to be taken again behind that commit; when another start came
  // between, the pid is its, and the turn is repeated.
  for (;;) {
    database.raw.exec('BEGIN IMMEDIATE');
    if (ownerOf(database) === process.pid) return;
    database.raw.exec(
      'CREATE TABLE IF NOT EXISTS owner (only INTEGER PRIMARY KEY CHECK (only = 1), pid INTEGER NOT NULL)',
    );
    database.raw.prepare('INSERT OR REPLACE INTO owner VALUES (1, ?)').run(process.pid);
    database.raw.exec('COMMIT');
  }
}

function ownerOf(database: SqliteDatabase): number | undefined {
  const exists = database.raw.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'owner'").get();
  if (exists === undefined) return undefined;
  const row = database.prepare('SELECT pid FROM owner').get();
  return row === undefined ? undefined : Number(row[0]);
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY')
  );
}
