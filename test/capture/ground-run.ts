// All scripts on one source: shared out into batches, those that reach beyond their database alone. A batch in which the program (or
// the runner) ends is run again one by one, so that only the script that does it fails.
import { uniqueName } from '../support/servers/sql-client.js';
import { runBatch, type Item } from './batch.js';
import { compareWays } from './both-ways.js';
import type { Ground } from './place.js';
import type { Run } from './run.js';
import type { Outcome } from './outcome.js';
import type { Script } from './script.js';

export interface GroundOptions {
  readonly batchWays: number;
  /** Each run once it is over, while its database is still there. */
  readonly over?: (run: Run) => void;
  /** Each script once all its ways are over. */
  readonly told: (outcome: Outcome) => void;
}

export async function runGround(ground: Ground, scripts: readonly Script[], options: GroundOptions): Promise<void> {
  const wanted = scripts.filter(({ products }) => products.includes(ground.product));
  const over = new Map<Script, (Run | Error)[]>();
  const add = (script: Script, run: Run | Error): void => {
    const runs = over.get(script) ?? [];
    over.set(script, [...runs, run]);
    if (run instanceof Error === false) options.over?.(run);
    if (runs.length + 1 === script.ways.length) options.told(outcomeOf(ground, script, over.get(script)!));
  };
  for (const batch of batches(wanted, options.batchWays)) {
    try {
      await runBatch(ground, batch, (runs) => runs.forEach((run) => add(run.script, run)));
    } catch (error) {
      if (batch.length === 1) add(batch[0]!.script, asError(error));
      else for (const item of batch) await runAlone(ground, item, add);
    }
  }
}

async function runAlone(ground: Ground, item: Item, add: (script: Script, run: Run | Error) => void): Promise<void> {
  try {
    const again = { ...item, label: uniqueName('case') };
    await runBatch(ground, [again], ([run]) => add(item.script, run!));
  } catch (error) {
    add(item.script, asError(error));
  }
}

function batches(scripts: readonly Script[], size: number): Item[][] {
  const all: Item[][] = [];
  let open: Item[] = [];
  for (const script of scripts) {
    for (const way of script.ways) {
      const item = { script, way, label: uniqueName('case') };
      if (script.alone) all.push([item]);
      else open.push(item);
    }
    if (open.length >= size) {
      all.push(open);
      open = [];
    }
  }
  return open.length > 0 ? [...all, open] : all;
}

function outcomeOf(ground: Ground, script: Script, runs: readonly (Run | Error)[]): Outcome {
  const whole = runs.filter((run): run is Run => !(run instanceof Error));
  const broken = runs.find((run) => run instanceof Error);
  const notes = [...new Set(whole.flatMap((run) => run.notes))];
  const of = (verdict: Outcome['verdict'], reason: string): Outcome => ({
    name: script.name,
    product: ground.product,
    verdict,
    reason,
    notes,
  });
  if (broken !== undefined) return of('FAIL', broken.message);
  const ends = whole.map(({ end }) => end);
  const failed = ends.find((end) => end?.kind === 'fail');
  if (failed?.kind === 'fail') return of('FAIL', failed.reason);
  const skipped = ends.find((end) => end?.kind === 'skip');
  if (skipped?.kind === 'skip') return { ...of('skip', skipped.errno), notes: [...notes, skipped.message] };
  const difference = compareWays(whole);
  return difference === undefined ? of('ok', '') : of('FAIL', difference);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
