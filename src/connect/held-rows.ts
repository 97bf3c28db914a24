// What the captured tables of a connector hold, for a source that is told of all rows of a table at once (TRUNCATE, DROP) and of none of
// them. Only the connector writes them, so from the moment at which everything that it has handed over is applied they stay as they are
// until it goes on.
import type { Row, RowSchema } from '../core/data-type.js';
import type { HeldTable } from '../source/source-connector.js';
import type { AppendProducer } from '../stream/event-log.js';

export interface HeldRowsRequest {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
  /** A key; null: from the first one on. */
  readonly after: Row | null;
  readonly limit: number;
}

/** A page in key order. Null: there is no table of it, or one that stands still. */
export type HeldRowsPage = { readonly schema: RowSchema; readonly rows: readonly Row[] } | null;

export interface HeldRowsEnv {
  readonly connector: string;
  readonly producer: () => Pick<AppendProducer, 'flush'>;
  /** Resolves when everything is applied that was in the log when it was called. */
  readonly caughtUp: () => Promise<void>;
  /** `database.table` of each. */
  readonly heldTables: (connector: string) => Promise<readonly string[]>;
  readonly heldRows: (request: HeldRowsRequest) => Promise<HeldRowsPage>;
}

const pageRows = 1000;

export async function heldTables(env: HeldRowsEnv): Promise<readonly HeldTable[]> {
  await env.producer().flush();
  await env.caughtUp();
  const names = await env.heldTables(env.connector);
  return names.map((name) => ({ name, read: () => read(env, name) }));
}

async function read(env: HeldRowsEnv, table: string) {
  const page = (after: Row | null) => env.heldRows({ connector: env.connector, table, after, limit: pageRows });
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
