// What the server asks of the process's log: which lines are written, as Kafka Connect's `/admin/loggers` tells and changes it.

export interface LoggerLevel {
  /** As log4j names it. */
  readonly level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'OFF';
  /** ms since 1970; null: as the process was started. */
  readonly last_modified: number | null;
}

export interface LoggersFacade {
  /** `root`, and those that have a level of their own. */
  all(): Readonly<Record<string, LoggerLevel>>;
  /** What holds for it, its own or inherited. Throws unknown-logger. */
  of(name: string): LoggerLevel;
  /** The names of all that it changes. Throws bad-request for a level that does not exist, and unknown-logger. */
  set(name: string, level: string): readonly string[];
}
