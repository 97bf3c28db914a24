// A script that came by the snapshot and the same script that came by the binlog are served as the same JSON, to the letter. Where the
// source itself has other values in the two (NOW(), random numbers) there is nothing to compare.
import { brief, type ComparedTable } from './compare.js';
import type { Run } from './run.js';

export function compareWays(runs: readonly Run[]): string | undefined {
  const [one, other] = runs;
  if (one?.comparison === undefined || other?.comparison === undefined) return undefined;
  for (const table of one.comparison.tables) {
    const twin = other.comparison.tables.find(({ source }) => source.table === table.source.table);
    const difference = twin && compareTables(table, twin, `${one.way.way} and ${other.way.way}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function compareTables(table: ComparedTable, twin: ComparedTable, ways: string): string | undefined {
  const { key, columns } = table.source;
  if (key.length === 0 || table.servedAs === undefined || twin.servedAs === undefined) return undefined;
  const twins = byKey(twin);
  for (const [id, { stored, served }] of byKey(table)) {
    const { stored: otherStored, served: otherServed } = twins.get(id) ?? {};
    if (stored === undefined || served === undefined || otherStored === undefined || otherServed === undefined)
      continue;
    for (const [i, { name }] of columns.entries()) {
      const same = stored[i] === otherStored[i] || (stored[i] && otherStored[i] && stored[i].equals(otherStored[i]));
      if (!same) continue;
      const [a, b] = [served, otherServed].map((row) => JSON.stringify(row.get(name)));
      if (a !== b)
        return `${ways} differ in ${table.source.table}, key ${id}, column ${name}: ${brief(a!)} and ${brief(b!)}`;
    }
  }
  return undefined;
}

interface Both {
  stored?: readonly (Buffer | null)[];
  served?: ReadonlyMap<string, unknown>;
}

/** Stored and served rows meet by their key as it is served, in the order of the rows' keys where the forms are others. */
function byKey({ source, served }: ComparedTable): Map<string, Both> {
  const rows = new Map<string, Both>();
  const places = source.key.map((name) => source.columns.findIndex((column) => column.name === name));
  for (const row of source.rows) {
    const id = JSON.stringify(places.map((place) => row[place]?.toString() ?? null));
    rows.set(id, { ...rows.get(id), stored: row });
  }
  for (const row of served) {
    const id = JSON.stringify(source.key.map((name) => keyText(row.get(name))));
    rows.set(id, { ...rows.get(id), served: row });
  }
  return rows;
}

function keyText(value: unknown): string | null {
  return value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}
