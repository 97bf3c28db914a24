// The SQL of the triggers of one captured table. They run inside the application's own transaction and in its own SQLite, so
// they use nothing newer than the statements that fire them, cannot conflict (no constraint on any table of ours), and
// never write to a table of the application.
//
// Each trigger answers one question: what is the state of this key now? It reads the row from the table instead of taking NEW,
// because other triggers of the application may have changed or deleted it in the meantime (SQLite does not define their
// order). So the last change recorded of a key is always the key's state, whatever fired before or after.
// - insert: the row with the new key.
// - update: the old key gone, where it changed; then the row with the new key.
// - delete: the key gone, unless it is there again.
// - REPLACE: the rows that it displaces fire no DELETE trigger (recursive_triggers is off by default). A displaced row with
//   the same key needs none: the new row stands for it. One displaced through another unique rule is put aside by a BEFORE
//   trigger, and the AFTER trigger records those that are gone. A put-aside row that was not displaced after all (OR IGNORE,
//   an upsert) stays until newer ones push it out.
import { quoteName } from './names.js';
import type { KeyColumn, TableDescription, UniqueRule } from './table-description.js';

/** Codes in the change table's op column. */
export const changeOp = { insert: 0, update: 1, delete: 2 } as const;

export interface TriggerSet {
  /** Name of a trigger -> its CREATE text. */
  readonly triggers: ReadonlyMap<string, string>;
  /** CREATE text of the table for rows put aside; null when only the primary key can displace. */
  readonly displacedTable: string | null;
}

export interface TriggerOptions {
  readonly prefix: string;
  readonly id: number;
  readonly table: TableDescription;
  /** Indexes of the captured columns; the key is among them. */
  readonly captured: readonly number[];
}

/** Julian day, which every SQLite knows; `unixepoch('subsec')` would fail in applications with one older than 3.42. */
const now = "julianday('now')";

export function buildTriggers({ prefix, id, table, captured }: TriggerOptions): TriggerSet {
  const t = quoteName(table.name);
  const changes = quoteName(`${prefix}changes`);
  const displaced = quoteName(`${prefix}displaced_${id}`);
  const slots = captured.map((_, i) => `c${i}`).join(', ');
  const column = (from: string, i: number) => `${from}.${quoteName(table.columns[i]!.name)}`;
  const slot = (from: string, i: number) => `${from}.c${captured.indexOf(i)}`;
  const all = (from: string) => captured.map((i) => column(from, i)).join(', ');
  const into = `INSERT INTO ${changes} (tbl, op, time, ${slots})`;
  const keyOf = (from: string) => (key: KeyColumn) => column(from, key.column);
  const keyOfSlots = (key: KeyColumn) => slot(displaced, key.column);

  const rowOf = (from: string, op: string) =>
    `${into} SELECT ${id}, ${op}, ${now}, ${all(t)} FROM ${t} WHERE ${findKey(table, keyOf(t), keyOf(from))};`;
  const gone = (key: (key: KeyColumn) => string) =>
    `NOT EXISTS (SELECT 1 FROM ${t} WHERE ${findKey(table, keyOf(t), key)} AND ${sameKey(table, keyOf(t), key)})`;

  const recordDisplaced = `${into} SELECT ${id}, ${changeOp.delete}, ${now}, ${slots} FROM ${displaced} WHERE ${gone(keyOfSlots)};
  DELETE FROM ${displaced} WHERE ${gone(keyOfSlots)};`;
  const forget = `DELETE FROM ${displaced} WHERE ${sameKey(table, keyOfSlots, keyOf('OLD'))};`;
  // Rows put aside by the statements that are in progress; they can be nested, through triggers, only so deep.
  const room = 8 + 2 * table.uniques.length;
  const trim = `DELETE FROM ${displaced} WHERE place <= (SELECT max(place) FROM ${displaced}) - ${room};`;
  const putAside = (sparing: string) =>
    table.uniques
      .map(
        (rule) => `INSERT INTO ${displaced} (${slots}) SELECT ${all(t)} FROM ${t} WHERE ${meets(table, rule)}
    AND NOT (${sameKey(table, keyOf(t), keyOf(sparing))})
    AND NOT EXISTS (SELECT 1 FROM ${displaced} WHERE ${sameKey(table, keyOfSlots, keyOf(t))});`,
      )
      .join('\n  ');

  const canDisplace = table.uniques.length > 0;
  const triggers = new Map<string, string>();
  const add = (suffix: string, event: string, statements: readonly string[]) => {
    const name = `${prefix}t${id}_${suffix}`;
    const body = statements.map((statement) => `  ${statement}`).join('\n');
    triggers.set(name, `CREATE TRIGGER ${quoteName(name)} ${event} ON ${t} BEGIN\n${body}\nEND`);
  };
  if (canDisplace) {
    add('before_insert', 'BEFORE INSERT', [trim, putAside('NEW')]);
    add('before_update', 'BEFORE UPDATE', [trim, putAside('OLD')]);
  }
  const unchangedKey = sameKey(table, keyOf('OLD'), keyOf('NEW'));
  add('insert', 'AFTER INSERT', [...(canDisplace ? [recordDisplaced] : []), rowOf('NEW', `${changeOp.insert}`)]);
  add('update', 'AFTER UPDATE', [
    ...(canDisplace ? [forget, recordDisplaced] : []),
    `${into} SELECT ${id}, ${changeOp.delete}, ${now}, ${all('OLD')} WHERE NOT (${unchangedKey}) AND ${gone(keyOf('OLD'))};`,
    rowOf('NEW', `CASE WHEN ${unchangedKey} THEN ${changeOp.update} ELSE ${changeOp.insert} END`),
  ]);
  add('delete', 'AFTER DELETE', [
    ...(canDisplace ? [forget] : []),
    `${into} SELECT ${id}, ${changeOp.delete}, ${now}, ${all('OLD')} WHERE ${gone(keyOf('OLD'))};`,
  ]);
  return {
    triggers,
    displacedTable: canDisplace ? `CREATE TABLE ${displaced} (place INTEGER PRIMARY KEY, ${slots})` : null,
  };
}

