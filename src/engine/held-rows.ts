// The rows of captured tables, read for the connector that writes them (connect/held-rows.ts).
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import type { HeldName, HeldRowsPage, HeldRowsRequest } from '../connect/held-rows.js';
import { isSideTable } from '../core/names.js';
import { isBeingCreated } from '../projector/build.js';
import { claimKind, type Claim } from '../projector/captured-definitions.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import type { TopicForm, TopicRows } from './topic-rows.js';

export interface HeldRowsParts {
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly state: StateWriter;
}

/** Everything that a connector has captured, with or without a table. */
export function heldTables({ catalog, state }: HeldRowsParts, connector: string): readonly HeldName[] {
  const claims = state.documents(claimKind).map(({ json }) => JSON.parse(json) as Claim);
  const captured = catalog.all().flatMap((entry) => (entry.captured === null ? [] : [entry.captured]));
  const own = [...captured, ...claims].filter((each) => each.connector === connector && !isSideTable(each.table));
  // One that was captured with a table, and now is to its topic only, has both.
  return [...new Set(own.map(({ table }) => table))].map((name) => ({
    name,
    schema: tableEntry(catalog, connector, name)?.schema,
    stopped: (tableEntry(catalog, connector, name)?.failed ?? null) !== null,
  }));
}

export function heldEntry(catalog: Catalog, connector: string, table: string): SourceEntry | undefined {
  const entry = tableEntry(catalog, connector, table);
  return entry?.failed === null ? entry : undefined;
}

function tableEntry(catalog: Catalog, connector: string, table: string): SourceEntry | undefined {
  const entry = catalog.all().find(({ captured }) => captured?.connector === connector && captured.table === table);
  return entry?.sourceKind === 'table' ? entry : undefined;
}

/** A table that is being filled from its topic does not have all rows of it yet. */
export async function heldRows(
  parts: HeldRowsParts & { readonly topicRows: TopicRows },
  request: HeldRowsRequest,
): Promise<HeldRowsPage> {
  const { catalog, runtime, state, topicRows } = parts;
  const { connector, table, after, limit } = request;
  const any = tableEntry(catalog, connector, table);
  const isWhole = any !== undefined && !isBeingCreated(state, any.name);
  if (!isWhole || topicRows.isReading(request)) return topicRows.page(request, topicForm(parts, connector, table));
  const entry = heldEntry(catalog, connector, table);
  if (entry === undefined) return null;
  // From another thread a Buffer comes as the array that it is.
  const key = after?.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part)) ?? null;
  const rows = runtime.table(entry.name).writer.scan(key, limit, true);
  return { schema: entry.schema, rows: rows.map(({ row }) => row) };
}

function topicForm({ catalog, state }: HeldRowsParts, connector: string, table: string): TopicForm | undefined {
  const entry = tableEntry(catalog, connector, table);
  if (entry?.captured) {
    const { schema, properties, captured } = entry;
    return { topic: properties.topic, form: { schema, properties, captured } };
  }
  for (const { name, json } of state.documents(claimKind)) {
    const claim = JSON.parse(json) as Claim;
    if (claim.connector !== connector || claim.table !== table) continue;
    return claim.form && { topic: name, form: claim.form };
  }
  return undefined;
}
