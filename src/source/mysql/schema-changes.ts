// Statements about tables and databases that match the filters, for a topic of their own. Each is told in the append of the statement, at
// its place, and counted among what stands in the append, so that it is passed over when the append comes again. The text is that of the
// binlog. What a statement makes of a table is not derived from it: the server is asked before the statement is read, so a table is told as
// it is at that moment, and a later statement may have been at it. That one comes with its own look, so the last of them is always right.
import { splitName } from '../../core/table-name.js';
import type { SchemaChange, SideRecords, SourceContext, TableChange } from '../source-connector.js';
import { clientCollationOf, parseQuery, queryBytes, wholeText, type QueryEvent } from './binlog-event.js';
import type { CapturedTables } from './captured-tables.js';
import { toUtf8 } from './charset.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { Session } from './connection.js';
import { describeTables } from './described-tables.js';
import type { FileOffset } from './position.js';
import { schemaStatement, type NamedTable, type SchemaStatement } from './schema-statement.js';
import type { Server } from './server.js';
import { classify } from './statement.js';
import type { TableName } from './statement-words.js';
import { isTableStatement } from './table-knowledge.js';
import type { Collations } from './table-map.js';
import { createStatement, tableName, type TableSchema } from './table-schema.js';

export interface SchemaChangesOptions {
  readonly write: NonNullable<SideRecords['schemaChange']>;
  readonly context: Pick<SourceContext, 'chunks'>;
  readonly captured: CapturedTables;
  readonly columns: Pick<ColumnKnowledge, 'charsets'>;
  readonly collations: Collations;
  readonly session: Session;
  readonly server: Server;
}

/** The append that statements are written to. */
interface OpenAppend {
  /** So many of what stands in it are handed over already. */
  readonly rowsToPassOver: number;
  counted(records: number): void;
}

type Named = Omit<NamedTable, 'table'> & { readonly database: string; readonly table: string };

export class SchemaChanges {
  readonly #options: SchemaChangesOptions;
  /** Of the statement at hand, once it was looked at. */
  #found: readonly SchemaChange[] | undefined;
  readonly #first: SchemaChange[] = [];

  constructor(options: SchemaChangesOptions) {
    this.#options = options;
  }

  /** `look` has to be called before the statement is read. */
  waits(query: QueryEvent): boolean {
    return this.#found === undefined && schemaStatement(wholeText(query)) !== undefined;
  }

  async look(event: Buffer): Promise<void> {
    const { database } = parseQuery(event);
    const ddl = await this.#textOf(event);
    const statement = schemaStatement(ddl);
    this.#found = statement ? await this.#changesOf(statement, database, ddl) : [];
  }

  /** Writes what was found of the statement at hand; gives how many records that is. */
  write(append: OpenAppend): number {
    const found = this.#found ?? [];
    this.#found = undefined;
    for (const change of found) {
      if (append.rowsToPassOver === 0) this.#write(change);
      append.counted(1);
    }
    return found.length;
  }

  #write(change: SchemaChange): void {
    this.#options.write(change, this.#options.context.chunks.origin);
  }

  /** Tables that a first snapshot reads, each as the statement that would make it. Of one that is gone by now the stream tells. */
  async lookAtFirst(schemas: readonly TableSchema[]): Promise<void> {
    const { captured } = this.#options;
    const wanted = schemas.filter((schema) => !captured.known.isLeftOut(captured.known.fold(tableName(schema))));
    const described = await describeTables(this.#options.session, wanted);
    for (const schema of wanted) {
      const ddl = await createStatement(this.#options.session, schema);
      const now = described.get(tableName(schema));
      if (ddl === undefined || now === undefined) continue;
      const { database, table } = schema;
      this.#first.push({ database, tables: [table], ddl, changes: [{ type: 'CREATE', table, now }] });
    }
  }

  /** Writes those, in an append that is not ended. False: there is none. `at`: where the stream stands. */
  writeFirst(at: FileOffset | undefined): boolean {
    this.#options.context.chunks.origin.read('true', at);
    for (const change of this.#first) this.#write(change);
    return this.#first.splice(0).length > 0;
  }

  /** In the client's own character set, as the server logs it. */
  async #textOf(event: Buffer): Promise<string> {
    const { columns, collations, session, server } = this.#options;
    const bytes = queryBytes(event);
    const collation = clientCollationOf(event);
    const charset = (collation === undefined ? undefined : collations.byId.get(collation)?.charset) ?? 'utf8mb4';
    if (charset === 'utf8mb4' || charset === 'utf8mb3' || bytes.every((byte) => byte < 0x80)) return bytes.toString();
    const table = await columns.charsets.loadSet(session, server.version, charset);
    return toUtf8(bytes, charset, table, 'the text of a statement').toString();
  }

  async #changesOf(statement: SchemaStatement, database: string, ddl: string): Promise<readonly SchemaChange[]> {
    const { known, filter } = this.#options.captured;
    if (statement.kind === 'tables') {
      const named = statement.tables
        .map(({ table, becomes }): Named => ({ ...this.#place(table, database), becomes }))
        .filter((each) => filter.matches(each.database, each.table));
      const databases = [...new Set(named.map((each) => each.database))];
      return Promise.all(databases.map((each) => this.#ofTables(each, named, ddl)));
    }
    const name = known.fold(statement.database ?? database);
    if (!filter.matchesDatabase(name)) return [];
    const gone = statement.dropped ? this.#openIn(ddl, name) : [];
    const changes = gone.map((table): TableChange => ({ type: 'DROP', table, now: null }));
    return [{ database: name, tables: gone, ddl, changes }];
  }

  async #ofTables(database: string, all: readonly Named[], ddl: string): Promise<SchemaChange> {
    const named = all.filter((each) => each.database === database);
    const tables = [...new Set(named.map(({ table }) => table))];
    const changing = named.flatMap(({ table, becomes }) => {
      const type = becomes === 'create-unless' ? (this.#isThere(database, table) ? 'none' : 'CREATE') : becomes;
      return type === 'none' ? [] : [{ type, table }];
    });
    const looked = changing.filter(({ type }) => type !== 'DROP').map(({ table }) => ({ database, table }));
    const described = await describeTables(this.#options.session, looked);
    const changes = changing.map(({ type, table }): TableChange => {
      return { type, table, now: type === 'DROP' ? null : (described.get(tableName({ database, table })) ?? null) };
    });
    return { database, tables, ddl, changes };
  }

  #place(name: TableName, database: string): { readonly database: string; readonly table: string } {
    const { known } = this.#options.captured;
    return { database: known.fold(name.database ?? database), table: known.fold(name.table) };
  }

  #isThere(database: string, table: string): boolean {
    const { captured } = this.#options;
    const name = tableName({ database, table });
    return captured.byName(name) !== undefined || captured.known.isHeld(name);
  }

  /** Captured tables that go with a database. */
  #openIn(ddl: string, database: string): string[] {
    const statement = classify(ddl);
    if (!isTableStatement(statement)) return [];
    const { ended } = this.#options.captured.known.effectOf(statement, database);
    return ended.map((name) => splitName(name).table).toSorted();
  }
}