/** Finds the row by its primary key, by SQLite's own idea of equality and so through its index. */
function findKey(table: TableDescription, left: (key: KeyColumn) => string, right: (key: KeyColumn) => string): string {
  return table.key
    .map((key) => `${left(key)} ${key.nullable ? 'IS' : '='} ${right(key)} COLLATE ${quoteName(key.collation)}`)
    .join(' AND ');
}

/** The same key byte for byte, as it will be in the topic. */
function sameKey(table: TableDescription, left: (key: KeyColumn) => string, right: (key: KeyColumn) => string): string {
  return table.key
    .map((key) => {
      const same = `${left(key)} COLLATE BINARY IS ${right(key)}`;
      return table.columns[key.column]!.affinity === 'BLOB'
        ? `${same} AND typeof(${left(key)}) = typeof(${right(key)})`
        : same;
    })
    .join(' AND ');
}

/** True of the rows of the table that stand in NEW's way under one unique rule. */
function meets(table: TableDescription, rule: UniqueRule): string {
  const t = quoteName(table.name);
  const comparisons = rule.terms.map(({ term, collation }) => {
    const collate = `COLLATE ${quoteName(collation)}`;
    if (typeof term === 'number') {
      const column = table.columns[term]!;
      const value = `NEW.${quoteName(column.name)}`;
      // REPLACE turns a NULL that is not allowed into the default, and only then looks for conflicts.
      const effective =
        column.notNull && column.defaultSql !== null ? `coalesce(${value}, (${column.defaultSql}\n))` : value;
      return `${t}.${quoteName(column.name)} = ${effective} ${collate}`;
    }
    const newColumns = table.columns.map(({ name }) => `NEW.${quoteName(name)} AS ${quoteName(name)}`).join(', ');
    return `(${term}\n) = (SELECT (${term}\n) FROM (SELECT ${newColumns}) AS ${t}) ${collate}`;
  });
  if (rule.where !== null) comparisons.push(`(${rule.where}\n)`);
  return comparisons.join(' AND ');
}
