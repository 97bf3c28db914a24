// `writethrough check`: reads the data file from its first page to its last, without a server or beside one, and names what is not what was
// written. It changes nothing. Exit code: 0 nothing was found, 1 something is damaged.
import { type Command, Option } from 'commander';
import type { CheckedPart, CheckFinding } from '../core/check-report.js';
import { ExitStatus } from './cli-io.js';
import { type CommandContext, wantsJson } from './command-context.js';
import { defaults } from './start.js';

export interface CheckRequest {
  readonly data: string | undefined;
  /** Told while a part is read. */
  readonly onProgress: (part: CheckedPart) => void;
}

export interface CheckResult {
  readonly file: string;
  readonly damaged: number;
  readonly parts: readonly CheckedPart[];
  /** Of each part the first ones. */
  readonly findings: readonly CheckFinding[];
}

export function checkCommand(
  program: Command,
  { io }: CommandContext,
  runCheck: (request: CheckRequest) => Promise<CheckResult>,
): void {
  program
    .command('check')
    .description('read the whole data file and name what is not what was written; beside a running server, too')
    .option('--data <dir>', `data folder (default ${defaults.data})`)
    .addOption(new Option('-o, --output <form>', 'form of the report').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      "\nLooks at the structure of the file (SQLite's integrity_check), then at the checksum of everything in it: log, tables, state of\nqueries, change feeds, catalogue. Rows that an earlier version has written have none, and are counted.\nExit codes: 0 nothing is damaged, 1 something is, or the file cannot be read.",
    )
    .action(async ({ data, output }: { data?: string; output: string }, command: Command) => {
      const onProgress = ({ name, checked, unchecked }: CheckedPart) => {
        if (io.interactive) io.err(`\r\u001b[K${name}: ${checked + unchecked} rows`);
      };
      const result = await runCheck({ data, onProgress });
      if (io.interactive) io.err('\r\u001b[K');
      io.out(output === 'json' || wantsJson(command) ? `${JSON.stringify(result, null, 2)}\n` : textOf(result));
      if (result.damaged > 0) throw new ExitStatus(1);
    });
}

function textOf({ file, damaged, parts, findings }: CheckResult): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = parts.map((part) => `  ${part.name.padEnd(width)}  ${stateOf(part)}\n`);
  const unchecked = parts.reduce((sum, part) => sum + part.unchecked, 0);
  const note =
    unchecked === 0
      ? ''
      : `${unchecked} rows were written by an earlier version, without a checksum: a rebuild gives those of a table one, and what is written anew has one.\n`;
  const found = findings.map(
    ({ what, repair }) => `damaged: ${what}\n${repair === undefined ? '' : `  repair: ${repair}\n`}`,
  );
  const more = damaged > findings.length ? `and ${damaged - findings.length} more\n` : '';
  const end = damaged === 0 ? 'nothing is damaged\n' : `${found.join('')}${more}`;
  return `${file}\n${lines.join('')}${note}${end}`;
}

function stateOf({ checked, unchecked, damaged }: CheckedPart): string {
  const parts = [`${checked + unchecked} rows`];
  if (unchecked > 0) parts.push(`${unchecked} without a checksum`);
  parts.push(damaged > 0 ? `${damaged} DAMAGED` : 'ok');
  return checked + unchecked === 0 ? parts.at(-1)! : parts.join(', ');
}
