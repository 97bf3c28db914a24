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
// - REPLACE: the rows that it displaces fire no DELETE trigger (recursive_triggers is off by default). BEFORE triggers put the
//   rows in the new row's way aside, and AFTER triggers record those that are gone. A displaced row with the same key needs
//   that only when the statement is an update: a foreign key's cascade from the displaced row can delete the very row that
//   is being updated, and then no AFTER UPDATE fires, only AFTER DELETE. A row that was not displaced after all (OR IGNORE,
//   an upsert) stays put aside, follows its row's updates, and is pushed out by newer ones. (It can make a delete be told
//   twice, when a cascade fires triggers between the change of its key and our trigger for that; it is never missed.)
//   Not seen: a displaced row that a BEFORE trigger of the application itself has just put in the new row's way.
//
// A trigger that names a column forbids the application to drop it: SQLite resolves all triggers again behind ALTER TABLE. So columns
// that can be dropped (all but those of the primary key) are named in such a way that another meaning is left when they are gone: NULL.
// - of the table: unqualified, in a NATURAL LEFT JOIN with a derived table that never has a row and has columns of the same names. As
//   long as both sides have the column, its name means the table's.
// - of NEW and OLD: in a scalar subquery within a FROM that calls such a derived table NEW or OLD. The inner scope, where the name means
//   the trigger's row, is looked through first.
// Not covered is a column that was renamed, or whose unique index was made, since the triggers were made: such tables are read again (table-survey.ts),
// also when it was undone before capture looked (schema-moves.ts).
import { quoteName } from './names.js';
import type { KeyColumn, TableDescription, UniqueRule } from './table-description.js';

/** Codes in the change table's op column. */
export const changeOp = { insert: 0, update: 1, delete: 2 } as const;

export interface TriggerSet {
  /** Name of a trigger -> its CREATE text. */
  readonly triggers: ReadonlyMap<string, string>;
  /** CREATE text of the table for rows put aside. */
  readonly displacedTable: string;
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
  const columns = new Columns(table);
  const t = quoteName(table.name);
  const changes = quoteName(`${prefix}changes`);
  const displaced = quoteName(`${prefix}displaced_${id}`);
  const slots = captured.map((_, i) => `c${i}`).join(', ');
  const slot = (from: string, i: number) => `${from}.c${captured.indexOf(i)}`;
  const into = `INSERT INTO ${changes} (tbl, op, time, ${slots})`;
  const keyOf = (from: string) => (key: KeyColumn) => `${from}.${columns.quoted(key.column)}`;
  const rowsOf = `SELECT ${captured.map((i) => columns.ofTable(i)).join(', ')} FROM ${columns.table}`;
  const keyOfSlots = (key: KeyColumn) => slot(displaced, key.column);

  const rowOf = (from: string, op: string) =>
    `${into} SELECT ${id}, ${op}, ${now}, ${captured.map((i) => columns.ofTable(i)).join(', ')} FROM ${columns.table} WHERE ${findKey(table, keyOf(row), keyOf(from))};`;
  const gone = (key: (key: KeyColumn) => string) =>
    `NOT EXISTS (SELECT 1 FROM ${t} AS ${row} WHERE ${findKey(table, keyOf(row), key)} AND ${sameKey(table, keyOf(row), key)})`;
  const oldGone = `${into} SELECT ${id}, ${changeOp.delete}, ${now}, ${captured.map((i) => columns.of('OLD', i)).join(', ')} ${columns.from('OLD')} WHERE`;

  const recordDisplaced = `${into} SELECT ${id}, ${changeOp.delete}, ${now}, ${slots} FROM ${displaced} WHERE ${gone(keyOfSlots)};
  DELETE FROM ${displaced} WHERE ${gone(keyOfSlots)};`;
  const forget = `DELETE FROM ${displaced} WHERE ${sameKey(table, keyOfSlots, keyOf('OLD'))};`;
  const follow = `UPDATE ${displaced} SET ${captured.map((i, c) => `c${c} = (SELECT ${columns.of('NEW', i)} ${columns.from('NEW')})`).join(', ')} WHERE ${sameKey(table, keyOfSlots, keyOf('OLD'))};`;
  // For the statements that are in progress: nested in each other, through triggers of the application, at most this deep.
  const room = 4 * (table.uniques.length + 1);
  const trim = `DELETE FROM ${displaced} WHERE place <= (SELECT max(place) FROM ${displaced}) - ${room};`;
  // An update spares its own row. An insert spares none: a BEFORE trigger of the application may yet move the row with the
  // new key out of that key and into the new row's way.
  const putAside = (rules: readonly UniqueRule[], sparing: 'OLD' | null) =>
    rules
      .map(
        (rule) => `INSERT INTO ${displaced} (${slots}) ${rowsOf} WHERE ${meets(columns, rule)}
    ${sparing === null ? '' : `AND NOT (${sameKey(table, keyOf(row), keyOf(sparing))}) `}AND NOT EXISTS (SELECT 1 FROM ${displaced} WHERE ${sameKey(table, keyOfSlots, keyOf(row))});`,
      )
      .join('\n  ');

