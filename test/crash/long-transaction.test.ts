// kill -9 while the engine applies one very long transaction that it has read from Kafka into a spill file: nobody ever sees a part of
// it, after the next start it is there whole, and no file of it is left.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openApp } from '../support/harness/app-process.js';
import { requestJson, request } from '../support/harness/http-client.js';
import { waitForTables } from '../support/harness/progress.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { waitFor } from '../support/harness/wait-for.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const MB = 1024 * 1024;
const rowCount = 120_000;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

describe.skipIf(servers.missing)('a very long transaction on Kafka', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-long-'));
  const serviceId = `long-transaction-${randomBytes(5).toString('hex')}`;
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await deleteTopicsOf(servers.kafka.brokers, serviceId);
  });

  it('is applied whole, whenever the process is killed or stopped', async () => {
    const source = openSqliteSource(join(folder, 'app.db'));
    await source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT NOT NULL); INSERT INTO t VALUES (0, 'x');");
    const app = await openApp({
      args: ['--source', source.url, '--stream', `kafka://${servers.kafka.brokers.join(',')}`],
      env: { WRITETHROUGH_SERVICE_ID: serviceId },
    });
    const visibleRows = async (): Promise<number> => {
      const { tables } = await requestJson<{ tables: { name: string; rowCount: number }[] }>(`${app.url}/v1/tables`);
      return tables.find(({ name }) => name === 't')!.rowCount;
    };
    const wal = join(app.dataDir, 'writethrough.db-wal');
    try {
      await app.start();
      await waitForTables(app.url, [{ name: 't' }]);
      await source.execute(
        `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rowCount})
         SELECT i, printf('%d %0300d', i, i) FROM n`,
      );
      // More than the engine's page cache holds: what is in the file beyond that belongs to the transaction that it applies.
      await waitFor('the engine to be in the middle', () => sizeOf(wal) > 8 * MB, { intervalMs: 2 });
      await app.kill();
      await app.start();
      await waitFor('the table', async () => (await visibleRows()) > 0);
      const seen = new Set([await visibleRows()]);
      await sleep(Math.random() * 1500);
      expect(await app.stop()).toBe(0);
      await app.start();
      await waitFor('all rows', async () => seen.add(await visibleRows()).has(rowCount + 1), { intervalMs: 5 });
      expect([...seen].filter((count) => count !== 1)).toEqual([rowCount + 1]);
      const { text } = await request(`${app.url}/query-stream`, { body: { sql: 'SELECT id, body FROM t;' } });
      const rows = text
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line) as [id: number, body: string]);
      expect(rows).toHaveLength(rowCount + 1);
      expect(new Set(rows.map(([id]) => id)).size).toBe(rowCount + 1);
      for (const [id, body] of rows) expect(body).toBe(id === 0 ? 'x' : `${id} ${String(id).padStart(300, '0')}`);
      expect(readdirSync(app.dataDir).filter((name) => name.startsWith('spill'))).toEqual([]);
    } finally {
      await app.close();
      await source.drop();
    }
  });
});
