// Foreign keys that the server executes inside its engine, unlogged: rows that go, lose their reference or get another key with the rows
// that they follow do so here, at one version with them; on MariaDB, and on MySQL as it was before it logged such changes.
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { openApp, type App } from '../support/harness/app-process.js';
import { createDice, randomSeed } from '../support/harness/dice.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { randomKeys, writeRandomly } from '../support/source/keyed-schema.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import {
  createDatabase,
  createUser,
  runStatements,
  withConnection,
  type SqlAddress,
  type TestDatabase,
} from '../support/servers/sql-client.js';

const shared = await sharedServers('mariadb');
const rounds = Number(process.env['CASCADES_ROUNDS'] ?? 1);

describe.skipIf(shared.missing).each(['mariadb', 'mysql'] as const)('foreign keys that cascade, on %s', (product) => {
  let native: SqlServer | undefined;
  let server: SqlAddress;
  let database: TestDatabase;
  let app: App;

  beforeAll(async () => {
    if (product === 'mysql') native = await startMysql({ serverArgs: ['--innodb-native-foreign-keys=ON'] });
    server = native ?? shared.mariadb;
  });
  afterAll(() => native?.close());
  beforeEach(async () => {
    database = await createDatabase(server, 'cascades');
  });
  afterEach(async () => {
    await app?.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(server, database.name, statements);

  async function capture(...args: string[]): Promise<void> {
    app = await openApp({ args: ['--source', database.url, ...args] });
    await app.start();
  }

  async function served(table: string): Promise<string[] | string> {
    const { status, text } = await request(`${app.url}/v1/tables/${table}/rows?limit=100000`);
    if (status !== 200) return text;
    const { rows } = JSON.parse(text) as { rows: Record<string, unknown>[] };
    return rows.map((row) => JSON.stringify(row)).sort();
  }

  async function stored(connection: Connection, table: string): Promise<string[]> {
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT * FROM ${table}`);
    return rows.map((row) => JSON.stringify(row)).sort();
  }

  /** Every table is as on the server. */
  async function agrees(tables: readonly string[]): Promise<void> {
    await withConnection(server, async (connection) => {
      await connection.query(`USE ${database.name}`);
      for (const table of tables) {
        const right = await stored(connection, table);
        let seen: unknown;
        await waitFor(
          `${table} as on the server`,
          async () => {
            seen = await served(table);
            return JSON.stringify(seen) === JSON.stringify(right);
          },
          { timeoutMs: 20_000 },
        ).catch(() => expect(seen, table).toEqual(right));
      }
    });
  }

  async function failure(): Promise<string> {
    return waitFor('the connector to fail', async () => {
      const names = await requestJson<string[]>(`${app.url}/connectors`);
      for (const name of names) {
        const { tasks } = await requestJson<{ tasks: { state: string; trace?: string }[] }>(
          `${app.url}/connectors/${name}/status`,
        );
        const failed = tasks.find(({ state }) => state === 'FAILED');
        if (failed) return failed.trace ?? 'failed';
      }
      return undefined;
    });
  }

  const family = [
    'CREATE TABLE parent (id INT PRIMARY KEY, v INT)',
    'CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)',
    'CREATE TABLE grandchild (id INT PRIMARY KEY, child_id INT, FOREIGN KEY (child_id) REFERENCES child (id) ON DELETE SET NULL)',
    'INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)',
    'INSERT INTO child VALUES (10, 1), (20, 2), (30, 3)',
    'INSERT INTO grandchild VALUES (100, 10), (200, 20)',
  ];
  const familyTables = ['parent', 'child', 'grandchild'];

  it.runIf(product === 'mariadb')(
    'change what follows, also for a user with the least privileges',
    { timeout: 60_000 },
    async () => {
      await query(...family);
      const monitor = product === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
      const { url } = await createUser(server, { grants: [`SELECT, REPLICATION SLAVE, ${monitor} ON *.*`] });
      app = await openApp({ args: ['--source', `${url}/${database.name}`] });
      await app.start();
      await agrees(familyTables);
      await query(
        'DELETE FROM parent WHERE id = 1',
        'UPDATE parent SET id = 22 WHERE id = 2',
        'REPLACE INTO parent VALUES (3, 33)',
      );
      await agrees(familyTables);
      expect(await served('child')).toEqual(['{"id":20,"parent_id":22}']);
      expect(await served('grandchild')).toEqual(['{"id":100,"child_id":null}', '{"id":200,"child_id":20}']);
    },
  );

  it.runIf(product === 'mariadb')(
    'of many rows in one transaction, and with what it has done itself before',
    { timeout: 90_000 },
    async () => {
      await query(
        ...family.slice(0, 3),
        `INSERT INTO parent SELECT x.n * 100 + y.n, 0 FROM ${digits('x', 20)}, ${digits('y', 100)}`,
        'INSERT INTO child SELECT id * 2, id FROM parent',
        'INSERT INTO child SELECT id * 2 + 1, id FROM parent',
        'INSERT INTO grandchild SELECT id, id FROM child',
      );
      await capture();
      await agrees(['parent']);
      await withConnection(server, async (connection) => {
        await connection.query(`USE ${database.name}`);
        await connection.query('BEGIN');
        await connection.query('INSERT INTO parent VALUES (10000, 0), (10001, 0)');
        await connection.query('INSERT INTO child VALUES (50000, 10000), (50001, 10001)');
        await connection.query('INSERT INTO grandchild VALUES (60000, 50000), (60001, 50001)');
        await connection.query('UPDATE child SET parent_id = 10001 WHERE id < 20');
        await connection.query('DELETE FROM child WHERE id BETWEEN 20 AND 40');
        await connection.query('UPDATE parent SET id = id + 20000 WHERE id BETWEEN 100 AND 149');
        await connection.query('DELETE FROM parent WHERE id = 10000 OR id BETWEEN 1 AND 1500');
        await connection.query('UPDATE child SET parent_id = NULL WHERE id = 12');
        await connection.query('DELETE FROM parent WHERE id = 10001');
        await connection.query('COMMIT');
      });
      await agrees(familyTables);
    },
  );

  it.runIf(product === 'mariadb')(
    'are at one version with the rows that they follow',
    { timeout: 60_000 },
    async () => {
      await query(...family, 'DELETE FROM grandchild');
      await capture();
      await agrees(familyTables);
      let torn: string | undefined;
      let answers = 0;
      let stopped = false;
      const reading = (async () => {
        while (!stopped) {
          const body = { reads: familyTables.slice(0, 2).map((table) => ({ table })) };
          const { results } = await requestJson<{ results: { rows: { id: number; parent_id: number | null }[] }[] }>(
            `${app.url}/v1/read`,
            { body },
          );
          const parents = new Set(results[0]!.rows.map(({ id }) => id));
          torn ??= results[1]!.rows.map((row) => JSON.stringify(row)).find((row) => !parents.has(parentOf(row)));
          answers++;
        }
      })();
      for (let i = 0; i < 60; i++) {
        await query(
          `INSERT INTO parent VALUES (${i + 100}, 0)`,
          `INSERT INTO child VALUES (${i + 1000}, ${i + 100})`,
          i % 2 === 0
            ? `DELETE FROM parent WHERE id = ${i + 100}`
            : `UPDATE parent SET id = ${i + 500} WHERE id = ${i + 100}`,
        );
      }
      await agrees(familyTables);
      stopped = true;
      await reading;
      expect(torn).toBeUndefined();
      expect(answers).toBeGreaterThan(5);
    },
  );

  it('are followed when a statement makes or drops them, also while nothing runs', { timeout: 90_000 }, async () => {
    await query(...family);
    await capture();
    await agrees(familyTables);
    await query(
      'CREATE TABLE later (id INT PRIMARY KEY, p INT REFERENCES parent (id) ON DELETE CASCADE)',
      'INSERT INTO later VALUES (1, 1), (2, 2), (3, 3)',
      'ALTER TABLE grandchild DROP FOREIGN KEY grandchild_ibfk_1',
      'ALTER TABLE grandchild ADD CONSTRAINT `again.1` FOREIGN KEY (child_id) REFERENCES child (id) ON DELETE CASCADE',
      'DELETE FROM parent WHERE id = 1',
    );
    await agrees([...familyTables, 'later']);
    expect(await served('grandchild')).toEqual(['{"id":200,"child_id":20}']);
    await app.kill();
    await query(
      'DELETE FROM later WHERE id = 3',
      'UPDATE parent SET id = 33 WHERE id = 3',
      'DELETE FROM parent WHERE id = 2',
      'ALTER TABLE grandchild DROP FOREIGN KEY `again.1`',
      'ALTER TABLE child DROP FOREIGN KEY child_ibfk_1',
      'DELETE FROM parent WHERE id = 33',
      'INSERT INTO parent VALUES (4, 4)',
      'INSERT INTO child VALUES (40, 4)',
      'DELETE FROM child WHERE parent_id = 33',
      'ALTER TABLE child ADD CONSTRAINT c2 FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE',
    );
    await app.start();
    await agrees([...familyTables, 'later']);
    await query('DELETE FROM later', 'DELETE FROM parent');
    await agrees([...familyTables, 'later']);
  });

  it.runIf(product === 'mariadb')(
    'stop the connector where it is not known what follows',
    { timeout: 60_000 },
    async () => {
      await query(...family);
      await capture();
      await agrees(familyTables);
      const { status, text } = await request(`${app.url}/ksql`, { body: { ksql: 'DROP TABLE child;' } });
      expect(status, text).toBe(200);
      await query('DELETE FROM parent WHERE id = 1');
      expect(await failure()).toContain('cascades-not-captured');
    },
  );

  it.runIf(product === 'mariadb')(
    'are as they were where a transaction goes back to a savepoint',
    { timeout: 60_000 },
    async () => {
      await query(...family, 'CREATE TABLE notes (id INT PRIMARY KEY) ENGINE=MyISAM');
      await capture();
      await agrees([...familyTables, 'notes']);
      await query(
        'BEGIN',
        'INSERT INTO child VALUES (11, 1), (21, 2)',
        'SAVEPOINT s',
        'DELETE FROM parent WHERE id = 1',
        'UPDATE child SET parent_id = 3 WHERE id = 21',
        'INSERT INTO notes VALUES (1)',
        'ROLLBACK TO s',
        'DELETE FROM parent WHERE id = 2',
        'COMMIT',
      );
      await agrees([...familyTables, 'notes']);
      expect(await served('child')).toEqual([
        '{"id":10,"parent_id":1}',
        '{"id":11,"parent_id":1}',
        '{"id":30,"parent_id":3}',
      ]);
      await query('DELETE FROM parent');
      await agrees(familyTables);
    },
  );

  it.runIf(product === 'mariadb')(
    'change nothing while an index that they need is missing, also when it goes and comes while nothing runs',
    { timeout: 90_000 },
    async () => {
      const tables = ['owner', 'thing'];
      await query(
        'CREATE TABLE owner (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL)',
        `CREATE TABLE thing (id INT PRIMARY KEY, owner INT, FOREIGN KEY (owner) REFERENCES owner (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
        ...[1, 2, 3, 4, 5, 6].flatMap((id) => [
          `INSERT INTO owner VALUES (${id}, 'owner ${id}')`,
          `INSERT INTO thing VALUES (${id}, ${id})`,
        ]),
      );
      await capture();
      await agrees(tables);
      const unchecked = 'SET foreign_key_checks = 0';
      await query(unchecked, 'ALTER TABLE owner DROP PRIMARY KEY, ADD PRIMARY KEY (name, id)');
      await query('UPDATE owner SET id = 11 WHERE id = 1', 'DELETE FROM owner WHERE id = 2');
      await agrees(tables);
      await query('CREATE INDEX of_things ON owner (id)', 'UPDATE owner SET id = 13 WHERE id = 3');
      await agrees(tables);
      await app.kill();
      await query('UPDATE owner SET id = 23 WHERE id = 13', unchecked, 'DROP INDEX of_things ON owner');
      await query('UPDATE owner SET id = 14 WHERE id = 4');
      await app.start();
      await agrees(tables);
      await app.kill();
      await query('UPDATE owner SET id = 15 WHERE id = 5', 'CREATE INDEX of_things ON owner (id)');
      await query('UPDATE owner SET id = 16 WHERE id = 6');
      await app.start();
      await agrees(tables);
    },
  );

  it('go on when the tables change, and with them the columns of keys', { timeout: 120_000 }, async () => {
    const tables = ['film', 'actor', 'film_actor', 'film_text'];
    await query(
      'CREATE TABLE film (id INT PRIMARY KEY, title VARCHAR(50))',
      'CREATE TABLE actor (id INT PRIMARY KEY, name VARCHAR(50))',
      `CREATE TABLE film_actor (actor_id INT, film_id INT, role VARCHAR(20), PRIMARY KEY (actor_id, film_id),
        CONSTRAINT of_actor FOREIGN KEY (actor_id) REFERENCES actor (id) ON UPDATE CASCADE ON DELETE CASCADE,
        CONSTRAINT of_film FOREIGN KEY (film_id) REFERENCES film (id) ON UPDATE CASCADE ON DELETE CASCADE)`,
      `CREATE TABLE film_text (id INT PRIMARY KEY, actor_id INT, film_id INT, CONSTRAINT of_role FOREIGN KEY (actor_id, film_id)
        REFERENCES film_actor (actor_id, film_id) ON UPDATE CASCADE ON DELETE SET NULL)`,
      `INSERT INTO film SELECT n + 1, CONCAT('film ', n) FROM ${digits('x', 100)}`,
      `INSERT INTO actor SELECT n + 1, CONCAT('actor ', n) FROM ${digits('x', 100)}`,
      `INSERT INTO film_actor SELECT x.n + 1, y.n + 1, 'r' FROM ${digits('x', 100)}, ${digits('y', 100)}`,
      'INSERT INTO film_text SELECT actor_id * 1000 + film_id, actor_id, film_id FROM film_actor WHERE film_id < 30',
    );
    await capture();
    await agrees(tables);
    await query(
      'DELETE FROM film WHERE id = 1',
      'ALTER TABLE film ADD COLUMN length INT NOT NULL DEFAULT 90',
      'DELETE FROM film WHERE id = 2',
      'UPDATE film SET id = 1003 WHERE id = 3',
      'ALTER TABLE film_actor ADD COLUMN billing INT NOT NULL DEFAULT 7',
      'UPDATE actor SET id = 1004 WHERE id = 4',
      'DELETE FROM actor WHERE id = 5',
      'UPDATE film SET id = id + 2000 WHERE id BETWEEN 6 AND 20',
    );
    await agrees(tables);
    await query(
      'ALTER TABLE film CHANGE id film_id INT',
      'DELETE FROM film WHERE film_id = 21',
      'ALTER TABLE film_actor CHANGE film_id film INT',
      'UPDATE film SET film_id = 1022 WHERE film_id = 22',
      'DELETE FROM film WHERE film_id = 23',
    );
    await agrees(tables);
    await query('DELETE FROM film WHERE film_id = 24', 'UPDATE film SET film_id = 1025 WHERE film_id = 25');
    await agrees(tables);
    await app.kill();
    await query(
      'DELETE FROM film WHERE film_id = 26',
      'ALTER TABLE film_actor DROP FOREIGN KEY of_film',
      'DELETE FROM film_actor WHERE film = 27',
      'ALTER TABLE film MODIFY film_id VARCHAR(20)',
      'ALTER TABLE film_actor ADD COLUMN film_name VARCHAR(20)',
      'UPDATE film_actor SET film_name = film',
      'ALTER TABLE film_actor ADD CONSTRAINT by_film FOREIGN KEY (film_name) REFERENCES film (film_id) ON DELETE CASCADE',
      'DELETE FROM film WHERE film_id = 28',
      'RENAME TABLE actor TO actor_old',
      'CREATE TABLE actor (id INT PRIMARY KEY, name VARCHAR(50))',
      'INSERT INTO actor SELECT * FROM actor_old',
      'DELETE FROM actor WHERE id = 30',
      'DELETE FROM actor_old WHERE id = 31',
    );
    await app.start();
    await agrees([...tables, 'actor_old']);
    await query(
      'DELETE FROM film WHERE film_id = 29',
      'DELETE FROM actor WHERE id = 32',
      'DELETE FROM actor_old WHERE id = 33',
    );
    await agrees([...tables, 'actor_old']);
  });

  it('are as random transactions leave them, killed on the way', { timeout: 120_000 }, async () => {
    const seed = Number(process.env['CASCADES_SEED'] ?? randomSeed());
    const dice = createDice(seed);
    const schema = randomKeys(dice, product);
    try {
      await query(...schema.create);
      await withConnection(server, async (connection) => {
        await connection.query(`USE ${database.name}`);
        await writeRandomly(connection, schema, dice, 60);
        const begun = capture();
        await writeRandomly(connection, schema, dice, 60);
        await begun;
        for (let round = 0; round < rounds; round++) {
          const writing = writeRandomly(connection, schema, dice, 80);
          await setTimeout(dice.between(0, 100));
          await app.kill();
          await writing;
          await app.start();
          await agrees(schema.tables);
        }
      });
    } catch (error) {
      throw new Error(`CASCADES_SEED=${seed}\n${schema.create.join(';\n')}`, { cause: error });
    }
  });
});

/** Numbers from 0 on, as a table. */
function digits(name: string, count: number): string {
  return `(WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < ${count - 1}) SELECT n FROM s) ${name}`;
}

function parentOf(row: string): number {
  return (JSON.parse(row) as { parent_id: number }).parent_id;
}
