import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, describe, it } from 'vitest';
import { openDatabase } from '../../../src/sqlite/database.js';
import { lockFolder } from '../../../src/sqlite/lock.js';
import { isStorageTrouble, storageError } from '../../../src/sqlite/storage-error.js';

describe('an error of the file', () => {
  const sqlite = (code: string) => Object.assign(new Error('database or disk is full'), { code });

  it('is told as what it is, however deep it is the cause', () => {
    const told = storageError(new Error('a query failed', { cause: sqlite('SQLITE_FULL') }), '/data/w.db');
    expect(told).toMatchObject({
      code: 'data-folder-unusable',
      message: 'cannot use /data/w.db: the disk is full',
      hint: expect.stringContaining('make room') as string,
    });
    expect(isStorageTrouble(sqlite('SQLITE_IOERR_WRITE'))).toBe(true);
  });

  it.each([
    ['SQLITE_READONLY_DIRECTORY', 'it may not be written'],
    ['SQLITE_CANTOPEN', 'it, or a file beside it, cannot be opened'],
    ['SQLITE_NOTADB', 'it is no database file'],
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'it lies on a disk that can only be read'],
    ['EACCES', 'it may not be written'],
  ])('%s is told as: %s', (code, what) => {
    const told = storageError(Object.assign(new Error('no'), { code }), '/data/w.db');
    expect(told).toMatchObject({ code: 'data-folder-unusable', message: `cannot use /data/w.db: ${what}` });
  });

  it('is not seen where a connection is refused by the same word', () => {
    expect(isStorageTrouble(Object.assign(new Error('no'), { code: 'EACCES', syscall: 'connect' }))).toBe(false);
  });

  it('is told where the lock of a folder cannot be written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wt-lock-'));
    try {
      expect(() => openDatabase(join(folder, 'none', 'a.db'))).toThrow(
        expect.objectContaining({ code: 'data-folder-unusable' }) as Error,
      );
      expect(() => openDatabase(folder, { foreign: true })).toThrow(
        expect.objectContaining({ hint: expect.stringContaining('the right to write') as string }) as Error,
      );
      writeFileSync(join(folder, 'lock.db'), 'no database at all, and long enough to have the head of one'.repeat(9));
      expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'data-folder-unusable' }) as Error);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not seen in an error of the work', () => {
    const error = sqlite('SQLITE_CONSTRAINT_UNIQUE');
    expect(storageError(error, '/data/w.db')).toBe(error);
    expect(isStorageTrouble(error)).toBe(false);
  });

  it('is what SQLite reports of a file that may not grow', () => {
    const database = openDatabase(':memory:');
    database.exec('CREATE TABLE t (a)');
    database.raw.pragma('max_page_count = 4');
    let error: unknown;
    try {
      database.transaction(() => database.statement('INSERT INTO t VALUES (zeroblob(100000))').run());
    } catch (thrown) {
      error = thrown;
    }
    expect(isStorageTrouble(error)).toBe(true);
    database.close();
  });
});
