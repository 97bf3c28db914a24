// Every served row of a place against the source's own, column by column. The first difference is told with both values; what capture
// leaves out by design is listed.
import { createHash } from 'node:crypto';
import type { App } from '../support/harness/app-process.js';
import { cellOf, type Cell } from './canonical.js';
import { formOf, sourceCell, type Place, type SourceTable } from './place.js';
import { isWarned, servedRows, servedTables, type ServedTable } from './service.js';

export interface ComparedTable {
  readonly source: SourceTable;
  /** Undefined where it is not served. */
  readonly servedAs: string | undefined;
  /** As /v1 gives them. */
  readonly served: readonly ReadonlyMap<string, unknown>[];
}

export interface Comparison {
  /** Tables without a primary key, which capture leaves out by design. */
  readonly keyless: readonly string[];
  /** Tables that have a key and are not served. */
  readonly unserved: readonly SourceTable[];
  /** Tables that the source itself cannot read, so that nothing is expected of them. */
  readonly unreadable: readonly SourceTable[];
  readonly tables: readonly ComparedTable[];
  /** The first one. */
  readonly difference: string | undefined;
}

export async function compare(app: App, place: Place): Promise<Comparison> {
  const sources = await place.tables();
  const left = new Map((await servedTables(app, place.label)).map((table) => [table.name, table]));
  const tables: ComparedTable[] = [];
  const keyless: string[] = [];
  const unserved: SourceTable[] = [];
  const unreadable: SourceTable[] = [];
  let difference: string | undefined;
  for (const source of sources) {
    if (source.unreadable !== undefined) {
      left.delete(find(source, [...left.values()], place.label)?.name ?? '');
      unreadable.push(source);
      continue;
    }
    const found = find(source, [...left.values()], place.label);
    if (found === undefined) {
      tables.push({ source, servedAs: undefined, served: [] });
      if (source.key.length > 0) unserved.push(source);
      else if (isWarned(app, source.database, source.table) || source.rows.length === 0) keyless.push(source.table);
      else difference ??= `table ${source.table} is left out without a warning`;
      continue;
    }
    left.delete(found.name);
    const served = await servedRows(app, found.name);
    tables.push({ source, servedAs: found.name, served });
    difference ??= differenceOf(source, found, served);
  }
  for (const { name } of left.values()) {
    const rows = (await servedRows(app, name)).length;
    if (rows > 0) difference ??= `table ${name} is served with ${rows} rows, and the source has none of that name`;
  }
  return { tables, keyless, unserved, unreadable, difference };
}

/**
 * A table is served under its own name, or with that of its database in front where that is taken. Two databases may have the name, so
 * the topic tells, in which some characters are replaced.
 */
function find(
  { database, table }: SourceTable,
  served: readonly ServedTable[],
  prefix: string,
): ServedTable | undefined {
  const candidates = served.filter(({ name }) => name === table || name === `${database}_${table}`);
  if (candidates.length < 2) return candidates[0];
  const topic = [prefix, database, table].map((part) => part.replaceAll(/[^A-Za-z0-9._-]/g, '_')).join('.');
  const mark = createHash('sha1').update(`${database}.${table}`).digest('hex').slice(0, 8);
  return (
    candidates.find((each) => each.topic === `${topic}_${mark}`) ?? candidates.find((each) => each.topic === topic)
  );
}

function differenceOf(
  source: SourceTable,
  served: ServedTable,
  servedRows: readonly ReadonlyMap<string, unknown>[],
): string | undefined {
  const types = new Map(served.columns.map(({ name, type }) => [name, type]));
  const names = source.columns.map(({ name }) => name);
  const missing = names.find((name) => !types.has(name));
  if (missing !== undefined) return `column ${missing} of ${source.table} is not served`;
  const unknown = served.columns.find(({ name }) => !names.includes(name));
  if (unknown !== undefined)
    return `column ${unknown.name} of ${source.table} is served, and the source has none of that name`;
  const forms = source.columns.map((column) => formOf(column, types.get(column.name)!));
  const keyPlaces = source.key.map((name) => names.indexOf(name));
  const keyOf = (cells: readonly Cell[]): string => JSON.stringify(keyPlaces.map((place) => cells[place]));

  const rows = new Map<string, Cell[]>();
  for (const row of servedRows) {
    const cells = forms.map((form, i) => {
      const value = row.get(names[i]!);
      return value === undefined ? '(not in the row)' : cellOf(form, value);
    });
    const key = keyOf(cells);
    if (rows.has(key)) return `${source.table} is served with two rows of key ${brief(key)}`;
    rows.set(key, cells);
  }
  for (const found of source.rows) {
    const cells = found.map((value, i) => sourceCell(forms[i]!, value));
    const key = keyOf(cells);
    const other = rows.get(key);
    if (other === undefined) return `${source.table}: the row of key ${brief(key)} is not served`;
    rows.delete(key);
    const at = cells.findIndex((cell, i) => cell !== other[i]);
    if (at < 0) continue;
    const column = source.columns[at]!;
    return `${source.table}, key ${brief(key)}, column ${column.name} (${brief(column.declared, 60)}): the source has ${show(cells[at]!)}, served is ${show(other[at]!)}`;
  }
  const [extra] = rows.keys();
  return extra === undefined
    ? undefined
    : `${source.table}: a row of key ${brief(extra)} is served, and the source has none`;
}

function show(cell: Cell): string {
  return cell === null ? 'NULL' : brief(JSON.stringify(cell));
}

export function brief(text: string, most = 160): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
