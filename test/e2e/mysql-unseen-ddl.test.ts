// Statements that move rows, or take and give primary keys, without one row event: the source must stop before them, on both
// products, and must not have moved its position beyond.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDatabase, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Case {
  readonly title: string;
  readonly setup: readonly string[];
  readonly ddl: string;
  /** Behind the statement: a source that has passed over it would show or miss these rows in silence. */
  readonly after: string;
  readonly message: RegExp;
  readonly products?: readonly string[];
}

const ranges = 'PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)';
const cases: readonly Case[] = [
  ...['RENAME TO', 'RENAME AS', 'RENAME ='].map((rename) => ({
    title: `ALTER TABLE ${rename}`,
    setup: ['CREATE TABLE out1 (id INT PRIMARY KEY)', 'INSERT INTO out1 VALUES (1)'],
    ddl: `ALTER TABLE out1 ${rename} live`,
    after: 'INSERT INTO live VALUES (3)',
    message: /ALTER \.\.\. RENAME .*\.live/,
  })),
  {
    title: 'EXCHANGE PARTITION',
    setup: [
      `CREATE TABLE out1 (id INT PRIMARY KEY) ${ranges}`,
      'CREATE TABLE live (id INT PRIMARY KEY)',
      'INSERT INTO live VALUES (1)',
      'INSERT INTO out1 VALUES (50)',
    ],
    ddl: 'ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE live',
    after: 'INSERT INTO live VALUES (3)',
    message: /EXCHANGE PARTITION .*\.live/,
  },
  {
    title: 'CONVERT PARTITION',
    setup: [`CREATE TABLE out1 (id INT PRIMARY KEY) ${ranges}`, 'INSERT INTO out1 VALUES (50)'],
    ddl: 'ALTER TABLE out1 CONVERT PARTITION p0 TO TABLE live',
    after: 'INSERT INTO live VALUES (3)',
    message: /CONVERT PARTITION .*\.live/,
    products: ['mariadb'],
  },
  ...['ALTER TABLE live DROP INDEX `PRIMARY`', 'DROP INDEX `PRIMARY` ON live', 'ALTER TABLE live DROP PRIMARY KEY'].map(
    (ddl) => ({
      title: ddl,
      setup: ['CREATE TABLE live (id INT PRIMARY KEY)', 'INSERT INTO live VALUES (1)'],
      ddl,
      after: 'INSERT INTO live VALUES (1)',
      message: /DROP PRIMARY KEY .*\.live/,
    }),
  ),
  ...['ADD PRIMARY KEY (id)', 'ADD COLUMN n INT AUTO_INCREMENT PRIMARY KEY', 'MODIFY id INT KEY'].map((clause) => ({
    title: clause,
    setup: ['CREATE TABLE live (id INT)', 'INSERT INTO live VALUES (1)'],
    ddl: `ALTER TABLE live ${clause}`,
    after: 'INSERT INTO live (id) VALUES (2)',
    message: /ADD PRIMARY KEY .*\.live/,
  })),
];

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('changes without row events on %s', (product) => {
  let database: TestDatabase;
  const runs: SourceRun[] = [];

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'unseen');
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await database.drop();
  });

  const query = (...statements: string[]) =>
    withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      for (const statement of statements) await connection.query(statement);
    });

  function run(position: string | null = null): SourceRun {
    const config = mysqlConfig(servers[product], database.name, {
      'table.exclude.list': `${database.name}\\.out.*`,
      'snapshot.mode': 'initial',
    });
    const started = runSource(createMysqlSource(config, silentLogger), position);
    runs.push(started);
    return started;
  }
  const anew = () =>
    query(
      'DROP TABLE IF EXISTS live, out1, other, made',
      'CREATE TABLE other (id INT PRIMARY KEY)',
      'INSERT INTO other VALUES (0)',
    );
  const completed = (appends: readonly TestAppend[]) => appends.some((append) => append.control !== undefined);
  const has = (table: string, key: number) => (appends: readonly TestAppend[]) =>
    appends.some((append) => append.records.some((record) => record.table === table && record.key === `{"id":${key}}`));

  it.each(cases.filter(({ products }) => products?.includes(product) ?? true))(
    '$title stops the source, and again after a restart',
    async ({ setup, ddl, after, message }) => {
      await anew();
      await query(...setup);
      const source = run();
      await source.until(completed);
      await query('INSERT INTO other VALUES (1)');
      await source.until(has('other', 1));
      await query(ddl, after, 'INSERT INTO other VALUES (2)');
      const refused = {
        code: 'unsupported-change',
        message: expect.stringMatching(message) as string,
        hint: expect.stringContaining('connect delete NAME --topics') as string,
      };
      expect(await source.failure()).toMatchObject(refused);
      expect(has('other', 2)(source.appends)).toBe(false);
      // The statement lies behind the last position, so it is not passed over by a start from there.
      const again = run(source.appends.at(-1)!.position);
      expect(await again.failure()).toMatchObject({ code: 'unsupported-change' });
      expect(again.appends.flatMap((append) => append.records)).toEqual([]);
    },
  );

  it.each([
    [
      'a key that went',
      ['CREATE TABLE live (id INT PRIMARY KEY)'],
      'ALTER TABLE live DROP PRIMARY KEY',
      /lost its primary key/,
    ],
    [
      'a key that came',
      ['CREATE TABLE live (id INT)'],
      'ALTER TABLE live ADD PRIMARY KEY (id)',
      /has a primary key now/,
    ],
    [
      'another type',
      ['CREATE TABLE live (id INT PRIMARY KEY)'],
      'ALTER TABLE live MODIFY id BIGINT',
      /columns of captured/,
    ],
    ['a table from nowhere', [], 'CREATE TABLE live (id INT PRIMARY KEY)', /no CREATE TABLE/],
  ])('sees %s in the table map when the statement is hidden from the binlog', async (_, setup, ddl, message) => {
    await anew();
    await query(...setup);
    const source = run();
    await source.until(completed);
    await query('SET SESSION sql_log_bin = 0', ddl, 'SET SESSION sql_log_bin = 1', 'INSERT INTO live VALUES (5)');
    expect(await source.failure()).toMatchObject({
      code: 'unsupported-change',
      message: expect.stringMatching(message) as string,
    });
  });

  it('goes on at what touches no captured table, and leaves out a table that has only a unique key', async () => {
    await anew();
    await query(
      'CREATE TABLE live (id INT NOT NULL UNIQUE)',
      'INSERT INTO live VALUES (1)',
      `CREATE TABLE out1 (id INT PRIMARY KEY) ${ranges}`,
      'DROP TABLE IF EXISTS out2, out3',
      'CREATE TABLE out2 (id INT PRIMARY KEY)',
    );
    const source = run();
    await source.until(completed);
    await query(
      'INSERT INTO live VALUES (2)',
      'ALTER TABLE live ADD COLUMN v INT',
      'INSERT INTO live VALUES (3, 3)',
      'ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE out2',
      'ALTER TABLE out2 DROP PRIMARY KEY, RENAME TO out3',
      'ALTER TABLE other ADD INDEX i (id), ALGORITHM=INPLACE, LOCK=NONE',
      'DROP INDEX i ON other',
      'CREATE TABLE made (id INT)',
      'ALTER TABLE made ADD PRIMARY KEY (id)',
      'INSERT INTO made VALUES (7)',
    );
    await source.until(has('made', 7));
    expect([...source.tables.keys()].toSorted()).toEqual(['made', 'other']);
  });
});
