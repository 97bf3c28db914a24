// Keys that are one to the server and differ by letters: a primary key of text in a collation that knows no case, no accents, and spaces at
// the end only where it pads. Here a row is the row of its letters, so what the server takes for the same row has to leave its old key: the
// rows that are held are the server's at every end, also where a change was never in the stream and the table is read again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowDataPacket } from 'mysql2/promise';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDice, randomSeed } from '../support/harness/dice.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource, type SourceRun } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
const collations = {
  mysql: ['utf8mb4_0900_ai_ci', 'utf8mb4_general_ci', 'latin1_swedish_ci'],
  mariadb: ['utf8mb4_unicode_ci', 'utf8mb4_general_ci', 'latin1_swedish_ci'],
} as const;
/** Spellings of few words, so that most statements meet a row. */
const words = ['a', 'A', 'á', 'a ', 'b', 'B', 'ss', 'ß', 'SS', 'o', 'ö', 'Ö'];
const rounds = 150;

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('keys that are equal to %s', (product) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'equal_keys');
  });
  afterAll(() => database.drop());

  it.each(collations[product])('by %s are the rows of the server', { timeout: 30_000 }, async (collation) => {
    const seed = randomSeed();
    const dice = createDice(seed);
    const charset = collation.split('_')[0]!;
    const table = `t_${collation}`;
    const read = async (): Promise<string[]> =>
      withConnection(servers[product], async (connection) => {
        const [rows] = await connection.query<RowDataPacket[]>(`SELECT id, n FROM ${database.name}.${table}`);
        return rows.map(({ id, n }) => `${String(id)}|${Number(n)}`).toSorted();
      });
    const held = (run: SourceRun): string[] =>
      [...(foldAppends(run.appends).get(table)?.values() ?? [])]
        .map((row) => JSON.parse(row) as { id: string; n: number })
        .map(({ id, n }) => `${id}|${n}`)
        .toSorted();
    await withConnection(servers[product], async (connection) => {
      const query = (sql: string, values: readonly unknown[] = []) => connection.query(sql, values as unknown[]);
      await query(`USE ${database.name}`);
      await query(
        `CREATE TABLE ${table} (id VARCHAR(9) CHARACTER SET ${charset} COLLATE ${collation} PRIMARY KEY, n INT)`,
      );
      const change = async (n: number): Promise<void> => {
        const [one, other] = [dice.pick(words), dice.pick(words)];
        switch (dice.between(0, 5)) {
          case 0:
            return void (await query(`INSERT IGNORE INTO ${table} (id, n) VALUES (?, ?)`, [one, n]));
          case 1:
            return void (await query(`REPLACE INTO ${table} (id, n) VALUES (?, ?)`, [one, n]));
          case 2:
            return void (await query(
              `INSERT INTO ${table} (id, n) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = VALUES(id), n = VALUES(n)`,
              [one, n],
            ));
          case 3:
            return void (await query(`UPDATE IGNORE ${table} SET id = ?, n = ? WHERE id = ?`, [one, n, other]));
          case 4:
            return void (await query(`UPDATE IGNORE ${table} SET id = ? WHERE id = ?`, [one, one]));
          default:
            return void (await query(`DELETE FROM ${table} WHERE id = ?`, [one]));
        }
      };
      for (let n = 0; n < 20; n++) await change(n);
      const run = runSource(createMysqlSource(mysqlConfig(servers[product], database.name), silentLogger), null);
      try {
        const agree = async (what: string): Promise<void> => {
          const right = await read();
          await run
            .until(() => held(run).join() === right.join(), what)
            .catch(() => expect(held(run), `${what}; seed ${seed}`).toEqual(right));
        };
        await agree('the snapshot');
        for (let n = 100; n < 100 + rounds; n++) await change(n);
        await agree('the stream');
        // Never in the stream: it is found when the table is read again, while the stream goes on.
        await query('SET sql_log_bin = 0');
        for (let n = 500; n < 540; n++) await change(n);
        await query('SET sql_log_bin = 1');
        await query(`ALTER TABLE ${table} ADD COLUMN more INT DEFAULT 1`);
        for (let n = 600; n < 600 + rounds; n++) await change(n);
        await agree('what was read again');
      } finally {
        await run.stop();
      }
    });
  });
});
