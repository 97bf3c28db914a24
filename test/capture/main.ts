// npm run test:capture -- --ddl DIR [--ddl DIR] [--statements DIR] [--server mysql|mariadb|both] [--dump DIR] [--only PART] [--json]
// Runs the scripts of folders on real servers and SQLite files and compares every served row with the source's own (the heads of
// script.ts and batch.ts say how), and gives statements to the classifier. One line per script and source; the last line is the sums;
// ends with 1 when anything failed.
import { parseArgs } from 'node:util';
import { openServerPool } from '../support/servers/pool.js';
import { runCapture, type CaptureOptions } from './capture.js';
import { line, sums, type Outcome } from './outcome.js';
import { classifyFolder } from './statements.js';

const usage =
  'npm run test:capture -- --ddl DIR [--statements DIR] [--server mysql|mariadb|both] [--dump DIR] [--only PART] [--json]';

async function main(args: readonly string[]): Promise<number> {
  const values = options(args);
  if (values === undefined) return 2;
  const { json, statements, ...capture } = values;
  const outcomes: Outcome[] = [];
  const told = (outcome: Outcome): void => {
    outcomes.push(outcome);
    console.log(json ? JSON.stringify(outcome) : line(outcome));
  };
  const pool = openServerPool();
  try {
    for (const dir of statements) classifyFolder(dir).forEach(told);
    await runCapture(pool, capture, told);
  } catch (error) {
    // Of the runner itself: a folder that cannot be read, a server that cannot be had.
    const reason = error instanceof Error ? error.message : String(error);
    told({ name: 'the runner', product: undefined, verdict: 'FAIL', reason, notes: [] });
  } finally {
    await pool.close();
  }
  console.log(sums(outcomes));
  return outcomes.some(({ verdict }) => verdict === 'FAIL') ? 1 : 0;
}

function options(args: readonly string[]): (CaptureOptions & { json: boolean; statements: string[] }) | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ddl: { type: 'string', multiple: true, default: [] },
        statements: { type: 'string', multiple: true, default: [] },
        server: { type: 'string', default: 'both' },
        dump: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const servers = (['mysql', 'mariadb'] as const).filter(
      (each) => values.server === 'both' || values.server === each,
    );
    if (servers.length === 0) throw new Error(`--server is mysql, mariadb or both, not "${values.server}"`);
    if (values.ddl.length + values.statements.length === 0) throw new Error('--ddl or --statements is needed');
    const { ddl, statements, dump, only, json } = values;
    return { folders: ddl, servers, dump, only, json, statements };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
