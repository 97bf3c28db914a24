// What is known of the tables that match the filters, beside the open ones: which have no key, which are empty, which exist at all; and
// what a statement in the binlog does to them. Rows that nobody would ever read are an unsupported change, told before they are missed.
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { TableEffect } from './alter-table.js';
import type { TableColumn } from './column-form.js';
import type { TableFilter } from './filters.js';
import type { Statement } from './statement.js';
import type { TableName } from './statement-words.js';
import { tableName } from './table-schema.js';

/** A table as learned from either side. */
export interface TableDescription {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly TableColumn[];
  readonly keyColumns: readonly number[];
}

export class TableKnowledge {
  readonly #filter: TableFilter;
  readonly #logger: Logger;
  /** By folded name. */
  readonly #isOpen: (name: string) => boolean;
  readonly #openNames: () => Iterable<string>;
  /** Tables that had no primary key when they were last seen, left out. */
  readonly #keyless = new Set<string>();
  /**
   * Tables whose maps show a unique key in the place of a primary key, as the server does where there is none: left out. The text
   * is the key that they showed.
   */
  readonly #uniqueOnly = new Map<string, string>();
  /** Created in the part of the stream that we have read, and without a row so far. */
  readonly #empty = new Set<string>();
  /** Every matching table that exists at our position; unknown after a resume. */
  #existing: Set<string> | undefined;
  readonly #close: (name: string) => void;
  /** The server compares table names without case: every name is held in lower case here. */
  #foldsCase = false;

  constructor(
    filter: TableFilter,
    open: {
      readonly has: (name: string) => boolean;
      readonly names: () => Iterable<string>;
      readonly close: (name: string) => void;
    },
    logger: Logger,
  ) {
    this.#filter = filter;
    this.#isOpen = open.has;
    this.#openNames = open.names;
    this.#close = open.close;
    this.#logger = logger;
  }

  /** Said at every start, before anything else. */
  foldCase(folds: boolean): void {
    this.#foldsCase = folds;
  }

  /** Said at a fresh start: these tables match the filters, with and without a primary key, and no others do. */
  startWith(tables: { readonly keyed: Iterable<string>; readonly keyless: Iterable<string> }): void {
    this.#keyless.clear();
    this.#empty.clear();
    this.#uniqueOnly.clear();
    for (const name of tables.keyless) this.#keyless.add(this.fold(name));
    this.#existing = new Set([...tables.keyed, ...tables.keyless].map((name) => this.fold(name)));
  }

