// `connect plugin list` and `connect plugin describe CLASS`
import type { Command } from 'commander';
import type { PluginInfo } from '../connect/connect-facade.js';
import { clientOf, type CommandContext } from './command-context.js';
import { print } from './connect-output.js';
import { tableText } from './table-text.js';

export async function listPlugins(context: CommandContext, command: Command): Promise<void> {
  const all = (await clientOf(context, command).json('/connector-plugins')) as readonly PluginInfo[];
  const list = all.map((plugin) => ({ plugin_name: plugin.class, type: plugin.type }));
  print(context, command, list, () =>
    tableText(
      ['Plugin Name', 'Type'],
      list.map(({ plugin_name: name, type }) => [name, type]),
    ),
  );
}

interface Definition {
  readonly name: string;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly documentation: string;
}

export async function describePlugin(context: CommandContext, plugin: string, command: Command): Promise<void> {
  const path = `/connector-plugins/${encodeURIComponent(plugin)}/config`;
  const all = (await clientOf(context, command).json(path)) as readonly Definition[];
  const list = all.map(({ name, documentation, required, default_value: byDefault }) => ({
    config: name,
    documentation,
    required,
    ...(byDefault === null ? {} : { default: byDefault }),
  }));
  print(context, command, list, () =>
    tableText(
      ['Config', 'Required', 'Default', 'Documentation'],
      list.map((each) => [each.config, String(each.required), each.default ?? '', each.documentation]),
    ),
  );
}
