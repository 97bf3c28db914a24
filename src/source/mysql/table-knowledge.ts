// What a statement in the binlog does to the tables that match the filters: whose rows it takes away, which tables are no more, and of which
// rows or columns have changed in a way that no event tells, so that they have to be read again. Statements are told apart by what they
// may do, never read for columns.
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { splitName } from '../../core/table-name.js';
import type { TableEffect } from './alter-table.js';
import type { ColumnChanges } from './column-clauses.js';
import type { TableColumn } from './column-form.js';
import type { ColumnLabels } from './column-labels.js';
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
  /** As the server lists them, which a table map does not do in the server's own letters. */
  readonly labels?: ColumnLabels | undefined;
}

/** What a statement comes to, by folded names of tables that match. */
export interface StatementEffect {
  /** Their rows go. */
  readonly emptied: Emptied;
  /** They are no more, or no more what they were: what comes under the name is another table. */
  readonly ended: readonly string[];
  /** To be read again, with what has done it. */
  readonly changed: readonly ChangedTable[];
}

/** Folded names: `database.table`, and databases all of whose tables go. */
export interface Emptied {
  readonly tables: readonly string[];
  readonly databases: readonly string[];
}

export interface ChangedTable {
  readonly name: string;
  /** For people: the verb, or what was seen. */
  readonly cause: string;
  /** As the statement has it, it changes these columns alone. */
  readonly columns?: ColumnChanges | undefined;
  /** Only rows that meet it may be others than before; in any case some may be gone. */
  readonly where?: string | undefined;
}

const none = 'FALSE';

export type TableStatement = Statement & { kind: 'create-table' | 'table-change' | 'drop-database' };

export function isTableStatement(statement: Statement): statement is TableStatement {
  return statement.kind === 'create-table' || statement.kind === 'table-change' || statement.kind === 'drop-database';
}

/** Rows of tables that are captured, perhaps, go with it. */
export function takesRows({ emptied }: StatementEffect): boolean {
  return emptied.tables.length > 0 || emptied.databases.length > 0;
}

export class TableKnowledge {
  readonly #filter: TableFilter;
  readonly #logger: Logger;
  /** By folded name. */
  readonly #isOpen: (name: string) => boolean;
  readonly #openNames: () => Iterable<string>;
  readonly #close: (name: string) => void;
  /** What the connector has captured before, in an earlier run too, folded; what was dropped since may be among it. */
  #held: ReadonlyMap<string, string> = new Map();
  /** Left out, with the reason that was told: no key, or a column that cannot be read. */
  readonly #leftOut = new Map<string, string>();
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

  /** Said at every start, before anything else: how names compare, and what was captured before (`database.table`). */
  start(foldsCase: boolean, held: Iterable<string>): void {
    this.#foldsCase = foldsCase;
    this.#held = new Map([...held].map((name) => [this.fold(name), name]));
  }

  isHeld(name: string): boolean {
    return this.#held.has(name);
  }

  /** As it was captured before. */
  heldName(name: string): string | undefined {
    return this.#held.get(name);
  }

  /** As the server compares names. */
  fold(name: string): string {
    return this.#foldsCase ? name.toLowerCase() : name;
  }

  matches(name: string): boolean {
    const { database, table } = splitName(name);
    return this.#filter.matches(database, table);
  }

