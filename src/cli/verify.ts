// `writethrough verify [TABLE...]`: has the server compare tables with their sources, row by row at one place of the stream, and shows what
// differs. Exit code: 0 all are equal, or were repaired; 1 something differs, or a table could not be compared.
import { type Command, InvalidArgumentError } from 'commander';
import { delay } from '../core/backoff.js';
import { AppError, type ErrorCode, errorCodes } from '../core/errors.js';
import type { VerifyStatus } from '../connect/connect-facade.js';
import { ExitStatus } from './cli-io.js';
import type { Client } from './client.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { connectorPath } from './connect-output.js';
import { tableText } from './table-text.js';

interface VerifyOptions {
  readonly connector?: string;
  readonly repair?: boolean;
  readonly rowsPerSecond?: number;
}

const pollMs = 200;

export function verifyCommand(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .argument('[table...]', 'tables of the source, database.table each (default: all that are captured)')
    .description('compare tables with their source, row by row, while both go on being written')
    .option('--connector <name>', 'whose tables (default: the only connector there is; without tables, all connectors)')
    .option(
      '--repair',
      'read rows that differ again: the stream, its subscribers and derived tables get them as changes',
    )
    .option('--rows-per-second <n>', 'read no more than this from the source', parseRate)
    .addHelpText(
      'after',
      '\nExit codes: 0 all are equal or were repaired, 1 something differs or could not be compared.',
    )
    .action(async (tables: string[], options: VerifyOptions, command: Command) => {
      const client = clientOf(context, command);
      const connectors = await connectorsOf(client, tables, options);
      const ended = await Promise.all(
        connectors.map((name) => verifyOne(client, name, tables, options, progressOf(context))),
      );
      if (context.io.interactive) context.io.err('\r\u001b[K');
      context.io.out(wantsJson(command) ? `${JSON.stringify(ended, null, 2)}\n` : ended.map(textOf).join('\n'));
      const isSound = (status: VerifyStatus) =>
        status.tables.every(({ state }) => state === 'equal' || state === 'repaired');
      if (!ended.every(isSound)) throw new ExitStatus(1);
    });
}

async function connectorsOf(
  client: Client,
  tables: readonly string[],
  { connector }: VerifyOptions,
): Promise<readonly string[]> {
  if (connector !== undefined) return [connector];
  const all = (await client.json('/connectors')) as readonly string[];
  if (tables.length === 0 || all.length === 1) return all;
  throw new AppError('bad-request', 'which connector captures these tables has to be said', {
    hint: `--connector ${all[0] ?? 'NAME'}; there are: ${all.join(', ') || 'none'}`,
  });
}

async function verifyOne(
  client: Client,
  connector: string,
  tables: readonly string[],
  { repair = false, rowsPerSecond }: VerifyOptions,
  progress: (status: VerifyStatus) => void,
): Promise<VerifyStatus> {
  const path = connectorPath(connector, '/verify');
  const body = { tables, repair, ...(rowsPerSecond === undefined ? {} : { rowsPerSecond }) };
  let status = (await client.json(path, { method: 'POST', body })) as VerifyStatus;
  while (status.state === 'running') {
    await delay(pollMs);
    status = (await client.json(path)) as VerifyStatus;
    progress(status);
  }
  if (status.error === undefined) return status;
  const { code, message, hint } = status.error;
  throw new AppError(Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'internal', message, { hint });
}

function progressOf({ io }: CommandContext): (status: VerifyStatus) => void {
  if (!io.interactive) return () => {};
  return ({ tables }) => {
    const done = tables.filter(({ state }) => state !== 'waiting' && state !== 'comparing').length;
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    io.err(`\r\u001b[K${done} of ${tables.length} tables, ${rows} rows compared`);
  };
}

function textOf({ tables, differences, connector }: VerifyStatus): string {
  if (tables.length === 0) return `${connector}: no table is captured\n`;
  const rows = tables.map(({ table, state, rows: count, missing, ghosts, different, repaired, reason }) =>
    [table, state, count, missing, ghosts, different, repaired, reason ?? ''].map(String),
  );
  const head = ['Table', 'State', 'Rows', 'Missing', 'Ghosts', 'Different', 'Repaired', ''];
  const found = tables.reduce((sum, { missing, ghosts, different }) => sum + missing + ghosts + different, 0);
  const listed = differences.map(
    ({ table, kind, key, ours, source }) =>
      `\n${kind}  ${table}  ${key}\n  here:   ${ours ?? '-'}\n  source: ${source ?? '-'}\n`,
  );
  const more = found > differences.length ? [`\nand ${found - differences.length} more\n`] : [];
  return [tableText(head, rows), ...listed, ...more].join('');
}

function parseRate(text: string): number {
  const rate = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (rate < 1) throw new InvalidArgumentError('a rate is a whole number from 1 on');
  return rate;
}
