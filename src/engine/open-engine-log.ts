// Which log the engine has: what the configuration's `stream` says.
import type { Logger } from '../core/logger.js';
import type { SqliteDatabase } from '../sqlite/database.js';
import { removeLeftSpillFiles } from '../stream/spill-file.js';
import { openEmbeddedEngineLog } from './embedded-engine-log.js';
import type { EngineOptions } from './engine-api.js';
import type { EngineLog } from './engine-log.js';

/** `rowsOf`: how many rows the tables over a topic have. */
export async function openEngineLog(
  database: SqliteDatabase,
  options: EngineOptions,
  logger: Logger,
  rowsOf: (topic: string) => number | undefined,
): Promise<EngineLog> {
  removeLeftSpillFiles(options.dataFolder);
  if (options.stream.kind === 'embedded') return openEmbeddedEngineLog(database, options, logger, rowsOf);
  const { openKafkaEngineLog } = await import('./kafka-engine-log.js');
  return openKafkaEngineLog(database, options, options.stream.url, logger);
}
