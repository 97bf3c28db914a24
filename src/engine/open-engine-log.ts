// Which log the engine has: what the configuration's `stream` says.
import { removeLeftSpillFiles } from '../stream/spill-file.js';
import { openEmbeddedEngineLog } from './embedded-engine-log.js';
import type { EngineLog, EngineLogParts } from './engine-log.js';

export async function openEngineLog(parts: EngineLogParts): Promise<EngineLog> {
  const { database, options, logger } = parts;
  removeLeftSpillFiles(options.dataFolder);
  if (options.stream.kind === 'embedded') return openEmbeddedEngineLog(parts);
  const { openKafkaEngineLog } = await import('./kafka-engine-log.js');
  return openKafkaEngineLog(database, options, options.stream.url, logger);
}
