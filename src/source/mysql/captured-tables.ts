// The tables that this task captures: opened at connect before their first record, remembered with their encoders. Lives as long as the
// task, across reconnects.
import { printType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { TableFilter } from './filters.js';
import type { KeyWindow } from './key-window.js';
import { TableKnowledge, wayOut, type TableDescription } from './table-knowledge.js';
import { sourceTable, tableName } from './table-schema.js';

export interface OpenTable {
  readonly name: string;
  readonly source: SourceTable;
  readonly encoder: RowEncoder;
  /** Snapshot chunks of this table that are under way; changes made here are recorded in each. */
  windows: readonly KeyWindow[];
}

export class CapturedTables {
  readonly filter: TableFilter;
  readonly known: TableKnowledge;
  readonly #openTable: (table: SourceTable) => Promise<RowEncoder>;
  readonly #open = new Map<string, OpenTable>();
  readonly #opening = new Map<string, Promise<OpenTable>>();

  constructor(filter: TableFilter, openTable: (table: SourceTable) => Promise<RowEncoder>, logger: Logger) {
    this.filter = filter;
    this.#openTable = openTable;
    this.known = new TableKnowledge(
      filter,
      {
        has: (name) => this.#open.has(name),
        names: () => this.#open.keys(),
        close: (name) => {
          this.#open.delete(name);
          this.#opening.delete(name);
        },
      },
      logger,
    );
  }

  get(database: string, table: string): OpenTable | undefined {
    return this.#open.get(this.known.fold(`${database}.${table}`));
  }

  /** Of the opened tables, folded. */
  get names(): Iterable<string> {
    return this.#open.keys();
  }

  /** The opened tables' topics, in the order of opening. */
  get topics(): string[] {
    return [...this.#open.values()].map((table) => table.encoder.topic);
  }

  /**
   * Opens the table, or finds it open with the same columns; other columns than before are an unsupported change. Snapshot and
   * stream may both ask while it is being opened: they get the same object, since the windows on it are how they meet.
   */
  async open(description: TableDescription): Promise<OpenTable> {
    const name = this.known.fold(tableName(description));
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
    const opened: OpenTable = { name: tableName(source), source, encoder: await this.#openTable(source), windows: [] };
    this.#open.set(name, opened);
    this.known.opened(name);
    return opened;
  }

  /** Of a table that may be gone by now: for deletes of rows that were captured of it. */
  encoderOf(table: SourceTable): Promise<RowEncoder> {
    const open = this.get(table.database, table.table);
    return open ? Promise.resolve(open.encoder) : this.#openTable(table);
  }

  /** A table map of an open table must describe the columns that it was opened with. */
  assertUnchanged(open: OpenTable, description: TableDescription): void {
    assertSame(open.source, sourceTable(description, this.filter));
  }
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
      hint: wayOut,
    },
  );
}

function digits(type: SourceTable['columns'][number]['type']): string {
  return type.kind === 'TIME' || type.kind === 'TIMESTAMP' ? `(${type.digits})` : '';
}
