// `writethrough start`: the service in the foreground until a signal ends it. The first signal stops in order, the second at once.
import { startApp, type App } from './app.js';
import type { StartOptions } from './cli/start.js';
import { loadConfig, type Config, type ConfigInput } from './config.js';
import type { LogLevel } from './core/logger.js';
import { createLogSink } from './logging.js';

export async function runStart(options: StartOptions): Promise<void> {
  const { config: file, logLevel, allowUnauthenticated, ...rest } = options;
  const flags: ConfigInput = { ...rest, 'allow-unauthenticated': allowUnauthenticated, 'log.level': logLevel };
  const config = await loadConfig({ flags, env: process.env, file });
  await runApp(config, () => {});
}

/** Runs until a signal or a failure; `onStarted` says hello. */
export async function runApp(
  config: Config,
  onStarted: (app: App) => void,
  beforeStop: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const app = await startApp({ config, log: logSink(config) });
  onStarted(app);
  const ended = await Promise.race([signalled(), app.failed]);
  await beforeStop();
  await app.stop();
  if (typeof ended !== 'string') throw ended;
}

export function logSink(config: Config) {
  const human = config['log.format'] === 'human' || (config['log.format'] === 'auto' && process.stderr.isTTY);
  return createLogSink(config['log.level'] as LogLevel, human ? 'human' : 'json');
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    let seen = false;
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (seen) process.exit(130); // the second one: whoever sends it does not want to wait
        seen = true;
        resolve(name);
      });
    }
  });
}
