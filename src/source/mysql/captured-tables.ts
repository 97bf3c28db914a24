// The tables that this task captures: opened at connect before their first record, remembered with their encoders. Lives as long as the
// task, across reconnects.
import { printType, type DataType } from '../../core/data-type.js';
import type { Logger } from '../../core/logger.js';
import type { RowEncoder, SourceTable } from '../../core/row-encoder.js';
import type { SourceContext, OpenOptions } from '../source-connector.js';
import type { TableFilter } from './filters.js';
import type { KeyWindow } from './key-window.js';
import type { TableColumn } from './column-form.js';
import { TableKnowledge, type TableDescription } from './table-knowledge.js';
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
  /** By folded name: all columns as the last table map had them, where no statement has changed the table since. */
  readonly mapped = new Map<string, readonly TableColumn[]>();
  readonly #openTable: SourceContext['openTable'];
  readonly #open = new Map<string, OpenTable>();
  /** By folded name, as the source writes it. */
  readonly #everOpened = new Map<string, string>();

  constructor(filter: TableFilter, openTable: SourceContext['openTable'], logger: Logger) {
    this.filter = filter;
    this.#openTable = openTable;
    this.known = new TableKnowledge(
      filter,
      {
        has: (name) => this.#open.has(name),
        names: () => this.#open.keys(),
        close: (name) => void this.#open.delete(name),
      },
      logger,
    );
  }

  get(database: string, table: string): OpenTable | undefined {
    return this.#open.get(this.known.fold(tableName({ database, table })));
  }

  /** It was opened in this task, if only to be closed since: rows of it may still be on their way. Folded name. */
  wasOpened(name: string): boolean {
    return this.#everOpened.has(name);
  }

  /** As the source writes it, as far as that is known. */
  nameOf(name: string): string {
    return this.#everOpened.get(name) ?? this.known.heldName(name) ?? name;
  }

  /** By its folded `database.table`. */
  byName(name: string): OpenTable | undefined {
    return this.#open.get(name);
  }

  /** Of the opened tables, folded. */
  get names(): Iterable<string> {
    return this.#open.keys();
  }

  /** Of these tables and of the opened ones, folded. */
  namesWith(tables: readonly { readonly database: string; readonly table: string }[]): string[] {
    return [...new Set([...tables.map((table) => this.known.fold(tableName(table))), ...this.names])];
  }

  /** The opened tables' topics, in the order of opening, but for those of some tables (folded names). */
  topicsWithout(names: readonly string[]): string[] {
    const left = new Set(names);
    return [...this.#open].filter(([name]) => !left.has(name)).map(([, table]) => table.encoder.topic);
  }

  /**
   * Opens the table, or opens it again where it was opened with other columns: what was opened before is not used any more then. Everything
   * that was encoded for it has to be in the log. Never twice at a time for one table.
   */
  async open(description: TableDescription, options: OpenOptions = {}): Promise<OpenTable> {
    const name = this.known.fold(tableName(description));
    const source = sourceTable(description, this.filter);
    const before = this.#open.get(name);
    const isSame =
      before && sameText(before.source, source, columnsText) && sameText(before.source, source, labelsText);
    if (isSame && options.cause === undefined) return before;
    if (isSame) {
      await this.#openTable(source, options);
      return before;
    }
    const opened: OpenTable = {
      name: tableName(source),
      source,
      encoder: await this.#openTable(source, options),
      windows: [],
    };
    this.#open.set(name, opened);
    this.#everOpened.set(name, opened.name);
    return opened;
  }

  /** Of a table that may be gone by now: for deletes of rows that were captured of it. */
  encoderOf(table: SourceTable): Promise<RowEncoder> {
    const open = this.get(table.database, table.table);
    return open ? Promise.resolve(open.encoder.held) : this.#openTable(table, { held: true });
  }

  /** It was opened with these columns. */
  isAs({ source }: OpenTable, description: TableDescription): boolean {
    return sameText(source, sourceTable(description, this.filter), columnsText);
  }
}

function sameText(a: SourceTable, b: SourceTable, text: (table: SourceTable) => string): boolean {
  return text(a) === text(b);
}

/** No row is another one by them: they count when the server is asked, and not at each table map. */
function labelsText({ columns }: SourceTable): string {
  return JSON.stringify(
    columns.map(({ semanticType }) => semanticType && 'labels' in semanticType && semanticType.labels),
  );
}

/** The columns and the key as connect is told of them. */
function columnsText({ columns, keyColumns }: Pick<SourceTable, 'columns' | 'keyColumns'>): string {
  return [
    ...columns.map(({ name, type, nullable, sourceType, semanticType }) =>
      JSON.stringify([
        name,
        printType(type),
        digits(type, sourceType),
        nullable,
        { ...semanticType, labels: undefined },
      ]),
    ),
    keyColumns.map((i) => JSON.stringify(columns[i]!.name)).join(),
  ].join();
}

/** Of TIMESTAMP as it is declared, since its text may have as many. */
function digits(type: DataType, sourceType: string): number | string | undefined {
  if (type.kind === 'TIMESTAMP' && sourceType.startsWith('timestamp')) return sourceType;
  return type.kind === 'TIME' || type.kind === 'TIMESTAMP' ? type.digits : undefined;
}
