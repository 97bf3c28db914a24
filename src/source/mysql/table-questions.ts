// Questions to information_schema about tables. MariaDB answers one about many tables by looking through its files, and passes over a table
// that a statement puts another in the place of at that very moment (ALTER by copy, of partitions, CREATE OR REPLACE). A question that names
// one table waits for such a statement, as any use of the table does. So a table that is missing in an answer is asked for by its name
// before anything follows from that: its rows would be deleted, or its foreign keys not followed.
import { qualifiedName } from '../../core/table-name.js';
import { quoteText, type Row, type Session } from './connection.js';

/** The condition of a question; with the name that its view has there, and a dot behind it, where it has several. */
export type TableCondition = (view?: string) => string;

interface TableRef {
  readonly database: string;
  readonly table: string;
}

/** The rows of each of these tables, by its `database.table`; in a row its name is `tbl`. Tables without rows have none. */
export async function askOfTables(
  session: Session,
  tables: readonly TableRef[],
  sql: (condition: TableCondition) => string,
  what: string,
): Promise<Map<string, Row[]>> {
  const answer = new Map<string, Row[]>();
  const ask = async (condition: TableCondition, database: string, wanted: ReadonlySet<string>): Promise<void> => {
    for (const row of await session.queryLong(sql(condition), what)) {
      const table = row['tbl']!;
      if (!wanted.has(table)) continue;
      const name = qualifiedName({ database, table });
      const rows = answer.get(name);
      if (rows) rows.push(row);
      else answer.set(name, [row]);
    }
  };
  for (const database of new Set(tables.map((each) => each.database))) {
    const wanted = new Set(tables.filter((each) => each.database === database).map(({ table }) => table));
    if (wanted.size > 1) await ask(among(database, wanted), database, wanted);
    for (const table of wanted)
      if (!answer.has(qualifiedName({ database, table }))) await ask(namely(database, table), database, wanted);
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
