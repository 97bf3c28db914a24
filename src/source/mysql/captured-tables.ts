// The tables that this task captures: opened at connect before their first record, remembered with their encoders, and asked
// when a statement in the binlog changes a table without row events. Lives as long as the task, across reconnects.
import { printType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { TableFilter } from './filters.js';
import type { KeyWindow } from './key-window.js';
import type { TableColumn } from './column-form.js';
import { sourceTable, tableName } from './table-schema.js';
import type { Statement, TableName } from './statement.js';

export interface OpenTable {
  readonly name: string;
  readonly source: SourceTable;
  readonly encoder: RowEncoder;
  /** Snapshot chunks of this table that are under way; changes made here are recorded in each. */
  windows: readonly KeyWindow[];
}

/** A table as learned from either side. */
export interface TableDescription {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly TableColumn[];
  readonly keyColumns: readonly number[];
}

export class CapturedTables {
  readonly filter: TableFilter;
  readonly #openTable: (table: SourceTable) => Promise<RowEncoder>;
  readonly #logger: Logger;
  readonly #open = new Map<string, OpenTable>();
  readonly #opening = new Map<string, Promise<OpenTable>>();
  /** Tables without a primary key, left out. */
  readonly #keyless = new Set<string>();
  /** Created in the part of the stream that we have read, and without a row so far. */
  readonly #empty = new Set<string>();
  /** Every matching table that exists at our position; unknown after a resume. */
  #existing: Set<string> | undefined;

  constructor(filter: TableFilter, openTable: (table: SourceTable) => Promise<RowEncoder>, logger: Logger) {
    this.filter = filter;
    this.#openTable = openTable;
    this.#logger = logger;
  }

  /** Said at a fresh start: these tables match the filters, and no others do. */
  startWith(names: Iterable<string>): void {
    this.#existing = new Set(names);
  }

  get(database: string, table: string): OpenTable | undefined {
    return this.#open.get(`${database}.${table}`);
  }

  /** The opened tables' topics, in the order of opening. */
  get topics(): string[] {
    return [...this.#open.values()].map((table) => table.encoder.topic);
  }

  /** False: not captured, by filter or because it has no primary key (said once, or refused when it was named). */
  captures(description: TableDescription): boolean {
    const name = tableName(description);
    if (!this.filter.matches(description.database, description.table)) return false;
    if (description.keyColumns.length > 0) return true;
    if (this.filter.names(description.database, description.table)) throw keylessTable(name);
    if (!this.#keyless.has(name)) {
      this.#keyless.add(name);
      this.#logger.warn('a table without primary key is left out', { table: name });
    }
    return false;
  }

  /**
   * Opens the table, or finds it open with the same columns; other columns than before are an unsupported change. Snapshot and
   * stream may both ask while it is being opened: they get the same object, since the windows on it are how they meet.
   */
  async open(description: TableDescription): Promise<OpenTable> {
    const name = tableName(description);
    const source = sourceTable(description, this.filter);
    let opening = this.#opening.get(name);
    if (!opening) {
      opening = this.#openFirst(name, source);
      this.#opening.set(name, opening);
      // One that failed may be tried again.
      opening.catch(() => this.#opening.delete(name));
    }
    const opened = await opening;
    assertSame(opened.source, source);
    return opened;
  }

  async #openFirst(name: string, source: SourceTable): Promise<OpenTable> {
    const opened: OpenTable = { name, source, encoder: await this.#openTable(source), windows: [] };
    this.#open.set(name, opened);
    this.#empty.delete(name);
    this.#existing?.add(name);
    return opened;
  }

  /** A table map of an open table must describe the columns that it was opened with. */
  assertUnchanged(open: OpenTable, description: TableDescription): void {
    assertSame(open.source, sourceTable(description, this.filter));
  }

  /** Acts on a statement that creates, changes or drops tables; throws unsupported-change when rows of ours are concerned. */
  apply(
    statement: Statement & { kind: 'create-table' | 'table-change' | 'drop-database' },
    defaultDatabase: string,
  ): void {
    const full = (name: TableName) => ({ database: name.database ?? defaultDatabase, table: name.table });
    switch (statement.kind) {
      case 'create-table':
        for (const name of statement.tables.map(full)) {
          if (statement.replaces) this.#refuseChange('CREATE OR REPLACE', name);
          this.#created(name, statement.fills);
        }
        return;
      case 'table-change':
        statement.tables.map(full).forEach((name, i) => {
          const filled = !this.#empty.has(tableName(name));
          this.#refuseChange(statement.verb, name);
          if (statement.verb === 'DROP' || statement.verb === 'RENAME') this.#gone(tableName(name));
          const created = statement.created[i];
          if (created) this.#created(full(created), filled);
        });
        return;
      case 'drop-database':
        for (const name of [...this.#open.keys(), ...(this.#existing ?? [])]) {
          if (!name.startsWith(`${statement.database}.`)) continue;
          this.#refuseChange('DROP DATABASE', {
            database: statement.database,
            table: name.slice(statement.database.length + 1),
          });
        }
        if (!this.#existing && this.filter.matchesDatabase(statement.database))
          throw changed('DROP DATABASE', statement.database);
        return;
    }
  }

  #gone(name: string): void {
    this.#empty.delete(name);
    this.#keyless.delete(name);
    this.#existing?.delete(name);
  }

  /** `filled`: rows came into it that no event shows. */
  #created(name: { database: string; table: string }, filled: boolean): void {
    const text = tableName(name);
    if (!this.filter.matches(name.database, name.table) || this.#open.has(text)) return;
    if (filled) throw changed('RENAME or CREATE TABLE ... SELECT', text);
    // CREATE TABLE IF NOT EXISTS is logged for tables that exist, too: after a resume we cannot tell, and assume rows.
    if (this.#existing && !this.#existing.has(text)) {
      this.#existing.add(text);
      this.#empty.add(text);
    }
  }

  #refuseChange(verb: string, name: { database: string; table: string }): void {
    const text = tableName(name);
    if (!this.filter.matches(name.database, name.table)) return;
    if (this.#open.has(text)) throw changed(verb, text);
    if (this.#keyless.has(text) || this.#empty.has(text)) return;
    if (this.#existing && !this.#existing.has(text)) return;
    throw changed(verb, text);
  }
}

function changed(verb: string, name: string): AppError {
  return new AppError('unsupported-change', `${verb} of captured table ${name} changes rows without row events`, {
    hint: 'create the connector anew under another name to read the table again, or leave the table out by table.exclude.list',
  });
}

export function keylessTable(name: string): AppError {
  return new AppError('keyless-table', `table ${name} has no primary key`, {
    hint: `ALTER TABLE ${name} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, or remove it from table.include.list`,
  });
}

function assertSame(before: SourceTable, now: SourceTable): void {
  const text = (table: SourceTable) =>
    [
      ...table.columns.map(
        (column) =>
          `${column.name} ${printType(column.type)}${digits(column.type)}${column.nullable ? '' : ' NOT NULL'}`,
      ),
      `PRIMARY KEY (${table.keyColumns.map((i) => table.columns[i]!.name).join(', ')})`,
    ].join(', ');
  const [a, b] = [text(before), text(now)];
  if (a === b) return;
  throw new AppError(
    'unsupported-change',
    `the columns of captured table ${before.database}.${before.table} have changed`,
    {
      detail: `before: ${a}\nnow: ${b}`,
      hint: 'create the connector anew under another name to read the table again',
    },
  );
}

function digits(type: SourceTable['columns'][number]['type']): string {
  return type.kind === 'TIME' || type.kind === 'TIMESTAMP' ? `(${type.digits})` : '';
}
