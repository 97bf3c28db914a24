// Which lines are written is decided by the most special logger that has a level, and a level for the whole replaces those of its parts.
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/core/logger.js';
import { LogLevels } from '../../../src/process/log-levels.js';

function setUp() {
  const lines: string[] = [];
  const clock = { nowMs: () => 1_700_000_000_000, nowUs: () => 0, monotonicMs: () => 0 };
  const levels = new LogLevels((level, message) => lines.push(`${level} ${message}`), { root: 'info', clock });
  const logger = createLogger(levels.target);
  const shop = logger.child({ thread: 'capture', connector: 'shop' });
  const other = logger.child({ thread: 'capture', connector: 'other' });
  const written = (): string[] => {
    lines.length = 0;
    logger.debug('root');
    logger.child({ thread: 'engine' }).debug('engine');
    shop.debug('shop');
    other.debug('other');
    return lines.map((line) => line.replace('debug ', ''));
  };
  return { levels, written, lines, logger };
}

describe('log levels', () => {
  it('are those of the start until somebody changes them', () => {
    const { levels, written, lines, logger } = setUp();
    expect(written()).toEqual([]);
    logger.info('seen');
    expect(lines).toEqual(['info seen']);
    expect(levels.all()).toEqual({ root: { level: 'INFO', last_modified: null } });
    expect(levels.of('connector.shop')).toEqual({ level: 'INFO', last_modified: null });
  });

  it('of a connector are its own, of all connectors those of each', () => {
    const { levels, written } = setUp();
    expect(levels.set('connector.shop', 'debug')).toEqual(['connector.shop']);
    expect(written()).toEqual(['shop']);
    expect(levels.of('connector.shop')).toEqual({ level: 'DEBUG', last_modified: 1_700_000_000_000 });
    levels.set('connector', 'DEBUG');
    expect(written()).toEqual(['shop', 'other']);
  });

  it('are set for all connectors by the names of their packages elsewhere', () => {
    const { levels, written } = setUp();
    expect(levels.set('io.debezium.connector.mysql', 'TRACE')).toEqual(['connector']);
    expect(written()).toEqual(['shop', 'other']);
  });

  it('for the whole replace what was set for a part', () => {
    const { levels, written } = setUp();
    levels.set('engine', 'DEBUG');
    levels.set('connector.other', 'OFF');
    expect(levels.set('root', 'DEBUG')).toEqual(['connector.other', 'engine', 'root']);
    expect(written()).toEqual(['root', 'engine', 'shop', 'other']);
  });

  it('that do not exist, and loggers that do not, are refused', () => {
    const { levels } = setUp();
    expect(() => levels.set('root', 'constructor')).toThrow('no log level');
    expect(() => levels.set('org.example', 'INFO')).toThrow('no logger');
    expect(() => levels.of('org.example')).toThrow('no logger');
  });
});
