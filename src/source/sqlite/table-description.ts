// What the file says about a table, as far as capture depends on it: columns, primary key, and every other rule by which
// INSERT OR REPLACE or UPDATE OR REPLACE can displace a row. Its JSON is kept beside the triggers; a description that has
// changed means that the triggers no longer tell the whole truth.
import type { SqliteDatabase } from '../../sqlite/database.js';
import { affinityOf, type Affinity } from './types.js';
import { parseIndexSql } from './index-sql.js';
import { isOurs } from './names.js';

export interface ColumnDescription {
  readonly name: string;
  readonly declared: string;
  readonly affinity: Affinity;
  readonly notNull: boolean;
  /** SQL text of DEFAULT: what REPLACE puts in the place of a NULL that is not allowed. */
  readonly defaultSql: string | null;
  /** STRICT tables and the INTEGER PRIMARY KEY hold their columns to their types. */
  readonly enforced: boolean;
}

export interface KeyColumn {
  readonly column: number;
  readonly collation: string;
  /** SQLite lets NULL into the primary key of an ordinary table unless it is an INTEGER PRIMARY KEY or NOT NULL. */
  readonly nullable: boolean;
  /** Values that SQLite calls equal can differ in bytes ('a' and 'A' under NOCASE, 1 and 1.0 without a type). */
  readonly loose: boolean;
}

export interface UniqueTerm {
  /** Index of the column, or the SQL of an expression. */
  readonly term: number | string;
  readonly collation: string;
}

export interface UniqueRule {
  readonly terms: readonly UniqueTerm[];
  /** Condition of a partial index. */
  readonly where: string | null;
}

export interface TableDescription {
  readonly name: string;
  readonly columns: readonly ColumnDescription[];
  /** Empty: the table has no primary key. */
  readonly key: readonly KeyColumn[];
  /** All UNIQUE constraints and indexes, and the primary key itself where it is loose. */
  readonly uniques: readonly UniqueRule[];
}

/** The application's own tables: no views, no virtual tables and what belongs to them, nothing of SQLite's or ours. */
export function tableNames(database: SqliteDatabase): string[] {
  const names = database
    .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name")
    .all()
    .map((row) => String(row[0]));
  return names.filter((name) => !/^sqlite_/i.test(name) && !isOurs(name));
}

export function describeTable(database: SqliteDatabase, name: string): TableDescription | null {
  const list = database
    .prepare("SELECT wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ?")
    .get(name);
  if (!list) return null;
  const [withoutRowid, strict] = list;
  const indexes = database
    .prepare('SELECT name, origin, "unique", partial FROM pragma_index_list(?, ?)')
    .all(name, 'main')
    .map(([index, origin, unique, partial]) => ({ name: String(index), origin, unique, partial }));
  const primary = indexes.find((index) => index.origin === 'pk');
  const rows = database
    .prepare(
      'SELECT cid, name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1 ORDER BY cid',
    )
    .all(name, 'main');
  const keyRows = rows.filter((row) => Number(row[5]) > 0).sort((a, b) => Number(a[5]) - Number(b[5]));
  const alias = keyRows.length === 1 && primary === undefined;
  const columns = rows.map(([, column, declared, notNull, defaultSql, pk]): ColumnDescription => ({
    name: String(column),
    declared: String(declared),
    affinity: affinityOf(String(declared)),
    notNull: notNull === 1,
    defaultSql: defaultSql === null ? null : String(defaultSql),
    // The one type of a STRICT table that takes any storage class is ANY.
    enforced: (strict === 1 && String(declared).toUpperCase() !== 'ANY') || (alias && pk === 1),
  }));
  const indexOfCid = new Map(rows.map((row, i) => [Number(row[0]), i]));
  const termsOf = (index: string) => indexTerms(database, index, indexOfCid);
  const primaryTerms = primary ? termsOf(primary.name).terms : [];
  const key = keyRows.map((row, i): KeyColumn => {
    const column = indexOfCid.get(Number(row[0]))!;
    const collation = primaryTerms[i]?.collation ?? 'BINARY';
    return {
      column,
      collation,
      nullable: !alias && withoutRowid !== 1 && row[3] !== 1,
      loose: !alias && (collation.toUpperCase() !== 'BINARY' || columns[column]!.affinity === 'BLOB'),
    };
  });
  const loosePrimary = key.some((column) => column.loose);
  const uniques = indexes
    .filter((index) => index.unique === 1 && (index !== primary || loosePrimary))
    .map((index): UniqueRule => {
      const { terms, where } = termsOf(index.name);
      return { terms, where: index.partial === 1 ? where : null };
    });
  return { name, columns, key, uniques };
}

function indexTerms(database: SqliteDatabase, index: string, indexOfCid: ReadonlyMap<number, number>): UniqueRule {
  const sql = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?").get(index)?.[0];
  const text = typeof sql === 'string' ? parseIndexSql(sql) : null;
  const terms = database
    .prepare('SELECT seqno, cid, coll FROM pragma_index_xinfo(?, ?) WHERE key = 1 ORDER BY seqno')
    .all(index, 'main')
    .map(([place, cid, collation]): UniqueTerm => ({
      term: indexOfCid.get(Number(cid)) ?? text?.terms[Number(place)] ?? '',
      collation: String(collation),
    }));
  return { terms, where: text?.where ?? null };
}
