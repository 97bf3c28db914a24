// The tables of the correctness runs: three with keys of different shape, one of marks that tells which transactions an answer
// contains, and one that must not be captured. A row is its canonical values in column order; as a map's value, their JSON.
import { bigint, blob, boolean, datetime6, decimal, double, int, json, region, text } from './columns.js';
import type { Dialect, LoadColumn, Param } from './columns.js';
import { parseExact, type ExactJson } from './exact-json.js';

export type CanonicalRow = readonly (string | null)[];

export interface LoadTable {
  readonly name: string;
  readonly columns: readonly LoadColumn[];
  /** Indexes of the key columns. */
  readonly key: readonly number[];
}

const column = (name: string, kind: LoadColumn['kind'], nullable = false): LoadColumn => ({ name, kind, nullable });
const note = text({ mysql: 'TEXT CHARACTER SET utf8mb4', sqlite: 'TEXT' }, 12);

export interface LoadTables {
  readonly captured: readonly LoadTable[];
  readonly marks: LoadTable;
  readonly secret: LoadTable;
  /** All that a connector captures: the captured ones and the marks. */
  readonly all: readonly LoadTable[];
}

/** `change` is different in every version of a row, so that no two versions look alike. */
export function loadTables(dialect: Dialect): LoadTables {
  const items: LoadTable = {
    name: 'items',
    columns: [
      column('id', bigint),
      column('change_no', bigint),
      column('title', note, true),
      column('quantity', int(dialect)),
    ],
    key: [0],
  };
  const stock: LoadTable = {
    name: 'stock',
    columns: [
      column('region', region),
      column('place', int(dialect)),
      column('change_no', bigint),
      column('quantity', int(dialect), true),
      column('price', decimal(12, 2)),
    ],
    key: [0, 1],
  };
  const documents: LoadTable = {
    name: 'documents',
    columns: [
      column('id', bigint),
      column('change_no', bigint),
      column('amount', decimal(20, 4), true),
      column('made_at', datetime6, true),
      column('note', note, true),
      column('body', json, true),
      column('payload', blob, true),
      column('active', boolean, true),
      column('ratio', double, true),
    ],
    key: [0],
  };
  const marks: LoadTable = {
    name: 'marks',
    columns: [column('writer', bigint), column('tx', bigint), column('committed_us', bigint)],
    key: [0],
  };
  const secret: LoadTable = { name: 'secrets', columns: [column('id', bigint), column('title', note, true)], key: [0] };
  const captured = [items, stock, documents];
  return { captured, marks, secret, all: [...captured, marks] };
}

export function createTableSql(table: LoadTable, dialect: Dialect): string {
  const columns = table.columns.map(
    ({ name, kind, nullable }) => `${name} ${kind.declare(dialect)}${nullable ? '' : ' NOT NULL'}`,
  );
  const key = table.key.map((i) => table.columns[i]!.name).join(', ');
  return `CREATE TABLE ${table.name} (${columns.join(', ')}, PRIMARY KEY (${key}))`;
}

/** A SELECT of every row as text by the source's own casts; `readSourceRow` makes its rows canonical. */
export function selectSql(table: LoadTable, dialect: Dialect): string {
  // Not every function of every source gives NULL for NULL.
  const columns = table.columns.map(
    ({ name, kind }) => `CASE WHEN ${name} IS NULL THEN NULL ELSE ${kind.select(name, dialect)} END`,
  );
  return `SELECT ${columns.join(', ')} FROM ${table.name}`;
}

export function readSourceRow(table: LoadTable, row: readonly unknown[]): CanonicalRow {
  return table.columns.map(({ name, kind }, i) => {
    const value = row[i];
    if (value === null) return null;
    if (typeof value !== 'string') throw new Error(`the source gave ${typeof value} for ${table.name}.${name}`);
    return kind.read(value);
  });
}

export function rowParams(table: LoadTable, row: CanonicalRow, dialect: Dialect): Param[] {
  return table.columns.map(({ kind }, i) => {
    const value = row[i] ?? null;
    return value === null ? null : kind.param(value, dialect);
  });
}

/** A row of /v1 (`answer`) or of a topic (`record`). */
export function readJsonRow(table: LoadTable, text: ExactJson, form: 'answer' | 'record'): CanonicalRow {
  const fields = text as Readonly<Record<string, ExactJson>>;
  const names = Object.keys(fields);
  if (names.join() !== table.columns.map(({ name }) => name).join()) {
    throw new Error(`${table.name} has other columns than expected: ${names.join(', ')}`);
  }
  return table.columns.map(({ name, kind }) => {
    const value = fields[name] ?? null;
    return value === null ? null : kind[form](value);
  });
}

/** The key of a record of a topic: bare for one column, an object for several. */
export function readRecordKey(table: LoadTable, text: string): string {
  const parsed = parseExact(text);
  const [only, ...more] = table.key.map((i) => table.columns[i]!);
  if (more.length === 0) return only!.kind.record(parsed);
  const fields = parsed as Readonly<Record<string, ExactJson>>;
  return table.key.map((i) => table.columns[i]!.kind.record(fields[table.columns[i]!.name]!)).join('\u0001');
}

export function keyOf(table: LoadTable, row: CanonicalRow): string {
  return table.key.map((i) => row[i]).join('\u0001');
}

/** As it stands in a URL or in POST /v1/read. */
export function keyText(key: string): string {
  return key.split('\u0001').map(encodeURIComponent).join(',');
}

export function printRow(row: CanonicalRow): string {
  return JSON.stringify(row);
}
