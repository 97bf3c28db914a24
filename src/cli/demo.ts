// `writethrough demo`: the service with a sample database of its own and a writer that keeps changing it.
import { type Command, Option } from 'commander';
import { defaults, type LogLevelName, logLevels, parsePort } from './start.js';

export interface DemoOptions {
  /** False: no writer process beside the service. */
  readonly writer: boolean;
  readonly port?: number | undefined;
  readonly data?: string | undefined;
  readonly logLevel?: LogLevelName | undefined;
}

export function demoCommand(program: Command, runDemo: (options: DemoOptions) => Promise<void>): void {
  program
    .command('demo')
    .description('run the service on a sample database that keeps changing')
    .option('--no-writer', 'leave the sample database as it is')
    .option('--port <n>', `port of the HTTP API; 0 takes a free one (default ${defaults.port})`, parsePort)
    .option('--data <dir>', `folder of the sample database and the data (default ${defaults.data})`)
    .addOption(new Option('--log-level <level>', 'lines to write (default warn)').choices(logLevels))
    .action((options: DemoOptions) => runDemo(options));
}
