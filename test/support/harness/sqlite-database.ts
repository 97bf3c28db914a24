// A SQLite file as source, written by a program of its own kind: WAL, short transactions.
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Database, type Statement } from '../sqlite-driver.js';
import type { Param } from './columns.js';
import type { SourceDatabase, SourceSession } from './source-database.js';

export interface SqliteSource extends SourceDatabase {
  readonly file: string;
  /** Closes the file, lets it be replaced by another state of it, and opens it again. No session may be open. */
  replace(by: () => void): void;
}

export function openSqliteSource(file: string): SqliteSource {
  let first = open(file);
  const execute = (sql: string): Promise<void> => {
    first.exec(sql);
    return Promise.resolve();
  };
  return {
    file,
    replace: (by) => {
      first.pragma('wal_checkpoint(TRUNCATE)');
      first.close();
      by();
      for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
      first = open(file);
    },
    dialect: 'sqlite',
    name: basename(file, '.db'),
    url: `sqlite:${file}`,
    connector: { 'connector.class': 'SqliteCdcSource', 'database.file': file },
    writers: 1,
    openSession: () => Promise.resolve(session(open(file))),
    execute,
    select: (sql) => Promise.resolve(first.prepare(sql).raw().all() as unknown[][]),
    drop: () => {
      first.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      return Promise.resolve();
    },
  };
}

function open(file: string): Database {
  const database = new Database(file, { timeout: 20_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF'); // no test is about the source's own disk
  return database;
}

function session(database: Database): SourceSession {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  const plain = (sql: string) => (): Promise<void> => {
    prepare(sql).run();
    return Promise.resolve();
  };
  return {
    begin: plain('BEGIN IMMEDIATE'),
    run: (sql: string, params: readonly Param[]) => {
      prepare(sql).run(...params);
      return Promise.resolve();
    },
    select: (sql) => Promise.resolve(database.prepare(sql).raw().all() as unknown[][]),
    commit: plain('COMMIT'),
    rollback: plain('ROLLBACK'),
    close: () => {
      database.close();
      return Promise.resolve();
    },
  };
}
