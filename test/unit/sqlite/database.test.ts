import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpointer } from '../../../src/sqlite/checkpoint.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { lockFolder } from '../../../src/sqlite/lock.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-sqlite-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a database file', () => {
  it('is private to its user, with the files beside it, and writes ahead without checkpoints of its own', () => {
    const path = join(folder, 'a.db');
    const database = openDatabase(path);
    database.exec('CREATE TABLE t (a)');
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    expect(database.raw.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.raw.pragma('synchronous', { simple: true })).toBe(2);
    expect(database.raw.pragma('wal_autocheckpoint', { simple: true })).toBe(0);
    database.close();
  });

  it('opened for reading refuses writes and a missing file', () => {
    const path = join(folder, 'a.db');
    expect(() => openDatabase(path, { readonly: true })).toThrow(/cannot open the database file/);
    const writer = openDatabase(path);
    writer.exec('CREATE TABLE t (a)');
    const reader = openDatabase(path, { readonly: true });
    expect(() => reader.exec('INSERT INTO t VALUES (1)')).toThrow(/readonly/);
    reader.close();
    writer.close();
  });

  it('keeps the journal mode of a file that is somebody else’s', () => {
    const path = join(folder, 'a.db');
    const first = openDatabase(path);
    first.raw.pragma('journal_mode = DELETE');
    first.exec('CREATE TABLE t (a)');
    first.close();
    const foreign = openDatabase(path, { foreign: true });
    expect(foreign.raw.pragma('journal_mode', { simple: true })).toBe('delete');
    foreign.close();
  });

  it('reads integers beyond 2^53 exactly where asked to', () => {
    const database = openDatabase(':memory:');
    const sql = 'SELECT 9007199254740993';
    expect(database.prepare(sql).get()).toEqual([9007199254740992]);
    expect(database.prepareExact(sql).get()).toEqual([9007199254740993n]);
    database.close();
  });
});

describe('a transaction', () => {
  it('is rolled back by what its body throws, and tells those who keep copies in memory', () => {
    const database = openDatabase(':memory:');
    database.exec('CREATE TABLE t (a)');
    const ends: string[] = [];
    database.onTransactionEnd({ commit: () => ends.push('commit'), rollback: () => ends.push('rollback') });
    const failing = () =>
      database.transaction(() => {
        database.exec('INSERT INTO t VALUES (1)');
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    database.transaction(() => database.exec('INSERT INTO t VALUES (2)'));
    expect(database.statement('SELECT a FROM t').all()).toEqual([[2]]);
    expect(ends).toEqual(['rollback', 'commit']);
    database.close();
  });

  it('refuses a body that returns a promise, and keeps nothing of it', () => {
    const database = openDatabase(':memory:');
    database.exec('CREATE TABLE t (a)');
    const asynchronous = () =>
      database.transaction(() => {
        database.exec('INSERT INTO t VALUES (1)');
        return Promise.resolve();
      });
    expect(asynchronous).toThrow(/must not be asynchronous/);
    expect(database.inTransaction).toBe(false);
    expect(database.statement('SELECT count(*) FROM t').get()).toEqual([0]);
    database.close();
  });

  it('joins the one that is open', () => {
    const database = openDatabase(':memory:');
    database.exec('CREATE TABLE t (a)');
    database.begin();
    database.transaction(() => database.exec('INSERT INTO t VALUES (1)'));
    expect(database.inTransaction).toBe(true);
    database.rollback();
    expect(database.statement('SELECT count(*) FROM t').get()).toEqual([0]);
    database.close();
  });
});

describe('the lock of a data folder', () => {
  it('is refused to a second holder, with folder and pid, and is free again after release', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(
      expect.objectContaining({
        code: 'data-folder-in-use',
        message: `the data folder ${folder} is in use by process ${process.pid}`,
      }),
    );
    lock.release();
    lock.release();
    lockFolder(folder).release();
  });
});

describe('the checkpointer', () => {
  it('keeps the log near its cap under steady writing', () => {
    const path = join(folder, 'a.db');
    const walBytesMax = 256 * 1024;
    const writer = openDatabase(path);
    const checkpointer = openCheckpointer(path, { walBytesMax });
    writer.exec('CREATE TABLE t (a BLOB)');
    const row = Buffer.alloc(20_000, 1);
    for (let i = 0; i < 300; i++) {
      writer.statement('INSERT INTO t VALUES (?)').run(row);
      const result = checkpointer.step();
      expect(result.blocked).toBe(false);
    }
    expect(statSync(`${path}-wal`).size).toBeLessThan(2 * walBytesMax);
    expect(statSync(path).size).toBeGreaterThan(300 * 20_000 * 0.9);
    checkpointer.close();
    writer.close();
  });

  it('leaves a little for later, but not for ever', () => {
    const path = join(folder, 'a.db');
    const writer = openDatabase(path);
    writer.exec('CREATE TABLE t (a BLOB)');
    const write = (bytes: number) => writer.statement('INSERT INTO t VALUES (?)').run(Buffer.alloc(bytes));
    const late = openCheckpointer(path, { least: { bytes: 100_000, ms: 60_000 } });
    write(20_000);
    expect(late.step()).toMatchObject({ checkpointedBytes: 0, left: true });
    write(100_000);
    expect(late.step()).toMatchObject({ left: false });
    expect(late.step()).toMatchObject({ left: true });
    write(20_000);
    const old = openCheckpointer(path, { least: { bytes: 1e9, ms: 0 } });
    expect(old.step()).toMatchObject({ left: false });
    expect(late.step()).toMatchObject({ left: true });
    for (const checkpointer of [late, old]) checkpointer.close();
    writer.close();
  });

  it('reports a reader that pins the log instead of waiting for it', () => {
    const path = join(folder, 'a.db');
    const writer = openDatabase(path);
    writer.exec('CREATE TABLE t (a BLOB); INSERT INTO t VALUES (1)');
    const reader = openDatabase(path, { readonly: true });
    reader.exec('BEGIN');
    reader.statement('SELECT * FROM t').all();
    for (let i = 0; i < 10; i++) writer.statement('INSERT INTO t VALUES (?)').run(Buffer.alloc(20_000));
    const checkpointer = openCheckpointer(path, { walBytesMax: 1000, restartWaitMs: 1 });
    expect(checkpointer.step().blocked).toBe(true);
    reader.exec('COMMIT');
    expect(checkpointer.step().blocked).toBe(false);
    checkpointer.close();
    reader.close();
    writer.close();
  });
});
