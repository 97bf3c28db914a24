// What capture adds to the application's file, all named `_wt_<connector>_...`:
//   meta     (name, value): `capture` = id of this installation; `database` = the database's name in topics and filters, which stays
//            when the file gets another name; `pruned` = changes up to here are gone
//   tables   (id, name, description, captured, digits): the captured tables as they were when their triggers were made, JSON;
//            digits: behind the second of times that declare none. A table that is changed gets another id
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
import { capturedColumns, sourceTableOf, type CapturedTable } from './table-types.js';
import { buildTriggers, type TriggerSet } from './triggers.js';

/** Column `c<i>` of the change table holds the column with the index `captured[i]`. */
export interface InstalledTable extends CapturedTable {
  readonly id: number;
}

export interface Installation {
  readonly capture: string;
  readonly prunedSequence: number;
  readonly tables: readonly InstalledTable[];
}

/** SQLite's own limit is 2,000 columns; four are ours. */
const columnsMax = 1_996;

/**
 * Removes what an earlier installation left and makes a new one; its first change has the sequence number 1. Gives the tables that
 * cannot be captured.
 */
export function install(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  tables: readonly TableDescription[],
): readonly RefusedTable[] {
  const { prefix } = config;
  return database.transaction(() => {
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
    return addTables(database, config, tables);
  });
}

export interface Reinstallation {
  /** Captured anew, as they are now. */
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface Reinstalled {
  readonly uncapturable: readonly RefusedTable[];
  /** By so much it has moved the file's schema_version. */
  readonly schemaMoves: number;
}

export interface RefusedTable {
  readonly table: TableDescription;
  readonly error: AppError;
}

/**
 * Takes tables out of an installation and puts tables into it; a table gets another number, so that changes that its earlier triggers
 * recorded are told from those of its new ones. What is not there any more is passed over. Gives the tables that cannot be captured.
 */
export function reinstall(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  { add, remove }: Reinstallation,
): Reinstalled {
  return database.transaction(() => {
    const start = schemaVersion(database);
    const before = new Map(readInstallation(database, config)!.tables.map((table) => [table.description.name, table]));
    for (const name of [...remove, ...add]) {
      const table = before.get(name);
      if (table) removeTable(database, config.prefix, table);
    }
    const described = add.map((name) => describeTable(database, name)).filter((table) => table !== null);
    const uncapturable = addTables(database, config, described, before);
    return { uncapturable, schemaMoves: schemaVersion(database) - start };
  });
}

export function schemaVersion(database: SqliteDatabase): number {
  return Number(database.raw.pragma('schema_version', { simple: true }));
}

function removeTable(database: SqliteDatabase, prefix: string, { id, description, captured }: InstalledTable): void {
  const { triggers } = buildTriggers({ prefix, id, table: description, captured });
  for (const name of triggers.keys()) database.exec(`DROP TRIGGER IF EXISTS ${quoteName(name)}`);
  database.exec(`DROP TABLE IF EXISTS ${quoteName(`${prefix}displaced_${id}`)}`);
  database.prepare(`DELETE FROM ${quoteName(`${prefix}tables`)} WHERE id = ?`).run(id);
}

/** Each table as a whole or not at all: one that cannot be captured does not keep the others out. */
function addTables(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  tables: readonly TableDescription[],
  before: ReadonlyMap<string, InstalledTable> = new Map(),
): readonly RefusedTable[] {
  const refused: RefusedTable[] = [];
  for (const table of tables) {
    database.exec('SAVEPOINT one_table');
    try {
      addTable(database, config, table, desiredDigits(config, before.get(table.name)));
      database.exec('RELEASE one_table');
    } catch (error) {
      database.exec('ROLLBACK TO one_table; RELEASE one_table');
      if (!(error instanceof AppError) || error.retriable) throw error;
      refused.push({ table, error });
    }
  }
  return refused;
}

/** A table keeps the unit of its times until another one is asked for. */
export function desiredDigits({ timestampDigits }: SqliteSourceConfig, before: InstalledTable | undefined): 3 | 6 {
  return timestampDigits ?? before?.digits ?? defaultTimestampDigits;
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

function addTable(database: SqliteDatabase, config: SqliteSourceConfig, table: TableDescription, digits: 3 | 6): void {
  const { prefix } = config;
  // The description was read before this transaction; a trigger made from an outdated one would break the application's writes.
  if (JSON.stringify(describeTable(database, table.name)) !== JSON.stringify(table)) {
    throw new AppError('source-unreachable', `table ${table.name} is being changed`, { retriable: true });
  }
  // It may have become so since it was chosen.
  if (table.key.length === 0) {
    throw new AppError('keyless-table', `table ${table.name} has no primary key`, {
      hint: `give it one, or exclude it: table.exclude.list=${table.name}`,
    });
  }
  const captured = capturedColumns(table, config);
  sourceTableOf({ description: table, captured, digits }, config);
  if (captured.length > columnsMax) {
    throw new AppError('unsupported-type', `table ${table.name} has ${captured.length} columns`, {
      hint: `at most ${columnsMax} can be captured: use column.exclude.list`,
    });
  }
  const added = database
    .prepare(`INSERT INTO ${quoteName(`${prefix}tables`)} (name, description, captured, digits) VALUES (?, ?, ?, ?)`)
    .run(table.name, JSON.stringify(table), JSON.stringify(captured), digits);
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
