// `writethrough start`: the service in the foreground until a signal ends it. The first signal stops in order, the second at once.
import { startApp, type App } from '../app.js';
import type { StartOptions } from '../cli/start.js';
import { loadConfig, type Config, type ConfigInput } from '../config.js';
import { toAppError, type AppError } from '../core/errors.js';
import { createLogTarget } from './log-target.js';
import { freeMemoryAtRest } from '../threads/rest.js';

export async function runStart(options: StartOptions): Promise<void> {
  const {
    config: file,
    logLevel,
    allowUnauthenticated,
    follow,
    topicRetentionMs,
    topicRetentionBytes,
    ...rest
  } = options;
  const flags: ConfigInput = {
    ...rest,
    follow: follow === true ? 'standby' : follow,
    'allow-unauthenticated': allowUnauthenticated,
    'topic.retention.ms': topicRetentionMs,
    'topic.retention.bytes': topicRetentionBytes,
    'log.level': logLevel,
  };
  const config = await loadConfig({ flags, env: process.env, file });
  await runApp(config, {});
}

export interface RunHooks {
  /** When lock and port are ours, before anything is made in the data folder. */
  readonly prepare?: () => void;
  /** Says hello. */
  readonly onStarted?: (app: App) => Promise<void>;
  readonly beforeStop?: () => Promise<void>;
}

/** Runs until a signal or a failure. */
export async function runApp(config: Config, { prepare, onStarted, beforeStop }: RunHooks): Promise<void> {
  freeMemoryAtRest();
  const stopping = new AbortController();
  const signal = signalled(() => stopping.abort());
  let app: App;
  try {
    app = await startApp({ config, log: logTarget(config), prepare, signal: stopping.signal });
  } catch (error) {
    if (stopping.signal.aborted) return;
    throw error;
  }
  const ended = await Promise.race([signal, app.failure.happened, failureOf(async () => onStarted?.(app))]);
  try {
    await beforeStop?.();
  } finally {
    // The failure that ended it is what there is to say, whatever else then cannot be closed in order.
    await app.stop().catch((error: unknown) => {
      if (typeof ended === 'string') throw error;
    });
  }
  if (typeof ended !== 'string') throw ended;
}

/** Only a failure ends anything: that the work is done does not. */
async function failureOf(work: () => Promise<void>): Promise<AppError> {
  try {
    await work();
  } catch (error) {
    return toAppError(error);
  }
  return new Promise(() => {});
}

export function logTarget(config: Config) {
  const human = config['log.format'] === 'human' || (config['log.format'] === 'auto' && process.stderr.isTTY);
  return createLogTarget(human ? 'human' : 'json');
}

/** Ctrl-C reaches the whole process group, and npm passes it on besides: what comes so soon after the first is the same one. */
const sameSignalMs = 500;

function signalled(onFirst: () => void): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        firstMs ??= performance.now();
        // Another one later: whoever sends it does not want to wait.
        if (performance.now() - firstMs > sameSignalMs) process.exit(130);
        onFirst();
        resolve(name);
      });
    }
  });
}
