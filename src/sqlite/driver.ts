// Which build of the SQLite driver this process uses. better-sqlite3 13 is made of Node-API: one binary for every Node, shipped with
// it, but it needs Node-API 10 (Node 22.14 and newer). better-sqlite3 12 runs on Node 20, but compiled against the headers of Node 24.19
// and newer it ends the process in garbage collection (their ObjectWrap removes a cleanup hook where no environment is entered), so it
// is only the second choice: where the first cannot be, or was not installed (`--omit=optional`).
import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

type Driver = typeof BetterSqlite3;

const require = createRequire(import.meta.url);
const nodeApiNeeded = 10;

export const Database: Driver = load();

function load(): Driver {
  if (Number(process.versions['napi']) < nodeApiNeeded) return require('better-sqlite3') as Driver;
  try {
    return require('better-sqlite3-napi') as Driver;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return require('better-sqlite3') as Driver;
  }
}
