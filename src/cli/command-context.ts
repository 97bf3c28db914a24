// What every subcommand is given: the terminal, and from the global options the client and the form of output.
import type { Command } from 'commander';
import type { CliIo } from './cli-io.js';
import { type Client, createClient } from './client.js';

export const defaultUrl = 'http://127.0.0.1:8088';

export interface CommandContext {
  readonly io: CliIo;
  readonly version: string;
}

export function clientOf(context: CommandContext, command: Command): Client {
  const { url } = command.optsWithGlobals<{ url?: string }>();
  return createClient(url ?? context.io.env['WRITETHROUGH_URL'] ?? defaultUrl);
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}