  const triggers = new Map<string, string>();
  const add = (suffix: string, event: string, statements: readonly string[]) => {
    const name = `${prefix}t${id}_${suffix}`;
    const body = statements.map((statement) => `  ${statement}`).join('\n');
    triggers.set(name, `CREATE TRIGGER ${quoteName(name)} ${event} ON ${t} BEGIN\n${body}\nEND`);
  };
  const primary: UniqueRule = {
    terms: table.key.map(({ column: term, collation }) => ({ term, collation })),
    where: null,
  };
  const keyColumns = table.key.map((key) => quoteName(table.columns[key.column]!.name)).join(', ');
  const hasUniques = table.uniques.length > 0;
  if (hasUniques) {
    add('before_insert', 'BEFORE INSERT', [trim, putAside(table.uniques, null)]);
    add('before_update', 'BEFORE UPDATE', [trim, putAside(table.uniques, 'OLD')]);
  }
  // Only where the statement sets the key, so the usual update pays nothing for it.
  add('before_rekey', `BEFORE UPDATE OF ${keyColumns}`, [trim, putAside([primary], 'OLD')]);
  const unchangedKey = sameKey(table, keyOf('OLD'), keyOf('NEW'));
  add('insert', 'AFTER INSERT', [...(hasUniques ? [recordDisplaced] : []), rowOf('NEW', `${changeOp.insert}`)]);
  // A row put aside under the new key was displaced by this one, which stands for it from here on.
  const replaced = `DELETE FROM ${displaced} WHERE NOT (${unchangedKey}) AND ${sameKey(table, keyOfSlots, keyOf('NEW'))};`;
  add('update', 'AFTER UPDATE', [
    replaced,
    follow,
    ...(hasUniques ? [recordDisplaced] : []),
    `${oldGone} NOT (${unchangedKey}) AND ${gone(keyOf('OLD'))};`,
    rowOf('NEW', `CASE WHEN ${unchangedKey} THEN ${changeOp.update} ELSE ${changeOp.insert} END`),
  ]);
  add('delete', 'AFTER DELETE', [forget, recordDisplaced, `${oldGone} ${gone(keyOf('OLD'))};`]);
  return { triggers, displacedTable: `CREATE TABLE ${displaced} (place INTEGER PRIMARY KEY, ${slots})` };
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

/** The name of the captured table within a trigger: its own may be NEW or OLD. */
const row = '_wt_row';

/** How the columns of a table are named in its triggers: see above. */
class Columns {
  readonly description: TableDescription;
  readonly #droppable: ReadonlySet<number>;
  /** Names of the columns that can be dropped, each NULL. */
  readonly #nulls: string;

  constructor(table: TableDescription) {
    this.description = table;
    const key = new Set(table.key.map(({ column }) => column));
    this.#droppable = new Set([...table.columns.keys()].filter((i) => !key.has(i)));
    this.#nulls = [...this.#droppable].map((i) => `NULL AS ${this.quoted(i)}`).join(', ');
  }

  quoted(column: number): string {
    return quoteName(this.description.columns[column]!.name);
  }

  /** For FROM: the table, and what is left of its columns when they are gone. Also for `of('NEW', ...)`. */
  get table(): string {
    const t = `${quoteName(this.description.name)} AS ${row}`;
    return this.#nulls === '' ? t : `${t} NATURAL LEFT JOIN (SELECT ${this.#nulls} LIMIT 0) AS NEW`;
  }

  ofTable(column: number): string {
    return this.#droppable.has(column) ? this.quoted(column) : `${row}.${this.quoted(column)}`;
  }

  /** A FROM of one row, within which `of` names columns of the row that the trigger is about; empty where none is needed. */
  from(trigger: 'NEW' | 'OLD'): string {
    return this.#nulls === '' ? '' : `FROM (SELECT ${this.#nulls}) AS ${trigger}`;
  }

  of(trigger: 'NEW' | 'OLD', column: number): string {
    const name = `${trigger}.${this.quoted(column)}`;
    return this.#droppable.has(column) ? `(SELECT ${name})` : name;
  }
}

/** True of the rows of the table that stand in NEW's way under one unique rule. */
function meets(columns: Columns, rule: UniqueRule): string {
  const { description } = columns;
  const comparisons = rule.terms.map(({ term, collation }) => {
    const collate = `COLLATE ${quoteName(collation)}`;
    if (typeof term === 'number') return `${columns.ofTable(term)} = ${newValue(columns, term)} ${collate}`;
    const newColumns = description.columns.map((_, i) => `${newValue(columns, i)} AS ${columns.quoted(i)}`).join(', ');
    return `(${term}\n) = (SELECT (${term}\n) FROM (SELECT ${newColumns} ${columns.from('NEW')})) ${collate}`;
  });
  if (rule.where !== null) comparisons.push(`(${rule.where}\n)`);
  return comparisons.join(' AND ');
}

/** REPLACE turns a NULL that is not allowed into the default, and only then looks for conflicts. */
function newValue(columns: Columns, column: number): string {
  const { notNull, defaultSql } = columns.description.columns[column]!;
  const value = columns.of('NEW', column);
  return notNull && defaultSql !== null ? `coalesce(${value}, (${defaultSql}\n))` : value;
}
