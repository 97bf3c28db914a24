// The forms of output of the connect commands: for people, JSON, YAML.
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type CommandContext, wantsJson } from './command-context.js';

/** Prints `value` as JSON or YAML when asked for, else what `human` gives. */
export function print(context: CommandContext, command: Command, value: unknown, human: () => string): void {
  const { output } = command.opts<{ output?: 'human' | 'json' | 'yaml' }>();
  if (output === 'yaml') context.io.out(stringify(value));
  else if (output === 'json' || (output === undefined && wantsJson(command)))
    context.io.out(`${JSON.stringify(value, null, 2)}\n`);
  else context.io.out(human());
}

export function connectorPath(id: string, rest = ''): string {
  return `/connectors/${encodeURIComponent(id)}${rest}`;
}
