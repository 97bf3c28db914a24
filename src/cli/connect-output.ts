// The forms of output of the connect commands: for people, and JSON.
import type { Command } from 'commander';
import { type CommandContext, wantsJson } from './command-context.js';

/** Prints `value` as JSON when asked for, else what `human` gives. */
export function print(context: CommandContext, command: Command, value: unknown, human: () => string): void {
  const { output } = command.opts<{ output?: 'human' | 'json' }>();
  if (output === 'json' || (output === undefined && wantsJson(command)))
    context.io.out(`${JSON.stringify(value, null, 2)}\n`);
  else context.io.out(human());
}

export function connectorPath(id: string, rest = ''): string {
  return `/connectors/${encodeURIComponent(id)}${rest}`;
}
