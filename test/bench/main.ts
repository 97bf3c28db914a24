// npm run bench [-- NAME...] [--json] [--save] [NAME=NUMBER...]: the benchmarks. Each prints one table: figure, baseline measured in
// the same run, ratio; and the machine. `--save` puts them into results/<version>.json. Without a name all run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/servers/cache.js';
import { openServerPool } from '../support/servers/pool.js';
import { benches } from './benches.js';
import { dropLoaded } from './loaded.js';
import { printReport, reportOf, saveReport } from './report.js';

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const save = args.includes('--save');
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const options = ['--json', '--save'];
  for (const arg of args.filter((one) => !options.includes(one))) {
    if (arg.startsWith('-')) {
      console.error(usage());
      return arg === '--help' ? 0 : 2;
    }
    const [name, value] = arg.split('=', 2) as [string, string | undefined];
    if (value === undefined) names.push(name);
    else numbers.set(name, Number(value));
  }
  const unknown = names.find((name) => !(name in benches));
  const bad = [...numbers].find(([, value]) => !(value > 0));
  if (unknown !== undefined || bad !== undefined) {
    console.error(unknown === undefined ? `${bad![0]} must be a number above 0` : `there is no benchmark "${unknown}"`);
    console.error(usage());
    return 2;
  }
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  const asked = new Set<string>();
  const pool = openServerPool({ kafka: { optimised: true } });
  const env = {
    pool,
    number: (name: string, otherwise: number) => {
      asked.add(name);
      return numbers.get(name) ?? otherwise;
    },
    say: (line: string) => console.error(`  ${line}`),
  };
  try {
    for (const name of names.length === 0 ? Object.keys(benches) : names) {
      env.say(name);
      const report = reportOf(name, await benches[name]!.run(env));
      console.log(json ? JSON.stringify(report) : `${printReport(report)}\n`);
      if (save) env.say(`saved in ${saveReport(report, version)}`);
    }
    for (const name of numbers.keys()) if (!asked.has(name)) console.error(`nothing asked for "${name}"`);
    return 0;
  } finally {
    await dropLoaded();
    await pool.close();
  }
}

function usage(): string {
  const lines = Object.entries(benches).map(([name, { summary }]) => `  ${name.padEnd(20)}${summary}`);
  return ['npm run bench [-- NAME...] [--json] [--save] [NAME=NUMBER...]', ...lines].join('\n');
}

process.exitCode = await main(process.argv.slice(2));
