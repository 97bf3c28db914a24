// The run as a whole: folders read, one ground per source that their scripts are for, all grounds at once.
import { mkdirSync } from 'node:fs';
import type { ServerPool } from '../support/servers/pool.js';
import { dumpRun } from './dump.js';
import { runGround } from './ground-run.js';
import { openMysqlGround } from './mysql-place.js';
import type { Outcome } from './outcome.js';
import type { Ground } from './place.js';
import { readScripts, type Product } from './script.js';
import { openSqliteGround } from './sqlite-place.js';

export interface CaptureOptions {
  readonly folders: readonly string[];
  readonly servers: readonly ('mysql' | 'mariadb')[];
  /** A part of the names of those that are wanted. */
  readonly only?: string | undefined;
  readonly dump?: string | undefined;
}

/** As many capture threads as one program of two cores bears. */
const batchWays = 14;

export async function runCapture(
  pool: Pick<ServerPool, 'get'>,
  { folders, servers, only = '', dump }: CaptureOptions,
  told: (outcome: Outcome) => void,
): Promise<void> {
  if (dump !== undefined) mkdirSync(dump, { recursive: true });
  const read = folders.map(readScripts);
  const scripts = read.flatMap((folder) => folder.scripts).filter(({ name }) => name.includes(only));
  const runOn = async (product: Product): Promise<void> => {
    if (!scripts.some(({ products }) => products.includes(product))) return;
    const ground: Ground = product === 'sqlite' ? openSqliteGround() : openMysqlGround(await pool.get(product));
    try {
      await runGround(ground, scripts, {
        batchWays,
        told,
        ...(dump === undefined ? {} : { over: (run) => dumpRun(dump, product, run) }),
      });
    } finally {
      await ground.close();
    }
  };
  // A server that cannot be had takes nothing from the others.
  const ends = await Promise.allSettled(([...servers, 'sqlite'] as const).map(runOn));
  for (const name of read.flatMap(({ byHand }) => byHand).filter((each) => each.includes(only)))
    told({ name, product: undefined, verdict: 'by hand', reason: '', notes: [] });
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
