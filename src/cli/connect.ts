// `writethrough connect ...`: connectors, in the words of Confluent's command line, old and new: `connect create`, `connect cluster
// create` and `connector create` are one, and so are --config and --config-file.
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import { createConnector } from './connect-create.js';
import { deleteConnectors, pauseConnectors, resumeConnectors } from './connect-change.js';
import { describeConnector, listConnectors } from './connect-show.js';

export function connectCommand(program: Command, context: CommandContext): void {
  const connect = program
    .command('connect')
    .alias('connector')
    .description('connectors: create, list, describe, pause, resume, delete');
  addVerbs(connect, context);
  addVerbs(
    connect.command('cluster', { hidden: true }).description('the same verbs, as newer tools spell them'),
    context,
  );
}

function addVerbs(group: Command, context: CommandContext): void {
  verb(group, 'create')
    .description('create a connector from a file: a flat JSON map, or {"name", "config"}')
    .addOption(new Option('--config-file <file>', 'the connector file'))
    .addOption(new Option('--config <file>', 'the same').hideHelp())
    .action((options: { configFile?: string; config?: string }, command: Command) =>
      createConnector(context, options, command),
    );
  verb(group, 'list')
    .description('list the connectors')
    .action((_options: unknown, command: Command) => listConnectors(context, command));
  verb(group, 'describe')
    .argument('<id>')
    .description('show a connector, its tasks and its configuration')
    .action((id: string, _options: unknown, command: Command) => describeConnector(context, id, command));
  verb(group, 'pause')
    .argument('<id...>')
    .description('pause connectors')
    .action((ids: string[], _options: unknown, command: Command) => pauseConnectors(context, ids, command));
  verb(group, 'resume')
    .argument('<id...>')
    .description('resume connectors')
    .action((ids: string[], _options: unknown, command: Command) => resumeConnectors(context, ids, command));
  verb(group, 'delete')
    .argument('<id...>')
    .option('--force', 'do not ask')
    .option('--uninstall', 'also remove what capture has added to the source (triggers in an SQLite file)')
    .option('--topics', 'also drop its tables with their topics; made again, it begins with a new snapshot')
    .description('delete connectors')
    .action((ids: string[], options: { force?: boolean; uninstall?: boolean; topics?: boolean }, command: Command) =>
      deleteConnectors(context, ids, options, command),
    );
}

function verb(group: Command, name: string): Command {
  return group
    .command(name)
    .addOption(new Option('-o, --output <format>', 'form of the output').choices(['human', 'json']))
    .addOption(new Option('--cluster <id>', 'accepted and not needed: there is one').hideHelp())
    .addOption(new Option('--environment <id>', 'accepted and not needed: there is one').hideHelp());
}
