// The rows of captured tables, read for the connector that writes them (connect/held-rows.ts).
import type { Catalog } from '../catalog/catalog.js';
import type { HeldRowsPage, HeldRowsRequest } from '../connect/held-rows.js';
import { claimKind, type Claim } from '../projector/captured-definitions.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';

export interface HeldRowsParts {
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly state: StateWriter;
}

/** `database.table` of everything that a connector has captured, with or without a table. */
export function heldTables({ catalog, state }: HeldRowsParts, connector: string): readonly string[] {
  const claims = state.documents(claimKind).map(({ json }) => JSON.parse(json) as Claim);
  const captured = catalog.all().flatMap((entry) => (entry.captured === null ? [] : [entry.captured]));
  const own = [...captured, ...claims].filter((each) => each.connector === connector);
  // One that was captured with a table, and now is to its topic only, has both.
  return [...new Set(own.map(({ table }) => table))];
}

export function heldRows(
  { catalog, runtime }: HeldRowsParts,
  { connector, table, after, limit }: HeldRowsRequest,
): HeldRowsPage {
  const entry = catalog.all().find(({ captured }) => captured?.connector === connector && captured.table === table);
  if (entry?.sourceKind !== 'table' || entry.failed !== null) return null;
  // From another thread a Buffer comes as the array that it is.
  const key = after?.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part)) ?? null;
  const rows = runtime.table(entry.name).writer.scan(key, limit);
  return { schema: entry.schema, rows: rows.map(({ row }) => row) };
}
