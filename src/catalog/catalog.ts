// The durable definitions: streams and tables, and the queries that write them, each with its owner. Kept as documents of the
// store, so a definition changes in the same transaction as the rows it governs; in memory it is a map that is read back from the
// documents after a rollback. Schemas are stored, plans are not: a query's SQL is analysed again at start, in creation order,
// against the same definitions.
import { assert, type ErrorMessage } from '../core/errors.js';
import { nameKey } from '../core/names.js';
import type { RowSchema } from '../core/data-type.js';
import type { EnvelopeForm } from '../schema/formats/envelope.js';
import type { JsonSchemas } from '../schema/formats/connect-json.js';
import type { CatalogView, SourceDefinition } from '../sql/plan.js';
import type { StateWriter, TableSpec } from '../store/state-store.js';

export interface Owner {
  readonly kind: 'file' | 'flag' | 'api' | 'connector';
  /** The file's or the connector's name. */
  readonly name: string | null;
}

/** A stream or a table. */
export interface SourceEntry extends SourceDefinition {
  readonly owner: Owner;
  /** The statement that made it; null for a captured table that nobody declared. */
  readonly sql: string | null;
  /** The physical table; null for a stream. */
  readonly table: PhysicalTable | null;
  readonly captured: CapturedFrom | null;
  /** False until its first snapshot is complete (or its query has caught up with its sources). */
  readonly visible: boolean;
  /** Set when the table stands still: a record did not decode. */
  readonly failed: ErrorMessage | null;
  /** Ids of the registered schemas that a derived one's records are written with; null where the format has none. */
  readonly schemaIds: SchemaIds | null;
  /** Others write its topic: what they write enters the log by an import. Decided when it is declared. */
  readonly imported?: true | undefined;
  /** What a record without a usable TIMESTAMP column comes to: it stops the source; undefined: it is left out. */
  readonly invalidTimestamp?: 'fail' | undefined;
  /** Place in creation order; given by the catalogue. */
  readonly order?: number;
}

export interface PhysicalTable {
  readonly id: number;
  readonly version: number;
  /** Names of its columns in SQLite, when they were changed since it was made. */
  readonly stored?: readonly string[] | undefined;
}

export interface SchemaIds {
  readonly key: number | null;
  readonly value: number | null;
}

export interface CapturedFrom {
  readonly connector: string;
  /** `database.table` at the source. */
  readonly table: string;
  /** Its values carry `__deleted`; a row whose field is true is a delete. */
  readonly deletedField: boolean;
  /** Its values are Debezium's envelope; the row is its `after`. */
  readonly envelope?: EnvelopeForm | undefined;
  /** Keys of one column stand alone, or in an object like keys of several. */
  readonly keyShape: 'bare' | 'object';
  /** Its JSON has a schema in each record. */
  readonly schemas?: JsonSchemas | undefined;
  /** Its first snapshot is not complete yet. */
  readonly awaitsSnapshot: boolean;
  /** What the records of its topic were before; the newest last. */
  readonly generations?: readonly Generation[] | undefined;
  /** Its rows are read again from the source, for this reason. */
  readonly reconciling?: string | undefined;
  /** Its name at the source, which another table has here in other letters; a reader that writes it exactly so means this table. */
  readonly alias?: string | undefined;
}

/** Records of appends before `untilSeq`, and not of an earlier generation. */
export interface Generation {
  readonly untilSeq: number;
  /** Null: they had another key, and none of their rows has outlived it. */
  readonly schema: RowSchema | null;
}

export interface QueryEntry {
  /** `CTAS_NAME_n`, `CSAS_NAME_n` */
  readonly id: string;
  readonly sql: string;
  readonly sink: string;
  /** sql.strict when it was made: names mean what they meant then. */
  readonly strict: boolean;
  readonly owner: Owner;
  readonly state: QueryState;
  /** Place in creation order. */
  readonly number: number;
}

export type QueryState =
  | { readonly kind: 'running' }
  | { readonly kind: 'paused'; readonly atSeq: number }
  /** TERMINATE: the sink keeps its last rows and can only be dropped. */
  | { readonly kind: 'terminated'; readonly atSeq: number }
  /** `source`: the stream or table that it reads, directly or not, which stands still itself; when that goes on, so does the query. */
  | {
      readonly kind: 'failed';
      readonly atSeq: number;
      readonly error: ErrorMessage;
      readonly source?: string | undefined;
    };

