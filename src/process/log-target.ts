// Where log lines go: JSON lines by pino for machines, one readable line each for people at a terminal. The only place that knows.
import { pino } from 'pino';
import type { LogFields, LogLevel, LogTarget } from '../core/logger.js';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function createLogTarget(level: LogLevel, format: 'json' | 'human'): LogTarget {
  return format === 'json' ? jsonTarget(level) : humanTarget(level);
}

function jsonTarget(level: LogLevel): LogTarget {
  const log = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.password', 'password', '["database.password"]', '["kafka.api.secret"]'], censor: '****' },
  });
  return (at, message, fields) => log[at](fields, message);
}

function humanTarget(level: LogLevel): LogTarget {
  const least = order.indexOf(level);
  return (at, message, fields) => {
    if (order.indexOf(at) < least) return;
    const { thread: _thread, ...shown } = fields;
    const time = new Date().toISOString().slice(11, 19);
    process.stderr.write(`${time} ${at.padEnd(5)} ${message}${fieldsText(shown)}\n`);
  };
}

function fieldsText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
}
