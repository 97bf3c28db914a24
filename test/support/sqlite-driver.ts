// The SQLite driver for tests and benches that open a file as an application would, past the program's own way of opening one. It is
// the build that the program chose for this Node (src/sqlite/driver.ts): the other may not load here, or may end the process.
import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { assert } from '../../src/core/errors.js';
import { Database as Driver } from '../../src/sqlite/driver.js';

export const Database = Driver;
export type Database = BetterSqlite3.Database;
export type Statement = BetterSqlite3.Statement;

/** The file that the driver was loaded from, for `require` in a process whose program is a text. */
export function driverFile(): string {
  // Asked of the cache of modules, which all `require` functions share, so that the choice is made in one place only.
  const loaded = Object.values(createRequire(import.meta.url).cache).find((module) => module?.exports === Driver);
  assert(loaded !== undefined, 'the driver is loaded');
  return loaded.filename;
}
