// A table of many rows and a data folder that holds it: made once in a run for all benchmarks that need one.
import type { BenchEnv } from './bench.js';
import { openLiveDatabase, type LiveDatabase } from './live-table.js';
import { prepare, type Prepared } from './prepared.js';

export interface Loaded {
  readonly database: LiveDatabase;
  readonly rows: number;
  readonly prepared: Prepared;
}

let loaded: Promise<Loaded> | undefined;

export function loadedTable(env: BenchEnv): Promise<Loaded> {
  loaded ??= load(env);
  return loaded;
}

async function load(env: BenchEnv): Promise<Loaded> {
  const rows = env.number('rows', 1_000_000);
  env.say(`filling a table with ${rows} rows and taking its snapshot`);
  const database = await openLiveDatabase(await env.pool.get('mysql'));
  try {
    await database.fill(rows);
    return { database, rows, prepared: await prepare(database, { rows }) };
  } catch (error) {
    await database.drop();
    throw error;
  }
}

export async function dropLoaded(): Promise<void> {
  const made = await loaded?.catch(() => undefined);
  loaded = undefined;
  made?.prepared.close();
  await made?.database.drop();
}