  /** False: not captured, by filter, or left out as long as it has no key. */
  captures(map: TableDescription): boolean {
    if (!this.#filter.matches(map.database, map.table)) return false;
    const name = this.fold(tableName(map));
    return !this.#leftOut.has(name) && (map.keyColumns.length > 0 || this.#isOpen(name));
  }

  /** Rows of it are not captured until a statement changes it. Told once. */
  leaveOut(name: string, reason: string, hint?: string): void {
    this.#close(name);
    if (this.#leftOut.get(name) === reason) return;
    this.#leftOut.set(name, reason);
    this.#logger.warn('a table is left out', { table: name, reason, hint });
  }

  /** A value of it has no form here: it stands still until it is read again. */
  stop(name: string, { code, message, detail, hint }: AppError): void {
    this.#close(name);
    this.#leftOut.set(name, message);
    this.#logger.error('a table stands still', { table: name, code, error: message, detail, hint });
  }

  /** It is new, and not let in; who decides that tells it. */
  waits(name: string): void {
    this.#leftOut.set(name, 'it is new, and was not let in');
  }

  /** What it was left out for is no more. */
  letIn(name: string): void {
    this.#leftOut.delete(name);
  }

  isLeftOut(name: string): boolean {
    return this.#leftOut.has(name);
  }

  reasonOf(name: string): string {
    return this.#leftOut.get(name) ?? '';
  }

  effectOf(statement: TableStatement, defaultDatabase: string): StatementEffect {
    const effect = new Collected(
      (name) => this.matches(name),
      (database) => this.#openIn(database),
    );
    const placeOf = (table: TableName): Place => this.#place(table, defaultDatabase);
    switch (statement.kind) {
      case 'create-table':
        for (const table of statement.tables) {
          const place = placeOf(table);
          const name = tableName(place);
          if (statement.replaces) effect.drop(place);
          // A statement that finds its table in place is logged, too, and applications begin with one.
          const isThere = statement.ifNotExists && !statement.replaces && (this.#isOpen(name) || this.isHeld(name));
          if (!isThere) effect.change(place, 'CREATE TABLE');
        }
        break;
      case 'table-change':
        for (const each of statement.effects) effect.add(statement.verb, each, placeOf);
        break;
      case 'drop-database': {
        const database = this.fold(statement.database);
        if (this.#filter.matchesDatabase(database)) effect.dropDatabase(database);
        break;
      }
    }
    return effect.result();
  }

  /** The statement has taken effect. */
  apply({ ended, changed }: StatementEffect): void {
    for (const name of ended) {
      if (this.#isOpen(name)) this.#logger.info('a captured table is no more: its rows are deleted', { table: name });
      this.#close(name);
      this.#leftOut.delete(name);
    }
    // It may have a key now, or columns that can be read.
    for (const { name } of changed) this.#leftOut.delete(name);
  }

  #openIn(database: string): readonly string[] {
    const names = new Set([...this.#openNames(), ...this.#held.keys()]);
    return [...names].filter((name) => splitName(name).database === database);
  }

  #place(name: TableName, defaultDatabase: string): Place {
    const place = { database: this.fold(name.database ?? defaultDatabase), table: this.fold(name.table) };
    // Text of another character set than UTF-8, or the name of a file instead of a table: it may be any table.
    return { ...place, any: /\uFFFD|^#mysql50#/i.test(place.table) };
  }
}

interface Place {
  readonly database: string;
  readonly table: string;
  /** The name cannot be read. */
  readonly any: boolean;
}

class Collected {
  readonly #matches: (name: string) => boolean;
  readonly #openIn: (database: string) => readonly string[];
  readonly #emptied = new Set<string>();
  readonly #databases: string[] = [];
  readonly #ended = new Set<string>();
  readonly #changed = new Map<string, Omit<ChangedTable, 'name'>>();

  constructor(matches: (name: string) => boolean, openIn: (database: string) => readonly string[]) {
    this.#matches = matches;
    this.#openIn = openIn;
  }

  add(verb: string, effect: TableEffect, placeOf: (table: TableName) => Place): void {
    const place = placeOf(effect.table);
    switch (effect.does) {
      case 'key':
      case 'change':
      case 'fill':
      case 'mention':
        return this.change(place, verb);
      case 'columns':
        return this.change(place, verb, { columns: effect.columns });
      case 'thin':
        return this.change(place, verb, { where: none });
      case 'truncate':
        if (place.any) return this.change(place, verb);
        this.#emptied.add(tableName(place));
        return;
      case 'drop':
        return this.drop(place);
      case 'rename': {
        this.drop(place);
        const to = placeOf(effect.to);
        this.change(to, verb);
        return;
      }
    }
  }

  change(place: Place, cause: string, only: Pick<ChangedTable, 'columns' | 'where'> = {}): void {
    if (place.any) {
      for (const name of this.#openIn(place.database))
        this.#changed.set(name, { cause: `${cause} of a table whose name is not text` });
      return;
    }
    const name = tableName(place);
    // What stands under the name now is another table than the one that went, and its rows take the place of those.
    this.#emptied.delete(name);
    // A statement that touches the table twice, or can be read in two ways, may do more than either says.
    this.#changed.set(name, this.#changed.has(name) ? { cause } : { cause, ...only });
  }

  drop(place: Place): void {
    if (place.any) return this.change(place, 'DROP');
    const name = tableName(place);
    this.#emptied.add(name);
    this.#ended.add(name);
    this.#changed.delete(name);
  }

  dropDatabase(database: string): void {
    this.#databases.push(database);
    for (const name of this.#openIn(database)) this.#ended.add(name);
  }

  result(): StatementEffect {
    const matching = (names: Iterable<string>) => [...names].filter((name) => this.#matches(name));
    return {
      emptied: { tables: matching(this.#emptied), databases: this.#databases },
      ended: matching(this.#ended),
      changed: [...this.#changed]
        .filter(([name]) => this.#matches(name))
        .map(([name, change]) => ({ name, ...change })),
    };
  }
}

export function keylessTable(name: string): AppError {
  return new AppError('keyless-table', `table ${name} has no primary key`, {
    hint: `ALTER TABLE ${name} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, or remove it from table.include.list`,
  });
}
