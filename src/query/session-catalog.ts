// The catalogue as of a cut, for analysing a SELECT against exactly what it reads.
import type { CatalogView, SourceDefinition } from '../sql/plan.js';
import type { ReadSession } from '../store/state-store.js';

export interface CutSource extends SourceDefinition {
  readonly visible: boolean;
  readonly failed: unknown;
}

export function sessionCatalog(session: ReadSession): CatalogView & { find(name: string): CutSource | undefined } {
  const all = session.documents('source').map(({ json }) => JSON.parse(json) as CutSource);
  const byName = new Map(all.map((entry) => [entry.name.toUpperCase(), entry]));
  return { find: (name) => byName.get(name.toUpperCase()), all: () => all };
}
