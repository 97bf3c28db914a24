// The engine's face of the store, over the database that the embedded log shares: tables, operator state, feed, documents and frontier
// in one transaction. What is kept in memory (row counts, names, the frontier) follows the transaction: a rollback reads it again.
import { systemClock, type Clock } from '../../core/clock.js';
import { assert, type AppError, unreachable } from '../../core/errors.js';
import { failpoint } from '../../core/failpoint.js';
import type { RowSchema } from '../../core/data-type.js';
import type { KeyedState, KeyedStateSpec } from '../../core/keyed-state.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { storageError } from '../../sqlite/storage-error.js';
import type {
  Frontier,
  Holding,
  Lookup,
  RowChange,
  StateWriter,
  TableComparison,
  TableSpec,
  TableWriter,
} from '../state-store.js';
import { FeedWriter } from './feed-writer.js';
import { FrontierRow } from './frontier.js';
import { dropKeyedTable, openKeyedTable, stateTable } from './keyed-table.js';
import { createStoreTables } from './store-tables.js';
import { LookupIndexes } from './lookup-indexes.js';
import { printSchema, readDocument, readDocuments, readTable, readVisible } from './table-catalogue.js';
import { SqliteTableComparison } from './table-comparison.js';
import {
  alteredColumns,
  columnsMax,
  physicalName,
  quote,
  sumColumn,
  TableLayout,
  viewName,
  viewNames,
} from './table-layout.js';
import { SqliteTableWriter, type PhysicalTable } from './table-writer.js';

export interface StateStoreOptions {
  /** Of the log's epoch now. */
  readonly logId: string;
  readonly clock?: Clock | undefined;
}

export class SqliteStateStore implements StateWriter {
  readonly #database: SqliteDatabase;
  readonly #frontier: FrontierRow;
  readonly #feed: FeedWriter;
  readonly #lookups: LookupIndexes;
  /** Kept for the life of the process: a handle may outlive a drop that is rolled back. */
  readonly #physical = new Map<string, PhysicalTable>();
  readonly #touched = new Set<PhysicalTable>();
  /** The form of rows fed under a name: of the readable version, else of the newest handle. */
  readonly #feeds = new Map<string, ReturnType<FeedWriter['feedOf']>>();
  readonly #specs = new Map<string, TableSpec>();
  #catalogChanged = false;
  #failure: AppError | undefined;

