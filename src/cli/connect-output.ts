// The forms of output of the connect commands: for people, JSON and YAML.
import type { Command } from 'commander';
import { type CommandContext, wantsJson } from './command-context.js';

/** Prints `value` as JSON or YAML when asked for, else what `human` gives. */
export function print(context: CommandContext, command: Command, value: unknown, human: () => string): void {
  const { output } = command.opts<{ output?: 'human' | 'json' | 'yaml' }>();
  if (output === 'yaml') context.io.out(yamlOf(value, ''));
  else if (output === 'json' || (output === undefined && wantsJson(command)))
    context.io.out(`${JSON.stringify(value, null, 2)}\n`);
  else context.io.out(human());
}

/** A text that is plain stands bare; any other one is in quotes, as JSON has them, which YAML reads the same way. */
function yamlOf(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}[]\n`;
    return value.map((item) => `${indent}- ${yamlOf(item, `${indent}  `).trimStart()}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Record<string, unknown>);
    if (entries.length === 0) return `${indent}{}\n`;
    return entries
      .map(([key, member]) => {
        const isFull = typeof member === 'object' && member !== null && Object.keys(member).length > 0;
        return `${indent}${scalar(key)}:${isFull ? `\n${yamlOf(member, `${indent}  `)}` : ` ${yamlOf(member, '')}`}`;
      })
      .join('');
  }
  return `${indent}${typeof value === 'string' ? scalar(value) : JSON.stringify(value)}\n`;
}

function scalar(text: string): string {
  const isPlain = /^[A-Za-z_/][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}

export function connectorPath(id: string, rest = ''): string {
  return `/connectors/${encodeURIComponent(id)}${rest}`;
}
