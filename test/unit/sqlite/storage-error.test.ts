import { expect, describe, it } from 'vitest';
import { openDatabase } from '../../../src/sqlite/database.js';
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
