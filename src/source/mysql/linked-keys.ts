// Foreign keys that we follow ourselves, because the server changes the rows of the child inside its engine and logs the parent's change
// only: which of them can be followed exactly, and why the others cannot.
import { sameType, type Column } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { SourceColumn } from '../../core/row-encoder.js';
import type { HeldLookup } from '../source-connector.js';
import type { Row, Session } from './connection.js';
import { changesRows, type ForeignKey, type TableRef } from './foreign-keys.js';
import { textRule, type TextRule } from './key-equality.js';
import type { TableFilter } from './filters.js';
import { askOfTables } from './table-questions.js';
import { tableName } from './table-schema.js';

/** A key whose columns have the names that captured tables have. */
export interface LinkedKey extends ForeignKey {
  /** By column; null: values are equal when they are the same. */
  readonly rules: readonly (TextRule | null)[];
  /** It was followed where the stream stands, and the tables are no longer as they were: rows that follow cannot be told, only read again. */
  readonly broken: boolean;
}

export interface KeyLinking {
  readonly linked: readonly LinkedKey[];
  /** Rows of captured tables change by them in a way that cannot be followed. */
  readonly others: readonly { readonly key: ForeignKey; readonly reason: string }[];
  /** One of their tables or columns is not there, or they are inert. */
  readonly resting: readonly ForeignKey[];
}

export interface LinkingOptions {
  readonly filter: TableFilter;
  /** Of a table; as the server compares names. */
  readonly isCaptured: (table: TableRef) => boolean;
  /** Why no key at all can be followed. */
  readonly never: string | undefined;
}

interface ColumnFacts {
  readonly name: string;
  /** As the server spells it, without what does not matter to values. */
  readonly type: string;
  readonly isText: boolean;
  readonly charset: string;
  readonly collation: string;
  readonly generatedFrom: string;
  readonly versioned: boolean;
}

/** `keys`: of captured children, those that change rows. */
export async function linkKeys(
  session: Session,
  keys: readonly ForeignKey[],
  options: LinkingOptions,
): Promise<KeyLinking> {
  const tables = keys.flatMap((key) => (options.isCaptured(key.parent) ? [key.child, key.parent] : []));
  const facts = options.never === undefined ? await readFacts(session, tables) : new Map<string, ColumnFacts[]>();
  const indexes = options.never === undefined ? await readIndexes(session, tables) : new Map<string, string[][]>();
  const linked: LinkedKey[] = [];
  const others: { key: ForeignKey; reason: string }[] = [];
  const resting: ForeignKey[] = [];
  for (const key of keys) {
    const result = options.never ?? link(key, facts, options);
    if (result === undefined) resting.push({ ...key, inert: false });
    else if (isInert(key, indexes)) resting.push({ ...key, inert: true });
    else if (typeof result === 'string') others.push({ key, reason: result });
    else linked.push(result);
  }
  return { linked, others, resting };
}

function link(
  key: ForeignKey,
  facts: ReadonlyMap<string, readonly ColumnFacts[]>,
  { filter, isCaptured }: LinkingOptions,
): LinkedKey | string | undefined {
  if (!isCaptured(key.parent)) return `${tableName(key.parent)} is not captured`;
  if (key.onDelete === 'set-default' || key.onUpdate === 'set-default') return 'SET DEFAULT is not followed';
  const [own, theirs] = [facts.get(tableName(key.child)) ?? [], facts.get(tableName(key.parent)) ?? []];
  // One of them is gone by now: what has taken it comes in the stream.
  if (own.length === 0 || theirs.length === 0) return undefined;
  const find = (columns: readonly ColumnFacts[], name: string) =>
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  const rules: (TextRule | null)[] = [];
  const [columns, parentColumns]: [string[], string[]] = [[], []];
  for (const [i, name] of key.columns.entries()) {
    const [a, b] = [find(own, name), find(theirs, key.parentColumns[i]!)];
    if (a === undefined || b === undefined) return undefined;
    for (const [table, column] of [[key.child, a.name] as const, [key.parent, b.name] as const]) {
      if (!filter.capturesColumn(table.database, table.table, column))
        return `column.exclude.list leaves out ${tableName(table)}.${column}`;
    }
    if (a.type !== b.type) return `its columns ${a.name} (${a.type}) and ${b.name} (${b.type}) differ in type`;
    const rule = a.isText ? textRule(a.charset, a.collation) : null;
    if (rule === undefined || a.collation !== b.collation)
      return `what is equal by collation ${a.collation} is not known here`;
    rules.push(rule);
    columns.push(a.name);
    parentColumns.push(b.name);
  }
  const changesColumns = key.onDelete === 'set-null' || key.onUpdate !== 'none';
  const derived = own.find(
    ({ name, generatedFrom }) =>
      changesColumns &&
      filter.capturesColumn(key.child.database, key.child.table, name) &&
      columns.some((column) => generatedFrom.toLowerCase().includes(column.toLowerCase())),
  );
  if (derived) return `generated column ${derived.name} changes with it`;
  if ([...own, ...theirs].some(({ versioned }) => versioned)) return 'of system-versioned tables it is not followed';
  const { name, child, parent, onDelete, onUpdate } = key;
  return { name, child, parent, onDelete, onUpdate, columns, parentColumns, rules, broken: false };
}

