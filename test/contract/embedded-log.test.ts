// The contract of the event log, run by the embedded one over files; with small bounds, so that spilling happens too.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type SqliteDatabase } from '../../src/sqlite/database.js';
import { openEmbeddedLog, serveAppends, type EmbeddedLog } from '../../src/stream/embedded/embedded-log.js';
import { eventLogContract, type EventLogHarness } from './event-log.js';

async function createHarness(): Promise<EventLogHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'wt-log-'));
  const databases = new Map<unknown, SqliteDatabase>();
  let current: EmbeddedLog | undefined;
  const maintain = async () => {
    while (current!.maintain(1000));
  };
  return {
    async open() {
      const database = openDatabase(join(folder, 'writethrough.db'));
      const log = openEmbeddedLog(database, {
        spillFolder: folder,
        spillBytes: 300,
        compaction: { dirtyBytes: 0, dirtyRatio: 0 },
        maintainIntervalMs: 0,
      });
      serveAppends(log, database, 1000);
      databases.set(log, database);
      current = log;
      const close = log.close.bind(log);
      log.close = async () => {
        await close();
        database.close();
      };
      return log;
    },
    async abandon(log) {
      // The file as it is, and no more writes by this log: what a killed process leaves, without ending this one.
      databases.get(log)!.raw.close();
    },
    compact: maintain,
    expire: maintain,
    name: (name) => name,
    async dispose() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

eventLogContract('the embedded log', createHarness);
