// What capture adds to the application's file, all named `_wt_<connector>_...`:
//   meta     (name, value): `capture` = id of this installation; `database` = the database's name in topics and filters, which stays
//            when the file gets another name; `pruned` = changes up to here are gone; `left:<table>` = a
//            table that was captured and then left out, which must not come back into the same topic
//   tables   (id, name, description, captured, digits): the captured tables as they were when their triggers were made, JSON;
//            digits: behind the second of times that declare none, which may not change in the middle of a topic
//   changes  (seq, tbl, op, time, c0..): every change of every captured table, in the order of the writers. One table for
//            all, because one sequence is then the order across tables and a write costs one row. Its columns have no
//            type, so that every storage class and every BLOB stays what it is. Pruning never takes the last row, so
//            seq never falls back. (AUTOINCREMENT would not do: a statement that ends by OR FAIL keeps its rows but does
//            not write the number back, and after pruning it would be given again.)
//   displaced_<id>: see triggers.ts
// Everything is done in one short write transaction, so capture begins for all tables at one sequence number.
import { randomUUID } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { defaultTimestampDigits, type SqliteSourceConfig } from './config.js';
import { quoteName, quoteText } from './names.js';
import { describeTable, type TableDescription } from './table-description.js';
import { capturedColumns } from './table-types.js';
import { buildTriggers, type TriggerSet } from './triggers.js';

export interface InstalledTable {
  readonly id: number;
  readonly description: TableDescription;
  /** Column `c<i>` of the change table holds the column with the index `captured[i]`. */
  readonly captured: readonly number[];
  /** Behind the second of the table's times that declare none. */
  readonly digits: 3 | 6;
}

export interface Installation {
  readonly capture: string;
  readonly prunedSequence: number;
  readonly tables: readonly InstalledTable[];
}

/** SQLite's own limit is 2,000 columns; four are ours. */
const columnsMax = 1_996;

/** Removes what an earlier installation left and makes a new one; its first change has the sequence number 1. */
export function install(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  tables: readonly TableDescription[],
): void {
  const { prefix } = config;
  database.transaction(() => {
    removeAll(database, prefix);
    database.exec(`CREATE TABLE ${quoteName(`${prefix}meta`)} (name TEXT PRIMARY KEY, value)`);
    // Changes of a table that was taken out are still in the change table: its id must not be given to another.
    database.exec(
      `CREATE TABLE ${quoteName(`${prefix}tables`)} (id INTEGER PRIMARY KEY AUTOINCREMENT, name, description, captured, digits)`,
    );
    database.exec(`CREATE TABLE ${quoteName(`${prefix}changes`)} (seq INTEGER PRIMARY KEY, tbl, op, time, c0)`);
    const meta = database.prepare(`INSERT INTO ${quoteName(`${prefix}meta`)} VALUES (?, ?)`);
    meta.run('capture', randomUUID());
    meta.run('database', config.database);
    meta.run('pruned', 0);
    for (const table of tables) addTable(database, config, table);
  });
}

/** Adds tables to an installation. Refuses one that was left out of it. */
export function installTables(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  tables: readonly TableDescription[],
): void {
  database.transaction(() => {
    for (const table of tables) {
      refuseReturned(database, config.prefix, table.name);
      addTable(database, config, table);
    }
  });
}

/** What happened to its rows in between is unknown: one that was deleted would stay in the topic for ever. */
function refuseReturned(database: SqliteDatabase, prefix: string, table: string): void {
  const left = database.prepare(`SELECT 1 FROM ${quoteName(`${prefix}meta`)} WHERE name = ?`).get(leftOut(table));
  if (left === undefined) return;
  throw new AppError('unsupported-change', `table ${table} was left out of the capture and is asked for again`, {
    detail: 'rows that were deleted in the meantime would stay in its topic and table',
    hint: 'leave it out, or `writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
  });
}

/** Name of the mark in `meta`. */
function leftOut(table: string): string {
  return `left:${table}`;
}

/**
 * Takes tables out of an installation that the lists do not ask for any more, and remembers them. Their recorded changes are
 * passed over.
 */
