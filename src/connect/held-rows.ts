// What the captured tables of a connector hold, for a source that is told of all rows of a table at once (TRUNCATE, DROP) and of none of
// them. Only the connector writes them, so from the moment at which everything that it has handed over is applied they stay as they are
// until it goes on.
import type { Row, RowSchema } from '../core/data-type.js';
import type { HeldFound, HeldLookup, HeldRows, HeldSearch, HeldTable } from '../source/source-connector.js';
import type { RecordDifference } from '../source/verification.js';
import type { CompareRowsRequest } from './row-comparison.js';
import type { AppendProducer } from '../stream/event-log.js';

export interface HeldName {
  /** `database.table` */
  readonly name: string;
  /** Undefined: it is captured to a topic only, which tells its rows. */
  readonly schema: RowSchema | undefined;
  readonly stopped: boolean;
}

export interface HeldRowsRequest {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
  /** A key; null: from the first one on. */
  readonly after: Row | null;
  readonly limit: number;
  /** The log has an append of the connector that is not closed yet. */
  readonly isOpen: boolean;
}

/** A page in key order: of its table, or of what its topic holds. Null: it stands still, or it is not known how its records are read. */
export type HeldRowsPage = { readonly schema: RowSchema; readonly rows: readonly Row[] } | null;

export interface HeldRowsEnv {
  readonly connector: string;
  readonly producer: () => Pick<AppendProducer, 'flush'>;
  /** What was handed over last is of an append that goes on. */
  readonly isOpen: () => boolean;
  /** Nothing is held of the table (`database.table`), ever: its rows are events. */
  readonly holdsNothing: (table: string) => boolean;
  /** Resolves when everything is applied that was in the log when it was called. */
  readonly caughtUp: () => Promise<void>;
  readonly heldTables: (connector: string) => Promise<readonly HeldName[]>;
  readonly heldRows: (request: HeldRowsRequest) => Promise<HeldRowsPage>;
  readonly compareRows: (request: CompareRowsRequest) => Promise<readonly RecordDifference[] | 'unknown'>;
  readonly declareLookups: (declaration: LookupDeclaration) => Promise<void>;
  readonly lookupNotes: (connector: string) => Promise<string | null>;
  readonly findHeld: (
    connector: string,
    search: HeldSearch,
  ) => Promise<HeldFound | 'empty' | 'unknown' | 'other-columns'>;
}

/** Everything that the rows of a connector's tables are found by. */
export interface LookupDeclaration {
  readonly connector: string;
  readonly lookups: readonly HeldLookup[];
  readonly notes: string;
}

const pageRows = 1000;

export async function heldTables(env: HeldRowsEnv): Promise<readonly HeldTable[]> {
  await settled(env);
  const tables = await env.heldTables(env.connector);
  return tables.map(({ name, schema, stopped }) => ({
    name,
    schema,
    stopped,
    read: () => (env.holdsNothing(name) ? Promise.resolve(nothing()) : read(env, name)),
  }));
}

export function heldRows(env: HeldRowsEnv): HeldRows {
  return {
    declare: (lookups, notes) => env.declareLookups({ connector: env.connector, lookups, notes }),
    notes: () => env.lookupNotes(env.connector),
    settled: () => settled(env),
    find: (search) => env.findHeld(env.connector, search),
  };
}

function nothing(): { readonly schema: RowSchema; readonly pages: AsyncIterable<readonly Row[]> } {
  async function* pages(): AsyncGenerator<readonly Row[]> {}
  return { schema: { columns: [], keyColumns: [] }, pages: pages() };
}

async function settled(env: HeldRowsEnv): Promise<void> {
  await env.producer().flush();
  await env.caughtUp();
}

async function read(env: HeldRowsEnv, table: string) {
  const page = (after: Row | null) =>
    env.heldRows({ connector: env.connector, table, after, limit: pageRows, isOpen: env.isOpen() });
  const first = await page(null);
  if (first === null) return undefined;
  const { schema } = first;
  async function* pages(): AsyncGenerator<readonly Row[]> {
    for (let rows = first!.rows; rows.length > 0;) {
      yield rows;
      const last = rows.at(-1)!;
      rows = rows.length < pageRows ? [] : ((await page(schema.keyColumns.map((i) => last[i]!)))?.rows ?? []);
    }
  }
  return { schema, pages: pages() };
}
