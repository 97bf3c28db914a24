// While a statement puts another table in the place of one, that one is there all the same: whoever asks the server for its tables, their
// columns, keys and foreign keys finds them, at every moment. MariaDB passes over such a table in answers about many.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/source/mysql/config.js';
import { Session } from '../../src/source/mysql/connection.js';
import { readForeignKeys } from '../../src/source/mysql/foreign-keys.js';
import { describeTable, listTables, readSchemas, tableName } from '../../src/source/mysql/table-schema.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
const rounds = 60;

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)(
  'tables of %s that are being replaced',
  (product) => {
    let database: TestDatabase;
    let session: Session;
    const config = () => parseConfig(mysqlConfig(servers[product], database.name));

    beforeAll(async () => {
      database = await createDatabase(servers[product], 'replaced');
      await runStatements(servers[product], database.name, [
        'CREATE TABLE parent (id INT PRIMARY KEY)',
        'CREATE TABLE copied (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)',
        'CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100))',
      ]);
      session = await Session.open(config());
    });
    afterAll(async () => {
      session.close();
      await database.drop();
    });

    it.each([
      ['copied', ['ALTER TABLE copied FORCE, ALGORITHM = COPY']],
      [
        'parted',
        [
          'ALTER TABLE parted ADD PARTITION (PARTITION p1 VALUES LESS THAN (200))',
          'ALTER TABLE parted TRUNCATE PARTITION p0',
          'ALTER TABLE parted DROP PARTITION p1',
        ],
      ],
    ] as const)('%s', { timeout: 60_000 }, async (table, statements) => {
      let isDone = false;
      const changing = withConnection(servers[product], async (connection) => {
        await connection.query(`USE ${database.name}`);
        while (!isDone) for (const statement of statements) await connection.query(statement);
      });
      try {
        const name = `${database.name}.${table}`;
        for (let round = 0; round < rounds; round++) {
          const all = await listTables(session);
          const own = all.filter((each) => each.database === database.name);
          expect(own.map(tableName)).toEqual(['copied', 'parent', 'parted'].map((each) => `${database.name}.${each}`));
          const schemas = await readSchemas(session, own, config().modes);
          expect(schemas.map(({ columns, keyColumns }) => [columns.length, keyColumns])).toEqual([
            [2, [0]],
            [1, [0]],
            [1, [0]],
          ]);
          expect(await describeTable(session, name, (text) => text, config().modes)).toMatchObject({ table });
          expect(await readForeignKeys(session, own)).toMatchObject([
            { child: { table: 'copied' }, onDelete: 'cascade' },
          ]);
        }
      } finally {
        isDone = true;
        await changing;
      }
    });
  },
);
