// The plain ways that our figures are put beside: zongji's own decode of the same binlog, upserts into SQLite by better-sqlite3, and
// a bare `node:http` server in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ZongJi from '@vlasky/zongji';
import { Database } from '../support/sqlite-driver.js';
import { liveRow, replayMix, type LiveDatabase, type LiveRow } from './live-table.js';

export interface BinlogPlace {
  readonly file: string;
  readonly offset: number;
}

interface RowsEvent {
  getTypeName(): string;
  readonly rows?: readonly { readonly id?: number; readonly after?: { readonly id: number } }[];
}

/** Calls `onRow` for each row event of the table, decoded by zongji, until it gives true. */
export async function followByZongji(
  database: Pick<LiveDatabase, 'address' | 'name'>,
  from: BinlogPlace,
  onRow: (event: string, row: { readonly id?: number }) => boolean,
  started?: () => void,
): Promise<void> {
  const { host, port, user, password } = database.address;
  const zongji = new ZongJi({ host, port, user, password, dateStrings: true });
  try {
    await new Promise<void>((resolve, reject) => {
      zongji.on('error', reject);
      if (started !== undefined) zongji.on('ready', started);
      zongji.on('binlog', (raw) => {
        const event = raw as unknown as RowsEvent;
        const type = event.getTypeName();
        if (event.rows === undefined) return;
        for (const row of event.rows) if (onRow(type, row.after ?? row)) return resolve();
      });
      zongji.start({
        filename: from.file,
        position: from.offset,
        serverId: 60_000 + (process.pid % 5_000),
        includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
        includeSchema: { [database.name]: ['live'] },
      });
    });
  } finally {
    zongji.stop();
  }
}

/** Row events per second that zongji decodes, up to the row with this id. */
export async function zongjiRate(database: LiveDatabase, from: BinlogPlace, lastId: number): Promise<number> {
  let firstMs = 0;
  let count = 0;
  await followByZongji(database, from, (_type, row) => {
    if (count++ === 0) firstMs = performance.now();
    return row.id === lastId;
  });
  return ((count - 1) / (performance.now() - firstMs)) * 1000;
}

/** Row events of the mix per second into one SQLite table: objects ready, prepared statements, `perCommit` transactions at once. */
export function sqliteRate(eventCount: number, perCommit = 10): number {
  return withSqlite((database) => {
    const put = database.prepare('INSERT OR REPLACE INTO live VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    const remove = database.prepare('DELETE FROM live WHERE id = ?');
    let pending: (LiveRow | number)[] = [];
    let waiting = 0;
    let busyMs = 0;
    const flush = () => {
      const startMs = performance.now();
      database.exec('BEGIN IMMEDIATE');
      for (const step of pending) {
        if (typeof step === 'number') remove.run(step);
        else put.run(step);
      }
      database.exec('COMMIT');
      busyMs += performance.now() - startMs;
      pending = [];
    };
    replayMix(eventCount, {
      put: (row) => pending.push(row),
      remove: (id) => pending.push(id),
      commit: () => {
        if (++waiting % perCommit === 0) flush();
      },
    });
    flush();
    return (eventCount / busyMs) * 1000;
  });
}

/** Plain inserts of rows per second. */
export function sqliteInsertRate(rowCount: number): number {
  return withSqlite((database) => {
    const put = database.prepare('INSERT INTO live VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    let busyMs = 0;
    for (let id = 1; id <= rowCount; id += 1000) {
      const rows = Array.from({ length: Math.min(1000, rowCount - id + 1) }, (_, i) => liveRow(id + i));
      const startMs = performance.now();
      database.exec('BEGIN IMMEDIATE');
      for (const row of rows) put.run(row);
      database.exec('COMMIT');
      busyMs += performance.now() - startMs;
    }
    return (rowCount / busyMs) * 1000;
  });
}

function withSqlite<T>(use: (database: Database) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-bench-'));
  try {
    const database = new Database(join(folder, 'plain.db'));
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec('CREATE TABLE live (id INTEGER PRIMARY KEY, qty, amount, name, note, at, flag, body)');
    const result = use(database);
    database.close();
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** ms that the disk takes to make 32 KB durable, about what a small commit writes. */
export function syncTimes(count = 300): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-bench-'));
  const fd = openSync(join(folder, 'sync'), 'w');
  try {
    const bytes = Buffer.alloc(32 * 1024, 1);
    return Array.from({ length: count }, (_, i) => {
      writeSync(fd, bytes, 0, bytes.length, i * bytes.length);
      const startMs = performance.now();
      fdatasyncSync(fd);
      return performance.now() - startMs;
    });
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface BareServer {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** A program of few lines in a Node of its own; it prints its port when it listens. */
export function startBare(program: string): Promise<BareServer> {
  return startNode(['--input-type=commonjs', '-e', program]);
}

/** zongji to server-sent events, from the binlog's end on. */
export async function startBareEvents(database: LiveDatabase): Promise<BareServer> {
  const { name, address } = database;
  const argument = JSON.stringify({ database: { name, address }, from: await database.position() });
  return startNode([fileURLToPath(new URL('./bare-events.js', import.meta.url)), argument]);
}

async function startNode(args: readonly string[]): Promise<BareServer> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(String(line))}`,
    pid: child.pid!,
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Answers every request with a JSON constant of this size. */
export function startBareHttp(bytes: number): Promise<BareServer> {
  const body = JSON.stringify({ v: 'x'.repeat(Math.max(0, bytes - 8)) });
  return startBare(`
    const body = ${JSON.stringify(body)};
    require('node:http').createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ${Buffer.byteLength(body)} });
      response.end(body);
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
  `);
}
