// Which connectors stand behind each table, through however many queries, told to whoever judges how fresh rows are: at the start, and
// soon after the catalogue has changed. Many changes in a row, as when the tables of a first snapshot are made, are told as one.
import type { Catalog, QueryEntry } from '../catalog/catalog.js';
import type { TableSources } from '../connect/source-freshness.js';
import { nameKey } from '../core/names.js';

const delayMs = 50;

export interface TableSourcesEnv {
  readonly catalog: Catalog;
  readonly sourcesOf: (query: QueryEntry) => readonly string[];
  readonly tell: (tables: readonly TableSources[]) => void;
}

/** A table, with all that is behind it through queries. */
interface Behind {
  readonly connectors: Set<string>;
  awaitsSnapshot: boolean;
  isReadAgain: boolean;
}

export class TableSourcesTeller {
  readonly #env: TableSourcesEnv;
  /** An entry stands as long as its query is what it is. */
  readonly #sources = new WeakMap<QueryEntry, readonly string[]>();
  #told = -1;
  #toldReadAgain = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(env: TableSourcesEnv) {
    this.#env = env;
  }

  /** A commit may have changed the catalogue. */
  committed(): void {
    if (this.#env.catalog.version === this.#told) return;
    // Rows that are read again must not be called current for another moment.
    if (this.#readAgain() !== this.#toldReadAgain) return this.tell();
    // Unref: what is not told yet holds nobody.
    this.#timer ??= setTimeout(() => this.tell(), delayMs).unref();
  }

  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = this.#env.catalog.version;
    this.#toldReadAgain = this.#readAgain();
    this.#env.tell(this.#tables());
  }

  #readAgain(): string {
    const all = this.#env.catalog.all().filter(({ captured }) => captured?.reconciling !== undefined);
    return all.map(({ name }) => name).join('\n');
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #tables(): readonly TableSources[] {
    const { catalog } = this.#env;
    const writers = new Map<string, QueryEntry[]>();
    for (const query of catalog.queries()) {
      const key = nameKey(query.sink);
      writers.set(key, [...(writers.get(key) ?? []), query]);
    }
    const known = new Map<string, Behind>();
    const behind = (name: string): Behind => {
      const key = nameKey(name);
      const found = known.get(key);
      if (found) return found;
      const captured = catalog.find(name)?.captured;
      const all: Behind = {
        connectors: new Set(captured ? [captured.connector] : []),
        awaitsSnapshot: captured?.awaitsSnapshot === true,
        isReadAgain: captured?.reconciling !== undefined,
      };
      // Queries read what was there before them, so there is no circle; should one be made, it ends here.
      known.set(key, all);
      for (const source of (writers.get(key) ?? []).flatMap((query) => this.#sourcesOf(query))) {
        const { connectors, awaitsSnapshot, isReadAgain } = behind(source);
        for (const each of connectors) all.connectors.add(each);
        all.awaitsSnapshot ||= awaitsSnapshot;
        all.isReadAgain ||= isReadAgain;
      }
      return all;
    };
    return catalog.all().flatMap(({ name, table }) => {
      if (table === null) return [];
      const { connectors, awaitsSnapshot, isReadAgain } = behind(name);
      return [{ id: table.id, name, connectors: [...connectors], awaitsSnapshot, isReadAgain }];
    });
  }

  #sourcesOf(query: QueryEntry): readonly string[] {
    let sources = this.#sources.get(query);
    if (!sources) this.#sources.set(query, (sources = this.#env.sourcesOf(query)));
    return sources;
  }
}
