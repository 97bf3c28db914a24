// Money moves between two tables; every answer that reads all of it holds the whole amount, during the snapshot, a rebuild, a restart
// and after kill -9. The long run: npm run soak -- bank.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { openMysqlSource } from '../support/harness/mysql-database.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { runBank } from '../soak/bank.js';

const mysqlServer = await sharedServers('mysql');
const mariadbServer = await sharedServers('mariadb');
const kafkaServer = await sharedServers('kafka');
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
const timeout = 120_000;
const options = { seed, seconds: 10, rebuilds: 2, restarts: 1, kills: 1, fillerRows: 20_000, versionsMin: 50 };
const folder = mkdtempSync(join(tmpdir(), 'writethrough-bank-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`the bank's answers hold the whole amount (TEST_SEED=${seed})`, () => {
  it('from SQLite', { timeout }, async () => {
    const figures = await runBank({ ...options, source: openSqliteSource(join(folder, 'bank.db')) });
    expect(figures['answers with projections']).toBeGreaterThan(0);
  });

  it.skipIf(mysqlServer.missing)('from MySQL', { timeout }, async () => {
    await runBank({ ...options, source: await openMysqlSource(mysqlServer.mysql, { prefix: 'bank' }) });
  });

  it.skipIf(mariadbServer.missing)('from MariaDB', { timeout }, async () => {
    await runBank({ ...options, source: await openMysqlSource(mariadbServer.mariadb, { prefix: 'bank' }) });
  });

  it.skipIf(kafkaServer.missing)('from SQLite through Kafka', { timeout }, async () => {
    await runBank({ ...options, source: openSqliteSource(join(folder, 'kafka.db')), kafka: kafkaServer.kafka });
  });
});