function isInert({ child, columns, parent, parentColumns }: ForeignKey, indexes: ReadonlyMap<string, string[][]>) {
  const finds = (table: TableRef, names: readonly string[]): boolean => {
    const own = indexes.get(tableName(table));
    // What is not shown to this user is taken for there.
    return own === undefined || own.some((index) => names.every((name, i) => index[i] === name.toLowerCase()));
  };
  return !finds(child, columns) || !finds(parent, parentColumns);
}

/** The columns of each index in lower case, with those of the primary key behind, by which the engine tells equal entries apart. */
async function readIndexes(session: Session, tables: readonly TableRef[]): Promise<Map<string, string[][]>> {
  const indexes = new Map<string, string[][]>();
  const found = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT TABLE_NAME AS tbl, INDEX_NAME AS name, COLUMN_NAME AS col, SUB_PART AS part FROM information_schema.STATISTICS
    WHERE ${condition()} AND INDEX_TYPE = 'BTREE'
    ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    'describing indexes of foreign keys',
  );
  for (const [table, rows] of found) {
    const columns = new Map<string, string[]>();
    for (const row of rows) {
      const index = columns.get(row['name']!) ?? [];
      columns.set(row['name']!, index);
      // The beginnings of values, and expressions, find no key: a text that no column has.
      index.push(row['part'] === null && row['col'] !== null ? row['col']!.toLowerCase() : '');
    }
    const primary = columns.get('PRIMARY') ?? [];
    indexes.set(
      table,
      [...columns.values()].map((index) => [...index, ...primary.filter((name) => !index.includes(name))]),
    );
  }
  return indexes;
}

async function readFacts(session: Session, tables: readonly TableRef[]): Promise<Map<string, ColumnFacts[]>> {
  const found = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT c.TABLE_NAME AS tbl, COLUMN_NAME AS name, COLUMN_TYPE AS type, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
      GENERATION_EXPRESSION AS expression, TABLE_TYPE AS kind
    FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
    WHERE ${condition('c.')} AND ${condition('t.')}
    ORDER BY c.TABLE_NAME, ORDINAL_POSITION`,
    'describing columns of foreign keys',
  );
  return new Map([...found].map(([table, rows]) => [table, rows.map(factsOf)]));
}

function factsOf(row: Row): ColumnFacts {
  return {
    name: row['name']!,
    type: comparableType(row['type']!),
    isText: row['collation'] !== null && !/^(?:enum|set)\(/i.test(row['type']!),
    charset: row['charset'] ?? '',
    collation: row['collation'] ?? '',
    generatedFrom: row['expression'] ?? '',
    versioned: row['kind'] === 'SYSTEM VERSIONED',
  };
}

/** Lengths that do not pad, and display widths, are of no matter. */
function comparableType(type: string): string {
  return type
    .toLowerCase()
    .replace(/^((?:tiny|small|medium|big)?int|year)\(\d+\)/, '$1')
    .replace(/^(varchar|varbinary|char)\(\d+\)/, '$1')
    .replace(/ zerofill/, '');
}

/** For people. */
export function printKey({ name, child, parent, onUpdate, onDelete }: ForeignKey): string {
  const rule = (action: string) => action.replace('-', ' ').replace('none', 'restrict').toUpperCase();
  return `foreign key ${name ?? ''} of ${tableName(child)} (to ${tableName(parent)}, ON UPDATE ${rule(onUpdate)}, ON DELETE ${rule(onDelete)})`;
}

/** Notes of one run for the next, beside the rows. */
export function printKeys(keys: readonly ForeignKey[]): string {
  if (keys.length === 0) return '';
  return JSON.stringify(
    keys.map(({ name, child, parent, columns, parentColumns, onDelete, onUpdate, inert }) => ({
      name,
      child,
      parent,
      columns,
      parentColumns,
      onDelete,
      onUpdate,
      inert,
    })),
  );
}

export function parseKeys(notes: string | null): ForeignKey[] {
  return notes === null || notes === '' ? [] : (JSON.parse(notes) as ForeignKey[]).filter(changesRows);
}

export function placesOf(
  columns: readonly { readonly name: string }[],
  names: readonly string[],
  table: string,
): readonly number[] {
  return names.map((name) => {
    const place = columns.findIndex((column) => column.name === name);
    if (place >= 0) return place;
    throw new AppError('cascades-not-captured', `column ${name} of a foreign key of ${table} is not captured`);
  });
}

export function hasColumns(columns: readonly { readonly name: string }[], names: readonly string[]): boolean {
  return names.every((name) => columns.some((column) => column.name === name));
}

/** These are the columns of its parent. A table is described as it is now, and the stream may be at a place where it was another. */
export function canFollow({ parentColumns, rules, broken }: LinkedKey, columns: readonly SourceColumn[]): boolean {
  if (broken) return false;
  return parentColumns.every((name, i) => {
    const column = columns.find((each) => each.name === name);
    return column !== undefined && (rules[i] === null || column.type.kind === 'STRING');
  });
}

/** `columns`: of its child, as it is captured. */
export function fitsChild(key: LinkedKey, columns: readonly Column[], parent: readonly SourceColumn[]): boolean {
  return key.columns.every((name, i) => {
    const [own, theirs] = [
      columns.find((column) => column.name === name),
      parent.find((column) => column.name === key.parentColumns[i]),
    ];
    return own !== undefined && theirs !== undefined && sameType(own.type, theirs.type);
  });
}

export function lookupOf({ child, columns, rules }: LinkedKey): HeldLookup {
  return { table: tableName(child), columns: columns.map((name, i) => ({ name, text: rules[i] !== null })) };
}
