// The catalogue as the earlier statements of a request will leave it, as far as names go.
import { type Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import type { CatalogView, SourceDefinition, Statement } from '../sql/plan.js';

export class PlannedCatalog implements CatalogView {
  readonly #under: Catalog;
  readonly #added = new Map<string, SourceDefinition>();
  readonly #dropped = new Set<string>();

  constructor(under: Catalog) {
    this.#under = under;
  }

  note(statement: Statement): void {
    if (statement.kind === 'create-source' || statement.kind === 'create-as') {
      const { name, sourceKind, schema, properties } = statement;
      this.#dropped.delete(nameKey(name));
      const writtenBy = statement.kind === 'create-as' ? name : null;
      const readOnly = statement.kind === 'create-source' && statement.readOnly;
      this.#added.set(nameKey(name), { name, sourceKind, schema, properties, writtenBy, readOnly });
    } else if (statement.kind === 'drop') {
      this.#added.delete(nameKey(statement.name));
      this.#dropped.add(nameKey(statement.name));
    }
  }

  find(name: string): SourceDefinition | undefined {
    const key = nameKey(name);
    return this.#added.get(key) ?? (this.#dropped.has(key) ? undefined : this.#under.find(name));
  }

  all(): readonly SourceDefinition[] {
    const under = this.#under
      .all()
      .filter((entry) => !this.#dropped.has(nameKey(entry.name)) && !this.#added.has(nameKey(entry.name)));
    return [...under, ...this.#added.values()];
  }
}
