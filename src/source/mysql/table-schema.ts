// A captured table as the server describes it now (information_schema), in the same form that a table map gives, and the
// description of it that connect gets.
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../core/errors.js';
import type { SourceTable } from '../../core/row-encoder.js';
import { qualifiedName, splitName } from '../../core/table-name.js';
import { labelForm, sourceColumn, textForm, withModes, type ColumnForm, type TableColumn } from './column-form.js';
import { labelsOf, type ColumnLabels } from './column-labels.js';
import type { Row, Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { keyOf, type TableModes } from './message-keys.js';
import { askServer } from './server.js';
import { askOfTables, namely } from './table-questions.js';
import { quoteName } from './text-reader.js';
import { tableRefusal } from './unreadable.js';

export interface TableSchema {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly TableColumn[];
  /** Indexes into `columns`; empty: no primary key. */
  readonly keyColumns: readonly number[];
  /** By which rows are read in order; undefined: it is the key. */
  readonly primaryKey?: readonly number[] | undefined;
  readonly rowsEstimated: number | null;
  readonly rowBytesEstimated: number;
  readonly engine: string;
  /** Of the columns as the server describes them: another text is another table. */
  readonly signature: string;
  /** Of a system-versioned table the column that tells until when a row is in force; it may be hidden. */
  readonly rowEnd: string | undefined;
  /** Some column is computed of others. */
  readonly generated: boolean;
  /** By name, of columns of ENUM and SET. */
  readonly labels: ColumnLabels;
}

export function tableName(table: { readonly database: string; readonly table: string }): string {
  return qualifiedName(table);
}

/** A table that the server has, not described yet. */
export interface ListedTable {
  readonly database: string;
  readonly table: string;
  readonly row: Row;
}

/** MariaDB has no file of a table's name while it puts a copy in its place and syncs that: looks that lie apart do not all fall into it. */
const looks = 5;
const looksApartMs = 7;

/**
 * All base tables outside of the system schemas, in the order of their names. A name of MariaDB that only another look shows is asked for
 * by itself (see table-questions.ts).
 */
export async function listTables(session: Session): Promise<ListedTable[]> {
  const { mariadb } = await askServer(session);
  let named = mariadb ? await readNames(session) : [];
  const listed = await readListed(session, outside);
  const seen = new Set(listed.map(tableName));
  for (let look = 1; mariadb && look <= looks; look++) {
    for (const { database, table } of named) {
      const name = tableName({ database, table });
      if (seen.has(name)) continue;
      const found = await readListed(session, namely(database, table)());
      if (found.length > 0) seen.add(name);
      listed.push(...found);
    }
    if (look === looks) break;
    await delay(looksApartMs);
    named = await readNames(session);
  }
  return listed.filter(isBaseTable).toSorted((a, b) => (tableName(a) < tableName(b) ? -1 : 1));
}

const outside = "TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')";

/** Views are among them. */
async function readListed(session: Session, condition: string): Promise<ListedTable[]> {
  const rows = await session.queryLong(
    `
    SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tbl, TABLE_TYPE AS kind, ENGINE AS engine, TABLE_ROWS AS rows_estimated, AVG_ROW_LENGTH AS row_bytes
    FROM information_schema.TABLES WHERE ${condition}`,
    'listing its tables',
  );
  return rows.map((row) => ({ database: row['db']!, table: row['tbl']!, row }));
}

/** One base table, whatever is done to it; by the letters that the server takes for the same, there may be others. */
async function listedByName(session: Session, database: string, table: string): Promise<ListedTable[]> {
  const listed = await readListed(session, namely(database, table)());
  return listed.filter(isBaseTable);
}

function isBaseTable({ row }: ListedTable): boolean {
  return row['kind'] === 'BASE TABLE' || row['kind'] === 'SYSTEM VERSIONED';
}

/** By the names of files alone, where the server has such. */
async function readNames(session: Session): Promise<{ readonly database: string; readonly table: string }[]> {
  const rows = await session.queryLong(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tbl FROM information_schema.TABLES WHERE ${outside}`,
    'listing its tables',
  );
  return rows.map((row) => ({ database: row['db']!, table: row['tbl']! }));
}

/** The schemas of some of them. */
export async function readSchemas(
  session: Session,
  tables: readonly ListedTable[],
  modes: TableModes,
): Promise<TableSchema[]> {
  const columnsOf = await askOfTables(
    session,
    tables,
    (condition) => `
      SELECT TABLE_NAME AS tbl, COLUMN_NAME AS name, IS_NULLABLE AS nullable, DATA_TYPE AS type, COLUMN_TYPE AS text,
        CHARACTER_SET_NAME AS charset, CHARACTER_OCTET_LENGTH AS octets, CHARACTER_MAXIMUM_LENGTH AS chars,
        NUMERIC_PRECISION AS prec, NUMERIC_SCALE AS scale, DATETIME_PRECISION AS digits, GENERATION_EXPRESSION AS expression
      FROM information_schema.COLUMNS WHERE ${condition()} ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    'describing its tables',
  );
  const keysOf = await askOfTables(
    session,
    tables,
    (condition) => `
      SELECT TABLE_NAME AS tbl, COLUMN_NAME AS name
      FROM information_schema.STATISTICS WHERE ${condition()} AND INDEX_NAME = 'PRIMARY'
      ORDER BY TABLE_NAME, SEQ_IN_INDEX`,
    'describing its tables',
  );
  return tables.map(({ database, table, row }): TableSchema => {
    const name = tableName({ database, table });
    const described = columnsOf.get(name) ?? [];
    const columns = described.map(columnOf);
    const rowEnd =
      row['kind'] === 'SYSTEM VERSIONED'
        ? (described.find((column) => column['expression'] === 'ROW END')?.['name'] ?? 'row_end')
        : undefined;
    const primaryKey = (keysOf.get(name) ?? [])
      .filter((key) => rowEnd === undefined || key['name'] !== rowEnd)
      .map((key) => columns.findIndex((column) => column.name === key['name']));
    const keyColumns = keyOf({ database, table, columns, keyColumns: primaryKey }, modes.messageKeys);
    return {
      database,
      table,
      columns: withModes(columns, modes),
      keyColumns,
      ...(keyColumns === primaryKey ? {} : { primaryKey }),
      rowEnd,
      rowsEstimated: row['rows_estimated'] ? Number(row['rows_estimated']) : null,
      rowBytesEstimated: Number(row['row_bytes'] ?? 0),
      engine: row['engine'] ?? '',
      signature: signatureOf(described),
      generated: described.some(({ expression }) => (expression ?? '') !== ''),
      labels: new Map(described.flatMap(labelsOfColumn)),
    };
  });
}

function labelsOfColumn({ name, type, text }: Row): (readonly [name: string, labels: readonly string[]])[] {
  return type === 'enum' || type === 'set' ? [[name!, labelsOf(text!)]] : [];
}

/**
 * One table as it is at a moment; undefined: it is not there, or not the same table all the while. Its columns and its key are two questions,
 * and a table that is dropped or made between them would look like one without a key.
 */
export async function readSchema(
  session: Session,
  database: string,
  table: string,
  modes: TableModes,
): Promise<TableSchema | undefined> {
  const listed = (await listedByName(session, database, table)).filter((each) => each.table === table);
  const [schema] = await readSchemas(session, listed, modes);
  if (schema === undefined || schema.columns.length === 0 || schema.keyColumns.includes(-1)) return undefined;
  if (schema.keyColumns.length > 0) return schema;
  if (await openingError(session, schema)) return undefined;
  const statement = await createStatement(session, schema);
  return statement === undefined || /^\s*PRIMARY KEY/m.test(statement) ? undefined : schema;
}

/**
 * By its folded `database.table`, which is asked for by its name: `gone` is sure. `changing`: it was not the same table while it was described.
 * An error: the server itself cannot open it.
 */
export async function describeTable(
  session: Session,
  name: string,
  fold: (text: string) => string,
  modes: TableModes,
): Promise<TableSchema | AppError | 'gone' | 'changing'> {
  const { database, table } = splitName(name);
  const found = (await listedByName(session, database, table)).find((each) => fold(tableName(each)) === name);
  if (found === undefined) return 'gone';
  return (
    (await readSchema(session, found.database, found.table, modes)) ??
    (await openingError(session, found)) ??
    'changing'
  );
}

/** A table that cannot be opened has no columns in information_schema. */
export async function openingError(
  session: Session,
  table: { readonly database: string; readonly table: string },
): Promise<AppError | undefined> {
  try {
    await createStatement(session, table);
    return undefined;
  } catch (error) {
    const refusal = tableRefusal(error, tableName(table));
    if (refusal) return refusal;
    throw error;
  }
}

/** As `signature` of the schema, of the table as it is now. */
export async function readSignature(session: Session, { database, table }: TableSchema): Promise<string> {
  const rows = await session.query(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS text, CHARACTER_SET_NAME AS charset, IS_NULLABLE AS nullable
    FROM information_schema.COLUMNS
    WHERE ${namely(database, table)()} ORDER BY ORDINAL_POSITION`,
    'looking whether a table is as it was',
  );
  return signatureOf(rows);
}

function signatureOf(rows: readonly Row[]): string {
  return JSON.stringify(rows.map(({ name, text, charset, nullable }) => [name, text, charset, nullable]));
}

const noSuchTable = 1146;
/** No such table, no such column, another definition than when the view began. */
const otherTable: ReadonlySet<unknown> = new Set([noSuchTable, 1054, 1412]);

/** What a statement over a table ends with that was dropped or altered since it was described. */
export function isOtherTable(error: unknown): boolean {
  return error instanceof AppError && otherTable.has((error.cause as { readonly errno?: unknown } | undefined)?.errno);
}

/** Undefined: the table is gone. */
export async function createStatement(
  session: Session,
  { database, table }: { readonly database: string; readonly table: string },
): Promise<string | undefined> {
  try {
    const row = await session.one(`SHOW CREATE TABLE ${quoteName(database)}.${quoteName(table)}`);
    return row['Create Table'] ?? undefined;
  } catch (error) {
    if (error instanceof AppError && (error.cause as { readonly errno?: unknown } | undefined)?.errno === noSuchTable)
      return undefined;
    throw error;
  }
}

function columnOf(row: Row): TableColumn {
  return { name: row['name']!, nullable: row['nullable'] === 'YES', form: formOf(row) };
}

function formOf(row: Row): ColumnForm {
  const type = row['type']!.toLowerCase();
  const text = row['text']!;
  const unsigned = /\bunsigned\b/i.test(text);
  const digits = Number(row['digits'] ?? 0);
  const old = /mariadb-5\.3/.test(text);
  const compressed = / COMPRESSED\b/.test(text) ? { compressed: true } : {};
  switch (type) {
    case 'tinyint':
      return { kind: 'integer', bytes: 1, unsigned };
    case 'smallint':
      return { kind: 'integer', bytes: 2, unsigned };
    case 'mediumint':
      return { kind: 'integer', bytes: 3, unsigned };
    case 'int':
      return { kind: 'integer', bytes: 4, unsigned };
    case 'bigint':
      return { kind: 'integer', bytes: 8, unsigned };
    case 'decimal':
      return { kind: 'decimal', precision: Number(row['prec']), scale: Number(row['scale']) };
    case 'float':
      return { kind: 'float' };
    case 'double':
      return { kind: 'double' };
    case 'bit':
      return { kind: 'bit', bits: Number(row['prec']) };
    case 'char':
    case 'varchar':
      return { ...textForm(`${type}(${row['chars']})`, row['charset'] ?? ''), ...compressed };
    case 'tinytext':
    case 'text':
    case 'mediumtext':
    case 'longtext':
      return { ...textForm(type, row['charset'] ?? ''), ...compressed };
    case 'binary':
      return { kind: 'bytes', name: `binary(${row['octets']})`, padTo: Number(row['octets']) };
    case 'varbinary':
      return { kind: 'bytes', name: `varbinary(${row['octets']})`, padTo: 0, ...compressed };
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return { kind: 'bytes', name: type, padTo: 0, ...compressed };
    case 'enum':
    case 'set':
      return labelForm(type, row['charset'] ?? 'binary');
    case 'date':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return { kind: type };
    case 'year':
      return /\(2\)/.test(text) ? { kind: type, short: true } : { kind: type };
    case 'time':
    case 'datetime':
    case 'timestamp':
      // With a fraction the old storage format has lengths that the binlog does not tell.
      if (old && digits > 0) return { kind: 'unsupported', name: text };
      return old ? { kind: type, digits, old } : { kind: type, digits };
    case 'vector':
      return { kind: 'vector', dimensions: Number(/\d+/.exec(text)?.[0] ?? 0) };
    case 'geomcollection':
      return { kind: 'geometry', name: 'geometrycollection' };
    case 'geometry':
    case 'point':
    case 'linestring':
    case 'polygon':
    case 'multipoint':
    case 'multilinestring':
    case 'multipolygon':
    case 'geometrycollection':
      return { kind: 'geometry', name: type };
    default:
      return { kind: 'unsupported', name: type };
  }
}

/** What connect gets: the captured columns only. Throws unsupported-type, and bad-connector-config for a key that is left out. */
export function sourceTable(
  schema: {
    readonly database: string;
    readonly table: string;
    readonly columns: readonly TableColumn[];
    readonly keyColumns: readonly number[];
    readonly hidden?: ReadonlySet<number>;
    readonly labels?: ColumnLabels | undefined;
  },
  filter: TableFilter,
): SourceTable {
  const { database, table } = schema;
  const captured = capturedColumns(schema, filter);
  const places = schema.columns.map((_, i) => captured.slice(0, i).filter(Boolean).length);
  return {
    database,
    table,
    columns: schema.columns.flatMap((column, i) =>
      captured[i] ? [sourceColumn(column, `${database}.${table}.${column.name}`, schema.labels?.get(column.name))] : [],
    ),
    keyColumns: schema.keyColumns.map((column) => {
      if (captured[column]) return places[column]!;
      throw new AppError(
        'bad-connector-config',
        `column.exclude.list leaves out ${database}.${table}.${schema.columns[column]!.name}, which is part of the primary key`,
        { place: { path: 'column.exclude.list' } },
      );
    }),
  };
}

export function capturedColumns(
  schema: {
    readonly database: string;
    readonly table: string;
    readonly columns: readonly TableColumn[];
    readonly hidden?: ReadonlySet<number>;
  },
  filter: TableFilter,
): boolean[] {
  return schema.columns.map(
    (column, i) => !schema.hidden?.has(i) && filter.capturesColumn(schema.database, schema.table, column.name),
  );
}
