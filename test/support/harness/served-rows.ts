// The rows of tables as the server has them and as they are served, each as text by column, so that both can be compared whatever columns
// they have at the moment. For integers, texts, ENUMs and decimals, whose texts are the same on both sides.
import { isDeepStrictEqual } from 'node:util';
import { withConnection, type SqlAddress } from '../servers/sql-client.js';
import { request } from './http-client.js';
import { texts } from './row-folder.js';

/** Undefined: there is no such table. */
export async function serverRows(
  server: SqlAddress,
  database: string,
  table: string,
): Promise<readonly string[] | undefined> {
  return withConnection(server, async (connection) => {
    try {
      const [found] = await connection.query({
        sql: `SELECT * FROM ${database}.${table}`,
        typeCast: (field) => field.string(),
      });
      return (found as object[]).map((row) => JSON.stringify(row)).toSorted();
    } catch (error) {
      if ((error as { errno?: number }).errno === 1146) return undefined;
      throw error;
    }
  });
}

/** The text of the refusal where no rows are served. */
export async function servedRows(url: string, table: string): Promise<readonly string[] | string> {
  const { status, text } = await request(`${url}/v1/tables/${table}/rows?limit=100000`);
  if (status !== 200) return text;
  const { rows } = JSON.parse(text) as { rows: Record<string, unknown>[] };
  return rows.map((row) => JSON.stringify(texts(row))).toSorted();
}

/** A table that is gone is served without rows, or not known. */
export async function rowsAgree(server: SqlAddress, database: string, url: string, table: string): Promise<boolean> {
  const there = await serverRows(server, database, table);
  const here = await servedRows(url, table);
  if (there !== undefined) return isDeepStrictEqual(there, here);
  return typeof here === 'string' ? here.includes('unknown-table') : here.length === 0;
}
