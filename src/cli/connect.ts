// `writethrough connect ...`: connectors, in the words of Confluent's command line, old and new: `connect create`, `connect cluster
// create` and `connector create` are one, and so are --config and --config-file.
import type { DeleteOptions } from '../connect/connect-facade.js';
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import { createConnector } from './connect-create.js';
import { deleteConnectors, pauseConnectors, restartConnectors, resumeConnectors } from './connect-change.js';
import { deleteOffsets, describeOffsets, updateOffsets } from './connect-offset.js';
import { describePlugin, listPlugins } from './connect-plugins.js';
import { describeConnector, listConnectors } from './connect-show.js';
import { updateConnector } from './connect-update.js';

export function connectCommand(program: Command, context: CommandContext): void {
  const connect = program
    .command('connect')
    .alias('connector')
    .description('connectors: create, list, describe, update, pause, resume, restart, delete, plugin, offset');
  addVerbs(connect, context);
  const plugin = connect.command('plugin').description('connector classes: list, describe');
  verb(plugin, 'list')
    .description('list the connector classes')
    .action((_options: unknown, command: Command) => listPlugins(context, command));
  verb(plugin, 'describe')
    .argument('<class>')
    .description('show the properties of a connector class')
    .action((name: string, _options: unknown, command: Command) => describePlugin(context, name, command));
  const offset = connect.command('offset').description('where connectors go on: describe, update, delete');
  verb(offset, 'describe')
    .argument('<id>')
    .description('show the offset of a connector')
    .action((id: string, _options: unknown, command: Command) => describeOffsets(context, id, command));
  verb(offset, 'update')
    .argument('<id>')
    .addOption(new Option('--config-file <file>', '{"offsets": [{"partition": {...}, "offset": {...}}]}'))
    .addOption(new Option('--config <file>', 'the same').hideHelp())
    .description('have a connector go on somewhere else; its tables are read again there')
    .action((id: string, options: { configFile?: string; config?: string }, command: Command) =>
      updateOffsets(context, id, options, command),
    );
  verb(offset, 'delete')
    .argument('<id>')
    .description('give the offset of a connector up; its tables are read again')
    .action((id: string, _options: unknown, command: Command) => deleteOffsets(context, id, command));
  addVerbs(
    connect.command('cluster', { hidden: true }).description('the same verbs, as newer tools spell them'),
    context,
  );
}

function addVerbs(group: Command, context: CommandContext): void {
  verb(group, 'create')
    .description('create a connector from a file: a flat JSON map, or {"name", "config", "offsets"}')
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
  verb(group, 'update')
    .argument('<id>')
    .addOption(new Option('--config-file <file>', 'a connector file: the whole configuration'))
    .addOption(new Option('--config <pairs>', 'some properties: "name=value,name=value"'))
    .description('change the configuration of a connector')
    .action((id: string, options: { configFile?: string; config?: string }, command: Command) =>
      updateConnector(context, id, options, command),
    );
  verb(group, 'pause')
    .argument('<id...>')
    .description('pause connectors')
    .action((ids: string[], _options: unknown, command: Command) => pauseConnectors(context, ids, command));
  verb(group, 'resume')
    .argument('<id...>')
    .description('resume connectors')
    .action((ids: string[], _options: unknown, command: Command) => resumeConnectors(context, ids, command));
  verb(group, 'restart')
    .argument('<id...>')
    .description('restart connectors and their tasks')
    .action((ids: string[], _options: unknown, command: Command) => restartConnectors(context, ids, command));
  verb(group, 'delete')
    .argument('<id...>')
    .option('--force', 'do not ask')
    .option('--uninstall', 'also remove what capture has added to the source (triggers in an SQLite file)')
    .option('--topics', 'also drop its tables with their topics; made again, it begins with a new snapshot')
    .option('--cascade', 'with --topics: also drop the tables and streams that are derived from its tables')
    .description('delete connectors')
    .action((ids: string[], options: DeleteOptions & { readonly force?: boolean }, command: Command) =>
      deleteConnectors(context, ids, options, command),
    );
}

function verb(group: Command, name: string): Command {
  return group
    .command(name)
    .addOption(new Option('-o, --output <format>', 'form of the output').choices(['human', 'json', 'yaml']))
    .addOption(new Option('--cluster <id>', 'accepted and not needed: there is one').hideHelp())
    .addOption(new Option('--environment <id>', 'accepted and not needed: there is one').hideHelp());
}
