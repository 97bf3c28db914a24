// The law of foreign keys that cascade unlogged: whatever tables there are and whatever is written to them, what a source hands over folds to
// the rows that the server has, at every place of the stream. Random schemas, with the source alone, in this process: from a snapshot that
// begins under load, with the least privileges, and over a connection that is cut again and again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDice, randomSeed } from '../support/harness/dice.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { createDatabase, createUser, withConnection, type SqlAddress } from '../support/servers/sql-client.js';
import { foldAppends, runSource, type TestAppend } from '../support/source-run.js';
import { randomKeys, writeRandomly } from '../support/source/keyed-schema.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const shared = await sharedServers('mariadb');
/** Places at which the rows are compared. */
const places = 15;
const rounds = Number(process.env['CASCADES_ROUNDS'] ?? 2);

describe.skipIf(shared.missing).each(['mariadb', 'mysql'] as const)('foreign keys that cascade, on %s', (product) => {
  let native: SqlServer | undefined;
  let server: SqlAddress;

  beforeAll(async () => {
    if (product === 'mysql') native = await startMysql({ serverArgs: ['--innodb-native-foreign-keys=ON'] });
    server = native ?? shared.mariadb;
  });
  afterAll(() => native?.close());

  it('fold to the rows of the server', { timeout: 600_000 }, async () => {
    const first = Number(process.env['CASCADES_SEED'] ?? randomSeed());
    for (let seed = first; seed < first + rounds; seed++) await holds(seed);
  });

  it('are read anew, from one view, when the connection breaks behind what is read before the stream', async () => {
    const database = await createDatabase(server, 'law');
    try {
      await withConnection(server, async (connection) => {
        await connection.query(`USE ${database.name}`);
        await connection.query('CREATE TABLE p (id INT PRIMARY KEY)');
        await connection.query(
          'CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)',
        );
        await connection.query('INSERT INTO p VALUES (1), (2)');
        await connection.query('INSERT INTO c VALUES (1, 1), (2, 2)');
        const { user, password } = await createUser(server, {
          grants: [
            `SELECT, REPLICATION SLAVE, ${product === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT'} ON *.*`,
          ],
        });
        let cuts = 0;
        const run = runSource(
          createMysqlSource(mysqlConfig({ ...server, user, password }, database.name), silentLogger),
          null,
          {
            onSideRecords: async () => {
              if (cuts++ > 0) return;
              await cutConnections(connection, user);
              await connection.query('DELETE FROM p WHERE id = 1');
            },
          },
        );
        await run.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'));
        await run.stop();
        expect(cuts).toBe(2);
        const completed = run.appends.flatMap(({ control }) =>
          control?.kind === 'snapshot-completed' ? [[...control.topics].sort()] : [],
        );
        expect(completed).toEqual([['c', 'p']]);
        const rows = foldAppends(run.appends);
        expect([...rows.get('c')!.keys()]).toEqual(['{"id":2}']);
        expect([...rows.get('p')!.keys()]).toEqual(['{"id":2}']);
      });
    } finally {
      await database.drop();
    }
  });

  async function holds(seed: number): Promise<void> {
    const dice = createDice(seed);
    const schema = randomKeys(dice, product);
    const database = await createDatabase(server, 'law');
    try {
      await withConnection(server, async (connection) => {
        await connection.query(`USE ${database.name}`);
        for (const statement of schema.create) await connection.query(statement);
        await writeRandomly(connection, schema, dice, 40);
        const { user, password } = await createUser(server, {
          grants: [
            `SELECT, REPLICATION SLAVE, ${product === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT'} ON *.*`,
          ],
        });
        const source = createMysqlSource(mysqlConfig({ ...server, user, password }, database.name), silentLogger);
        const run = runSource(source, null, { chunkBytes: dice.pick([200, 64 << 10]) });
        for (let cut = dice.between(0, 3); cut > 0; cut--) {
          await writeRandomly(connection, schema, dice, dice.between(5, 40));
          await cutConnections(connection, user);
        }
        await run.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'));
        const right: string[][][] = [];
        for (let place = 0; place < places; place++) {
          await writeRandomly(connection, schema, dice, 8);
          right.push(await Promise.all(schema.tables.map((table) => stored(connection, table))));
          await connection.query(`INSERT INTO finish VALUES (${place})`);
        }
        const placeOf = (place: number, appends: readonly TestAppend[]) =>
          appends.findIndex(({ records }) =>
            records.some(({ table, key }) => table === 'finish' && key === `{"id":${place}}`),
          );
        await run.until((appends) => placeOf(places - 1, appends) >= 0);
        await run.stop();
        for (const [place, tables] of right.entries()) {
          const rows = foldAppends(run.appends.slice(0, placeOf(place, run.appends)));
          schema.tables.forEach((table, i) => {
            const handed = [...(rows.get(table)?.values() ?? [])].sort();
            expect(handed, `${table} at place ${place}`).toEqual(tables[i]);
          });
        }
      });
    } catch (error) {
      throw new Error(`CASCADES_SEED=${seed}\n${schema.create.join(';\n')}`, { cause: error });
    } finally {
      await database.drop();
    }
  }
});

async function stored(connection: Connection, table: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(`SELECT * FROM ${table}`);
  return rows.map((row) => JSON.stringify(row)).sort();
}

async function cutConnections(connection: Connection, user: string): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ${connection.escape(user)}`,
  );
  for (const { id } of rows) await connection.query(`KILL ${id}`).catch(() => {}); // it may have gone by itself
}
