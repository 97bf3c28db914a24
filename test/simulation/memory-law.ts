// Every transaction of the store begins with memory as the store holds it: definitions, and builds as far as they have come. What a
// rollback took back and memory kept would be written by the next transaction as if it had happened.
import { Catalog } from '../../src/catalog/catalog.js';
import { Builder } from '../../src/projector/builder.js';
import { SqliteStateStore } from '../../src/store/sqlite/state-store.js';

interface Held {
  catalog?: Catalog;
  builder?: Builder;
}

/** Gives what takes it back. */
export function plantMemoryLaw(breach: (text: string) => void): () => void {
  const held = new WeakMap<object, Held>();
  /** Of whom the store that is being read is. */
  let reading: Held | undefined;
  const catalogs = Catalog.prototype as { reload: () => void };
  const builders = Builder.prototype as { load: () => void };
  const stores = SqliteStateStore.prototype as unknown as {
    transaction: (work: () => unknown, ...rest: unknown[]) => unknown;
    documents: (kind: string) => unknown;
  };
  const { reload } = catalogs;
  const { load } = builders;
  const { transaction, documents } = stores;
  const read = (parts: Held, work: () => void): void => {
    reading = parts;
    try {
      work();
    } finally {
      reading = undefined;
    }
  };
  catalogs.reload = function (this: Catalog) {
    read({ catalog: this }, () => reload.call(this));
  };
  builders.load = function (this: Builder) {
    read({ builder: this }, () => load.call(this));
  };
  stores.documents = function (this: SqliteStateStore, kind: string) {
    if (reading) held.set(this, { ...held.get(this), ...reading });
    return documents.call(this, kind);
  };
  stores.transaction = function (this: SqliteStateStore, work: () => unknown, ...rest: unknown[]) {
    const { catalog, builder } = held.get(this) ?? {};
    const checked = (): unknown => {
      if (catalog) compare('source', JSON.stringify(named(catalog.all())), stored(this, 'source'));
      if (catalog) compare('query', JSON.stringify(catalog.queries().map(({ id }) => id)), ids(this));
      if (builder) compareBuilds(builder, this);
      return work();
    };
    return transaction.call(this, checked, ...rest);
  };
  const compare = (kind: string, memory: string, store: string): void => {
    if (memory !== store) breach(`a transaction begins with ${kind} ${memory} in memory, the store holds ${store}`);
  };
  const compareBuilds = (builder: Builder, store: SqliteStateStore): void => {
    for (const { json } of store.documents('build')) {
      const { table, rows } = JSON.parse(json) as { table: string; rows: number };
      if (!builder.isBuilding(table))
        breach(`a transaction begins without the build of ${table}, which the store holds`);
      const told = builder.progress().find((progress) => progress.table === table && progress.state !== 'failed');
      if (told !== undefined && told.state !== 'done' && told.rows !== rows)
        breach(`a transaction begins with ${told.rows} rows of the build of ${table}, the store holds ${rows}`);
    }
  };
  return () => {
    catalogs.reload = reload;
    builders.load = load;
    stores.transaction = transaction;
    stores.documents = documents;
  };
}

interface Entry {
  readonly name: string;
  readonly visible: boolean;
  readonly failed: unknown;
  readonly table: unknown;
}

function named(entries: readonly Entry[]): readonly unknown[] {
  return entries.map(({ name, visible, failed, table }) => ({ name, visible, failed, table })).toSorted(byName);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function stored(store: SqliteStateStore, kind: string): string {
  return JSON.stringify(named(store.documents(kind).map(({ json }) => JSON.parse(json) as Entry)));
}

function ids(store: SqliteStateStore): string {
  const queries = store.documents('query').map(({ json }) => JSON.parse(json) as { id: string; number: number });
  return JSON.stringify(queries.toSorted((a, b) => a.number - b.number).map(({ id }) => id));
}