  /**
   * False: not captured, by filter or because it has no primary key (said once, or refused when it was named). A captured table
   * without its key is an unsupported change: the statement that took it may have been hidden from the binlog.
   */
  captures(description: TableDescription): boolean {
    const name = this.fold(tableName(description));
    if (!this.#filter.matches(description.database, description.table)) return false;
    if (description.keyColumns.length > 0) return this.#uniqueOnly.get(name) !== keyText(description);
    if (this.#isOpen(name)) throw changed(`captured table ${name} has lost its primary key`);
    this.#leaveOut(name, description);
    return false;
  }

  #leaveOut(name: string, { database, table }: TableDescription): void {
    if (this.#filter.names(database, table)) throw keylessTable(name);
    this.#empty.delete(name);
    if (this.#keyless.has(name) || this.#uniqueOnly.has(name)) return;
    this.#keyless.add(name);
    this.#logger.warn('a table without primary key is left out', { table: name });
  }

  /**
   * Whether capture of a table that is not open may begin with this map of it; `now` is the table as the server has it now, where
   * it still does. False: it is left out. Throws when rows of it may have been written before, which nobody would ever read.
   */
  begins(map: TableDescription, now: TableDescription | undefined): boolean {
    const name = this.fold(tableName(map));
    if (now && now.keyColumns.length === 0) {
      // Behind a stored position it is not known whether the key has gone since: then the statement that took it comes in the
      // stream, and has to find a table that is not known to be keyless.
      if (this.#existing) this.#leaveOut(name, map);
      else this.#logger.warn('a table without primary key is left out', { table: name });
      this.#uniqueOnly.set(name, keyText(map));
      return false;
    }
    if (this.#keyless.has(name))
      throw changed(`table ${name} has a primary key now, and its rows from before were left out`);
    if (this.#existing && !this.#empty.has(name))
      throw changed(`rows of table ${name} came, but no CREATE TABLE, so it may have others from before`);
    return true;
  }

  /** It is open, so it exists with rows. */
  opened(name: string): void {
    this.#empty.delete(name);
    this.#existing?.add(name);
  }

  /** The tables that match the filters and lose all rows by a statement, or their databases. */
  emptiedBy(statement: TableStatement, defaultDatabase: string): Emptied {
    const places: Place[] = [];
    const databases: string[] = [];
    const add = (table: TableName): void => void places.push(this.#place(table, defaultDatabase));
    if (statement.kind === 'create-table' && statement.replaces) statement.tables.forEach(add);
    if (statement.kind === 'drop-database') databases.push(this.fold(statement.database));
    if (statement.kind === 'table-change')
      for (const { does, table } of statement.effects) if (does === 'truncate' || does === 'drop') add(table);
    return {
      tables: places.filter(({ database, table }) => this.#filter.matches(database, table)).map(tableName),
      databases: databases.filter((database) => this.#filter.matchesDatabase(database)),
    };
  }

  /**
   * Acts on a statement that creates, changes or drops tables; throws unsupported-change when rows of ours are concerned. `emptied`: those
   * that it takes away whole have been deleted.
   */
  apply(statement: TableStatement, defaultDatabase: string, emptied: boolean): void {
    switch (statement.kind) {
      case 'create-table':
        for (const table of statement.tables) {
          const place = this.#place(table, defaultDatabase);
          if (statement.replaces) this.#drop('CREATE OR REPLACE', place, emptied);
          this.#created(place, statement.fills);
        }
        return;
      case 'table-change':
        for (const effect of statement.effects) {
          this.#effect(statement.verb, effect, (name) => this.#place(name, defaultDatabase), emptied);
        }
        return;
      case 'drop-database':
        this.#dropDatabase(statement.verb, this.fold(statement.database), emptied);
        return;
    }
  }

  #effect(verb: string, effect: TableEffect, place: (name: TableName) => Place, emptied: boolean): void {
    const at = place(effect.table);
    switch (effect.does) {
      case 'key':
        if (this.#keyless.has(tableName(at)) && this.#filter.matches(at.database, at.table))
          throw changed(`${verb} gives table ${tableName(at)} a primary key, and its rows from before were left out`);
        return this.#refuseChange(verb, at);
      case 'truncate':
        if (!emptied) this.#refuseChange(verb, at);
        return;
      case 'change':
      case 'mention':
        return this.#refuseChange(verb, at);
      case 'fill':
        if (this.#filter.matches(at.database, at.table) && !this.#keyless.has(tableName(at)))
          throw changed(`${verb} brings rows without row events into captured table ${tableName(at)}`);
        return;
      case 'drop':
        return this.#drop(verb, at, emptied);
      case 'rename':
        return this.#rename(verb, at, place(effect.to));
    }
  }

  /** As the server compares names. */
  fold(name: string): string {
    return this.#foldsCase ? name.toLowerCase() : name;
  }

  #place(name: TableName, defaultDatabase: string): Place {
    const place = { database: this.fold(name.database ?? defaultDatabase), table: this.fold(name.table) };
    // Text of another character set than UTF-8, or the name of a file instead of a table: it may be any table.
    if (/\uFFFD|^#mysql50#/i.test(place.table) && this.#filter.matchesDatabase(place.database))
      throw changed(`a statement changes table ${tableName(place)}, whose name cannot be read`);
    return place;
  }

  #drop(verb: string, place: Place, emptied: boolean): void {
    if (!emptied) this.#refuseChange(verb, place);
    const name = tableName(place);
    if (this.#isOpen(name)) this.#logger.info('a captured table was dropped: its rows are deleted', { table: name });
    this.#close(name);
    this.#gone(name);
  }

  #rename(verb: string, from: Place, to: Place): void {
    this.#refuseChange(verb, from);
    const [before, after] = [tableName(from), tableName(to)];
    const known = this.#filter.matches(from.database, from.table);
    const keyless = known && this.#keyless.has(before);
    const empty = known && this.#empty.has(before);
    // All tables that match are known, so this is a view.
    const view = known && this.#existing !== undefined && !this.#existing.has(before);
    this.#gone(before);
    if (view || !this.#filter.matches(to.database, to.table)) return;
    if (!keyless && !empty)
      throw changed(`${verb} brings table ${before} with its rows under the captured name ${after}`);
    if (keyless) this.#keyless.add(after);
    if (empty) this.#empty.add(after);
    this.#existing?.add(after);
  }

  #dropDatabase(verb: string, database: string, emptied: boolean): void {
    const names = [...this.#openNames(), ...(this.#existing ?? []), ...this.#keyless];
    for (const name of new Set(names)) {
      if (name.startsWith(`${database}.`))
        this.#drop(verb, { database, table: name.slice(database.length + 1) }, emptied);
    }
    if (!emptied && !this.#existing && this.#filter.matchesDatabase(database))
      throw changed(`${verb} of ${database}, which may hold captured tables`);
  }

  #gone(name: string): void {
    this.#empty.delete(name);
    this.#keyless.delete(name);
    this.#uniqueOnly.delete(name);
    this.#existing?.delete(name);
  }

  /** `filled`: rows came into it that no event shows. */
  #created(place: Place, filled: boolean): void {
    const name = tableName(place);
    if (!this.#filter.matches(place.database, place.table) || this.#isOpen(name)) return;
    if (filled) throw changed(`CREATE TABLE fills captured table ${name} without row events`);
    // CREATE TABLE IF NOT EXISTS is logged for tables that exist, too: after a resume we cannot tell, and assume rows.
    if (this.#existing && !this.#existing.has(name)) {
      this.#existing.add(name);
      this.#empty.add(name);
    }
  }

  #refuseChange(verb: string, place: Place): void {
    const name = tableName(place);
    if (!this.#filter.matches(place.database, place.table)) return;
    if (!this.#isOpen(name)) {
      if (this.#keyless.has(name) || this.#empty.has(name)) return;
      if (this.#existing && !this.#existing.has(name)) return;
    }
    throw changed(`${verb} of captured table ${name} changes rows, columns or its key without row events`);
  }
}

type TableStatement = Statement & { kind: 'create-table' | 'table-change' | 'drop-database' };

/** Folded names: `database.table`, and databases all of whose tables go. */
export interface Emptied {
  readonly tables: readonly string[];
  readonly databases: readonly string[];
}

interface Place {
  readonly database: string;
  readonly table: string;
}

function keyText(table: TableDescription): string {
  return table.keyColumns.map((i) => table.columns[i]!.name).join(', ');
}

export const wayOut =
  '`writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot; or leave the table out by table.exclude.list';

function changed(message: string): AppError {
  return new AppError('unsupported-change', message, { hint: wayOut });
}

/** Of what was captured to a topic only, or into a table that stands still, it is not known here which keys are there. */
export function emptiedUnknown(name: string): AppError {
  return changed(`a statement takes all rows of ${name} away, and which were captured of it is not known`);
}

export function keylessTable(name: string): AppError {
  return new AppError('keyless-table', `table ${name} has no primary key`, {
    hint: `ALTER TABLE ${name} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, or remove it from table.include.list`,
  });
}
