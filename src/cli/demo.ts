// `writethrough demo`: the service with a sample database of its own and a writer that keeps changing it.
import type { Command } from 'commander';
import { parsePort } from './start.js';

export interface DemoOptions {
  /** False: no writer process beside the service. */
  readonly writer: boolean;
  readonly port?: number | undefined;
  readonly data?: string | undefined;
}

export function demoCommand(program: Command, runDemo: (options: DemoOptions) => Promise<void>): void {
  program
    .command('demo')
    .description('run the service on a sample database that keeps changing')
    .option('--no-writer', 'leave the sample database as it is')
    .option('--port <n>', 'port of the HTTP API; 0 takes a free one', parsePort)
    .option('--data <dir>', 'folder of the sample database and the data')
    .action((options: DemoOptions) => runDemo(options));
}
