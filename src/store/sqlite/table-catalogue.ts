// Which physical tables there are, under which names, and which of them can be read: wt_table, as the writer changes it and as both
// sides read it.
import type { RowSchema } from '../../core/data-type.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import { guarded } from './guarded-store.js';
import type { Frontier, TableFrontier, TableSpec } from '../state-store.js';

export interface CataloguedTable {
  readonly spec: TableSpec;
  /** The view of its name is over this version. */
  readonly visible: boolean;
  /** Where it stopped, when it stands still. */
  readonly stopped: TableFrontier | undefined;
  /** Schema and stop as they are stored. */
  readonly schemaText: string;
  readonly stoppedText: string | null;
}

/**
 * All tables, as of the cut that `database` sees. Those that are as in `known` are given as the same objects, so that what readers
 * have compiled for them stays good.
 */
export function readCatalogue(
  database: SqliteDatabase,
  logId: string,
  known: readonly CataloguedTable[] = [],
): CataloguedTable[] {
  const rows = database.statement(`SELECT ${guarded.table.columns} FROM wt_table ORDER BY id, version`).all();
  return rows.map((row) => {
    guarded.table.check(row);
    const [id, version, name, schema, visible, , stopped] = row;
    const same = known.find(({ spec }) => spec.id === id && spec.version === version);
    const unchanged = same !== undefined && same.spec.name === name && same.schemaText === schema;
    if (unchanged && same.visible === (visible === 1) && same.stoppedText === stopped) return same;
    const spec = unchanged ? same.spec : describedTable(row);
    return {
      spec,
      visible: visible === 1,
      stopped: stopped === null ? undefined : stoppedFrontier(logId, stopped as string),
      schemaText: schema as string,
      stoppedText: stopped as string | null,
    };
  });
}

/** A row that begins with id, version, name and schema. */
export function describedTable([id, version, name, schema]: readonly SqlValue[]): TableSpec {
  return { id: Number(id), version: Number(version), name: String(name), ...parseSchema(schema as string) };
}

/** Schema, names of columns and alias as wt_table keeps them. */
export function printSchema({ schema, stored, alias }: Pick<TableSpec, 'schema' | 'stored' | 'alias'>): string {
  return JSON.stringify({ ...schema, stored, alias });
}

function parseSchema(text: string): Pick<TableSpec, 'schema' | 'stored' | 'alias'> {
  const { columns, keyColumns, stored, alias } = JSON.parse(text) as RowSchema & Pick<TableSpec, 'stored' | 'alias'>;
  return { schema: { columns, keyColumns }, ...(stored && { stored }), ...(alias !== undefined && { alias }) };
}

function stoppedFrontier(logId: string, json: string): TableFrontier {
  return { ...(JSON.parse(json) as Omit<Frontier, 'logId'>), logId, stopped: true };
}

/** One row of the catalogue; undefined: no such physical table. */
export function readTable(
  database: SqliteDatabase,
  id: number,
  version: number,
): { readonly name: string; readonly visible: boolean; readonly rowCount: number } | undefined {
  const row = database
    .statement(`SELECT ${guarded.table.columns} FROM wt_table WHERE id = ? AND version = ?`)
    .get(id, version);
  if (row === undefined) return undefined;
  guarded.table.check(row);
  return { name: String(row[2]), visible: row[4] === 1, rowCount: Number(row[5]) };
}

/** The version that is readable under this name, as written. */
export function readVisible(
  database: SqliteDatabase,
  name: string,
): { readonly id: number; readonly version: number } | undefined {
  const row = database.statement('SELECT id, version FROM wt_table WHERE name = ? AND visible = 1').get(name);
  return row === undefined ? undefined : { id: Number(row[0]), version: Number(row[1]) };
}

export function readDocument(database: SqliteDatabase, kind: string, name: string): string | undefined {
  const row = database
    .statement(`SELECT ${guarded.document.columns} FROM wt_document WHERE kind = ? AND name = ?`)
    .get(kind, name);
  if (row === undefined) return undefined;
  guarded.document.check(row);
  return row[2] as string;
}

export function readDocuments(
  database: SqliteDatabase,
  kind: string,
): readonly { readonly name: string; readonly json: string }[] {
  const rows = database
    .statement(`SELECT ${guarded.document.columns} FROM wt_document WHERE kind = ? ORDER BY name`)
    .all(kind);
  return rows.map((row) => {
    guarded.document.check(row);
    return { name: String(row[1]), json: String(row[2]) };
  });
}
