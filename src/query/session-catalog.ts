// The catalogue as of a cut, for analysing a SELECT against exactly what it reads: entries are looked up by name, so that a read of one
// table costs the same however many there are, and parsed once for as long as their text stands, which a thread's reads share.
import { nameKey } from '../core/names.js';
import type { CatalogView, SourceDefinition } from '../sql/plan.js';
import type { ReadSession, StateReader } from '../store/state-store.js';

interface Parsed {
  readonly json: string;
  readonly source: SourceDefinition;
}

const caches = new WeakMap<StateReader, SourceCache>();

/** Of a thread's reader. */
export function sourceCacheOf(reader: StateReader): SourceCache {
  let cache = caches.get(reader);
  if (cache === undefined) caches.set(reader, (cache = new SourceCache()));
  return cache;
}

export class SourceCache {
  /** By the name of the document. A dropped one stays until its place is needed: it is compared with the store before it is used. */
  readonly #parsed = new Map<string, Parsed>();
  readonly #entriesMax: number;

  constructor(entriesMax = 2_000) {
    this.#entriesMax = entriesMax;
  }

  /** Usable until the session is closed. */
  view(session: ReadSession): CatalogView {
    return {
      find: (name) => {
        const key = nameKey(name);
        const json = session.document('source', key);
        return json === undefined ? undefined : this.#parse(key, json);
      },
      // Only a message about a name that is not there, and strict mode's search for another spelling, want them all.
      all: () => session.documents('source').map(({ name, json }) => this.#parse(name, json)),
    };
  }

  #parse(key: string, json: string): SourceDefinition {
    const known = this.#parsed.get(key);
    if (known?.json === json) return known.source;
    const source = JSON.parse(json) as SourceDefinition;
    if (known === undefined && this.#parsed.size >= this.#entriesMax) this.#parsed.clear();
    this.#parsed.set(key, { json, source });
    return source;
  }
}
