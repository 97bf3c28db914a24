// A database of its own on a MySQL or MariaDB server as source.
import mysql from 'mysql2/promise';
import { createDatabase, withConnection, type SqlAddress } from '../servers/sql-client.js';
import type { Param } from './columns.js';
import type { SourceDatabase, SourceSession } from './source-database.js';

export async function openMysqlSource(
  address: SqlAddress,
  options: { prefix?: string; writers?: number } = {},
): Promise<SourceDatabase> {
  const database = await createDatabase(address, options.prefix ?? 'soak');
  const { host, port, user, password } = address;
  const connect = (): Promise<mysql.Connection> =>
    mysql.createConnection({ host, port, user, password, database: database.name, charset: 'utf8mb4', timezone: 'Z' });
  const select = async (sql: string): Promise<unknown[][]> => {
    const connection = await connect();
    try {
      return await rowsOf(connection, sql);
    } finally {
      await connection.end();
    }
  };
  return {
    dialect: address.product,
    name: database.name,
    url: database.url.replace(/^mysql:/, `${address.product}:`),
    connector: {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': host,
      'database.port': String(port),
      'database.user': user,
      'database.password': password,
      'database.include.list': database.name,
    },
    writers: options.writers ?? 3,
    openSession: async () => session(await connect()),
    execute: (sql) =>
      withConnection(address, async (connection) => {
        await connection.query(`USE ${database.name}`);
        await connection.query(sql);
      }),
    select,
    drop: () => database.drop(),
  };
}

async function rowsOf(connection: mysql.Connection, sql: string): Promise<unknown[][]> {
  const [rows] = await connection.query({ sql, rowsAsArray: true });
  return rows as unknown[][];
}

function session(connection: mysql.Connection): SourceSession {
  // A connection that the server closes while nobody asks emits this; the next call rejects anyway.
  connection.on('error', () => undefined);
  return {
    begin: () => connection.beginTransaction(),
    run: async (sql: string, params: readonly Param[]) => {
      await connection.query(sql, params as unknown[]);
    },
    select: (sql) => rowsOf(connection, sql),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
    close: async () => {
      try {
        await connection.end();
      } catch {
        connection.destroy(); // the server is gone
      }
    },
  };
}