export function removeTables(database: SqliteDatabase, prefix: string, tables: readonly InstalledTable[]): void {
  database.transaction(() => {
    for (const { id, description, captured } of tables) {
      const { triggers } = buildTriggers({ prefix, id, table: description, captured });
      for (const name of triggers.keys()) database.exec(`DROP TRIGGER IF EXISTS ${quoteName(name)}`);
      database.exec(`DROP TABLE IF EXISTS ${quoteName(`${prefix}displaced_${id}`)}`);
      database.prepare(`DELETE FROM ${quoteName(`${prefix}tables`)} WHERE id = ?`).run(id);
      const mark = `INSERT OR REPLACE INTO ${quoteName(`${prefix}meta`)} VALUES (?, ?)`;
      database.prepare(mark).run(leftOut(description.name), 1);
    }
  });
}

export function uninstall(database: SqliteDatabase, prefix: string): void {
  database.transaction(() => removeAll(database, prefix));
}

/** The configuration with the name that the database had when its capture began; undefined where there is no capture that tells. */
export function asInstalled(database: SqliteDatabase, config: SqliteSourceConfig): SqliteSourceConfig | undefined {
  if (readInstallation(database, config) === null) return undefined;
  const meta = quoteName(`${config.prefix}meta`);
  const name = database.prepare(`SELECT value FROM ${meta} WHERE name = 'database'`).get()?.[0];
  return name === undefined ? undefined : { ...config, database: String(name) };
}

/** For an installation from before names were recorded: its file has had this one. */
export function recordName(database: SqliteDatabase, config: SqliteSourceConfig): void {
  if (asInstalled(database, config) !== undefined) return;
  const meta = quoteName(`${config.prefix}meta`);
  database.transaction(() => database.prepare(`INSERT INTO ${meta} VALUES ('database', ?)`).run(config.database));
}

export function readInstallation(database: SqliteDatabase, config: SqliteSourceConfig): Installation | null {
  const { prefix } = config;
  const exists = database.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?, ?)");
  if (exists.get(`${prefix}meta`, `${prefix}tables`, `${prefix}changes`)![0] !== 3) return null;
  const meta = new Map(
    database.prepare(`SELECT name, value FROM ${quoteName(`${prefix}meta`)}`).all() as [string, unknown][],
  );
  const digits = digitsAreRecorded(database, prefix) ? 'digits' : unrecordedDigits(config);
  const tables = database
    .prepare(`SELECT id, description, captured, ${digits} FROM ${quoteName(`${prefix}tables`)} ORDER BY id`)
    .all()
    .map(([id, description, captured, timeDigits]): InstalledTable => ({
      id: Number(id),
      description: JSON.parse(String(description)) as TableDescription,
      captured: JSON.parse(String(captured)) as number[],
      digits: Number(timeDigits) === 3 ? 3 : 6,
    }));
  return { capture: String(meta.get('capture')), prunedSequence: Number(meta.get('pruned')), tables };
}

/**
 * An installation from before digits were recorded: its records were written with those that were set, or with three, which was
 * the default.
 */
const unrecordedDigits = ({ timestampDigits }: SqliteSourceConfig): 3 | 6 => timestampDigits ?? 3;

/** Records them where they are not, so that a topic goes on in the unit that it began with whatever is set later. */
export function recordDigits(database: SqliteDatabase, config: SqliteSourceConfig): void {
  if (digitsAreRecorded(database, config.prefix)) return;
  const tables = quoteName(`${config.prefix}tables`);
  database.transaction(() => {
    database.exec(`ALTER TABLE ${tables} ADD COLUMN digits`);
    database.prepare(`UPDATE ${tables} SET digits = ?`).run(unrecordedDigits(config));
  });
}

function digitsAreRecorded(database: SqliteDatabase, prefix: string): boolean {
  const columns = database.prepare(
    `SELECT count(*) FROM pragma_table_info(${quoteText(`${prefix}tables`)}) WHERE name = 'digits'`,
  );
  return columns.get()![0] !== 0;
}

/** Throws when a captured table is not what it was when its triggers were made, or a trigger is gone. */
export function checkInstallation(
  database: SqliteDatabase,
  prefix: string,
  installed: readonly InstalledTable[],
): void {
  const found = new Map(
    database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as [string, string][],
  );
  for (const { id, description, captured } of installed) {
    const now = describeTable(database, description.name);
    if (!now) throw changed(description.name, 'was dropped or renamed');
    if (JSON.stringify(now) !== JSON.stringify(description)) {
      const columns = JSON.stringify(now.columns) === JSON.stringify(description.columns);
      throw changed(description.name, columns ? 'changed its primary key or a unique index' : 'changed its columns');
    }
    const { triggers } = buildTriggers({ prefix, id, table: description, captured });
    for (const [name, sql] of triggers) {
      if (found.get(name) === sql) continue;
      throw changed(description.name, `lost its trigger ${name}, as when a table is built anew and renamed`);
    }
  }
}

