// Structured log lines: a message, fields, a level. The process writes them through pino (app.ts gives the target); worker
// threads post them to the main thread. Values of rows never appear at `info`; secrets never at all.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields too. */
  child(fields: LogFields): Logger;
}

export type LogTarget = (level: LogLevel, message: string, fields: LogFields) => void;

export function createLogger(target: LogTarget, fields: LogFields = {}): Logger {
  const at = (level: LogLevel) => (message: string, more?: LogFields) =>
    target(level, message, more ? { ...fields, ...more } : fields);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => createLogger(target, { ...fields, ...more }),
  };
}

export const silentLogger: Logger = createLogger(() => {});