interface Numbers {
  readonly nextTableId: number;
  readonly nextQueryNumber: number;
}

export class Catalog implements CatalogView {
  readonly #state: StateWriter;
  readonly #sources = new Map<string, SourceEntry>();
  readonly #queries = new Map<string, QueryEntry>();
  #version = 0;
  #numbers: Numbers = { nextTableId: 1, nextQueryNumber: 0 };

  constructor(state: StateWriter) {
    this.#state = state;
    this.#renameDocuments();
    this.reload();
  }

  /** Earlier versions folded some letters otherwise (`ß` to `SS`), and readers look an entry up by the key of its name. */
  #renameDocuments(): void {
    const old = this.#state.documents('source').flatMap(({ name, json }) => {
      const key = nameKey((JSON.parse(json) as SourceEntry).name);
      return key === name ? [] : [{ name, key, json }];
    });
    if (old.length === 0) return;
    this.#state.transaction(() => {
      for (const { name, key, json } of old) {
        this.#state.deleteDocument('source', name);
        this.#state.putDocument('source', key, json);
      }
    });
  }

  /** Another number whenever anything has changed since. */
  get version(): number {
    return this.#version;
  }

  /** Forgets what is in memory and reads the documents: after a rollback. */
  reload(): void {
    this.#version++;
    this.#sources.clear();
    this.#queries.clear();
    const sources = this.#state.documents('source').map(({ json }) => JSON.parse(json) as SourceEntry);
    for (const entry of sources.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0)))
      this.#sources.set(nameKey(entry.name), entry);
    const queries = this.#state.documents('query').map(({ json }) => JSON.parse(json) as QueryEntry);
    for (const entry of queries.toSorted((a, b) => a.number - b.number)) this.#queries.set(entry.id, entry);
    const numbers = this.#state.getDocument('catalog', 'numbers');
    this.#numbers = numbers === undefined ? { nextTableId: 1, nextQueryNumber: 0 } : (JSON.parse(numbers) as Numbers);
  }

  find(name: string): SourceEntry | undefined {
    return this.#sources.get(nameKey(name));
  }

  /** In creation order. */
  all(): readonly SourceEntry[] {
    return [...this.#sources.values()];
  }

  /** In creation order. */
  queries(): readonly QueryEntry[] {
    return [...this.#queries.values()];
  }

  query(id: string): QueryEntry | undefined {
    return this.#queries.get(id);
  }

  /** Adds or replaces by name. */
  putSource(entry: SourceEntry): void {
    const order = entry.order ?? Math.max(0, ...this.all().map((other) => other.order ?? 0)) + 1;
    this.#version++;
    const stored = { ...entry, order };
    this.#sources.set(nameKey(entry.name), stored);
    this.#state.putDocument('source', nameKey(entry.name), JSON.stringify(stored));
  }

  dropSource(name: string): void {
    this.#version++;
    assert(this.#sources.delete(nameKey(name)), `no stream or table ${name} to drop`);
    this.#state.deleteDocument('source', nameKey(name));
  }

  putQuery(entry: QueryEntry): void {
    this.#version++;
    this.#queries.set(entry.id, entry);
    this.#state.putDocument('query', entry.id, JSON.stringify(entry));
  }

  dropQuery(id: string): void {
    this.#version++;
    assert(this.#queries.delete(id), `no query ${id} to drop`);
    this.#state.deleteDocument('query', id);
  }

  nextTableId(): number {
    const id = this.#numbers.nextTableId;
    this.#putNumbers({ ...this.#numbers, nextTableId: id + 1 });
    return id;
  }

  nextQueryNumber(): number {
    const number = this.#numbers.nextQueryNumber;
    this.#putNumbers({ ...this.#numbers, nextQueryNumber: number + 1 });
    return number;
  }

  #putNumbers(numbers: Numbers): void {
    this.#numbers = numbers;
    this.#state.putDocument('catalog', 'numbers', JSON.stringify(numbers));
  }
}

/** The physical table of an entry; a stream has none. */
export function tableSpec(entry: SourceEntry, version = entry.table?.version): TableSpec {
  assert(entry.table && version !== undefined, `${entry.name} has no table`);
  const { id, stored } = entry.table;
  const alias = entry.captured?.alias;
  const spec = { id, version, name: entry.name, schema: entry.schema, ...(alias !== undefined && { alias }) };
  return stored && version === entry.table.version ? { ...spec, stored } : spec;
}
