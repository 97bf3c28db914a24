// `writethrough version`: the version of this program.
import type { Command } from 'commander';
import { type CommandContext, wantsJson } from './command-context.js';

export function versionCommand(program: Command, { io, version }: CommandContext): void {
  program
    .command('version')
    .description('print the version')
    .action((_options: unknown, command: Command) => {
      io.out(
        wantsJson(command) ? `${JSON.stringify({ version, node: process.version })}\n` : `writethrough ${version}\n`,
      );
    });
}
