// `writethrough validate FILE`: has the server check a connector file without creating anything: properties, grants, filters.
import type { Command } from 'commander';
import type { ValidationResult } from '../connect/connect-facade.js';
import { AppError } from '../core/errors.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { readConnectorFile } from './connector-file.js';

export function validateCommand(program: Command, context: CommandContext): void {
  program
    .command('validate')
    .argument('<file>', 'a connector file (JSON)')
    .description('check a connector file without creating the connector')
    .action(async (file: string, _options: unknown, command: Command) => {
      const { name, config } = await readConnectorFile(file);
      const path = `/connector-plugins/${encodeURIComponent(config['connector.class']!)}/config/validate`;
      const body = { ...config, name };
      const result = (await clientOf(context, command).json(path, { method: 'PUT', body })) as ValidationResult;
      if (wantsJson(command)) context.io.out(`${JSON.stringify(result)}\n`);
      if (result.error_count > 0) {
        const problems = result.configs.flatMap(({ value }) => linesOf(value, 'errors'));
        throw new AppError(
          'bad-connector-config',
          `${file} has ${result.error_count} problem${result.error_count === 1 ? '' : 's'}`,
          {
            detail: problems.join('\n'),
          },
        );
      }
      if (!wantsJson(command)) {
        const notes = result.configs.flatMap(({ value }) => linesOf(value, 'notes'));
        context.io.out([`${file} is valid.`, ...notes.map((note) => `  ${note}`), ''].join('\n'));
      }
    });
}

function linesOf(value: Readonly<Record<string, unknown>>, member: 'errors' | 'notes'): string[] {
  const lines = Array.isArray(value[member]) ? (value[member] as unknown[]) : [];
  return lines.map((line) => `${String(value['name']) || '""'}: ${String(line)}`);
}
