// The rows of captured tables found by their values, for the connector that writes them (connect/held-rows.ts). The indexes for that are
// of this process alone and no part of the sequence: whoever leads next makes them when its connector asks.
import type { SourceEntry } from '../catalog/catalog.js';
import type { LookupDeclaration } from '../connect/held-rows.js';
import type { Row, Value } from '../core/data-type.js';
import type { HeldFound, HeldLookup, HeldPlace, HeldSearch } from '../source/source-connector.js';
import type { Lookup, StateWriter, TableWriter } from '../store/state-store.js';
import { heldTables, type HeldRowsParts } from './held-rows.js';

/** Documents of what a connector notes beside its look-ups. */
const notesKind = 'lookup-notes';

/** Between two turns of the engine's loop, where no transaction is open. */
export function declareLookups(parts: HeldRowsParts, { connector, lookups, notes }: LookupDeclaration): void {
  const { state } = parts;
  if (lookups.length === 0 && notes === (lookupNotes(state, connector) ?? '')) return;
  state.transaction(() => {
    for (const entry of capturedBy(parts, connector)) {
      const { table, captured } = entry;
      const own = lookups
        .filter((lookup) => lookup.table === captured!.table && fits(entry, lookup))
        .map(({ columns }) => ({ columns }));
      const there = state.lookups(table!);
      const isSame = there.length === own.length && own.every((lookup) => there.some((each) => same(each, lookup)));
      if (!isSame) state.setLookups(table!, own);
    }
    if (notes === '') state.deleteDocument(notesKind, connector);
    else state.putDocument(notesKind, connector, notes);
  });
}

export function lookupNotes(state: StateWriter, connector: string): string | null {
  return state.getDocument(notesKind, connector) ?? null;
}

/** In the open transaction: the connector is deleted. */
export function forgetLookups(parts: HeldRowsParts, connector: string): void {
  for (const { table } of capturedBy(parts, connector)) parts.state.setLookups(table!, []);
  parts.state.deleteDocument(notesKind, connector);
}

/** The index is made here where its table has come after what was declared. */
export function findHeld(
  parts: HeldRowsParts,
  connector: string,
  search: HeldSearch,
): HeldFound | 'empty' | 'unknown' | 'other-columns' {
  const { state, runtime } = parts;
  const { lookup } = search;
  const entry = capturedBy(parts, connector).find(({ captured }) => captured!.table === lookup.table);
  if (entry === undefined)
    return heldTables(parts, connector).some(({ name }) => name === lookup.table) ? 'unknown' : 'empty';
  if (entry.failed !== null) return 'unknown';
  if (!fits(entry, lookup)) return 'other-columns';
  const there = state.lookups(entry.table!);
  if (!there.some((each) => same(each, lookup))) {
    const { columns } = lookup;
    state.transaction(() => state.setLookups(entry.table!, [...there, { columns }]));
  }
  return find(runtime.table(entry.name).writer, search);
}

function fits({ schema }: SourceEntry, { columns }: HeldLookup): boolean {
  return columns.every(({ name }) => schema.columns.some((column) => column.name === name));
}

function capturedBy({ catalog }: HeldRowsParts, connector: string): readonly SourceEntry[] {
  return catalog.all().filter(({ captured, table }) => captured?.connector === connector && table !== null);
}

function find(table: TableWriter, { lookup, values, from, limit }: HeldSearch): HeldFound {
  const { schema } = table.spec;
  const found: { value: number; row: Row }[] = [];
  const count = typeof values === 'string' ? 1 : values.length;
  let after = from.after === null ? null : plain(from.after);
  for (let value = from.value; value < count; value++) {
    const left = limit - found.length;
    const rows =
      values === 'all'
        ? table.scan(after, left)
        : table.find(lookup, values === 'odd-text' ? values : plain(values[value]!), after, left);
    for (const { row } of rows) found.push({ value, row });
    if (rows.length === left) {
      const last = rows.at(-1)!.row;
      const next: HeldPlace = { value, after: schema.keyColumns.map((i) => last[i]!) };
      return { schema, rows: found, next };
    }
    after = null;
  }
  return { schema, rows: found, next: null };
}

/** From another thread a Buffer comes as the array that it is. */
function plain(row: Row): Row {
  return row.map((value): Value => (value instanceof Uint8Array ? Buffer.from(value) : value));
}

function same(one: Lookup, other: Lookup | HeldLookup): boolean {
  return JSON.stringify(one.columns) === JSON.stringify(other.columns);
}
