// What lies in the store without an owner: versions of tables, operator states of queries, feeds of tables that are gone. A crash, a
// failed build or a swap leaves it; nothing writes down what, because everything that has an owner is in the catalogue and in the
// documents of builds, and the rest is garbage. So nothing can be forgotten. It is emptied step by step before it is dropped: a million
// rows at once would stop the engine.
import type { Catalog } from '../catalog/catalog.js';
import type { Chore } from '../core/chore.js';
import { failpoint } from '../core/failpoint.js';
import type { Holding, StateWriter } from '../store/state-store.js';
import { loadBuilds } from './build.js';
import { stateOwner } from './compile-query.js';
import { suspectState } from './version-comparison.js';

/** A few ms. */
const rowsPerStep = 1000;
/** Small: only space is lost meanwhile. */
const debtOfSome = 0.025;

export class Garbage implements Chore {
  readonly name = 'garbage';
  readonly #state: StateWriter;
  readonly #catalog: Catalog;
  /** At start a crash may have left something. */
  #maybe = true;

  constructor(state: StateWriter, catalog: Catalog) {
    this.#state = state;
    this.#catalog = catalog;
  }

  /** Something may lose its owner with the open transaction. */
  note(): void {
    this.#maybe = true;
  }

  debt(): number {
    return this.#maybe ? debtOfSome : 0;
  }

  step(): void {
    const holding = this.#ownerless();
    if (holding === undefined) {
      this.#maybe = false;
      return;
    }
    failpoint('rebuild-before-drop');
    this.#state.transaction(() => {
      this.#state.remove(holding, rowsPerStep);
      failpoint('upkeep-before-commit');
    });
  }

  /** States come before tables: the number of a version is given again when its table is gone. */
  #ownerless(): Holding | undefined {
    const { tableIds, tables, states } = this.#owned();
    return this.#state.holdings().find((holding) => {
      switch (holding.kind) {
        case 'state':
          return !states.has(holding.name) && !states.has(stateOwner(holding.name));
        case 'feed':
          return !tableIds.has(holding.id);
        default:
          return !tables.has(`${holding.id}v${holding.version}`);
      }
    });
  }

  #owned() {
    const tables = new Set<string>();
    const tableIds = new Set<number>();
    const states = new Set<string>();
    const own = (name: string, version: number) => {
      const entry = this.#catalog.find(name);
      if (entry === undefined) return;
      if (entry.table !== null) {
        tables.add(`${entry.table.id}v${version}`);
        tableIds.add(entry.table.id);
      }
      const query = entry.writtenBy === null ? undefined : this.#catalog.query(entry.writtenBy);
      if (query !== undefined) states.add(`q${query.number}v${version}`);
    };
    for (const { name, table } of this.#catalog.all()) own(name, table?.version ?? 1);
    for (const { table, version } of loadBuilds(this.#state)) {
      own(table, version);
      const id = this.#catalog.find(table)?.table?.id;
      if (id !== undefined) states.add(suspectState({ id, version }));
    }
    return { tables, tableIds, states };
  }
}
