// npm run soak -- NAME [name=value ...] [--json]: the long runs. Each prints its seed first and a table of figures at the end, and
// ends with 1 when something is wrong. Values that every run takes: seed, seconds.
import { printFigures, type Figures } from '../support/harness/figures.js';
import { randomSeed } from '../support/harness/dice.js';
import { openServerPool, type ServerPool } from '../support/servers/pool.js';
import { soakRuns } from './runs.js';

export interface SoakRun {
  readonly summary: string;
  /** Values and what they are without being given. */
  readonly values: Readonly<Record<string, string>>;
  run(
    values: Readonly<Record<string, string>>,
    pool: ServerPool,
  ): Promise<readonly { readonly name: string; readonly figures: Figures }[]>;
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const [name, ...given] = args.filter((arg) => arg !== '--json');
  const soak = name === undefined ? undefined : soakRuns[name];
  if (soak === undefined) {
    console.error(usage());
    return 2;
  }
  const values: Record<string, string> = { ...soak.values };
  for (const pair of given) {
    const [key = '', value] = pair.split('=', 2);
    if (value === undefined || !(key in values)) {
      console.error(`unknown value "${pair}"; ${name} takes ${Object.keys(values).join(', ')}`);
      return 2;
    }
    values[key] = value;
  }
  if (values['seed'] === '') values['seed'] = String(randomSeed());
  if (values['seed'] !== undefined) console.error(`${name}: seed=${values['seed']}`);
  const pool = openServerPool();
  try {
    for (const { name: title, figures } of await soak.run(values, pool))
      console.log(printFigures(title, figures, json));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && error.cause instanceof Error) console.error(error.cause.message);
    console.error(
      `again with: npm run soak -- ${name} ${Object.entries(values)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`,
    );
    return 1;
  } finally {
    await pool.close();
  }
}

function usage(): string {
  const lines = Object.entries(soakRuns).map(([name, { summary, values }]) => {
    const list = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    return `  ${name.padEnd(12)} ${summary}\n  ${''.padEnd(12)} ${list.join(' ')}`;
  });
  return `npm run soak -- NAME [name=value ...] [--json]\n${lines.join('\n')}`;
}

// Not left to Node: what it does at an end of its own may go on for ever where sockets were cut (nodejs/node#47748); rounds of chaos met it.
process.exit(await main(process.argv.slice(2)));
