// Sources by family, loaded when one is asked for: a thread that captures SQLite needs no MySQL driver.
import type { PluginFamily } from '../connect/config-def.js';
import { unreachable } from '../core/errors.js';
import type { SourceFactory } from '../source/source-connector.js';

export async function sourceFactory(family: PluginFamily): Promise<SourceFactory> {
  switch (family) {
    case 'mysql':
      return (await import('../source/mysql/mysql-source.js')).createMysqlSource;
    case 'sqlite':
      return (await import('../source/sqlite/sqlite-source.js')).createSqliteSource;
    case 'polling':
      return (await import('../source/polling/polling-source.js')).createPollingSource;
    default:
      return unreachable(family);
  }
}
