// Views, and the query of the configuration, polled on MySQL and MariaDB by a user who may only SELECT; and a JDBC connector's file with a
// query, as it is, through the whole process.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/source/mysql/config.js';
import { Session } from '../../src/source/mysql/connection.js';
import { RawStream } from '../../src/source/mysql/raw-stream.js';
import { openApp } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { createPolledDatabase, type PolledDatabase } from '../support/source/polled-server.js';
import { keyed } from '../support/source/stated-keys.js';
import { completed, foldAppends, rowsOf, runSource, type SourceRun } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('%s', (product) => {
  let database: PolledDatabase;
  const run = (...statements: readonly string[]) => database.run(...statements);
  const source = (config: Record<string, string>) => database.source(config);

  beforeAll(async () => {
    database = await createPolledDatabase(servers[product], 'poll_views');
  });
  afterAll(() => database.drop());

  it('gives values of a view, and of a query, the types and the form that those of the table have', async () => {
    const more = product === 'mysql' ? 'j JSON, v VECTOR(2)' : 'j UUID, v INET6';
    await run(
      `CREATE TABLE types (id BIGINT UNSIGNED PRIMARY KEY, i8 TINYINT, i16 SMALLINT UNSIGNED, i24 MEDIUMINT, i32 INT UNSIGNED, i64 BIGINT NOT NULL,
        d DECIMAL(38,10), u DECIMAL(6,0) UNSIGNED, f FLOAT, g DOUBLE, c CHAR(3), l VARCHAR(20) CHARACTER SET latin1, z TEXT CHARACTER SET sjis,
        b BINARY(4), vb VARBINARY(9), bl BLOB, e ENUM('x', 'ü'), s SET('p', 'q'), bit1 BIT(1), bit9 BIT(9), day DATE, t TIME(3), dt DATETIME(6),
        ts TIMESTAMP(2) NULL, y YEAR, p POINT, ${more})`,
      `INSERT INTO types VALUES (18446744073709551000, -5, 65535, -8388608, 4294967295, -9223372036854775808,
        1234567890123456789012345678.0123456789, 7, 0.1, 1e300, 'ab', 'é', '日本', 'a', X'00ff', X'0102', 'ü', 'p,q', b'1', b'100000001',
        '2024-02-29', '12:34:56.789', '2024-05-06 07:08:09.123456', '2024-05-06 07:08:09.12', 2024, POINT(1, 2),
        ${product === 'mysql' ? "'{\"a\": 1.50}', TO_VECTOR('[1,2.5]')" : "'123e4567-e89b-12d3-a456-426614174000', '::1'"}), (1${', NULL'.repeat(4)}, 0${', NULL'.repeat(22)})`,
      'CREATE VIEW types_view AS SELECT * FROM types',
    );
    const table = runSource(source({ mode: 'bulk', 'table.include.list': 'types' }), null);
    const view = runSource(source({ mode: 'bulk', 'table.types': 'VIEW', ...keyed('id') }), null);
    const query = runSource(source({ mode: 'bulk', query: 'SELECT * FROM types WHERE id > 0;', ...keyed('id') }), null);
    await Promise.all([table, view, query].map(completed));
    await Promise.all([table, view, query].map((one) => one.stop()));
    const rows = rowsOf(table, 'types');
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject({ l: 'é', z: '日本', e: 'ü', s: 'p,q', bit1: true });
    expect(rowsOf(view, 'types_view')).toEqual(rows);
    expect(rowsOf(query, 'polled')).toEqual(rows);
    const types = (one: SourceRun, name: string) =>
      one.tables.get(name)!.columns.map(({ name: column, type, nullable }) => [column, type, nullable]);
    expect(types(view, 'types_view')).toEqual(types(table, 'types'));
    expect(types(query, 'polled')).toEqual(types(table, 'types'));
  });

  it('reads the result of a query in parts, behind places, and what changes by time', async () => {
    await run(
      'CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(20))',
      'CREATE TABLE bill (id INT AUTO_INCREMENT PRIMARY KEY, customer INT, n DECIMAL(9,2), at DATETIME(3) NOT NULL)',
      "INSERT INTO customer VALUES (1, 'Ann'), (2, 'Ben')",
      `INSERT INTO bill (customer, n, at) VALUES ${Array.from({ length: 50 }, (_, i) => `(${(i % 2) + 1}, ${i}.5, '2024-01-01 00:00:00')`).join(', ')}`,
    );
    const config = {
      query:
        'SELECT b.id AS bill_id, c.name, b.n * 2 AS twice, b.at FROM bill b JOIN customer c ON c.id = b.customer WHERE b.n > 1 # joined',
      mode: 'timestamp+incrementing',
      'timestamp.column.name': 'at',
      'incrementing.column.name': 'bill_id',
    };
    const first = runSource(source(config), null);
    await completed(first);
    await first.stop();
    expect(first.appends.filter(({ records }) => records.length === 3)).toHaveLength(16);
    expect(rowsOf(first, 'polled')).toHaveLength(49);
    // Five parts alone were durable.
    const appends = first.appends.slice(0, 5);
    const second = runSource(source(config), appends.at(-1)!.position, { after: { appends, tables: first.tables } });
    await completed(second);
    expect(second.appends.flatMap(({ records }) => records)).toHaveLength(34);
    await run('UPDATE bill SET n = 100, at = NOW(3) WHERE id = 7');
    await second.until(() => rowsOf(second, 'polled').some(({ twice }) => twice === 200), 'the change');
    expect(rowsOf(second, 'polled').find(({ bill_id: id }) => id === 7)).toMatchObject({ name: 'Ann', twice: 200 });
    await second.stop();
    const ended = runSource(source({ ...config, 'query.suffix': 'LIMIT 20' }), null);
    await ended.until(() => rowsOf(ended, 'polled').length === 49, 'all rows, twenty at a poll');
    await ended.stop();
  });

  it('stands still where a key does not tell rows apart, has text keys by their bytes, and says what the server refuses', async () => {
    await run(
      'CREATE TABLE word (w VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, n INT)',
      "INSERT INTO word VALUES ('b', 1), ('A', 2), ('a', 3), ('B', 4), ('a ', 5), ('é', 6), ('e', 7)",
    );
    const query = { query: 'SELECT * FROM word', mode: 'bulk' };
    const words = runSource(source({ ...query, ...keyed('w') }), null);
    await completed(words);
    await words.stop();
    expect(rowsOf(words, 'polled')).toHaveLength(7);
    // Behind a place, too: two parts alone were durable.
    const appends = words.appends.slice(0, 2);
    const rest = runSource(source({ ...query, ...keyed('w') }), appends.at(-1)!.position, {
      after: { appends, tables: words.tables },
    });
    await completed(rest);
    await rest.stop();
    expect(rest.appends.find(({ records }) => records.length > 0)?.records).toHaveLength(1);
    expect(foldAppends([...appends, ...rest.appends]).get('polled')?.size).toBe(7);

    const twice = runSource(source({ ...query, query: 'SELECT n DIV 4 AS k FROM word', ...keyed('k') }), null);
    expect(await twice.tableFailure()).toMatchObject({ code: 'keyless-table', detail: 'two of them have 0' });
    await twice.stop();
    const without = runSource(source({ ...query, query: 'SELECT NULLIF(n, 3) AS k FROM word', ...keyed('k') }), null);
    expect(await without.tableFailure()).toMatchObject({ code: 'keyless-table' });
    await without.stop();

    const refused = (text: string) => source({ ...query, query: text, ...keyed('n') }).validate();
    await expect(refused('SELECT nope FROM word')).rejects.toMatchObject({
      code: 'bad-connector-config',
      message: expect.stringContaining("Unknown column 'nope'") as string,
      place: { path: 'query' },
    });
    await expect(refused('SELECT a.*, b.* FROM word a, word b')).rejects.toMatchObject({ place: { path: 'query' } });
    await expect(refused('DELETE FROM word')).rejects.toMatchObject({ place: { path: 'query' } });
  });

  it('polls views beside tables, leaves one out that cannot be read, and lets one that breaks stand still alone', async () => {
    await run(
      'CREATE TABLE stock (id INT PRIMARY KEY, place VARCHAR(9), n INT)',
      "INSERT INTO stock VALUES (1, 'here', 2), (2, 'there', 3), (3, 'here', 4)",
      'CREATE TABLE gone (id INT PRIMARY KEY)',
      'CREATE VIEW stock_sums AS SELECT place, SUM(n) AS total, COUNT(*) AS kinds FROM stock GROUP BY place',
      'CREATE VIEW stock_broken AS SELECT id AS place FROM gone',
      'DROP TABLE gone',
    );
    const config = {
      mode: 'bulk',
      'table.types': 'VIEW,TABLE',
      'table.include.list': 'stock.*',
      'table.poll.interval.ms': '100',
      ...keyed('place'),
    };
    const findings = await source(config).validate();
    expect(findings.map(({ code, object }) => [code, object])).toEqual([
      ['unreadable-table', `${database.name}.stock_broken`],
      ['deletes-unseen', undefined],
    ]);
    const both = runSource(source(config), null);
    await both.until(() => rowsOf(both, 'stock_sums').length === 2 && rowsOf(both, 'stock').length === 3, 'both');
    expect(rowsOf(both, 'stock_sums')[0]).toEqual({ place: 'here', total: 6, kinds: 2 });
    await run(
      'CREATE OR REPLACE VIEW stock_sums AS SELECT place, CAST(1 DIV n AS SIGNED) AS total, (SELECT MAX(id) FROM stock s WHERE s.n = t.n) AS kinds FROM stock t WHERE id = 1',
    );
    await both.until(() => rowsOf(both, 'stock_sums').some(({ kinds }) => kinds === 1), 'the other view');
    await run(
      'INSERT INTO stock VALUES (4, NULL, 1)',
      'CREATE OR REPLACE VIEW stock_sums AS SELECT place, n AS total, id AS kinds FROM stock',
    );
    expect(await both.tableFailure()).toMatchObject({ code: 'keyless-table' });
    await run('UPDATE stock SET n = 77 WHERE id = 1');
    await both.until(() => rowsOf(both, 'stock').some(({ n }) => n === 77), 'the table');
    await both.stop();
  });

  it('reads a table without a primary key, once its key is stated, or by the column that counts', async () => {
    await run(
      'CREATE TABLE visit (n BIGINT NOT NULL AUTO_INCREMENT, page VARCHAR(9) CHARACTER SET latin1, KEY (n))',
      "INSERT INTO visit (page) VALUES ('é'), ('a'), ('a'), ('b')",
    );
    const list = { 'table.include.list': 'visit' };
    const codes = (await source({ mode: 'bulk', ...list }).validate()).map(({ code }) => code);
    expect(codes).toEqual(['keyless-table', 'deletes-unseen', 'filter-matches-nothing']);
    const config = { mode: 'incrementing', 'incrementing.column.name': 'n', ...list };
    const counted = runSource(source(config), null);
    await completed(counted);
    await run("INSERT INTO visit (page) VALUES ('later')");
    await counted.until(() => rowsOf(counted, 'visit').length === 5, 'the new row');
    expect(rowsOf(counted, 'visit')[0]).toEqual({ n: 1, page: 'é' });
    await counted.stop();
    const stated = runSource(source({ mode: 'bulk', ...list, ...keyed('page') }), null);
    expect(await stated.tableFailure()).toMatchObject({
      code: 'keyless-table',
      message: `rows of table ${database.name}.visit are not told apart by page`,
    });
    await stated.stop();
  });

  it('takes a long result in parts, none of which is held while the next ones come', { timeout: 30_000 }, async () => {
    const digits =
      'SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9';
    const query = `SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n, REPEAT('x', 900) AS text FROM (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) e`;
    const long = runSource(source({ mode: 'bulk', query, 'batch.max.rows': '500', ...keyed('n') }), null);
    await completed(long);
    await long.stop();
    expect(rowsOf(long, 'polled').length).toBe(10_000);
    expect(new Set(long.appends.map(({ records }) => records.length))).toEqual(new Set([500, 0]));
  });

  it('does not take a connection that breaks between two parts for the end of the result', async () => {
    const session = await Session.open(parseConfig(mysqlConfig(servers[product], database.name)));
    try {
      const { id } = await session.one('SELECT CONNECTION_ID() AS id');
      const many = "SELECT REPEAT('x', 100000) AS text FROM information_schema.COLLATIONS";
      const stream = new RawStream(session, many, { rows: 3, bytes: 1 << 20 });
      expect((await stream.next()).count).toBe(3);
      expect(stream.ended).toBe(false);
      await run(`KILL ${id}`);
      const rest = async () => {
        while (!stream.ended) await stream.next();
      };
      await expect(rest()).rejects.toMatchObject({ code: 'source-unreachable', retriable: true });
    } finally {
      session.close();
    }
  });

  // The process is the same for both.
  if (product === 'mysql') return;

  it('is served through the whole process from a file of the JDBC source', { timeout: 60_000 }, async () => {
    await run(
      'CREATE TABLE sale (id INT PRIMARY KEY, shop VARCHAR(9), n INT)',
      "INSERT INTO sale VALUES (1, 'a', 2), (2, 'a', 3), (3, 'b', 4)",
    );
    const app = await openApp();
    try {
      await app.start();
      const config = {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'tasks.max': '1',
        ...database.connection,
        'topic.prefix': 'shop-sales',
        'poll.interval.ms': '50',
        mode: 'bulk',
        query: 'SELECT shop, SUM(n) AS total FROM sale GROUP BY shop',
        transforms: 'key,bare',
        'transforms.key.type': 'org.apache.kafka.connect.transforms.ValueToKey',
        'transforms.key.fields': 'shop',
        'transforms.bare.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
        'transforms.bare.field': 'shop',
      };
      await requestJson(`${app.url}/connectors`, { body: { name: 'sales', config } });
      const served = (expected: string) =>
        waitFor(`the table to hold ${expected}`, async () =>
          (await request(`${app.url}/v1/tables/shop-sales/rows`)).text.includes(expected),
        );
      await served('"total":"5"');
      expect(app.log()).not.toContain('Kafka does not take');
      await run('UPDATE sale SET n = 10 WHERE id = 1');
      await served('"total":"13"');
      expect((await request(`${app.url}/connectors/sales/topics`)).text).toContain('"shop-sales"');
      const wrong = await requestJson<{ readonly configs: readonly unknown[] }>(
        `${app.url}/connector-plugins/JdbcSourceConnector/config/validate`,
        { method: 'PUT', body: { ...config, name: 'wrong', 'transforms.key.fields': 'nope' } },
      );
      await run('CREATE TABLE `odd name` (id INT PRIMARY KEY)', 'INSERT INTO `odd name` VALUES (7)');
      const plain = Object.fromEntries(Object.entries(config).filter(([name]) => !/^(query|transforms)/.test(name)));
      await requestJson(`${app.url}/connectors`, {
        body: { name: 'odd', config: { ...plain, 'topic.prefix': 'x-', 'table.whitelist': 'odd name' } },
      });
      await waitFor('the odd table', async () =>
        (await request(`${app.url}/v1/tables/${encodeURIComponent('odd name')}/rows`)).text.includes('7'),
      );
      expect(app.log()).toMatch(/x-odd name.*x-odd_name.*Kafka does not take the name/);
      expect(JSON.stringify(wrong)).toContain('the query has no column nope, which its key needs');
    } finally {
      await app.close();
    }
  });
});
