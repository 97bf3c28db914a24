// Tables in the words that Debezium has for them in its records of schema changes: the columns by the names and numbers of JDBC, with
// everything that the server tells of them.
import type { DescribedColumn, DescribedTable } from '../source-connector.js';
import type { Row, Session } from './connection.js';
import { askOfTables } from './table-questions.js';
import { labelsOf } from './column-labels.js';

const what = 'describing its tables for a schema change';

/** Those that are there, as they are now, by `database.table`. */
export async function describeTables(
  session: Session,
  tables: readonly { readonly database: string; readonly table: string }[],
): Promise<Map<string, DescribedTable>> {
  const columnsOf = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT TABLE_NAME AS tbl, COLUMN_NAME AS name, IS_NULLABLE AS nullable, DATA_TYPE AS type, COLUMN_TYPE AS text,
      CHARACTER_SET_NAME AS charset, COLUMN_DEFAULT AS value, EXTRA AS extra, COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE ${condition()} ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    what,
  );
  const keysOf = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT TABLE_NAME AS tbl, COLUMN_NAME AS name
    FROM information_schema.STATISTICS WHERE ${condition()} AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX`,
    what,
  );
  const optionsOf = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT TABLE_NAME AS tbl, TABLE_COMMENT AS comment, TABLE_COLLATION AS collation
    FROM information_schema.TABLES WHERE ${condition()}`,
    what,
  );
  const described = new Map<string, DescribedTable>();
  for (const [table, columns] of columnsOf) {
    const options = optionsOf.get(table)?.[0];
    described.set(table, {
      // The whole name of a collation begins with its character set; some of MariaDB's belong to none by information_schema.
      charset: options?.['collation']?.split('_')[0] ?? null,
      comment: options?.['comment'] || null,
      keyColumns: (keysOf.get(table) ?? []).map((key) => key['name']!),
      columns: columns.map(describeColumn),
    });
  }
  return described;
}

/** The numbers of java.sql.Types, as Debezium gives them to types of MySQL. */
const jdbcTypes: Readonly<Record<string, number>> = {
  tinyint: 5,
  smallint: 5,
  mediumint: 4,
  int: 4,
  bigint: -5,
  decimal: 3,
  float: 6,
  double: 8,
  bit: -7,
  char: 1,
  enum: 1,
  set: 1,
  varchar: 12,
  tinytext: 12,
  text: 12,
  mediumtext: 12,
  longtext: 12,
  binary: -2,
  varbinary: -3,
  tinyblob: 2004,
  blob: 2004,
  mediumblob: 2004,
  longblob: 2004,
  date: 91,
  time: 92,
  datetime: 93,
  timestamp: 2014,
  year: 4,
};
const otherJdbcType = 1111;

/** From a row of information_schema.COLUMNS. */
export function describeColumn(row: Row): DescribedColumn {
  const type = row['type']!.toLowerCase();
  const text = row['text']!;
  const extra = row['extra'] ?? '';
  const labels = type === 'enum' || type === 'set' ? labelsOf(text) : null;
  const [length, scale] = labels ? [lengthOf(type, labels), null] : numbersOf(text);
  const autoIncremented = /\bauto_increment\b/i.test(extra);
  return {
    name: row['name']!,
    jdbcType: jdbcTypes[type] ?? otherJdbcType,
    typeName:
      type.toUpperCase() +
      (/ unsigned\b/i.test(text) ? ' UNSIGNED' : '') +
      (/ zerofill\b/i.test(text) ? ' ZEROFILL' : ''),
    charset: row['charset'] ?? null,
    length,
    scale,
    optional: row['nullable'] === 'YES',
    autoIncremented,
    generated: autoIncremented || /\b(?:VIRTUAL|STORED|PERSISTENT) GENERATED\b|^GENERATED\b/i.test(extra),
    comment: row['comment'] || null,
    defaultValue: row['value'] ?? null,
    labels,
  };
}

/** As they stand in brackets behind the name of the type. */
function numbersOf(text: string): [number | null, number | null] {
  const [, length, scale] = /^\w+\((\d+)(?:,(\d+))?\)/.exec(text) ?? [];
  return [length === undefined ? null : Number(length), scale === undefined ? null : Number(scale)];
}

/** Debezium's: a value of ENUM is one, of SET as many as can be set, with what stands between them. */
function lengthOf(type: string, labels: readonly string[]): number {
  return type === 'enum' ? 1 : Math.max(0, 2 * labels.length - 1);
}
