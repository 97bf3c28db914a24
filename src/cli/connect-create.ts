// `connect create --config-file FILE`
import type { Command } from 'commander';
import { clientOf, type CommandContext } from './command-context.js';
import { print } from './connect-output.js';
import { readConnectorFile } from './connector-file.js';

export async function createConnector(
  context: CommandContext,
  options: { readonly configFile?: string; readonly config?: string },
  command: Command,
): Promise<void> {
  const file = options.configFile ?? options.config;
  if (file === undefined) command.error('error: a connector file is needed: --config-file FILE', { exitCode: 2 });
  const { name, config, offsets } = await readConnectorFile(file);
  const created = (await clientOf(context, command).json('/connectors', {
    method: 'POST',
    body: { name, config, ...(offsets && { initial_offsets: offsets }) },
  })) as { name: string };
  // Names are the ids here; the two columns are what scripts written for the original look for.
  const answer = { id: created.name, name: created.name };
  const width = Math.max(4, created.name.length);
  const bar = `+------+-${'-'.repeat(width)}-+\n`;
  print(
    context,
    command,
    answer,
    () => `${bar}| ID   | ${answer.id.padEnd(width)} |\n| Name | ${answer.name.padEnd(width)} |\n${bar}`,
  );
}
