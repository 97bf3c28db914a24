// `writethrough start`: runs the service in the foreground. Only what is given on the command line is handed on: what is not comes
// from the environment, the file, or the defaults, in that order.
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface StartOptions {
  readonly source?: string | undefined;
  readonly data?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly stream?: string | undefined;
  readonly queries?: string | undefined;
  readonly config?: string | undefined;
  readonly allowUnauthenticated?: boolean | undefined;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | undefined;
}

export function startCommand(program: Command, runStart: (options: StartOptions) => Promise<void>): void {
  program
    .command('start')
    .description('run the service')
    .option('--source <url>', 'database to capture: mysql://, mariadb:// or sqlite://')
    .option('--data <dir>', 'data folder')
    .option('--port <n>', 'port of the HTTP API; 0 takes a free one', parsePort)
    .option('--host <address>', 'address to listen on')
    .option('--stream <url>', 'kafka://broker,broker instead of the embedded log')
    .option('--queries <dir>', 'folder of *.sql files')
    .option('--config <file>', 'configuration file')
    .option('--allow-unauthenticated', 'listen beyond loopback without authentication')
    .addOption(new Option('--log-level <level>', 'lines to write').choices(['debug', 'info', 'warn', 'error']))
    .action((options: StartOptions) => runStart(options));
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return port;
}
