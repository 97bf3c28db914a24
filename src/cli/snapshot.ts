// `writethrough snapshot [TABLE...]`: reads tables of a source again, in place and beside the stream.
import type { Command } from 'commander';
import { AppError } from '../core/errors.js';
import type { SnapshotAnswer } from '../connect/connect-facade.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { connectorPath } from './connect-output.js';

export interface SnapshotOptions {
  readonly connector?: string;
  readonly where?: string;
}

export function snapshotCommand(program: Command, context: CommandContext): void {
  program
    .command('snapshot')
    .argument('[tables...]', 'database.table, a table alone, or a regular expression over whole names (default: all)')
    .description('read tables of the source again, in place, while rows are served and changes go on')
    .option('--connector <name>', 'the connector that captures them (default: the only one)')
    .option('--where <condition>', 'only rows that meet it, in SQL of the source, such as "id >= 100"')
    .addHelpText(
      'after',
      '\nRows that are no longer at the source are deleted at the end. A table that stands still comes back this way,' +
        '\nand one that waits to be let in is captured. Progress: writethrough status.',
    )
    .action(async (tables: readonly string[], { connector, where }: SnapshotOptions, command: Command) => {
      const client = clientOf(context, command);
      const name = connector ?? onlyOne((await client.json('/connectors')) as readonly string[]);
      const told = (await client.json(connectorPath(name, '/snapshot'), {
        method: 'POST',
        body: { tables, ...(where === undefined ? {} : { where }) },
      })) as SnapshotAnswer;
      const text = `Read again: ${told.tables.join(', ')}\n`;
      context.io.out(wantsJson(command) ? `${JSON.stringify(told)}\n` : text);
    });
}

function onlyOne(names: readonly string[]): string {
  if (names.length === 1) return names[0]!;
  throw new AppError(
    names.length === 0 ? 'unknown-connector' : 'bad-request',
    names.length === 0 ? 'there is no connector' : 'there are several connectors',
    { hint: names.length === 0 ? '`writethrough connect create`' : `--connector ${names.join(' or --connector ')}` },
  );
}
