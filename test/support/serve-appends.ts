// The engine's loop without the rest of the engine, for tests of the embedded log alone.
import { toAppError } from '../../src/core/errors.js';
import type { SqliteDatabase } from '../../src/sqlite/database.js';
import type { EmbeddedLog } from '../../src/stream/embedded/embedded-log.js';

/**
 * Writes what producers hand over, without applying it to anything: the engine's loop for a log that stands alone (tools, tests).
 * Runs in the turns of the event loop until the log is closed.
 */
export function serveAppends(log: EmbeddedLog, database: SqliteDatabase, groupBytesMax = 1024 * 1024): void {
  let scheduled = false;
  const run = () => {
    scheduled = false;
    const group = log.queue.take(groupBytesMax);
    if (group.length === 0) return;
    try {
      log.queue.confirm(database.transaction(() => log.write(group)));
    } catch (error) {
      log.queue.fail(toAppError(error));
      return;
    }
    schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(run);
  };
  log.queue.onAvailable(schedule);
}
