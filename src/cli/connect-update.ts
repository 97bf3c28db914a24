// `connect update ID --config-file FILE`, or `--config "name=value,..."` for some properties.
import type { Command } from 'commander';
import { AppError } from '../core/errors.js';
import { clientOf, type CommandContext } from './command-context.js';
import { connectorPath, print } from './connect-output.js';
import { readConnectorFile } from './connector-file.js';

export async function updateConnector(
  context: CommandContext,
  id: string,
  { configFile, config }: { readonly configFile?: string; readonly config?: string },
  command: Command,
): Promise<void> {
  if ((configFile === undefined) === (config === undefined))
    command.error('error: either --config-file FILE or --config "name=value,..." is needed', { exitCode: 2 });
  const client = clientOf(context, command);
  if (configFile !== undefined) {
    const file = await readConnectorFile(configFile);
    // The id says which connector is meant, whatever the file calls it.
    await client.json(connectorPath(id, '/config'), { method: 'PUT', body: { ...file.config, name: id } });
  } else await client.json(connectorPath(id, '/config'), { method: 'PATCH', body: pairsOf(config!) });
  print(context, command, { id, status: 'updated' }, () => `Updated connector "${id}".\n`);
}

/** A value may hold commas: a new pair begins where a name and `=` do. */
function pairsOf(text: string): Record<string, string> {
  const pairs = text.split(/,(?=[A-Za-z][\w.-]*=)/).map((pair) => /^\s*([A-Za-z][\w.-]*)=(.*)$/s.exec(pair));
  const wrong = pairs.indexOf(null);
  if (wrong >= 0) throw new AppError('bad-request', '--config takes "name=value,..."');
  return Object.fromEntries(pairs.map((pair) => [pair![1]!, pair![2]!]));
}
