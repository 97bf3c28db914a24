// Secondary indexes of tables: rows found by other columns than the key, at a cost of what is found. They belong to a table in all of its
// versions, so a version that a rebuild fills has them from its first row; documents tell which (`lookup`, by the table's id).
// Text is found by a form that is the same for all that differ in the case of ASCII letters or in spaces at the end only; SQLite's own
// functions give it, so that every program can go on reading the file. Text with other characters than printable ASCII, of which
// that form does not tell what a server takes for equal, has an index of its own, mostly an empty one.
import { hash } from 'node:crypto';
import type { Row } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { SqlValue, SqliteDatabase } from '../../sqlite/database.js';
import type { Lookup } from '../state-store.js';
import { readCatalogue } from './table-catalogue.js';
import { physicalName, TableLayout } from './table-layout.js';

const kind = 'lookup';

export class LookupIndexes {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** In the open transaction; those of the table that are not among them go. */
  set(id: number, lookups: readonly Lookup[]): void {
    if (lookups.length === 0) this.forget(id);
    else {
      this.#database
        .statement('INSERT OR REPLACE INTO wt_document (kind, name, json) VALUES (?, ?, ?)')
        .run(kind, String(id), JSON.stringify(lookups));
    }
    for (const { spec } of readCatalogue(this.#database, ''))
      if (spec.id === id) this.#bring(new TableLayout(spec), lookups);
  }

  /** Of a version that has just been made. */
  create(layout: TableLayout): void {
    const lookups = this.of(layout.spec.id);
    if (lookups.length > 0) this.#bring(layout, lookups);
  }

  /** It has other columns now: what was found by those that have gone is not any more. */
  alter(layout: TableLayout): void {
    const before = this.of(layout.spec.id);
    if (before.length === 0) return;
    const { columns } = layout.spec.schema;
    const left = before.filter((lookup) =>
      lookup.columns.every(({ name }) => columns.some((each) => each.name === name)),
    );
    this.set(layout.spec.id, left);
  }

  forget(id: number): void {
    this.#database.statement('DELETE FROM wt_document WHERE kind = ? AND name = ?').run(kind, String(id));
  }

  of(id: number): readonly Lookup[] {
    const found = this.#database
      .statement('SELECT json FROM wt_document WHERE kind = ? AND name = ?')
      .get(kind, String(id));
    return found === undefined ? [] : (JSON.parse(found[0] as string) as Lookup[]);
  }

  #bring(layout: TableLayout, lookups: readonly Lookup[]): void {
    const wanted = new Map(lookups.flatMap((lookup) => indexSql(layout, lookup)));
    const there = this.#database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL")
      .all(physicalName(layout.spec))
      .map(([name]) => String(name));
    for (const name of there) if (!wanted.has(name)) this.#database.exec(`DROP INDEX ${name}`);
    for (const [name, sql] of wanted) if (!there.includes(name)) this.#database.exec(sql);
  }
}

/** What a page of rows is narrowed by, and the index that has them in key order. */
export interface Narrowing {
  readonly index: string;
  readonly condition: string;
  readonly params: readonly SqlValue[];
}

export function rowsWith(layout: TableLayout, lookup: Lookup, values: Row): Narrowing {
  assert(values.length === lookup.columns.length, 'a look-up has one value per column');
  const params = lookup.columns.map(({ name, text }, i) =>
    text ? (values[i] as string) : layout.encodeColumn(columnIndex(layout, name), values[i]!),
  );
  const terms = lookup.columns.map(({ text }, i) =>
    text ? `${expressions(layout, lookup)[i]!} = rtrim(?)` : `${expressions(layout, lookup)[i]!} = ?`,
  );
  return { index: indexName(layout, lookup), condition: terms.join(' AND '), params };
}

/** Rows in whose text there is more than printable ASCII; undefined: the look-up has no text. */
export function rowsWithOddText(layout: TableLayout, lookup: Lookup): Narrowing | undefined {
  const condition = oddText(layout, lookup);
  return condition === undefined ? undefined : { index: `${indexName(layout, lookup)}_odd`, condition, params: [] };
}

function indexSql(layout: TableLayout, lookup: Lookup): [name: string, sql: string][] {
  const name = indexName(layout, lookup);
  const plain: [string, string] = [
    name,
    `CREATE INDEX ${name} ON ${layout.table} (${expressions(layout, lookup).join(', ')})`,
  ];
  const odd = oddText(layout, lookup);
  if (odd === undefined) return [plain];
  const key = layout.keyColumns.join(', ');
  return [plain, [`${name}_odd`, `CREATE INDEX ${name}_odd ON ${layout.table} (${key}) WHERE ${odd}`]];
}

function indexName(layout: TableLayout, lookup: Lookup): string {
  // A column that was made again under its name lies elsewhere.
  const stored = lookup.columns.map(({ name, text }) => ({ name: layout.columns[columnIndex(layout, name)]!, text }));
  return `${layout.table}_by_${hash('sha1', JSON.stringify(stored)).slice(0, 12)}`;
}

function expressions(layout: TableLayout, { columns }: Lookup): string[] {
  return columns.map(({ name, text }) => {
    const column = layout.columns[columnIndex(layout, name)]!;
    return text ? `rtrim(${column}) COLLATE NOCASE` : column;
  });
}

function oddText(layout: TableLayout, { columns }: Lookup): string | undefined {
  const terms = columns
    .filter(({ text }) => text)
    .map(({ name }) => `${layout.columns[columnIndex(layout, name)]!} GLOB '*[^ -~]*'`);
  return terms.length === 0 ? undefined : terms.join(' OR ');
}

function columnIndex(layout: TableLayout, name: string): number {
  const index = layout.spec.schema.columns.findIndex((column) => column.name === name);
  assert(index >= 0, `table ${layout.spec.name} has the column ${name} of a look-up`);
  return index;
}
