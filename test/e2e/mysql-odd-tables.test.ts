// Tables that servers treat in a way of their own: hidden columns, rows of the past, keys that nobody declared, sequences, columns of
// odd names, values without a type here. Each served row is what SELECT * gives (with the invisible columns), on both paths.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { parseConfig } from '../../src/source/mysql/config.js';
import { Session } from '../../src/source/mysql/connection.js';
import { TableFilter } from '../../src/source/mysql/filters.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { ChunkQuery } from '../../src/source/mysql/snapshot-query.js';
import { listTables, readSchemas } from '../../src/source/mysql/table-schema.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, createUser, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource, type SourceRun } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
type Product = 'mysql' | 'mariadb';

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('odd tables of %s', (product) => {
  const only = (which: Product, name: string, run: () => Promise<void>) => it.skipIf(product !== which)(name, run);
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'odd');
  });
  afterAll(() => database.drop());

  async function query(...statements: readonly string[]): Promise<void> {
    await withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      await connection.query("SET sql_mode = '', time_zone = '+00:00'");
      for (const statement of statements) await connection.query(statement);
    });
  }

  const source = (more: Record<string, string> = {}) =>
    createMysqlSource(mysqlConfig(servers[product], database.name, more), silentLogger);

  /** After the first statements capture begins; the second ones come while it streams, and end with a row in table `last`. */
  async function capture(
    tables: string,
    {
      before,
      streaming,
      more = {},
    }: { before: readonly string[]; streaming: readonly string[]; more?: Record<string, string> },
    check: (served: (table: string) => string[], run: SourceRun) => void,
  ): Promise<void> {
    await query(...before, 'DROP TABLE IF EXISTS last', 'CREATE TABLE last (id INT PRIMARY KEY)');
    const list = `${database.name}\\.(${tables}|last)`;
    const run = runSource(source({ 'table.include.list': list, ...more }), null);
    try {
      await run.until(
        (appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'),
        'the end of the snapshot',
      );
      await query(...streaming, 'INSERT INTO last VALUES (1)');
      await run.until((appends) => foldAppends(appends).has('last'), 'the last row');
      check((table) => [...(foldAppends(run.appends).get(table)?.values() ?? [])].toSorted(), run);
      const again = runSource(source({ 'table.include.list': list, ...more }), null);
      await again.until(
        (appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'),
        'the end of a fresh snapshot',
      );
      check((table) => [...(foldAppends(again.appends).get(table)?.values() ?? [])].toSorted(), again);
      await again.stop();
    } finally {
      await run.stop();
    }
  }

  it('a column named __proto__ is served like any other, in the key, too', () =>
    capture(
      'proto',
      {
        before: [
          'CREATE TABLE proto (id INT, `__proto__` INT, `constructor` INT, PRIMARY KEY (`__proto__`, id))',
          'INSERT INTO proto VALUES (1, 2, 3), (2, 2, 4)',
        ],
        streaming: ['UPDATE proto SET `__proto__` = 9 WHERE id = 1', 'UPDATE proto SET `constructor` = 5 WHERE id = 2'],
      },
      (served) =>
        expect(served('proto')).toEqual([
          '{"id":1,"__proto__":9,"constructor":3}',
          '{"id":2,"__proto__":2,"constructor":5}',
        ]),
    ));

  it('a late chunk of a key that begins with labels reads its own rows only', async () => {
    const rows = Array.from({ length: 4000 }, (_, n) => `(${1 + (n % 4)}, ${n})`).join(', ');
    await query(
      "CREATE TABLE labelled (`l` ENUM('z','m','it''s','b'), id INT, PRIMARY KEY (`l`, id))",
      `INSERT INTO labelled VALUES ${rows}`,
      'ANALYZE TABLE labelled',
    );
    const config = parseConfig(mysqlConfig(servers[product], database.name));
    const session = await Session.open(config);
    try {
      const tables = (await listTables(session)).filter(
        (each) => each.database === database.name && each.table === 'labelled',
      );
      for (const schema of await readSchemas(session, tables, config.modes)) {
        const chunk = new ChunkQuery(schema, new TableFilter(config));
        const read = async (after: readonly string[]) => {
          await session.query('FLUSH STATUS');
          const found = (await session.query(chunk.sql(after, 10))).map((row) => Number(row['id']));
          const status = await session.query("SHOW SESSION STATUS LIKE 'Handler_read_next'");
          expect(Number(status[0]!['Value'])).toBeLessThan(50);
          return found;
        };
        expect(await read(['2', '3001'])).toEqual(Array.from({ length: 10 }, (_, n) => 3005 + 4 * n));
        expect(await read(['2', '3993'])).toEqual([3997, ...Array.from({ length: 9 }, (_, n) => 2 + 4 * n)]);
        expect(await read(['4', '3991'])).toEqual([3995, 3999]);
        expect(await read(['4', '3999'])).toEqual([]);
      }
    } finally {
      session.close();
    }
  });

  it('a table with a column that nobody can read is left out with a warning, and the others go on', async () => {
    // Only a plug-in could bring such a type: the old times of MariaDB have a fraction whose length the binlog does not tell.
    if (product === 'mysql') return;
    await query(
      'SET GLOBAL mysql56_temporal_format = OFF',
      'CREATE TABLE unreadable (id INT PRIMARY KEY, at TIME(3))',
      'CREATE TABLE old (id INT PRIMARY KEY, t TIME, d DATETIME, ts TIMESTAMP NULL)',
      'SET GLOBAL mysql56_temporal_format = ON',
      "INSERT INTO old VALUES (1, '12:34:56', '2024-05-06 07:08:09', '2024-05-06 07:08:09')",
    );
    const list = { 'table.include.list': `${database.name}\\.(unreadable|old)` };
    const findings = await source(list).validate();
    expect(findings.filter(({ code }) => code === 'unsupported-type')).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringMatching(/unreadable\.at has type time\(3\).*left out/) as string,
        hint: expect.stringContaining('column.exclude.list') as string,
      },
    ]);
    await capture(
      'unreadable|old',
      {
        before: [],
        streaming: [
          "INSERT INTO unreadable VALUES (1, '01:02:03.5')",
          "INSERT INTO old VALUES (2, '12:34:56', '2024-05-06 07:08:09', '2024-05-06 07:08:09')",
        ],
      },
      (served) => {
        expect(served('unreadable')).toEqual([]);
        expect(served('old')).toEqual(
          [1, 2].map((id) => `{"id":${id},"t":45296000,"d":1714979289000,"ts":1714979289000}`),
        );
      },
    );
    const alone = await source({ 'table.include.list': `${database.name}.unreadable` }).validate();
    expect(alone).toContainEqual(expect.objectContaining({ severity: 'error', code: 'unsupported-type' }));
  });

  it('whose rows are kept elsewhere are told, with the way', async () => {
    // BLACKHOLE is not in every MariaDB.
    const engines =
      product === 'mysql' ? ['MERGE UNION = (merged_part)', 'BLACKHOLE'] : ['MERGE UNION = (merged_part)'];
    await query(
      'CREATE TABLE merged_part (id INT PRIMARY KEY) ENGINE = MyISAM',
      ...engines.map((engine, i) => `CREATE TABLE merged_${i} (id INT PRIMARY KEY) ENGINE = ${engine}`),
    );
    const list = { 'table.include.list': `${database.name}\\.merged_.*` };
    const repair = (i: number) => `ALTER TABLE \`${database.name}\`.\`merged_${i}\` ENGINE = InnoDB`;
    const findings = await source(list).validate();
    const found = findings.filter(({ code }) => code === 'rows-elsewhere');
    expect(found.map(({ severity, object }) => [severity, object])).toEqual(
      engines.map((_, i) => ['warning', `${database.name}.merged_${i}`]),
    );
    expect(found[0]!.message).toMatch(/ is of engine MRG_MYISAM, which shows the rows of the tables in its UNION/i);
    for (const [i, { hint }] of found.entries()) expect(hint).toContain(repair(i));
    expect(findings.filter(({ code }) => code === 'non-transactional-engine').map(({ object }) => object)).toEqual([
      `${database.name}.merged_part`,
    ]);
    // The statement is one that the server takes.
    await query(...engines.map((_, i) => repair(i)));
    expect((await source(list).validate()).map(({ code }) => code)).not.toContain('rows-elsewhere');
  });

  it('a name that Kafka does not take is told with the name that the topic has', async () => {
    await query('CREATE TABLE `preis liste €` (id INT PRIMARY KEY)');
    const findings = await source({
      'topic.prefix': 'shop',
      'table.include.list': `${database.name}.preis.*`,
    }).validate();
    expect(findings.filter(({ code }) => code === 'topic-name')).toEqual([
      {
        severity: 'warning',
        code: 'topic-name',
        object: `${database.name}.preis liste €`,
        message: `Kafka does not take "shop.${database.name}.preis liste €" as the name of a topic: the topic of ${database.name}.preis liste € is shop.${database.name}.preis_liste__`,
        hint: 'a transform RegexRouter gives it another name',
      },
    ]);
  });

  it('columns that the user may not read are told before the start', async () => {
    await query('CREATE TABLE secrets (id INT PRIMARY KEY, open INT, secret INT)');
    const user = await createUser(servers[product], {
      grants: ['REPLICATION SLAVE, REPLICATION CLIENT ON *.*', `SELECT (id, open) ON ${database.name}.secrets`],
    });
    const config = (more: Record<string, string>) =>
      mysqlConfig({ ...servers[product], ...user }, database.name, {
        'table.include.list': `${database.name}.secrets`,
        ...more,
      });
    expect(await createMysqlSource(config({}), silentLogger).validate()).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'source-missing-grant',
        message: expect.stringMatching(/all columns of .*secrets/) as string,
      }),
    );
    const without = config({ 'column.exclude.list': '.*\\.secret' });
    const findings = await createMysqlSource(without, silentLogger).validate();
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  only('mysql', 'a primary key that the server made and hides is the key', async () => {
    await query('SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF');
    try {
      await capture(
        'nokey.*',
        {
          before: [
            'SET SESSION sql_generate_invisible_primary_key = ON',
            'CREATE TABLE nokey (v INT)',
            'INSERT INTO nokey VALUES (1), (1)',
          ],
          streaming: [
            'INSERT INTO nokey VALUES (3)',
            'UPDATE nokey SET v = 2 ORDER BY my_row_id LIMIT 1',
            'SET SESSION sql_generate_invisible_primary_key = ON',
            'CREATE TABLE nokey_later (v INT)',
            'INSERT INTO nokey_later VALUES (7)',
          ],
        },
        (served) => {
          expect(served('nokey')).toEqual(['{"my_row_id":1,"v":2}', '{"my_row_id":2,"v":1}', '{"my_row_id":3,"v":3}']);
          expect(served('nokey_later')).toEqual(['{"my_row_id":1,"v":7}']);
        },
      );
    } finally {
      await query('SET GLOBAL show_gipk_in_create_table_and_information_schema = ON');
    }
  });

  only('mariadb', 'UNIQUE over a text brings a hash of the server, which is not served', () =>
    capture(
      'documents.*',
      {
        before: [
          'CREATE TABLE documents (id INT PRIMARY KEY, body TEXT, note VARCHAR(10), UNIQUE KEY (body))',
          "INSERT INTO documents VALUES (1, 'first text', 'a'), (2, NULL, 'b')",
        ],
        streaming: [
          "INSERT INTO documents VALUES (3, 'third text', 'c')",
          "UPDATE documents SET note = 'd' WHERE id = 1",
          "UPDATE documents SET body = 'changed' WHERE id = 2",
          'DELETE FROM documents WHERE id = 3',
          'CREATE TABLE documents_later (id INT PRIMARY KEY, body BLOB, UNIQUE KEY (body), DB_ROW_HASH_7 BIGINT)',
          "INSERT INTO documents_later VALUES (1, 'x', 5)",
        ],
      },
      (served) => {
        expect(served('documents')).toEqual([
          '{"id":1,"body":"first text","note":"d"}',
          '{"id":2,"body":"changed","note":"b"}',
        ]);
        expect(served('documents_later')).toEqual(['{"id":1,"body":"eA==","DB_ROW_HASH_7":5}']);
      },
    ),
  );

  only('mariadb', 'of a system-versioned table the rows in force are served', () =>
    capture(
      'tariffs|periods|later',
      {
        before: [
          'CREATE TABLE tariffs (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING',
          'INSERT INTO tariffs VALUES (1, 10), (2, 20), (4, 40)',
          'UPDATE tariffs SET price = 11 WHERE id = 1',
          'DELETE FROM tariffs WHERE id = 4',
          'CREATE TABLE periods (id INT PRIMARY KEY, v INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING',
          'INSERT INTO periods (id, v) VALUES (1, 1)',
        ],
        streaming: [
          'INSERT INTO tariffs VALUES (3, 30)',
          'UPDATE tariffs SET price = 21 WHERE id = 2',
          'DELETE FROM tariffs WHERE id = 1',
          'UPDATE tariffs SET id = 5 WHERE id = 3',
          'REPLACE INTO tariffs VALUES (5, 50)',
          'DELETE HISTORY FROM tariffs',
          'UPDATE periods SET v = 2',
          'CREATE TABLE later (id INT PRIMARY KEY) WITH SYSTEM VERSIONING',
          'INSERT INTO later VALUES (1), (2)',
          'DELETE FROM later WHERE id = 1',
        ],
      },
      (served, run) => {
        expect(served('tariffs')).toEqual(['{"id":2,"price":21}', '{"id":5,"price":50}']);
        expect(served('periods')).toHaveLength(1);
        expect(served('periods')[0]).toMatch(/^\{"id":1,"v":2,"s":\d+,"e":(2147483647|4294967295)999999\}$/);
        expect(served('later')).toEqual(['{"id":2}']);
        expect(run.tables.get('periods')!.keyColumns).toEqual([0]);
      },
    ),
  );

  only('mariadb', 'sequences are no tables, and application-time periods are columns', () =>
    capture(
      'tickets|rent|.*_no',
      {
        before: [
          'CREATE SEQUENCE ticket_no START WITH 1000 CACHE 1',
          'CREATE TABLE tickets (id BIGINT PRIMARY KEY DEFAULT (NEXT VALUE FOR ticket_no), what VARCHAR(20))',
          "INSERT INTO tickets (what) VALUES ('one')",
          'CREATE TABLE rent (id INT, s DATE, e DATE, price INT, PERIOD FOR p (s, e), PRIMARY KEY (id, p WITHOUT OVERLAPS))',
          "INSERT INTO rent VALUES (1, '2024-01-01', '2025-01-01', 10)",
        ],
        streaming: [
          'CREATE SEQUENCE later_no NOCACHE',
          'DO NEXT VALUE FOR later_no',
          'ALTER SEQUENCE later_no RESTART 50',
          'DO SETVAL(ticket_no, 5000)',
          "INSERT INTO tickets (what) VALUES ('two')",
          'DROP SEQUENCE later_no',
          "DELETE FROM rent FOR PORTION OF p FROM '2024-03-01' TO '2024-04-01'",
        ],
      },
      (served) => {
        expect(served('tickets')).toEqual(['{"id":1000,"what":"one"}', '{"id":5001,"what":"two"}']);
        expect(served('rent')).toEqual([
          '{"id":1,"s":19723,"e":19783,"price":10}',
          '{"id":1,"s":19814,"e":20089,"price":10}',
        ]);
      },
    ),
  );

  it.each([
    ['null', '{"id":2,"d":null,"dt":null,"ts":null,"t":null}', '{"id":3,"d":null,"dt":null,"ts":0,"t":3600000}'],
    [
      'text',
      '{"id":2,"d":"0000-00-00","dt":"0000-00-00 00:00:00.00","ts":"0000-00-00 00:00:00.000","t":"-838:59:59.0"}',
      '{"id":3,"d":"2000-00-15","dt":"2000-01-00 10:00:00.50","ts":"1970-01-01 00:00:01.001","t":"01:00:00.5"}',
    ],
  ])('dates that are no day and times beyond one are %s when that is asked for', (mode, zero, partial) =>
    capture(
      'legacy|legacy_later',
      {
        before: [
          'DROP TABLE IF EXISTS legacy, legacy_later',
          'CREATE TABLE legacy (id INT PRIMARY KEY, d DATE, dt DATETIME(2), ts TIMESTAMP(3) NULL, t TIME(1))',
          "INSERT INTO legacy VALUES (2, '0000-00-00', '0000-00-00', '0000-00-00', '-838:59:59')",
          "INSERT INTO legacy VALUES (3, '2000-00-15', '2000-01-00 10:00:00.5', '1970-01-01 00:00:01.001', '01:00:00.5')",
        ],
        streaming: ['CREATE TABLE legacy_later LIKE legacy', 'INSERT INTO legacy_later SELECT * FROM legacy'],
        more: { 'zero.date.handling.mode': mode, 'time.range.handling.mode': mode },
      },
      (served) => {
        const expected = [zero, partial.replace('"ts":0,"t":3600000', '"ts":1001,"t":3600500')];
        expect(served('legacy')).toEqual(expected);
        expect(served('legacy_later')).toEqual(expected);
      },
    ),
  );

  it('a date that is no day stops the task where that is asked for, and goes on behind as NULL', async () => {
    await query(
      'DROP TABLE IF EXISTS born',
      'CREATE TABLE born (id INT PRIMARY KEY, day DATE)',
      "INSERT INTO born VALUES (1, '2000-01-01')",
    );
    const only = {
      'table.include.list': `${database.name}.born`,
      'event.processing.failure.handling.mode': 'fail',
    };
    const run = runSource(source(only), null);
    await run.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'), 'the snapshot');
    await query("INSERT INTO born VALUES (7, '0000-00-00')");
    const error = await run.failure();
    expect(error).toMatchObject({
      code: 'unconvertible-value',
      message: expect.stringMatching(
        new RegExp(
          `${database.name}\\.born\\.day .*row of ${database.name}\\.born with id 7 in the event .*binlog.*\\d+`,
        ),
      ) as string,
      hint: expect.stringContaining('zero.date.handling.mode=null') as string,
    });
    const position = run.appends.at(-1)!.position;
    const again = runSource(source({ ...only, 'zero.date.handling.mode': 'null' }), position);
    await again.until((appends) => foldAppends(appends).get('born')?.size === 1, 'the row');
    expect([...foldAppends(again.appends).get('born')!.values()]).toEqual(['{"id":7,"day":null}']);
    await again.stop();
  });
});
