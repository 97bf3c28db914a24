// Where log lines go: JSON lines by pino for machines, one readable line each for people at a terminal. The only place that knows.
import { pino } from 'pino';
import type { LogFields, LogLevel, LogSink } from '../core/logger.js';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function createLogSink(level: LogLevel, format: 'json' | 'human'): LogSink {
  return format === 'json' ? jsonSink(level) : humanSink(level);
}

function jsonSink(level: LogLevel): LogSink {
  const log = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.password', 'password', '["database.password"]', '["kafka.api.secret"]'], censor: '****' },
  });
  return (at, message, fields) => log[at](fields, message);
}

function humanSink(level: LogLevel): LogSink {
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
