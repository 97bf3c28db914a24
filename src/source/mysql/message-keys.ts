// Keys that the configuration makes of other columns than those of the primary key (`message.key.columns`). Such a key is that of the rows
// here in everything: a change of one of its columns is the delete of one row and another one that is new. So it has to tell rows apart:
// it holds the whole primary key, and more columns beside it. Any other choice, also that of a unique index, which a statement may take
// away while rows stay as they are, would let rows overwrite one another, and is refused.
import { AppError } from '../../core/errors.js';
import { wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { qualifiedName } from '../../core/table-name.js';
import { isComparable, type TableColumn, type ValueModes } from './column-form.js';

export const messageKeysProperty = 'message.key.columns';

export interface MessageKey {
  readonly table: Pattern;
  readonly columns: readonly { readonly name: string; readonly pattern: Pattern }[];
}

/** What the configuration says of tables. */
export interface TableModes extends ValueModes {
  readonly messageKeys: readonly MessageKey[];
}

export interface KeyedTable {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly TableColumn[];
  /** The primary key, or one that was made of it. */
  readonly keyColumns: readonly number[];
}

/** `database.table:column,column;...`, all of them regular expressions for whole names. Throws bad-connector-config. */
export function parseMessageKeys(text: string): readonly MessageKey[] {
  const entries = text.split(';').filter((entry) => entry.trim() !== '');
  return entries.map((entry) => {
    const [, table, columns] = /^\s*([^:]+):([^:,]+(?:,[^:,]+)*)\s*$/.exec(entry) ?? [];
    if (table === undefined || columns === undefined)
      throw bad(
        `"${entry.trim()}" is no key of a table`,
        'write database.table:column,column; entries are separated by ";"',
      );
    try {
      return {
        table: wholeName(table.trim()),
        columns: columns.split(',').map((name) => ({ name: name.trim(), pattern: wholeName(name.trim()) })),
      };
    } catch {
      throw bad(`"${entry.trim()}" has something that is no regular expression`);
    }
  });
}

function bad(message: string, hint?: string): AppError {
  return new AppError('bad-connector-config', `${messageKeysProperty}: ${message}`, {
    hint,
    place: { path: messageKeysProperty },
  });
}

/** The key of a table's rows: the primary key where no other is made, or the one that is made cannot be. */
export function keyOf(table: KeyedTable, keys: readonly MessageKey[]): readonly number[] {
  if (keys.length === 0 || table.keyColumns.length === 0) return table.keyColumns;
  const made = madeKey(table, keys);
  return made.length === 0 || problemOf(table, made, keys) !== undefined ? table.keyColumns : made;
}

/** Why the key that is made for a table cannot be one. */
export function messageKeyProblem(table: KeyedTable, keys: readonly MessageKey[]): AppError | undefined {
  return keys.length === 0 ? undefined : problemOf(table, madeKey(table, keys), keys);
}

/** In the order in which they are named. */
function madeKey(table: KeyedTable, keys: readonly MessageKey[]): readonly number[] {
  const places = keysOf(table, keys).flatMap(({ pattern }) =>
    table.columns.flatMap(({ name }, i) => (pattern.test(name) ? [i] : [])),
  );
  return [...new Set(places)];
}

function keysOf({ database, table }: KeyedTable, keys: readonly MessageKey[]): MessageKey['columns'] {
  const name = qualifiedName({ database, table });
  return keys.filter((key) => key.table.test(name)).flatMap(({ columns }) => columns);
}

function problemOf(table: KeyedTable, made: readonly number[], keys: readonly MessageKey[]): AppError | undefined {
  const { columns, keyColumns } = table;
  const named = `the key of table ${qualifiedName(table)}`;
  const unknown = keysOf(table, keys).find(({ pattern }) => !columns.some(({ name }) => pattern.test(name)));
  if (unknown) return bad(`${named} would have a column ${unknown.name}, which the table does not have`);
  if (made.length === 0) return undefined;
  const left = keyColumns.filter((i) => !made.includes(i)).map((i) => columns[i]!.name);
  if (left.length > 0)
    return bad(
      `${named} would be ${made.map((i) => columns[i]!.name).join(', ')}, by which rows are not told apart`,
      `name the rest of its primary key, too (${left.join(', ')}); or let a query have another key: CREATE STREAM ... PARTITION BY, CREATE TABLE ... GROUP BY`,
    );
  for (const { name, nullable, form } of made.filter((i) => !keyColumns.includes(i)).map((i) => columns[i]!)) {
    if (nullable)
      return bad(
        `${named} would have the column ${name}, which may be NULL`,
        'make the column NOT NULL, or leave it out of the key',
      );
    if (!isComparable(form))
      return bad(
        `${named} would have the column ${name}, whose values cannot be compared exactly (${form.kind})`,
        'leave the column out of the key',
      );
  }
  return undefined;
}
