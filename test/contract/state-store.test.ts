// The contract of the state store, run by the SQLite one over files.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type SqliteDatabase } from '../../src/sqlite/database.js';
import { openStateReader } from '../../src/store/sqlite/state-reader.js';
import { openStateStore } from '../../src/store/sqlite/state-store.js';
import { stateStoreContract } from './state-store.js';

stateStoreContract('the SQLite store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wt-store-'));
  const path = join(folder, 'writethrough.db');
  let database: SqliteDatabase;
  return {
    async openWriter() {
      database = openDatabase(path);
      return openStateStore(database, { logId: 'log' });
    },
    async openReader() {
      return openStateReader(path);
    },
    async abandon() {
      database.raw.close();
    },
    async dispose() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
