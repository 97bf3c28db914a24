// `writethrough start`: runs the service in the foreground. Only what is given on the command line is handed on: what is not comes
// from the environment, the file, or the defaults, in that order.
import { type Command, InvalidArgumentError, Option } from 'commander';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevelName = (typeof logLevels)[number];

export const followModes = ['standby', 'only'] as const;
export type FollowModeName = (typeof followModes)[number];

/** For the help only: what is not given is left to the configuration, whose defaults these are. */
export const defaults = { data: './writethrough-data', port: 8088, host: '127.0.0.1', logLevel: 'info' } as const;

export interface StartOptions {
  readonly source?: string | undefined;
  readonly data?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly stream?: string | undefined;
  readonly queries?: string | undefined;
  readonly follow?: FollowModeName | true | undefined;
  readonly config?: string | undefined;
  readonly allowUnauthenticated?: boolean | undefined;
  readonly topicRetentionMs?: number | undefined;
  readonly topicRetentionBytes?: number | undefined;
  readonly logLevel?: LogLevelName | undefined;
}

export function startCommand(program: Command, runStart: (options: StartOptions) => Promise<void>): void {
  program
    .command('start')
    .description('run the service')
    .option('--source <url>', 'database to capture: mysql://, mariadb:// or sqlite://')
    .option('--data <dir>', `data folder (default ${defaults.data})`)
    .option('--port <n>', `port of the HTTP API; 0 takes a free one (default ${defaults.port})`, parsePort)
    .option('--host <address>', `address to listen on (default ${defaults.host})`)
    .option('--stream <url>', 'kafka://broker,broker instead of the embedded log')
    .option('--queries <dir>', 'folder of *.sql files')
    .addOption(
      new Option(
        '--follow [mode]',
        'on Kafka: follow the process that leads, and take over when it is gone (`only`: never take over)',
      ).choices(followModes),
    )
    .option(
      '--topic-retention-ms <n>',
      'how long new topics of streams keep records (default -1, for ever)',
      parseLimit,
    )
    .option(
      '--topic-retention-bytes <n>',
      'bytes that such a topic keeps, on Kafka each partition (default -1, all)',
      parseLimit,
    )
    .option('--config <file>', 'configuration file')
    .option('--allow-unauthenticated', 'listen beyond loopback without authentication')
    .addOption(new Option('--log-level <level>', `lines to write (default ${defaults.logLevel})`).choices(logLevels))
    .action((options: StartOptions) => runStart(options));
}

/** As Kafka writes it. */
export function parseLimit(text: string): number {
  const limit = /^(?:-1|\d{1,16})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(limit)) throw new InvalidArgumentError('a limit is a whole number, or -1 for none');
  return limit;
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return port;
}
