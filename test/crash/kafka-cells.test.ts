// The kills of embedded-cells.test.ts with the log on Kafka.
import { describe, expect, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { openMysqlSource } from '../support/harness/mysql-database.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { runCorrectness } from '../soak/correctness.js';

const { mysql, mariadb, kafka } = {
  mysql: await sharedServers('mysql'),
  mariadb: await sharedServers('mariadb'),
  kafka: await sharedServers('kafka'),
};
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
const timeout = 300_000;
const load = { seed, seconds: 5, kills: 2, initialRows: 200, rate: 100 };

describe(`kills under load, log on Kafka (TEST_SEED=${seed})`, () => {
  it.skipIf(kafka.missing)('SQLite into Kafka', { timeout }, async () => {
    await runCorrectness({ ...load, kafka: kafka.kafka });
  });

  it.skipIf(kafka.missing || mysql.missing)('MySQL into Kafka', { timeout }, async () => {
    await runCorrectness({
      ...load,
      kafka: kafka.kafka,
      reader: 'tap',
      source: await openMysqlSource(mysql.mysql, { prefix: 'crash' }),
    });
  });

  it.skipIf(kafka.missing || mariadb.missing)('MariaDB into Kafka', { timeout }, async () => {
    const source = await openMysqlSource(mariadb.mariadb, { prefix: 'crash' });
    await runCorrectness({ ...load, kafka: kafka.kafka, reader: 'tap', source });
  });

  it.skipIf(kafka.missing)(
    'SQLite into Kafka, a leader and two followers, two kills of the leader',
    { timeout: 300_000 },
    async () => {
      const figures = await runCorrectness({
        ...load,
        kills: 2,
        processes: 3,
        kafka: kafka.kafka,
        reader: 'tap',
      });
      expect(figures['followers compared']).toBe(2);
    },
  );
});
