// The contract of the event log, run by the embedded one over files; with small bounds, so that spilling happens too.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { openDatabase, type SqliteDatabase } from '../../src/sqlite/database.js';
import { connectBridge } from '../../src/stream/bridge/bridge-client.js';
import { serveBridge } from '../../src/stream/bridge/bridge-server.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../src/stream/embedded/embedded-log.js';
import { keepHouse } from '../support/keep-house.js';
import { serveAppends } from '../support/serve-appends.js';
import { eventLogContract, type EventLogHarness } from './event-log.js';

async function createHarness(bridged: boolean): Promise<EventLogHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'wt-log-'));
  const databases = new Map<unknown, SqliteDatabase>();
  let current: EmbeddedLog | undefined;
  const maintain = async () => {
    keepHouse(current!.chores);
  };
  return {
    async open() {
      const database = openDatabase(join(folder, 'writethrough.db'));
      const log = openEmbeddedLog(database, {
        spillFolder: folder,
        spillBytes: 300,
        compaction: { dirtyBytes: 0, dirtyRatio: 0 },
      });
      serveAppends(log, database, 1000);
      databases.set(log, database);
      current = log;
      let ends: { close(): void }[] = [];
      if (bridged) {
        const { port1, port2 } = new MessageChannel();
        const client = connectBridge(port2);
        ends = [client, serveBridge(log.queue, port1)];
        log.openProducer = (name) => client.openProducer(name);
      }
      const close = log.close.bind(log);
      log.close = async () => {
        await close();
        for (const end of ends) end.close();
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

eventLogContract('the embedded log', () => createHarness(false));
eventLogContract('the embedded log behind the bridge', () => createHarness(true));
