// Questions to information_schema about tables. MariaDB answers one about many tables by looking through its files, and passes over a table
// that a statement puts another in the place of at that very moment (ALTER by copy, of partitions, CREATE OR REPLACE). A question that names
// one table waits for such a statement, as any use of the table does. So a table that is missing in an answer is asked for by its name
// before anything follows from that: its rows would be deleted, or its foreign keys not followed.
import { quoteText, type Row, type Session } from './connection.js';

/** The condition of a question; with the name that its view has there, and a dot behind it, where it has several. */
export type TableCondition = (view?: string) => string;

/** The rows of each of these tables of a database, by its name, which they have as `tbl`. Tables without rows have none. */
export async function askOfTables(
  session: Session,
  { database, tables }: { readonly database: string; readonly tables: readonly string[] },
  sql: (condition: TableCondition) => string,
  what: string,
): Promise<Map<string, Row[]>> {
  const wanted = new Set(tables);
  const answer = new Map<string, Row[]>();
  if (wanted.size > 1) {
    const found = byTable(await session.queryLong(sql(among(database, wanted)), what));
    for (const [table, rows] of found) if (wanted.has(table)) answer.set(table, rows);
  }
  for (const table of wanted) {
    if (answer.has(table)) continue;
    const own = byTable(await session.queryLong(sql(namely(database, table)), what)).get(table);
    if (own) answer.set(table, own);
  }
  return answer;
}

/** Exactly this table. */
export function namely(database: string, table: string): TableCondition {
  return (view = '') => `${view}TABLE_SCHEMA = ${quoteText(database)} AND ${view}TABLE_NAME = ${quoteText(table)}`;
}

/** Of more tables than that a whole database is asked for. */
const namesMax = 200;

function among(database: string, tables: ReadonlySet<string>): TableCondition {
  const names = tables.size > namesMax ? undefined : [...tables].map(quoteText).join(', ');
  return (view = '') =>
    `${view}TABLE_SCHEMA = ${quoteText(database)}${names === undefined ? '' : ` AND ${view}TABLE_NAME IN (${names})`}`;
}

function byTable(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row['tbl']!);
    if (group) group.push(row);
    else groups.set(row['tbl']!, [row]);
  }
  return groups;
}
