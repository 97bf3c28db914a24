// What every answer says about its age: the version of its cut, the lag behind the sources, why it is so old where nothing newer comes,
// and the source positions it contains. How old a table's rows are is asked of one place, which knows the sources (connect).
import { noAge, staleness, type Age } from '../core/freshness.js';
import { printVersion } from '../core/version.js';
import type { PositionForm } from '../core/position.js';
import type { Frontier, TableFrontier } from '../store/state-store.js';
import type { Freshness, PositionStyle } from './query-facade.js';

/** Who knows how old rows are. Asked with every answer: cheap, and never waits. */
export interface Ages {
  /** Of the rows of the table with this id, in a cut that contains what `frontier` says. */
  ofTable(id: number, frontier: TableFrontier): Age;
  /** Of everything that there is. */
  worst(frontier: Frontier): Age;
  /** How the sources of a table stand that cannot be read yet; undefined where that is not known. */
  ofHidden(table: string): Age | undefined;
}

/** A table in an answer, and what its rows contain. */
export interface ReadTable {
  readonly id: number;
  readonly frontier: TableFrontier;
}

export interface FreshnessEnv {
  readonly ages: Ages;
  readonly positions: PositionForm;
}

// A frontier is one object as long as it stands, so its texts are made once however many reads it serves.
const texts = new WeakMap<TableFrontier, { readonly version: string; readonly position: string }>();

export function freshnessOf(
  frontier: TableFrontier,
  age: Age,
  positions: PositionForm,
  style: PositionStyle = 'token',
): Freshness {
  let text = texts.get(frontier);
  if (!text) {
    text = { version: printVersion(frontier), position: positionsText(frontier, (at) => positions.token(at)) };
    texts.set(frontier, text);
  }
  const position = style === 'full' ? positionsText(frontier, (at) => at) : text.position;
  return { version: text.version, position, lagMs: age.lagMs, stale: staleness(age) };
}

/** Of an answer from several tables: that of the oldest. */
export function worstOf(tables: readonly ReadTable[], ages: Ages): Age {
  let worst: Age = noAge;
  for (const { id, frontier } of tables) {
    const age = ages.ofTable(id, frontier);
    if (age.lagMs > worst.lagMs || (worst.standing === 'current' && age.standing !== 'current')) worst = age;
  }
  return worst;
}

function positionsText({ positions }: Frontier, textOf: (position: string) => string): string {
  return Object.entries(positions)
    .map(([producer, at]) => `${producer}=${encodeURIComponent(textOf(at)).replaceAll('%3A', ':')}`)
    .join(',');
}

/** Of an answer from several tables: that of the oldest one that stands still, if any does. */
export function oldestOf(frontiers: readonly TableFrontier[]): TableFrontier | undefined {
  let oldest: TableFrontier | undefined;
  for (const frontier of frontiers) {
    if (frontier.stopped && (oldest === undefined || frontier.seq < oldest.seq)) oldest = frontier;
  }
  return oldest;
}
