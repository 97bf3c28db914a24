// A physical table: its name, its columns in SQLite, and rows there and back. `t<id>_v<version>` with the columns of the SQL table
// and `wt_rowtime`, and the row's checksum `wt_sum` (row-checksum.ts). A key of one integer column is the rowid itself, the fastest look-up that SQLite has; any other key is the
// clustered key of a table without rowid (measured: about the same for rows of some 300 bytes, and one b-tree instead of two).
import { integerValue, type Column, type Row, type RowSchema, type Value } from '../../core/data-type.js';
import { carriedColumns } from '../../core/schema-change.js';
import type { AppError } from '../../core/errors.js';
import { corruptData, rebuildHint } from '../../core/seal.js';
import type { SqlValue, SqliteDatabase } from '../../sqlite/database.js';
import { RowChecksum } from './row-checksum.js';
import type { TableSpec } from '../state-store.js';
import {
  columnCodec,
  keyColumnCodec,
  readableColumn,
  readableKeyColumn,
  roundedFrom,
  type ColumnCodec,
} from './column-codec.js';

/** Hidden: the checksum of the row. NULL only in a table of an earlier version, in rows that were not written since. */
export const sumColumn = 'wt_sum';

/** Names that mean something else in SQLite, or in our tables; compared without regard to case. */
const pseudoColumns = new Set(['rowid', '_rowid_', 'oid', 'wt_rowtime', sumColumn]);

/** What the table in the file has that its description does not tell. */
export interface PhysicalColumns {
  /** Of earlier descriptions: no longer read or written, but the sums of rows from then count them. */
  readonly unread: readonly string[];
  /** Which rows have a checksum: some in a table of an earlier version, none in one that has no room for the column. */
  readonly sums: 'all' | 'some' | 'none';
}

/** SQLite has no room for more. */
export const columnsMax = 2_000;

export class TableLayout {
  readonly spec: TableSpec;
  readonly table: string;
  /** Quoted, in the order of the schema's columns. */
  readonly columns: readonly string[];
  /** Quoted, in key order. */
  readonly keyColumns: readonly string[];
  readonly #codecs: readonly ColumnCodec[];
  readonly #encoded: readonly number[];
  readonly #decoded: readonly number[];
  readonly #wide: readonly number[];
  readonly #isRowid: boolean;
  /** Quoted. */
  readonly #unread: readonly string[];
  readonly #sums: PhysicalColumns['sums'];
  /** Of the row that was opened last. */
  #isSound = true;
  readonly #checksum: RowChecksum;

  /** `physical`: needed where rows of a table are read that has been altered, or that an earlier version has made. */
  constructor(spec: TableSpec, physical: PhysicalColumns = newColumns(spec)) {
    const { columns, keyColumns } = spec.schema;
    this.spec = spec;
    this.table = physicalName(spec);
    const stored = spec.stored ?? columnNames(columns);
    this.columns = stored.map(quote);
    this.#unread = physical.unread.map(quote);
    this.#sums = physical.sums;
    this.#checksum = new RowChecksum(this.table, [...stored, ...physical.unread]);
    this.keyColumns = keyColumns.map((i) => this.columns[i]!);
    this.#isRowid = keyColumns.length === 1 && isIntegerKey(columns[keyColumns[0]!]!);
    this.#codecs = columns.map(({ type }, i) =>
      keyColumns.includes(i) && !this.#isRowid ? keyColumnCodec(type) : columnCodec(type),
    );
    const indexes = columns.map((_, i) => i);
    this.#encoded = indexes.filter((i) => this.#codecs[i]!.encode !== undefined);
    this.#decoded = indexes.filter((i) => this.#codecs[i]!.decode !== undefined);
    const wide = indexes.filter((i) => this.#codecs[i]!.wide);
    this.#wide = [...wide, ...this.#unread.map((_, i) => columns.length + i)];
  }

