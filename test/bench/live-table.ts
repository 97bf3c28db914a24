// The table and the loads of all benchmarks: rows of about 330 bytes as JSON; transactions of 100 row events, of which 40 insert, 40
// update and 20 delete; single-row commits; a table of many rows.
import mysql from 'mysql2/promise';
import { createDatabase, type SqlAddress } from '../support/servers/sql-client.js';

const columns =
  'id BIGINT PRIMARY KEY, qty INT NOT NULL, amount DECIMAL(12,2) NOT NULL, name VARCHAR(64) NOT NULL, note VARCHAR(200), at DATETIME(6) NOT NULL, flag TINYINT NOT NULL, body';

export type LiveRow = readonly [number, number, string, string, string, string, number, string];

export function liveRow(i: number): LiveRow {
  return [
    i,
    i % 1000,
    `${(i * 7) % 100_000}.${10 + (i % 90)}`,
    `name of row ${i}`,
    `a note of middling length about row number ${i}, to make the record as wide as many real ones are`,
    `2026-01-${10 + (i % 19)} 12:34:56.${String(i % 1_000_000).padStart(6, '0')}`,
    i % 2,
    `{"a":${i},"tags":["x","y"],"ok":true}`,
  ];
}

const eventsPerTransaction = 100;
const insertsPerTransaction = 40;
const deletesPerTransaction = 20;
const fillRows = 1_000;
const singlesConnections = 8;

export interface LiveDatabase {
  readonly name: string;
  /** For `--source`. */
  readonly url: string;
  readonly address: SqlAddress;
  connect(): Promise<mysql.Connection>;
  /** Where the binlog ends now. */
  position(): Promise<{ readonly file: string; readonly offset: number }>;
  fill(rowCount: number): Promise<void>;
  /** Row events from id `from` on, whole transactions. */
  mix(eventCount: number, from: number): Promise<void>;
  /** Single-row commits. */
  singles(commitCount: number, from: number): Promise<void>;
  insert(id: number): Promise<void>;
  drop(): Promise<void>;
}

export async function openLiveDatabase(address: SqlAddress): Promise<LiveDatabase> {
  const database = await createDatabase(address, 'bench');
  const { host, port, user, password } = address;
  const connect = (): Promise<mysql.Connection> =>
    mysql.createConnection({
      host,
      port,
      user,
      password,
      database: database.name,
      timezone: 'Z',
      multipleStatements: true,
    });
  async function connected<T>(use: (connection: mysql.Connection) => Promise<T>): Promise<T> {
    const connection = await connect();
    try {
      return await use(connection);
    } finally {
      await connection.end();
    }
  }
  await connected((c) => c.query(`CREATE TABLE live (${columns} ${address.product === 'mysql' ? 'JSON' : 'TEXT'})`));
  return {
    name: database.name,
    url: database.url.replace(/^mysql:/, `${address.product}:`),
    address,
    connect,
    position: () =>
      connected(async (c) => {
        const sql = address.product === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
        const [rows] = await c.query<mysql.RowDataPacket[]>(sql);
        return { file: String(rows[0]!['File']), offset: Number(rows[0]!['Position']) };
      }),
    fill: (rowCount) =>
      connected(async (c) => {
        for (let id = 1; id <= rowCount; id += fillRows)
          await c.query(insertSql, [rows(id, Math.min(fillRows, rowCount - id + 1))]);
      }),
    mix: (eventCount, from) =>
      connected(async (c) => {
        const step = insertsPerTransaction;
        for (let t = 0, id = from; t < eventCount / eventsPerTransaction; t++, id += step) {
          await c.query(mixSql, [rows(id, step), id, id + step, id, id + deletesPerTransaction]);
        }
      }),
    singles: async (commitCount, from) => {
      let next = 0;
      const write = (c: mysql.Connection) => async () => {
        while (next < commitCount) await c.query(insertSql, [rows(from + next++, 1)]);
      };
      const writers = Array.from({ length: singlesConnections }, () => connected((c) => write(c)()));
      await Promise.all(writers);
    },
    insert: (id) => connected(async (c) => void (await c.query(insertSql, [rows(id, 1)]))),
    drop: () => database.drop(),
  };
}

export const insertSql = 'INSERT INTO live VALUES ?';
const mixSql =
  "BEGIN; INSERT INTO live VALUES ?; UPDATE live SET qty = qty + 1, note = 'changed' WHERE id >= ? AND id < ?; DELETE FROM live WHERE id >= ? AND id < ?; COMMIT";

function rows(from: number, count: number): LiveRow[] {
  return Array.from({ length: count }, (_, i) => liveRow(from + i));
}

/** The same mix as calls, for a baseline without a database server. */
export function replayMix(
  eventCount: number,
  on: { readonly put: (row: LiveRow) => void; readonly remove: (id: number) => void; readonly commit: () => void },
): void {
  for (let t = 0, id = 1; t < eventCount / eventsPerTransaction; t++, id += insertsPerTransaction) {
    const inserted = rows(id, insertsPerTransaction);
    for (const row of inserted) on.put(row);
    for (const [key, qty, amount, name, , at, flag, body] of inserted)
      on.put([key, qty + 1, amount, name, 'changed', at, flag, body]);
    for (let i = 0; i < deletesPerTransaction; i++) on.remove(id + i);
    on.commit();
  }
}
