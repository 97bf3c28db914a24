// The word of MySQL and MariaDB on what their tables hold: names and types from information_schema, values by the server's own casts,
// taken as the bytes that it sends.
import type mysql from 'mysql2/promise';
import * as form from './canonical.js';
import type { SourceColumn, SourceTable } from './place.js';

type Text = string | null;

/** Rows of texts. The driver is told to make no objects, since a column may have any name, `__proto__` too. */
export async function texts(connection: mysql.Connection, sql: string): Promise<Text[][]> {
  const rows = await bytes(connection, sql);
  return rows.map((row) => row.map((value) => value?.toString('utf8') ?? null));
}

async function bytes(connection: mysql.Connection, sql: string): Promise<(Buffer | null)[][]> {
  const typeCast = (field: { buffer(): Buffer | null }): Buffer | null => field.buffer();
  const [rows] = await connection.query({ sql, rowsAsArray: true, typeCast: typeCast as mysql.TypeCast });
  return rows as unknown as (Buffer | null)[][];
}

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const quotedText = (text: string): string => `_utf8mb4 X'${Buffer.from(text).toString('hex')}'`;

/** Values come as they are stored, whatever the server's defaults are for sessions of applications. */
const readerSession = "SET SESSION sql_mode = '', time_zone = '+00:00', sql_select_limit = DEFAULT, NAMES utf8mb4";

/** All base tables of these databases with all their rows. */
export async function readTables(
  connection: mysql.Connection,
  databases: readonly string[],
): Promise<readonly SourceTable[]> {
  if (databases.length === 0) return [];
  await connection.query(readerSession);
  const among = `TABLE_SCHEMA IN (${databases.map(quotedText).join(', ')})`;
  const names = await texts(
    connection,
    `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES
      WHERE ${among} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1, 2`,
  );
  const columns = await texts(
    connection,
    `SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE FROM information_schema.COLUMNS
      WHERE ${among} ORDER BY 1, 2, ORDINAL_POSITION`,
  );
  const keys = await texts(
    connection,
    `SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS
      WHERE ${among} AND INDEX_NAME = 'PRIMARY' ORDER BY 1, 2, SEQ_IN_INDEX`,
  );
  const documents = await jsonChecks(connection, databases);
  const tables: SourceTable[] = [];
  for (const [database, table] of names as string[][]) {
    const of = (rows: readonly Text[][]): Text[][] => rows.filter(([d, t]) => d === database && t === table);
    const described = of(columns).map(([, , name, type, declared]): SourceColumn => {
      const isDocument = documents.has(JSON.stringify([database, table, name]));
      return { name: name!, declared: declared!, form: isDocument ? form.json : formOfType(type!, declared!) };
    });
    const list = of(columns).map(([, , name, type]) => expression(quoted(name!), type!));
    const found = await rowsOf(connection, `SELECT ${list.join(', ')} FROM ${quoted(database!)}.${quoted(table!)}`);
    const key = of(keys).map(([, , name]) => name!);
    tables.push({ database: database!, table: table!, key, columns: described, ...found });
  }
  return tables;
}

async function rowsOf(connection: mysql.Connection, sql: string): Promise<Pick<SourceTable, 'rows' | 'unreadable'>> {
  try {
    return { rows: await bytes(connection, sql) };
  } catch (error) {
    const { errno, message } = error as { errno?: number; message: string };
    if (errno === undefined || errno < 1000) throw error; // of the driver or the network
    return { rows: [], unreadable: `${errno} ${message}` };
  }
}

/** JSON of MariaDB is LONGTEXT with a check. */
async function jsonChecks(connection: mysql.Connection, databases: readonly string[]): Promise<ReadonlySet<string>> {
  const [[version]] = (await texts(connection, 'SELECT VERSION()')) as [[string]];
  if (!/mariadb/i.test(version)) return new Set();
  const rows = await texts(
    connection,
    `SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA IN (${databases.map(quotedText).join(', ')}) AND LEVEL = 'Column'`,
  );
  return new Set(
    rows.flatMap(([database, table, clause]) => {
      const name = /^json_valid\(`((?:[^`]|``)+)`\)$/i.exec(clause ?? '')?.[1]?.replaceAll('``', '`');
      return name === undefined ? [] : [JSON.stringify([database, table, name])];
    }),
  );
}

const geometries = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
]);
const binaries = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);
const wholes = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year', 'decimal']);
const strings = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set']);

function formOfType(type: string, declared: string): form.Form {
  if (geometries.has(type)) return form.geometry;
  if (binaries.has(type)) return form.bytes;
  if (wholes.has(type)) return form.whole;
  switch (type) {
    case 'float':
      return form.float;
    case 'double':
      return form.double;
    case 'bit':
      return form.bits(Number(/\d+/.exec(declared)?.[0] ?? '1'));
    case 'time':
      return form.time;
    case 'datetime':
    case 'timestamp':
      return form.datetime;
    case 'json':
      return form.json;
    case 'vector':
      return form.vector;
    default:
      return form.text;
  }
}

function expression(column: string, type: string): string {
  if (geometries.has(type) || binaries.has(type) || type === 'vector') return column;
  if (strings.has(type)) return `CONVERT(${column} USING utf8mb4)`;
  // The text of a FLOAT has six digits only; widened, it says which number it is.
  if (type === 'float' || type === 'double') return `CAST(${column} AS DOUBLE)`;
  if (type === 'bit') return `${column} + 0`;
  return `CAST(${column} AS CHAR CHARACTER SET utf8mb4)`;
}