  get createSql(): string {
    const { keyColumns } = this.spec.schema;
    const columns = this.columns.map((name, i) => {
      const { declaredType } = this.#codecs[i]!;
      if (!keyColumns.includes(i)) return `${name} ${declaredType}`;
      return this.#isRowid ? `${name} INTEGER PRIMARY KEY` : `${name} ${declaredType} NOT NULL`;
    });
    // What is inserted behind our back has a checksum that is wrong.
    const rowtime = this.#behind.map((name) => `${name} INTEGER NOT NULL DEFAULT 0`).join(', ');
    if (this.#isRowid) return `CREATE TABLE ${this.table} (${columns.join(', ')}, ${rowtime})`;
    return `CREATE TABLE ${this.table} (${columns.join(', ')}, ${rowtime}, PRIMARY KEY (${this.keyColumns.join(', ')})) WITHOUT ROWID`;
  }

  /** The view by which people and tools read the table. */
  viewSql(viewName: string): string {
    const { columns, keyColumns } = this.spec.schema;
    const names = columnNames(columns).map(quote);
    const shown = columns.map(({ type }, i) => {
      const column = this.columns[i]!;
      const readable =
        keyColumns.includes(i) && !this.#isRowid ? readableKeyColumn(column, type) : readableColumn(column, type);
      return `${readable} AS ${names[i]!}`;
    });
    return `CREATE VIEW ${quote(viewName)} AS SELECT ${shown.join(', ')} FROM ${this.table}`;
  }

  /** What stands behind the columns of the table. */
  get #behind(): readonly string[] {
    return this.#sums === 'none' ? ['wt_rowtime'] : [sumColumn, 'wt_rowtime'];
  }

