// Versions of tables that nothing owns any more: with the operator states of their queries: emptied step by step and then dropped, because dropping a million rows at once would
// stop the engine.
import type { Catalog } from '../catalog/catalog.js';
import { failpoint } from '../core/failpoint.js';
import type { StateWriter, TableSpec } from '../store/state-store.js';

const rowsPerStep = 1000;

export class VersionGarbage {
  readonly #state: StateWriter;
  #specs: TableSpec[] = [];
  #states: string[] = [];

  constructor(state: StateWriter) {
    this.#state = state;
  }

  get waiting(): boolean {
    return this.#specs.length > 0 || this.#states.length > 0;
  }

  add(spec: TableSpec | undefined, stateNames: readonly string[] | undefined): void {
    if (spec) this.#specs.push(spec);
    if (stateNames) this.#states.push(...stateNames);
  }

  /** At start: drops what a crash left without an owner. */
  collect(catalog: Catalog, building: readonly { readonly id: number; readonly version: number }[]): void {
    const owned = new Set(building.map(({ id, version }) => `${id}_${version}`));
    for (const { table } of catalog.all()) if (table) owned.add(`${table.id}_${table.version}`);
    for (const { id, version } of this.#state.physicalTables()) {
      if (owned.has(`${id}_${version}`)) continue;
      const spec = { id, version, name: '', schema: { columns: [], keyColumns: [] } };
      this.#state.transaction(() => this.#state.dropTable(spec));
    }
  }

  /** One step; false when there is nothing to do. */
  sweep(): boolean {
    failpoint('rebuild-before-drop');
    const name = this.#states.pop();
    if (name !== undefined) {
      this.#state.transaction(() => this.#state.dropState(name));
      return true;
    }
    const spec = this.#specs[0];
    if (!spec) return false;
    this.#state.transaction(() => {
      const writer = this.#state.openTable(spec);
      const rows = writer.scan(null, rowsPerStep);
      for (const { row } of rows) writer.delete(spec.schema.keyColumns.map((i) => row[i]!));
      if (rows.length > 0) return;
      this.#state.dropTable(spec);
      this.#specs = this.#specs.slice(1);
    });
    return true;
  }
}
