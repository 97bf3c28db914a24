// kill -9 at random moments under load, for every source with the embedded log: at the end all tables equal the source, the topics hold
// exactly what was written, and subscribers that resumed saw every change once. The long runs: npm run soak -- correctness.
import { describe, expect, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { openMysqlSource } from '../support/harness/mysql-database.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { runCorrectness } from '../soak/correctness.js';

const { mysql, mariadb } = {
  mysql: await sharedServers('mysql'),
  mariadb: await sharedServers('mariadb'),
};
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
const timeout = 300_000;
const load = { seed, seconds: 6, kills: 3, initialRows: 200, rate: 100 };

describe(`kills under load, embedded log (TEST_SEED=${seed})`, () => {
  it('SQLite into the embedded log', { timeout }, async () => {
    const figures = await runCorrectness(load);
    expect(figures['kills']).toBe(load.kills);
  });

  it('SQLite into the embedded log, with writes during the first snapshot', { timeout }, async () => {
    await runCorrectness({ ...load, kills: 1, seconds: 3, writeDuringSnapshot: true, initialRows: 3000 });
  });

  it.skipIf(mysql.missing)('MySQL into the embedded log', { timeout }, async () => {
    await runCorrectness({ ...load, source: await openMysqlSource(mysql.mysql, { prefix: 'crash' }) });
  });

  it.skipIf(mysql.missing)(
    'MySQL into the embedded log, with writes during the first snapshot',
    { timeout },
    async () => {
      const source = await openMysqlSource(mysql.mysql, { prefix: 'crash' });
      await runCorrectness({ ...load, kills: 1, seconds: 3, writeDuringSnapshot: true, initialRows: 3000, source });
    },
  );

  it.skipIf(mariadb.missing)('MariaDB into the embedded log', { timeout }, async () => {
    await runCorrectness({ ...load, source: await openMysqlSource(mariadb.mariadb, { prefix: 'crash' }) });
  });
});
