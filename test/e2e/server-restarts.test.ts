// The database and the broker are restarted and killed under load: capture comes back by itself and nothing is lost or told twice.
import { afterAll, describe, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { openMysqlSource } from '../support/harness/mysql-database.js';
import { startKafka } from '../support/servers/kafka.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { runCorrectness } from '../soak/correctness.js';

const mysqlServer = await sharedServers('mysql');
const mariadbServer = await sharedServers('mariadb');
const kafkaServer = await sharedServers('kafka');
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
const timeout = 180_000;
const load = { seed, seconds: 5, initialRows: 100, rate: 50 };
/** Else the controller turns a killed broker away for nine seconds. */
const shortSession = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };
const owned: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const server of owned) await server.close();
});

describe(`servers that come and go under load (TEST_SEED=${seed})`, () => {
  it.each([
    { name: 'MySQL', missing: mysqlServer.missing, start: startMysql },
    { name: 'MariaDB', missing: mariadbServer.missing, start: startMariadb },
  ])('a restart and a crash of $name', { timeout }, async ({ missing, start }) => {
    if (missing) return;
    const server = await start();
    owned.push(server);
    await runCorrectness({
      ...load,
      source: await openMysqlSource(server),
      disturbances: [
        { name: 'restart', run: () => server.restart() },
        { name: 'crash', run: () => server.kill().then(() => server.start()) },
      ],
    });
  });

  it.skipIf(kafkaServer.missing)('a restart and a crash of the broker', { timeout }, async () => {
    const broker = await startKafka({ config: shortSession });
    owned.push(broker);
    await runCorrectness({
      ...load,
      kafka: broker,
      disturbances: [
        { name: 'restart', run: () => broker.restart() },
        { name: 'crash', run: () => broker.kill().then(() => broker.start()) },
      ],
    });
  });
});
