// Where a polling source stands: for each table the place of the last row that was handed over, and whether the table was read to its end
// once. JSON text; places are text of SQL. `step` counts the appends since `began`, which names the history that they belong to.
import { randomUUID } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import { positionToken, type PositionForm } from '../../core/position.js';

export interface TablePlace {
  /** Null: before the first row. */
  readonly after: readonly string[] | null;
  /** Names of the columns that the place is of: of others it says nothing. */
  readonly by: readonly string[];
  readonly complete: boolean;
}

export interface PolledPosition {
  readonly began: string;
  readonly step: number;
  /** By `database.table`. */
  readonly tables: ReadonlyMap<string, TablePlace>;
}

export function firstPosition(): PolledPosition {
  return { began: randomUUID(), step: 0, tables: new Map() };
}

export function printPosition({ began, step, tables }: PolledPosition): string {
  return JSON.stringify({ polled: began, step, tables: Object.fromEntries(tables) });
}

export function parsePosition(text: string): PolledPosition {
  const position = parsed(text);
  if (position !== undefined) return position;
  throw new AppError('source-position-lost', `"${text.slice(0, 80)}" is not a position of a polling source`);
}

export const polledPositions: PositionForm = {
  reads: (position) => position.startsWith('{"polled":'),
  contains(a, b) {
    const [one, other] = [parsed(a), parsed(b)];
    return a === b || (one !== undefined && one.began === other?.began && one.step >= other.step);
  },
  print(position) {
    const of = parsed(position);
    return of === undefined ? position : `step ${of.step} (${of.tables.size} tables)`;
  },
  token: (position) => positionToken(String(parsed(position)?.step ?? 'polled'), position),
};

function parsed(text: string): PolledPosition | undefined {
  try {
    const { polled, step, tables } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof polled !== 'string' || !Number.isSafeInteger(step)) return undefined;
    if (typeof tables !== 'object' || tables === null) return undefined;
    const places = Object.entries(tables as Readonly<Record<string, TablePlace>>);
    return { began: polled, step: step as number, tables: new Map(places) };
  } catch {
    return undefined; // not ours
  }
}
