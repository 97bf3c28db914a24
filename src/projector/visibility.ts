// When a stream or table may be read, all in the engine's open transaction. A captured one may when its snapshot is complete; a derived
// one when its own filling is over and everything that it reads may be read. So the tables of one first snapshot and all that is derived
// from them appear with one append. One that has come to stand still before stays hidden: it holds a part of its rows, or those of a part
// of the snapshot. A rebuild makes it whole, and shows it.
import type { Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import { loadBuilds } from './build.js';
import { querySources } from './query-sources.js';

export class Visibility {
  readonly #state: StateWriter;
  readonly #catalog: Catalog;
  readonly #runtime: Runtime;

  constructor(state: StateWriter, catalog: Catalog, runtime: Runtime) {
    this.#state = state;
    this.#catalog = catalog;
    this.#runtime = runtime;
  }

  /** Makes it readable. */
  show(name: string): void {
    const catalog = this.#catalog;
    const entry = catalog.find(name)!;
    if (entry.visible) return;
    catalog.putSource({ ...entry, visible: true });
    if (entry.table === null) return;
    const node = this.#runtime.table(name);
    node.feeds = true;
    this.#state.publish(node.spec);
  }

  /** One that was being filled is complete. */
  created(name: string): void {
    // A derived one waits for its sources too, a captured one for its snapshot.
    const entry = this.#catalog.find(name)!;
    if (entry.writtenBy === null && entry.captured?.awaitsSnapshot !== true) this.show(name);
    this.refresh();
  }

  /** Derived ones appear with the last of their sources. */
  refresh(): void {
    const catalog = this.#catalog;
    const building = new Set(
      loadBuilds(this.#state)
        .filter(({ purpose }) => purpose === 'create')
        .map(({ table }) => nameKey(table)),
    );
    // In creation order a query comes behind everything it reads.
    for (const query of catalog.queries()) {
      const sink = catalog.find(query.sink);
      if (!sink || sink.visible || query.state.kind !== 'running' || building.has(nameKey(query.sink))) continue;
      const ready = querySources(catalog, query).every((source) => catalog.find(source)?.visible === true);
      if (ready) this.show(query.sink);
    }
  }
}
