// Two tables of one key, compared where they lie: SQLite walks over both in key order, and only the keys of rows that differ come up.
import { integerValue, type Row } from '../../core/data-type.js';
import type { SqlValue, SqliteDatabase, Statement } from '../../sqlite/database.js';
import type { TableComparison, TableSpec } from '../state-store.js';
import { TableLayout } from './table-layout.js';

/** Of a page: behind a key or from the start, up to a key or to the end. */
interface Bounds {
  readonly after: boolean;
  readonly upTo: boolean;
}

export class SqliteTableComparison implements TableComparison {
  done = false;
  readonly #database: SqliteDatabase;
  readonly #one: TableLayout;
  readonly #other: TableLayout;
  /** By what they ask for and their bounds. */
  readonly #statements = new Map<string, Statement>();
  /** Everything up to here was compared; as it is stored. */
  #after: SqlValue[] | undefined;

  constructor(database: SqliteDatabase, one: TableSpec, other: TableSpec) {
    this.#database = database;
    this.#one = new TableLayout(one);
    this.#other = new TableLayout(other);
  }

  step(limit: number): readonly Row[] {
    const behind = this.#after ?? [];
    const upTo = this.#statement('end', { after: behind.length > 0, upTo: false }).get(
      ...behind,
      limit - 1,
      ...behind,
      limit - 1,
    );
    const bounds = { after: behind.length > 0, upTo: upTo !== undefined };
    const range = [...behind, ...(upTo ?? [])];
    const keys = this.#statement('keys', bounds).all(...range, ...range);
    this.#after = upTo;
    this.done = upTo === undefined;
    return keys.map((key) =>
      this.#one.decodeKey(key.map((part) => (typeof part === 'bigint' ? integerValue(part) : part))),
    );
  }

  /** Read exactly: keys are bound again as they came. */
  #statement(what: 'end' | 'keys', bounds: Bounds): Statement {
    const name = `${what} ${bounds.after} ${bounds.upTo}`;
    let found = this.#statements.get(name);
    if (found === undefined) {
      found = this.#database.prepareExact(what === 'end' ? this.#endSql(bounds) : this.#keysSql(bounds));
      this.#statements.set(name, found);
    }
    return found;
  }

  /** The key at which the table of the two that comes to it first has given its rows; none when both end before. */
  #endSql(bounds: Bounds): string {
    const side = ({ table, keyColumns }: TableLayout): string => {
      const keys = keyColumns.join(', ');
      return `SELECT * FROM (SELECT ${keys} FROM ${table} AS one WHERE ${this.#range('one', bounds)} ORDER BY ${keys} LIMIT 1 OFFSET ?)`;
    };
    const order = this.#one.keyColumns.map((_, i) => i + 1).join(', ');
    return `${side(this.#one)} UNION ALL ${side(this.#other)} ORDER BY ${order} LIMIT 1`;
  }

  /** Of rows in both that are stored differently, and of those that are in one only; each once. */
  #keysSql(bounds: Bounds): string {
    const [one, other] = [this.#one, this.#other];
    const keys = (alias: string): string => one.keyColumns.map((column) => `${alias}.${column}`).join(', ');
    const sameKey = one.keyColumns.map((column) => `other.${column} = one.${column}`).join(' AND ');
    const isOneForm = JSON.stringify(one.spec.schema) === JSON.stringify(other.spec.schema);
    // Of two forms no row is the same.
    const differs = isOneForm
      ? one.columns.map((column, i) => `one.${column} IS NOT other.${other.columns[i]!}`).join(' OR ')
      : '1';
    return (
      `SELECT ${keys('one')} FROM ${one.table} AS one LEFT JOIN ${other.table} AS other ON ${sameKey} ` +
      `WHERE ${this.#range('one', bounds)} AND (other.wt_rowtime IS NULL OR ${differs}) ` +
      `UNION ALL SELECT ${keys('one')} FROM ${other.table} AS one ` +
      `WHERE ${this.#range('one', bounds)} AND NOT EXISTS (SELECT 1 FROM ${one.table} AS other WHERE ${sameKey})`
    );
  }

  #range(alias: string, { after, upTo }: Bounds): string {
    const { keyColumns } = this.#one;
    const key = `(${keyColumns.map((column) => `${alias}.${column}`).join(', ')})`;
    const places = `(${keyColumns.map(() => '?').join(', ')})`;
    return [...(after ? [`${key} > ${places}`] : []), ...(upTo ? [`${key} <= ${places}`] : [])].join(' AND ') || '1';
  }
}
