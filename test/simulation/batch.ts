// node batch.js FIRST COUNT STEPS LOG: a batch of seeds in a process of its own, so that what dead engines leave behind ends with it. One
// line of JSON per seed. Under the journal of test/support/power-loss, kills take the power away.
import type { LogKind } from './chances.js';
import { minimise, report } from './minimise.js';
import { simulate, type SimulationOptions } from './simulation.js';

export interface SeedReport {
  readonly seed: number;
  readonly figures: Readonly<Record<string, number>>;
  /** Of a run that went wrong: the smallest one that was found. */
  readonly failure?: string | undefined;
}

const [first, count, steps] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const log = process.argv[5] as LogKind;
const { POWER_LOSS_JOURNAL: journal, POWER_LOSS_ROOT: folder } = process.env;

for (let seed = first; seed < first + count; seed++) {
  const journalled = journal === undefined || folder === undefined ? undefined : { journal, folder };
  const options: SimulationOptions = { seed, steps, log, journalled };
  const { breaches, figures } = await simulate(options);
  const failure = breaches.length === 0 ? undefined : report(await minimise(options));
  process.stdout.write(`${JSON.stringify({ seed, figures, failure } satisfies SeedReport)}\n`);
}
