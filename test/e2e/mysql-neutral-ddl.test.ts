// Statements of daily life that leave every row, column and primary key as it is: capture goes on over them, on both products, and the
// server itself shows that they do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDatabase, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

const both: readonly string[] = [
  'ALTER TABLE live ALTER COLUMN a SET DEFAULT 5',
  "ALTER TABLE live ALTER b SET DEFAULT 'x, y', ALTER a DROP DEFAULT",
  'ALTER TABLE live ADD CONSTRAINT positive CHECK (a > 0)',
  'ALTER TABLE live DROP CONSTRAINT positive',
  'ALTER TABLE live ADD CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE RESTRICT',
  'ALTER TABLE live DROP FOREIGN KEY of_parent',
  'ALTER TABLE live ENGINE = InnoDB',
  'ALTER TABLE live FORCE',
  'ALTER TABLE live ROW_FORMAT = COMPACT',
  'ALTER TABLE live DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci',
  "ALTER TABLE live COMMENT = 'of all sorts', AUTO_INCREMENT = 1000",
  'ALTER TABLE live ENGINE = MyISAM CHECKSUM = 1',
  'ALTER TABLE live ENGINE = InnoDB, ADD INDEX by_a (a)',
  'ALTER TABLE live PARTITION BY HASH (id) PARTITIONS 3',
  'ALTER TABLE live ADD PARTITION PARTITIONS 2',
  'ALTER TABLE live COALESCE PARTITION 1',
  'ALTER TABLE live REBUILD PARTITION p0, p1',
  'ALTER TABLE live PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (20), PARTITION p1 VALUES LESS THAN (1000))',
  'ALTER TABLE live REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (500), PARTITION p2 VALUES LESS THAN (1000))',
  'ALTER TABLE live ADD PARTITION (PARTITION p3 VALUES LESS THAN MAXVALUE)',
  'ALTER TABLE live REMOVE PARTITIONING',
];
const only: Readonly<Record<'mysql' | 'mariadb', readonly string[]>> = {
  mysql: [
    'ALTER TABLE live ADD CHECK (a > -1) NOT ENFORCED',
    'ALTER TABLE live ALTER CHECK live_chk_1 ENFORCED',
    'ALTER TABLE live DROP CHECK live_chk_1',
    'ALTER TABLE live ALTER COLUMN b SET INVISIBLE',
    'ALTER TABLE live ALTER COLUMN b SET VISIBLE',
  ],
  mariadb: ['ALTER TABLE live DROP CONSTRAINT IF EXISTS nothing', 'ALTER TABLE live PAGE_CHECKSUM = 1'],
};

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('neutral statements on %s', (product) => {
  let database: TestDatabase;
  const runs: SourceRun[] = [];

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'neutral');
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await database.drop();
  });

  const query = (...statements: string[]) =>
    withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      let last: unknown;
      for (const statement of statements) [last] = await connection.query(statement);
      return last;
    });
  const rows = async () => JSON.stringify(await query('SELECT id, parent, a, b, e FROM live ORDER BY id'));

  async function start(): Promise<SourceRun> {
    const config = mysqlConfig(servers[product], database.name, { 'snapshot.mode': 'initial' });
    const run = runSource(createMysqlSource(config, silentLogger), null);
    runs.push(run);
    await run.until(
      (appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'),
      'the end of the snapshot',
    );
    return run;
  }
  const folded = (appends: readonly TestAppend[]) => {
    const found = new Map<string, string>();
    for (const { table, key, value } of appends.flatMap(({ records }) => records)) {
      if (value === null) found.delete(`${table} ${key}`);
      else found.set(`${table} ${key}`, value);
    }
    return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  };

  it('are passed over, and what comes behind them is captured', { timeout: 120_000 }, async () => {
    await query(
      'CREATE TABLE parents (id INT PRIMARY KEY)',
      'INSERT INTO parents VALUES (1), (2)',
      `CREATE TABLE live (id INT AUTO_INCREMENT PRIMARY KEY, parent INT, a INT, b VARCHAR(20) CHARACTER SET utf8mb4,
        e ENUM('a', 'b'))`,
      "INSERT INTO live (parent, a, b, e) VALUES (1, 1, 'é', 'a'), (2, 2, '', 'b'), (NULL, NULL, NULL, NULL)",
    );
    const source = await start();
    let key = 10;
    for (const statement of [...both, ...only[product]]) {
      const before = await rows();
      await query(statement);
      expect(await rows(), statement).toBe(before);
      key++;
      await query(`INSERT INTO live (id, parent, a, b, e) VALUES (${key}, 1, ${key}, 'ü${key}', 'b')`);
      await source.until(
        (appends) => appends.some(({ records }) => records.some((record) => record.key === `{"id":${key}}`)),
        `the row behind ${statement}`,
      );
    }
    await query("UPDATE live SET b = 'z' WHERE id = 1");
    const fresh = await start();
    await source.until((appends) => JSON.stringify(folded(appends)) === JSON.stringify(folded(fresh.appends)));
  });
});
