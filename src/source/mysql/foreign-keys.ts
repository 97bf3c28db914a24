// Foreign keys that change rows of other tables, as the server describes them and as statements bring and take them. Read from SHOW CREATE
// TABLE, which a user with SELECT may ask: MariaDB shows its constraints in information_schema only to those who may change the table.
import { createStatement, tableName } from './table-schema.js';
import type { Session } from './connection.js';
import { askOfTables } from './table-questions.js';
import { tokenize } from './statement-words.js';

type Token = ReturnType<typeof tokenize>[number];

export interface TableRef {
  readonly database: string;
  readonly table: string;
}

/** `none`: RESTRICT or NO ACTION, which change no row. */
export type KeyAction = 'none' | 'cascade' | 'set-null' | 'set-default';

export interface ForeignKey {
  /** Undefined: a statement left it to the server. */
  readonly name: string | undefined;
  readonly child: TableRef;
  readonly parent: TableRef;
  /** Of the child; in the order of `parentColumns`. */
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  readonly onDelete: KeyAction;
  readonly onUpdate: KeyAction;
  /**
   * A table has lost the index by which the engine finds its rows, which MariaDB lets pass for some statements, and any server with
   * foreign_key_checks=0. Until there is one again the key changes no row.
   */
  readonly inert?: boolean;
}

/** What a statement does to the foreign keys of one table. */
export interface KeyChange {
  readonly table: TableRef;
  readonly added: readonly ForeignKey[];
  /** Names of constraints, which may be no foreign keys. */
  readonly dropped: readonly string[];
  /** The table is made by it. */
  readonly creates: boolean;
  /** It may bring keys in another form than those of `added`, such as behind a column. */
  readonly refers: boolean;
}

export function changesRows({ onDelete, onUpdate }: ForeignKey): boolean {
  return onDelete !== 'none' || onUpdate !== 'none';
}

/** Two descriptions of the same key; a name that is not known is equal to any. */
export function sameKey(a: ForeignKey, b: ForeignKey): boolean {
  if (a.name !== undefined && b.name !== undefined && a.name !== b.name) return false;
  const text = ({ child, parent, columns, parentColumns, onDelete, onUpdate }: ForeignKey) =>
    JSON.stringify([child, parent, columns, parentColumns, onDelete, onUpdate]);
  return text(a) === text(b);
}

/** Of these tables, those that change rows. */
export async function readForeignKeys(session: Session, tables: readonly TableRef[]): Promise<ForeignKey[]> {
  const keys: ForeignKey[] = [];
  // Of a primary key there is a row, too: a table without any is not the same as one without foreign keys.
  const uses = await askOfTables(
    session,
    tables,
    (condition) => `
    SELECT TABLE_NAME AS tbl, MAX(REFERENCED_TABLE_NAME IS NOT NULL) AS refers FROM information_schema.KEY_COLUMN_USAGE
    WHERE ${condition()} GROUP BY TABLE_NAME`,
    'looking for foreign keys',
  );
  for (const table of tables.filter((each) => uses.get(tableName(each))?.[0]?.['refers'] === '1')) {
    const statement = await createStatement(session, table);
    if (statement !== undefined) keys.push(...foreignKeysOf(statement, table).filter(changesRows));
  }
  return keys;
}

/** Of the text of a CREATE TABLE, or of the clauses of an ALTER TABLE. */
export function foreignKeysOf(sql: string, child: TableRef): ForeignKey[] {
  return keysIn(tokenize(sql, { mariadbComments: 'code' }), child);
}

/** Undefined: the statement names no constraint. */
export function keyChangeOf(sql: string, defaultDatabase: string): KeyChange | undefined {
  if (!/\b(?:FOREIGN|CONSTRAINT|REFERENCES)\b/i.test(sql)) return undefined;
  const tokens = tokenize(sql, { mariadbComments: 'code' });
  const at = tokens.findIndex((token, i) => isWord(token, 'TABLE') && i > 0);
  if (at < 0) return undefined;
  const creates = isWord(tokens[0], 'CREATE');
  if (!creates && !tokens.slice(0, at).some((token) => isWord(token, 'ALTER'))) return undefined;
  let next = at + 1;
  for (const word of ['IF', 'NOT', 'EXISTS']) if (isWord(tokens[next], word)) next++;
  const named = nameAt(tokens, next, defaultDatabase);
  if (named === undefined) return undefined;
  const rest = tokens.slice(named.next);
  return {
    table: named.ref,
    added: keysIn(rest, named.ref).filter(changesRows),
    dropped: droppedIn(rest),
    creates,
    refers: rest.some((token) => isWord(token, 'REFERENCES')),
  };
}

