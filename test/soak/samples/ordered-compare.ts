// A table of any size against the source: both sides are read in the order of the key and compared row by row, so that hardly more than a
// page of either is in memory. For keys whose order by bytes is that of their texts.
import mysql from 'mysql2';
import type { App } from '../../support/harness/app-process.js';
import { requestJson } from '../../support/harness/http-client.js';
import { withConnection, type SqlAddress } from '../../support/servers/sql-client.js';

/** Of columns whose text is the same on both sides: integers, dates, texts of ASCII, ENUMs. */
export async function compareInOrder(
  app: App,
  { server, database, table }: { readonly server: SqlAddress; readonly database: string; readonly table: string },
): Promise<{ readonly rows: number; readonly difference: string | undefined }> {
  return withConnection(server, async (connection) => {
    const [columns] = await connection.query(
      `SELECT DATA_TYPE AS type, COLUMN_NAME AS name FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
    );
    const [keys] = await connection.query(
      `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = '${table}' AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
    );
    const texts = new Set(
      (columns as { type: string; name: string }[])
        .filter(({ type }) => /char|text/.test(type))
        .map(({ name }) => name),
    );
    const order = (keys as { name: string }[]).map(({ name }) => (texts.has(name) ? `CAST(${name} AS BINARY)` : name));
    const names = (columns as { name: string }[]).map(({ name }) => name);
    const served = servedLines(app, table, names);
    let rows = 0;
    // The driver gives rows one by one by its other interface only.
    const { host, port, user, password } = server;
    const reader = mysql.createConnection({ host, port, user, password });
    const stream = reader
      .query({
        sql: `SELECT ${names.join(', ')} FROM ${database}.${table} ORDER BY ${order.join(', ')}`,
        rowsAsArray: true,
        typeCast: (field) => field.string(),
      })
      .stream({ highWaterMark: 1_000 });
    try {
      for await (const row of stream as AsyncIterable<(string | null)[]>) {
        rows++;
        const line = JSON.stringify(row);
        const other = await served.next();
        if (other.done === true) return { rows, difference: `${table}: row ${rows}, ${line}, is not served` };
        if (other.value !== line)
          return { rows, difference: `${table}: row ${rows} at the source is ${line}, here ${other.value}` };
      }
    } finally {
      reader.destroy();
    }
    const extra = await served.next();
    const difference = extra.done === true ? undefined : `${table}: ${extra.value} is served beyond the source's last`;
    return { rows, difference };
  });
}

async function* servedLines(app: App, table: string, names: readonly string[]): AsyncGenerator<string, undefined> {
  let after: string | undefined;
  do {
    const place = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = await requestJson<{ rows: Record<string, string | number | null>[]; next?: string | null }>(
      `${app.url}/v1/tables/${table}/rows?limit=10000${place}`,
    );
    for (const row of page.rows)
      yield JSON.stringify(names.map((name) => (typeof row[name] === 'number' ? String(row[name]) : row[name])));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return undefined;
}