  constructor(database: SqliteDatabase, options: StateStoreOptions) {
    createStoreTables(database);
    const clock = options.clock ?? systemClock;
    this.#database = database;
    this.#frontier = new FrontierRow(database, options.logId);
    this.#feed = new FeedWriter(database, this.#frontier, () => clock.nowMs());
    this.#lookups = new LookupIndexes(database);
    database.onTransactionEnd({ rollback: () => this.#reload() });
  }

  get frontier(): Frontier {
    return this.#frontier.frontier;
  }

  transaction<T>(work: () => T, reached: Frontier = this.frontier): T {
    assert(!this.#database.inTransaction, 'transactions of the store do not nest');
    if (this.#failure) throw this.#failure;
    try {
      return this.#database.transaction(() => {
        const result = work();
        this.#writeWhatFollows(reached);
        return result;
      });
    } catch (error) {
      throw storageError(error, this.#database.path);
    }
  }

  fail(error: AppError): void {
    this.#failure = error;
  }

  #writeWhatFollows(frontier: Frontier): void {
    this.#feed.flush(frontier.seq);
    for (const table of this.#touched) {
      this.#database
        .statement('UPDATE wt_table SET row_count = ? WHERE id = ? AND version = ?')
        .run(table.rowCount, table.id, table.version);
    }
    this.#touched.clear();
    this.#frontier.write(frontier, this.#catalogChanged);
    this.#catalogChanged = false;
  }

  #reload(): void {
    this.#frontier.reload();
    this.#feed.rollback();
    this.#feeds.clear();
    this.#catalogChanged = false;
    this.#touched.clear();
    for (const table of this.#physical.values())
      table.rowCount = readTable(this.#database, table.id, table.version)?.rowCount ?? 0;
  }

  // Tables.

  createTable(spec: TableSpec): TableWriter {
    this.#assertOpen();
    const layout = new TableLayout(spec);
    this.#database.exec(layout.createSql);
    this.#lookups.create(layout);
    this.#database
      .statement('INSERT INTO wt_table (id, version, name, schema, visible, row_count) VALUES (?, ?, ?, ?, 0, 0)')
      .run(spec.id, spec.version, spec.name, printSchema(spec));
    this.#namesChanged();
    return this.openTable(spec);
  }

  openTable(spec: TableSpec): TableWriter {
    const stored = readTable(this.#database, spec.id, spec.version);
    assert(stored !== undefined, `table ${physicalName(spec)} exists`);
    const name = physicalName(spec);
    let physical = this.#physical.get(name);
    if (physical === undefined) {
      physical = { id: spec.id, version: spec.version, rowCount: stored.rowCount };
      this.#physical.set(name, physical);
    }
    // A captured table that a statement takes over keeps its rows under the new name.
    if (stored.name !== spec.name && this.#database.inTransaction) this.#describe(spec);
    this.#specs.set(spec.name, spec);
    this.#feeds.delete(spec.name);
    return new SqliteTableWriter(this.#database, spec, physical, this.#touched);
  }

  alterTable(spec: TableSpec, schema: RowSchema): TableSpec {
    this.#assertOpen();
    const there = this.#database.prepare('SELECT name FROM pragma_table_info(?)').all(physicalName(spec));
    const { stored, additions } = alteredColumns(
      spec,
      schema,
      there.map(([name]) => String(name)),
    );
    // The rows' checksums make room for what the application has.
    if (there.length + additions.length > columnsMax && there.some(([name]) => name === sumColumn))
      this.#database.exec(`ALTER TABLE ${physicalName(spec)} DROP COLUMN ${sumColumn}`);
    for (const addition of additions) this.#database.exec(addition);
    const altered: TableSpec = { ...spec, schema, stored };
    this.#describe(altered);
    this.#specs.set(spec.name, altered);
    this.#lookups.alter(new TableLayout(altered));
    return altered;
  }

  dropTable({ id, version }: { readonly id: number; readonly version: number }): void {
    this.#assertOpen();
    const stored = readTable(this.#database, id, version);
    if (stored === undefined) return;
    const name = physicalName({ id, version });
    if (stored.visible) this.#dropView(stored.name);
    this.#database.exec(`DROP TABLE ${name}`);
    this.#database.statement('DELETE FROM wt_table WHERE id = ? AND version = ?').run(id, version);
    const others = this.#database.statement('SELECT 1 FROM wt_table WHERE id = ?').get(id);
    if (others === undefined) {
      this.#feed.forget(id);
      this.#lookups.forget(id);
    }
    const physical = this.#physical.get(name);
    if (physical !== undefined) {
      physical.rowCount = 0;
      this.#touched.delete(physical);
    }
    this.#namesChanged();
  }

  setLookups({ id }: { readonly id: number }, lookups: readonly Lookup[]): void {
    this.#assertOpen();
    this.#lookups.set(id, lookups);
  }

  lookups({ id }: { readonly id: number }): readonly Lookup[] {
    return this.#lookups.of(id);
  }

  compareTables(one: TableSpec, other: TableSpec): TableComparison {
    return new SqliteTableComparison(this.#database, one, other);
  }

  disown({ id, version }: { readonly id: number; readonly version: number }): void {
    this.#assertOpen();
    this.#database
      .statement("UPDATE wt_table SET name = '', visible = 0 WHERE id = ? AND version = ?")
      .run(id, version);
    this.#namesChanged();
  }

  publish(spec: TableSpec): void {
    this.#assertOpen();
    const stored = readTable(this.#database, spec.id, spec.version);
    if (stored?.visible === true) this.#dropView(stored.name);
    this.unpublish(spec.name);
    this.#describe(spec);
    this.#database.statement('UPDATE wt_table SET visible = 1 WHERE id = ? AND version = ?').run(spec.id, spec.version);
    this.#database.exec(new TableLayout(spec).viewSql(viewName(spec.name)));
    this.#specs.set(spec.name, spec);
    this.#feed.start(spec.id);
    this.#namesChanged();
  }

  unpublish(name: string): void {
    this.#assertOpen();
    this.#database.statement('UPDATE wt_table SET visible = 0 WHERE name = ?').run(name);
    this.#dropView(name);
    this.#namesChanged();
  }

  stop({ id, version }: TableSpec, { seq, commitTimeUs, commitTimesUs, positions }: Frontier): void {
    this.#assertOpen();
    // Without the log's id: a new epoch of the log takes all rows over, those of tables that stand still too.
    this.#database
      .statement('UPDATE wt_table SET stopped = ? WHERE id = ? AND version = ?')
      .run(JSON.stringify({ seq, commitTimeUs, commitTimesUs, positions }), id, version);
    this.#catalogChanged = true;
  }

  goOn({ id, version }: TableSpec): void {
    this.#assertOpen();
    this.#database.statement('UPDATE wt_table SET stopped = NULL WHERE id = ? AND version = ?').run(id, version);
    this.#catalogChanged = true;
  }

  #dropView(name: string): void {
    for (const view of viewNames(name)) {
      const found = this.#database
        .statement("SELECT name FROM sqlite_schema WHERE type = 'view' AND name = ? COLLATE NOCASE")
        .get(view);
      if (found !== undefined) this.#database.exec(`DROP VIEW ${quote(view)}`);
    }
  }

  /** Name and schema as the catalogue of the caller has them. */
  #describe(spec: TableSpec): void {
    this.#database
      .statement('UPDATE wt_table SET name = ?, schema = ? WHERE id = ? AND version = ?')
      .run(spec.name, printSchema(spec), spec.id, spec.version);
    this.#namesChanged();
  }

  #namesChanged(): void {
    this.#catalogChanged = true;
    this.#feeds.clear();
  }

  physicalTables(): readonly { readonly id: number; readonly version: number }[] {
    const rows = this.#database.statement('SELECT id, version FROM wt_table ORDER BY id, version').all();
    return rows.map(([id, version]) => ({ id: Number(id), version: Number(version) }));
  }

  holdings(): readonly Holding[] {
    const states = this.#database.statement('SELECT name FROM wt_keyed_state ORDER BY id').all();
    return [
      ...states.map(([name]): Holding => ({ kind: 'state', name: String(name) })),
      ...this.#feed.tableIds().map((id): Holding => ({ kind: 'feed', id })),
      ...this.physicalTables().map((table): Holding => ({ kind: 'table', ...table })),
    ];
  }

  remove(holding: Holding, rows: number): void {
    this.#assertOpen();
    switch (holding.kind) {
      case 'feed':
        return this.#feed.removeSome(holding.id, rows);
      case 'table':
        if (!this.#deleteSome(physicalName(holding), rows)) this.dropTable(holding);
        return;
      case 'state': {
        const stored = this.#database.statement('SELECT id FROM wt_keyed_state WHERE name = ?').get(holding.name);
        if (stored !== undefined && !this.#deleteSome(stateTable(Number(stored[0])), rows))
          this.dropState(holding.name);
        return;
      }
      default:
        unreachable(holding);
    }
  }

  /** True: there may be more. */
  #deleteSome(table: string, rows: number): boolean {
    return this.#database.prepare(`DELETE FROM ${table} LIMIT ?`).run(rows).changes === rows;
  }

  // Operator state.

  openState(spec: KeyedStateSpec): KeyedState {
    return this.#database.transaction(() => openKeyedTable(this.#database, spec));
  }

  dropState(name: string): void {
    this.#assertOpen();
    dropKeyedTable(this.#database, name);
  }

  // The change feed.

  feed(table: string, change: RowChange): void {
    let feed = this.#feeds.get(table);
    if (feed === undefined) {
      this.#assertOpen();
      this.#feeds.set(table, (feed = this.#feed.feedOf(this.#fedSpec(table))));
    }
    this.#feed.add(feed, change);
  }

  feedRebuilt(table: string, seq: number): void {
    this.#assertOpen();
    this.#feed.addRebuilt(this.#fedSpec(table).id, seq);
  }

  feedSchema({ id, schema }: TableSpec, seq: number): void {
    this.#assertOpen();
    this.#feed.addSchema(id, schema.columns, seq);
  }

  #fedSpec(name: string): TableSpec {
    const spec = this.#specs.get(name);
    assert(spec !== undefined, `table ${name} is open while its changes are fed`);
    const visible = readVisible(this.#database, name);
    if (visible === undefined || visible.id === spec.id) return spec;
    return { ...spec, ...visible };
  }

  get feedBytes(): number {
    return this.#frontier.feedBytes;
  }

  feedDebt(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): number {
    return this.#feed.debt(keep, nowMs);
  }

  pruneFeed(keep: { readonly ms: number; readonly bytes: number }, nowMs: number): boolean {
    if (this.#feed.debt(keep, nowMs) === 0) return false;
    return this.transaction(() => {
      const more = this.#feed.prune(keep, nowMs);
      failpoint('upkeep-before-commit');
      return more;
    });
  }

  // Documents.

  getDocument(kind: string, name: string): string | undefined {
    return readDocument(this.#database, kind, name);
  }

  putDocument(kind: string, name: string, json: string): void {
    this.#assertOpen();
    this.#database
      .statement('INSERT OR REPLACE INTO wt_document (kind, name, json) VALUES (?, ?, ?)')
      .run(kind, name, json);
  }

  deleteDocument(kind: string, name: string): void {
    this.#assertOpen();
    this.#database.statement('DELETE FROM wt_document WHERE kind = ? AND name = ?').run(kind, name);
  }

  documents(kind: string): readonly { readonly name: string; readonly json: string }[] {
    return readDocuments(this.#database, kind);
  }

  /** The database stays open: it is the caller's. */
  close(): void {
    assert(!this.#database.inTransaction, 'the store is closed between transactions');
  }

  #assertOpen(): void {
    assert(this.#database.inTransaction, 'the store is written inside a transaction');
  }
}

/** The store in `database`, which is created empty where there is none. One per file and process. */
export function openStateStore(database: SqliteDatabase, options: StateStoreOptions): StateWriter {
  return new SqliteStateStore(database, options);
}