/** Of a statement that may bring or take an index: what it names, in lower case, the tables among it. Undefined: it does not. */
export function namesBesideIndexes(sql: string): ReadonlySet<string> | undefined {
  if (!/^\s*(?:ALTER|CREATE|DROP)\b/i.test(sql) || !/\b(?:INDEX|KEYS?|UNIQUE|PRIMARY)\b/i.test(sql)) return undefined;
  return new Set(tokenize(sql, { mariadbComments: 'code' }).map(({ raw }) => raw.toLowerCase()));
}

function keysIn(tokens: readonly Token[], child: TableRef): ForeignKey[] {
  return tokens.flatMap((token, i) => {
    if (!isWord(token, 'FOREIGN') || !isWord(tokens[i + 1], 'KEY') || isWord(tokens[i - 1], 'DROP')) return [];
    const key = keyAt(tokens, i, child);
    return key === undefined ? [] : [key];
  });
}

/** `[CONSTRAINT [name]] FOREIGN KEY [IF NOT EXISTS] [index] (a, b) REFERENCES [db.]parent (x, y) [ON DELETE ...]` */
function keyAt(tokens: readonly Token[], start: number, child: TableRef): ForeignKey | undefined {
  let at = start + 2;
  for (const word of ['IF', 'NOT', 'EXISTS']) if (isWord(tokens[at], word)) at++;
  if (!isSign(tokens[at], '(')) at++;
  const own = listAt(tokens, at);
  if (own === undefined || !isWord(tokens[own.next], 'REFERENCES')) return undefined;
  const parent = nameAt(tokens, own.next + 1, child.database);
  if (parent === undefined) return undefined;
  const referenced = listAt(tokens, parent.next);
  if (referenced === undefined) return undefined;
  at = referenced.next;
  if (isWord(tokens[at], 'MATCH')) at += 2;
  const actions = { DELETE: 'none', UPDATE: 'none' } as { DELETE: KeyAction; UPDATE: KeyAction };
  while (isWord(tokens[at], 'ON')) {
    const event = isWord(tokens[at + 1], 'DELETE') ? 'DELETE' : 'UPDATE';
    const { action, next } = actionAt(tokens, at + 2);
    actions[event] = action;
    at = next;
  }
  const before = tokens[start - 1];
  const hasName = isWord(tokens[start - 2], 'CONSTRAINT') && !isWord(before, 'CONSTRAINT');
  return {
    name: hasName ? before!.raw : undefined,
    child,
    parent: parent.ref,
    columns: own.names,
    parentColumns: referenced.names,
    onDelete: actions.DELETE,
    onUpdate: actions.UPDATE,
  };
}

function actionAt(tokens: readonly Token[], at: number): { action: KeyAction; next: number } {
  if (isWord(tokens[at], 'CASCADE')) return { action: 'cascade', next: at + 1 };
  if (isWord(tokens[at], 'SET')) {
    return { action: isWord(tokens[at + 1], 'NULL') ? 'set-null' : 'set-default', next: at + 2 };
  }
  return { action: 'none', next: isWord(tokens[at], 'NO') ? at + 2 : at + 1 };
}

/** DROP FOREIGN KEY name, DROP CONSTRAINT name */
function droppedIn(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token, i) => {
    if (!isWord(token, 'DROP')) return [];
    let at = i + 1;
    if (isWord(tokens[at], 'FOREIGN')) at += 2;
    else if (isWord(tokens[at], 'CONSTRAINT')) at++;
    else return [];
    for (const word of ['IF', 'EXISTS']) if (isWord(tokens[at], word)) at++;
    const name = tokens[at];
    return name === undefined ? [] : [name.raw];
  });
}

function listAt(tokens: readonly Token[], start: number): { names: string[]; next: number } | undefined {
  if (!isSign(tokens[start], '(')) return undefined;
  const names: string[] = [];
  let at = start + 1;
  for (; at < tokens.length && !isSign(tokens[at], ')'); at++) {
    if (isSign(tokens[at], ',')) continue;
    names.push(tokens[at]!.raw);
  }
  return { names, next: at + 1 };
}

function nameAt(
  tokens: readonly Token[],
  start: number,
  defaultDatabase: string,
): { ref: TableRef; next: number } | undefined {
  const first = tokens[start];
  if (first === undefined) return undefined;
  if (!isSign(tokens[start + 1], '.')) return { ref: { database: defaultDatabase, table: first.raw }, next: start + 1 };
  const second = tokens[start + 2];
  if (second === undefined) return undefined;
  return { ref: { database: first.raw, table: second.raw }, next: start + 3 };
}

function isWord(token: Token | undefined, word: string): boolean {
  return token !== undefined && !token.quoted && token.text === word;
}

const isSign = isWord;