function changed(table: string, what: string): AppError {
  return new AppError('unsupported-change', `table ${table} ${what}`, {
    detail: 'changes of its rows may not have been captured since, so its topic cannot be continued without a gap',
    hint: '`writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
  });
}

function addTable(database: SqliteDatabase, config: SqliteSourceConfig, table: TableDescription): void {
  const { prefix } = config;
  // The description was read before this transaction; a trigger made from an outdated one would break the application's writes.
  if (JSON.stringify(describeTable(database, table.name)) !== JSON.stringify(table)) {
    throw new AppError('source-unreachable', `table ${table.name} is being changed`, { retriable: true });
  }
  const captured = capturedColumns(table, config);
  if (captured.length > columnsMax) {
    throw new AppError('unsupported-type', `table ${table.name} has ${captured.length} columns`, {
      hint: `at most ${columnsMax} can be captured: use column.exclude.list`,
    });
  }
  const added = database
    .prepare(`INSERT INTO ${quoteName(`${prefix}tables`)} (name, description, captured, digits) VALUES (?, ?, ?, ?)`)
    .run(table.name, JSON.stringify(table), JSON.stringify(captured), config.timestampDigits ?? defaultTimestampDigits);
  widen(database, prefix, captured.length);
  const id = Number(added.lastInsertRowid);
  createTriggers(database, buildTriggers({ prefix, id, table, captured }));
  proveTriggers(database, table);
}

/**
 * Has SQLite compile a statement of each kind with the new triggers, before anything is committed: should it refuse one, the
 * application's statements must not be the first to find out.
 */
function proveTriggers(database: SqliteDatabase, table: TableDescription): void {
  const t = quoteName(table.name);
  const key = quoteName(table.columns[table.key[0]!.column]!.name);
  for (const sql of [`INSERT INTO ${t} DEFAULT VALUES`, `UPDATE ${t} SET ${key} = ${key}`, `DELETE FROM ${t}`]) {
    try {
      database.prepare(`EXPLAIN ${sql}`);
    } catch (cause) {
      // Functions and collations that only the application's connections know (in its indexes and triggers).
      if (cause instanceof Error && /^no such (?:function|collation sequence)/.test(cause.message)) continue;
      throw new AppError('source-misconfigured', `table ${table.name} cannot be captured by triggers`, {
        detail: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
}

function createTriggers(database: SqliteDatabase, set: TriggerSet): void {
  database.exec(set.displacedTable);
  for (const sql of set.triggers.values()) database.exec(sql);
}

/** The change table is as wide as the widest captured table. */
function widen(database: SqliteDatabase, prefix: string, width: number): void {
  for (let i = changeWidth(database, prefix); i < width; i++) {
    database.exec(`ALTER TABLE ${quoteName(`${prefix}changes`)} ADD COLUMN c${i}`);
  }
}

/** Number of the newest change, 0 when there was none yet. */
export function lastSequence(database: SqliteDatabase, prefix: string): number {
  return Number(database.statement(`SELECT max(seq) FROM ${quoteName(`${prefix}changes`)}`).get()![0] ?? 0);
}

/** Number of value columns of the change table. */
export function changeWidth(database: SqliteDatabase, prefix: string): number {
  const columns = database.prepare(`SELECT count(*) FROM pragma_table_info(${quoteText(`${prefix}changes`)})`).get()!;
  return Number(columns[0]) - 4;
}

function removeAll(database: SqliteDatabase, prefix: string): void {
  const ours = database
    .prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'trigger') ORDER BY type DESC")
    .all() as [string, string][];
  // Only names of exactly our form: a connector may be named like the beginning of another's name.
  const mine = new RegExp(
    `^${prefix}(?:t\\d+_(?:before_insert|before_update|before_rekey|insert|update|delete)|meta|tables|changes|displaced_\\d+)$`,
  );
  for (const [type, name] of ours) {
    if (mine.test(name)) database.exec(`DROP ${type === 'table' ? 'TABLE' : 'TRIGGER'} ${quoteName(name)}`);
  }
}
