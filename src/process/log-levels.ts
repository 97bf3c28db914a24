// Which log lines are written, for the whole process and for parts of it, changed while it runs. A line belongs to the most special logger
// whose level was set: `connector.NAME` for lines about one connector, `connector` for those of all, the thread (`engine`, `capture`), `root`.
// The names under which Kafka Connect's users know the logger of all connectors mean `connector` here.
import type { Clock } from '../core/clock.js';
import { AppError } from '../core/errors.js';
import type { LogFields, LogLevel, LogTarget } from '../core/logger.js';
import type { LoggerLevel, LoggersFacade } from '../server/loggers-facade.js';

type Threshold = LogLevel | 'off';

const severity: Readonly<Record<Threshold, number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
/** Log4j's levels, also those that have no lines of their own here. */
const thresholds: Readonly<Record<string, Threshold>> = {
  ALL: 'debug',
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'off',
  OFF: 'off',
};
const threads = ['engine', 'capture'] as const;
const connectorPackages = ['org.apache.kafka.connect', 'io.debezium', 'io.confluent.connect'] as const;

interface Own {
  readonly threshold: Threshold;
  readonly sinceMs: number | null;
}

export class LogLevels implements LoggersFacade {
  readonly #target: LogTarget;
  readonly #clock: Clock;
  readonly #own: Map<string, Own>;

  /** `target` gets the lines that are to be written. */
  constructor(target: LogTarget, options: { readonly root: LogLevel; readonly clock: Clock }) {
    this.#target = target;
    this.#clock = options.clock;
    this.#own = new Map([['root', { threshold: options.root, sinceMs: null }]]);
  }

  readonly target: LogTarget = (level, message, fields) => {
    if (severity[level] >= severity[this.#holding(loggersOf(fields)).threshold]) this.#target(level, message, fields);
  };

  all(): Readonly<Record<string, LoggerLevel>> {
    const names = [...this.#own.keys()].toSorted();
    return Object.fromEntries(names.map((name) => [name, printed(this.#own.get(name)!)]));
  }

  of(name: string): LoggerLevel {
    const known = named(name);
    const own = this.#own.get(known);
    return own === undefined ? { ...printed(this.#holding(ancestors(known))), last_modified: null } : printed(own);
  }

  set(name: string, level: string): readonly string[] {
    const known = named(name);
    const threshold = Object.hasOwn(thresholds, level.toUpperCase()) ? thresholds[level.toUpperCase()] : undefined;
    if (threshold === undefined) {
      throw new AppError('bad-request', `there is no log level "${level}"`, {
        hint: `one of ${Object.keys(thresholds).join(', ')}`,
      });
    }
    this.#own.set(known, { threshold, sinceMs: this.#clock.nowMs() });
    // What lies below it follows, as in Connect: a level that was set for a part does not outlive one for the whole.
    const below = [...this.#own.keys()].filter((each) => each !== known && ancestors(each).includes(known));
    for (const each of below) this.#own.delete(each);
    return [known, ...below].toSorted();
  }

  #holding(names: readonly string[]): Own {
    for (const name of names) {
      const own = this.#own.get(name);
      if (own !== undefined) return own;
    }
    return this.#own.get('root')!;
  }
}

/** The most special first. */
function loggersOf({ connector, thread }: LogFields): readonly string[] {
  const ofConnector = typeof connector === 'string' ? [`connector.${connector}`, 'connector'] : [];
  return typeof thread === 'string' ? [...ofConnector, thread] : ofConnector;
}

function ancestors(name: string): readonly string[] {
  if (name.startsWith('connector.')) return ['connector', 'root'];
  return name === 'root' ? [] : ['root'];
}

function named(name: string): string {
  if (name === 'root' || name === 'connector' || name.startsWith('connector.')) return name;
  if (threads.some((each) => each === name)) return name;
  if (connectorPackages.some((each) => name === each || name.startsWith(`${each}.`))) return 'connector';
  throw new AppError('unknown-logger', `there is no logger "${name}"`, {
    hint: `root, connector, connector.NAME, ${threads.join(', ')}`,
  });
}

function printed({ threshold, sinceMs }: Own): LoggerLevel {
  return { level: threshold.toUpperCase() as LoggerLevel['level'], last_modified: sinceMs };
}
