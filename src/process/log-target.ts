// Where log lines go: JSON lines by pino for machines, one readable line each for people at a terminal. The only place that knows.
import { pino } from 'pino';
import type { LogFields, LogLevel, LogTarget } from '../core/logger.js';
import { mask, shownError } from '../core/secrets.js';

/** Writes whatever comes: which lines are wanted is decided before (log-levels.ts). */
export function createLogTarget(format: 'json' | 'human'): LogTarget {
  return format === 'json' ? jsonTarget() : humanTarget;
}

function jsonTarget(): LogTarget {
  const log = pino({
    level: 'debug',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.password', 'password', '["database.password"]', '["kafka.api.secret"]'], censor: mask },
  });
  return (at, message, fields) => log[at](withErrors(fields), message);
}

function humanTarget(at: LogLevel, message: string, fields: LogFields): void {
  const { thread: _thread, ...shown } = fields;
  const time = new Date().toISOString().slice(11, 19);
  process.stderr.write(`${time} ${at.padEnd(5)} ${message}${fieldsText(shown)}\n`);
}

/** An Error has no fields of its own that anybody would see. */
function withErrors(fields: LogFields): LogFields {
  if (!Object.values(fields).some((value) => value instanceof Error)) return fields;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shownError(value)]));
}

function fieldsText(fields: LogFields): string {
  return Object.entries(withErrors(fields))
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
}
