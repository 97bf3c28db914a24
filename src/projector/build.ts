// Filling a new version of a table beside the live one, in small steps between the engine's commits. Two ways to fill:
// - scan: a query's source tables are read in key order; a cursor per source tells which rows have gone through the new topology.
//   Live changes at or before the cursor go through it at once, those behind wait to be read. So after every step the new
//   version equals the query over the rows read so far, and when the cursors are through, over all.
// - replay: the records of a topic are taken from the log again, from the beginning up to the frontier; from then on the new
//   version hears the topic like the old one (lock-step).
// Each step is one store transaction with its cursor, so a crash resumes behind the last step. The version stays hidden until the
// swap, whatever happens.
import type { Row, RowSchema } from '../core/data-type.js';
import { nameKey } from '../core/names.js';
import type { Cursor } from '../runtime/cursor.js';
import { exactKeyJson } from '../schema/formats/exact-json.js';
import type { StateWriter } from '../store/state-store.js';

export interface BuildDocument {
  readonly table: string;
  readonly version: number;
  /** create: there is no earlier version; rebuild: one serves until the swap. */
  readonly purpose: 'create' | 'rebuild';
  readonly method: 'scan' | 'replay';
  /** scan: per source table. `last` is a key as exact JSON. */
  readonly cursors: Readonly<Record<string, { readonly last: string | null; readonly done: boolean }>>;
  /** replay: everything up to this seq is in. */
  readonly replayedSeq: number;
  readonly caughtUp: boolean;
  readonly rows: number;
  readonly startedMs: number;
}

const kind = 'build';

export function loadBuilds(state: StateWriter): readonly BuildDocument[] {
  return state.documents(kind).map(({ json }) => JSON.parse(json) as BuildDocument);
}

/** For the first time: a matter of the sequence, as its steps are. A rebuild is each process's own until its swap. */
export function isBeingCreated(state: StateWriter, table: string): boolean {
  return loadBuilds(state).some((build) => build.purpose === 'create' && nameKey(build.table) === nameKey(table));
}

export function saveBuild(state: StateWriter, build: BuildDocument): void {
  state.putDocument(kind, build.table, JSON.stringify(build));
}

export function removeBuild(state: StateWriter, table: string): void {
  state.deleteDocument(kind, table);
}

export function cursorsToDocument(cursors: ReadonlyMap<string, Cursor>): BuildDocument['cursors'] {
  return Object.fromEntries(
    [...cursors].map(([name, { schema, last, done }]) => [
      name,
      { last: last === null ? null : exactKeyJson(schema).print(last), done },
    ]),
  );
}

export function cursorLast(schema: RowSchema, text: string | null): Row | null {
  return text === null ? null : exactKeyJson(schema).read(text);
}
