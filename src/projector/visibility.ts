// When a derived stream or table may be read: its own filling is over and everything that it reads may be read. So the tables of one
// first snapshot and all that is derived from them appear with one append. One that has come to stand still before stays hidden: it holds
// a part of its rows, or those of a part of the snapshot. A rebuild makes it whole, and shows it.
import type { Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { querySources } from './query-sources.js';

export function refreshVisibility(catalog: Catalog, building: ReadonlySet<string>, show: (name: string) => void): void {
  // In creation order a query comes behind everything it reads.
  for (const query of catalog.queries()) {
    const sink = catalog.find(query.sink);
    if (!sink || sink.visible || query.state.kind !== 'running' || building.has(nameKey(query.sink))) continue;
    const ready = querySources(catalog, query).every((source) => catalog.find(source)?.visible === true);
    if (ready) show(query.sink);
  }
}