  /** All columns of a row and what belongs to it, as `openRow` takes them. */
  get selectList(): string {
    return [...this.columns, ...this.#unread, ...this.#behind].join(', ');
  }

  /** All columns that are written, as `bindRow` gives them. */
  get insertList(): string {
    return [...this.columns, ...this.#behind].join(', ');
  }

  /** Parameters of `insertList`. */
  get insertPlaces(): string {
    return `(${[...this.columns, ...this.#behind].map(() => '?').join(', ')})`;
  }

  keyEquals(alias?: string): string {
    const prefix = alias === undefined ? '' : `${alias}.`;
    return this.keyColumns.map((column) => `${prefix}${column} = ?`).join(' AND ');
  }

  encodeKeyColumn(keyIndex: number, value: Value): SqlValue {
    const { encode } = this.#codecs[this.spec.schema.keyColumns[keyIndex]!]!;
    return encode === undefined ? (value as SqlValue) : encode(value);
  }

  encodeColumn(index: number, value: Value): SqlValue {
    const { encode } = this.#codecs[index]!;
    return encode === undefined ? (value as SqlValue) : encode(value);
  }

  encodeKey(key: Row): SqlValue[] {
    return key.map((value, i) => this.encodeKeyColumn(i, value));
  }

  /** Into `params`, which is used again and again. */
  bindRow(row: Row, rowtimeMs: number, params: SqlValue[]): void {
    const { length } = row;
    for (let i = 0; i < length; i++) params[i] = row[i] as SqlValue;
    for (const i of this.#encoded) params[i] = this.#codecs[i]!.encode!(row[i]!);
    let at = length;
    if (this.#sums !== 'none') params[at++] = this.#checksum.of(params, length, rowtimeMs);
    params[at] = rowtimeMs;
  }

  /** True: a plain read may have rounded an integer of this row, and it has to be read exactly. */
  isRounded(stored: readonly SqlValue[]): boolean {
    for (const i of this.#wide) {
      const value = stored[i];
      if (typeof value === 'number' && (value >= roundedFrom || value <= -roundedFrom)) return true;
    }
    return false;
  }

  /**
   * Takes off what stands behind the columns of a row that was read by `selectList`, and gives its wt_rowtime. Throws corrupt-data where the row
   * is not what was written. `exact`: read with bigints for all integers.
   */
  openRow(stored: SqlValue[], exact: boolean): number {
    const rowtimeMs = this.#open(stored, exact);
    if (!this.#isSound) throw this.#damaged(stored);
    if (this.#unread.length > 0) stored.length = this.columns.length;
    return rowtimeMs;
  }

  /** As `openRow`, of a row that may be damaged, which is said; what of it has no meaning any more is NULL. */
  openAnyRow(
    stored: SqlValue[],
    exact: boolean,
  ): { readonly row: Row; readonly rowtimeMs: number; readonly sound: boolean } {
    const rowtimeMs = this.#open(stored, exact);
    const sound = this.#isSound;
    stored.length = this.columns.length;
    if (sound) return { row: this.decodeRow(stored), rowtimeMs, sound };
    const row = stored.map((value, i) => {
      try {
        return this.#codecs[i]!.decode?.(value) ?? value;
      } catch {
        return null; // that it is damaged is said; these bytes are no value of this type
      }
    });
    return { row, rowtimeMs, sound };
  }

  #open(stored: SqlValue[], exact: boolean): number {
    const rowtimeMs = Number(stored.pop());
    const sum = this.#sums === 'none' ? null : stored.pop()!;
    if (exact) {
      for (let i = 0; i < stored.length; i++) {
        const value = stored[i];
        if (typeof value === 'bigint') stored[i] = integerValue(value);
      }
    }
    this.#isSound =
      sum === null ? this.#sums !== 'all' : Number(sum) === this.#checksum.of(stored, stored.length, rowtimeMs);
    return rowtimeMs;
  }

  #damaged(stored: readonly SqlValue[]): AppError {
    const { name, schema } = this.spec;
    const key = schema.keyColumns.map((i) => JSON.stringify(shownKey(stored[i]))).join(', ');
    return corruptData({
      what: `table "${name}", the row with key ${key}`,
      repair: rebuildHint(name),
      table: name,
    });
  }

  /** In place: what was read becomes the row. */
  decodeRow(stored: SqlValue[]): Row {
    const row = stored as Value[];
    for (const i of this.#decoded) row[i] = this.#codecs[i]!.decode!(stored[i]!);
    return row;
  }

  /** Of stored key columns in key order. */
  decodeKey(stored: readonly SqlValue[]): Row {
    return this.spec.schema.keyColumns.map((column, i) => {
      const { decode } = this.#codecs[column]!;
      return decode === undefined ? stored[i]! : decode(stored[i]!);
    });
  }
}

function shownKey(value: SqlValue | undefined): string | number | null {
  if (typeof value === 'bigint') return String(value);
  return Buffer.isBuffer(value) ? `0x${value.toString('hex')}` : (value ?? null);
}

function newColumns({ schema }: TableSpec): PhysicalColumns {
  return { unread: [], sums: schema.columns.length + 2 <= columnsMax ? 'all' : 'none' };
}

/** What the table of this description has in the file. */
export function physicalColumns(database: SqliteDatabase, spec: TableSpec): PhysicalColumns {
  const described = new Set(spec.stored ?? columnNames(spec.schema.columns));
  const there = database.prepare('SELECT name, "notnull" FROM pragma_table_info(?)').all(physicalName(spec));
  const unread = there
    .map(([name]) => String(name))
    .filter((name) => !described.has(name) && name !== sumColumn && name !== 'wt_rowtime');
  const sum = there.find(([name]) => name === sumColumn);
  return { unread, sums: sum === undefined ? 'none' : sum[1] === 1 ? 'all' : 'some' };
}

/** The columns of a table whose schema becomes `to`: their names in SQLite, and what makes those that are not there yet. */
export function alteredColumns(
  spec: TableSpec,
  to: RowSchema,
  taken: Iterable<string>,
): { readonly stored: readonly string[]; readonly additions: readonly string[] } {
  const { columns } = spec.schema;
  const before = spec.stored ?? columnNames(columns);
  const names = new Set([...taken].map((name) => name.toLowerCase()));
  const additions: string[] = [];
  const carried = carriedColumns(columns, to.columns);
  const stored = to.columns.map(({ name, type }, i) => {
    if (carried[i]! >= 0) return before[carried[i]!]!;
    const base = pseudoColumns.has(name.toLowerCase()) ? `${name}_` : name;
    let own = base;
    for (let n = 2; names.has(own.toLowerCase()); n++) own = `${base}_${n}`;
    names.add(own.toLowerCase());
    additions.push(`ALTER TABLE ${physicalName(spec)} ADD COLUMN ${quote(own)} ${columnCodec(type).declaredType}`);
    return own;
  });
  return { stored, additions };
}

export function physicalName({ id, version }: { readonly id: number; readonly version: number }): string {
  return `t${id}_v${version}`;
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names that SQLite keeps for itself, those of our own tables, and what is made of both for views, so that no two names get one view. */
const reserved = /^(?:view_)*(?:wt_|sqlite_|t\d+_v\d+)/i;

/** The view's name is the SQL name, but for reserved names, which get `view_` in front. */
export function viewName(name: string): string {
  return reserved.test(name) ? `view_${name}` : name;
}

/** Those that the view of this name may have, since earlier builds named them otherwise. */
export function viewNames(name: string): readonly string[] {
  return reserved.test(name) ? [viewName(name), `${name}_view`, name] : [name];
}

/**
 * SQL's names are told apart by case, SQLite's are not: a column that differs from an earlier one in case only gets `_2`, `_3` ...
 * behind its name; one named like a pseudo-column gets `_`.
 */
export function columnNames(columns: readonly Column[]): string[] {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  const given = new Set<string>();
  return columns.map(({ name }) => {
    const base = pseudoColumns.has(name.toLowerCase()) ? `${name}_` : name;
    let own = base;
    for (let n = 2; given.has(own.toLowerCase()) || (own !== name && taken.has(own.toLowerCase())); n++)
      own = `${base}_${n}`;
    given.add(own.toLowerCase());
    return own;
  });
}

function isIntegerKey({ type }: Column): boolean {
  return type.kind === 'INTEGER' || type.kind === 'BIGINT' || type.kind === 'DATE' || type.kind === 'TIMESTAMP';
}
