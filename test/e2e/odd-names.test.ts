// Names that mean something to somebody on the way (to JavaScript, to SQLite, to SQL, to us) are names like any other: tables and columns
// called so are captured, read, followed and queried, by every source, and again by the next start. Whatever a table is called, it cannot
// keep the process from starting.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { openStream, request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { oddNames } from '../support/value-arbitraries.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, withConnection } from '../support/servers/sql-client.js';
import { connectionOf } from '../support/source/mysql-config.js';
import { Database } from '../support/sqlite-driver.js';

const servers = await sharedServers('mysql', 'mariadb');
const products = ['sqlite', 'mysql', 'mariadb'] as const;
type Product = (typeof products)[number];
const polled = 'polled';

type Row = Readonly<Record<string, unknown>>;
const tables = [
  ...oddNames,
  'sqlite_stats',
  'view_wt_a',
  'wt_a_view',
  'wt_frontier',
  '__lookupSetter__',
  'wt_table',
  'odd',
];
/** As servers compare them, and as our tables do not. */
const columns = ['id', ...oddNames.filter((name) => name !== 'sqlite_a'), 'ROWOFFSET'];

function statementsOf(quoted: (name: string) => string, left: (name: string) => boolean): readonly string[] {
  const of = (table: string) => [
    `CREATE TABLE ${quoted(table)} (${quoted('__proto__')} INT NOT NULL PRIMARY KEY, ${quoted('constructor')} INT)`,
    `INSERT INTO ${quoted(table)} VALUES (1, 2)`,
  ];
  const wide = columns.map((name, i) => `${quoted(name)} INT${i === 0 ? ' NOT NULL PRIMARY KEY' : ''}`);
  return [
    ...tables.filter((name) => left(name) && name !== 'odd').flatMap(of),
    `CREATE TABLE odd (${wide.join(', ')})`,
    `INSERT INTO odd VALUES (${columns.map((_, i) => i + 1).join(', ')})`,
  ];
}
const changed = (quoted: (name: string) => string) => [
  `UPDATE ${quoted('__proto__')} SET ${quoted('constructor')} = 3`,
  `UPDATE odd SET ${quoted('__proto__')} = 77, ${quoted('rowid')} = 78`,
];

const sqlQuote = (name: string) => `"${name}"`;
const myQuote = (name: string) => `\`${name}\``;

describe.skipIf(servers.missing)('odd names', () => {
  let app: App;
  const drops: (() => Promise<void>)[] = [];
  const change = new Map<Product, () => Promise<void> | void>();
  let polledTables: readonly string[] = [];
  const names = new Map<Product, ReadonlyMap<string, string>>();

  beforeAll(async () => {
    app = await openApp();
    const file = new Database(join(app.dir, 'own.db'));
    file.pragma('journal_mode = WAL');
    for (const sql of statementsOf(sqlQuote, (name) => !name.startsWith('sqlite_'))) file.exec(sql);
    change.set('sqlite', () => changed(sqlQuote).forEach((sql) => file.exec(sql)));
    await app.start();
    const make = async (name: Product | typeof polled, config: Record<string, string>) => {
      const before = new Set((await tablesNow()).map(({ name: table }) => table));
      await requestJson(`${app.url}/connectors`, { body: { name, config: { 'topic.prefix': name, ...config } } });
      const expected = tables.filter((table) => name !== 'sqlite' || !table.startsWith('sqlite_')).length;
      const found = await waitFor(`the tables of ${name}`, async () => {
        const now = (await tablesNow()).filter(({ name: table, visible }) => visible && !before.has(table));
        return now.length === expected ? now.map(({ name: table }) => table) : undefined;
      });
      if (name === polled) return found;
      // In front of a name that another has stands its database.
      const meant = (table: string) => tables.filter((one) => table === one || table.endsWith(`_${one}`));
      const longest = (table: string) => meant(table).toSorted((one, other) => other.length - one.length)[0]!;
      names.set(name, new Map(found.map((table) => [longest(table), table])));
      return found;
    };
    await make('sqlite', { 'connector.class': 'SqliteCdcSource', 'database.file': join(app.dir, 'own.db') });
    for (const product of ['mysql', 'mariadb'] as const) {
      const database = await createDatabase(servers[product], 'names');
      drops.push(() => database.drop());
      const run = (statements: readonly string[]) =>
        withConnection(servers[product], async (connection) => {
          await connection.query(`USE ${database.name}`);
          for (const sql of statements) await connection.query(sql);
        });
      await run(statementsOf(myQuote, () => true));
      change.set(product, () => run(changed(myQuote)));
      const url = connectionOf(servers[product].url);
      const connector = { 'connector.class': 'MySqlCdcSource', ...url, 'database.include.list': database.name };
      await make(product, connector);
      if (product === 'mariadb') continue;
      const { host, port, user, password } = servers.mysql;
      polledTables = await make(polled, {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'connection.url': `jdbc:mysql://${host}:${port}/${database.name}`,
        'connection.user': user,
        'connection.password': password,
        mode: 'bulk',
        'poll.interval.ms': '60000',
        'topic.prefix': 'polled-',
      });
    }
  }, 120_000);
  afterAll(async () => {
    await app?.close();
    for (const drop of drops) await drop();
  });

  const tablesNow = async () =>
    (await requestJson<{ tables: readonly { name: string; visible: boolean }[] }>(`${app.url}/v1/tables`)).tables;
  const rowsOf = async (table: string) =>
    (await requestJson<{ rows: readonly Row[] }>(`${app.url}/v1/tables/${encodeURIComponent(table)}/rows`)).rows;

  it.each(products)('of tables and columns are read from %s', async (product) => {
    for (const [table, served] of names.get(product)!) {
      if (table === 'odd') continue;
      const [row, ...more] = await rowsOf(served);
      expect([table, Object.entries(row!).map(([name, value]) => [name, String(value)]), more]).toEqual([
        table,
        [
          ['__proto__', '1'],
          ['constructor', '2'],
        ],
        [],
      ]);
    }
    const [odd] = await rowsOf(names.get(product)!.get('odd')!);
    expect(Object.values(odd!).map(String)).toEqual(columns.map((_, i) => String(i + 1)));
    expect(new Set(Object.keys(odd!)).size).toBe(columns.length);
  });

  it.each(products)('of tables and columns are queried by ksqlDB’s API, from %s', async (product) => {
    const served = names.get(product)!.get('__proto__')!;
    const body = { sql: `SELECT \`__proto__\`, \`constructor\` + 1 AS \`toString\` FROM \`${served}\`;` };
    const { status, text } = await request(`${app.url}/query-stream`, { body });
    expect([status, text]).toEqual([200, expect.stringContaining('[1,3]') as string]);
    expect(text).toContain('"columnNames":["__proto__","toString"]');
  });

  it('of tables and columns are polled', async () => {
    for (const table of polledTables) expect([table, (await rowsOf(table)).length]).toEqual([table, 1]);
  });

  it.each(products)('are followed from %s', { timeout: 60_000 }, async (product) => {
    const served = names.get(product)!;
    const stream = await openStream(
      `${app.url}/v1/tables/${encodeURIComponent(served.get('odd')!)}/changes?format=ndjson`,
      {},
    );
    let changes = '';
    const reading = (async () => {
      for await (const part of stream.text) changes += part;
    })().catch(() => undefined);
    await change.get(product)!();
    const line = await waitFor('the change', () => changes.split('\n').find((text) => /"__proto__":"?77/.test(text)));
    stream.close();
    await reading;
    const { after } = JSON.parse(line) as { after: Row };
    expect(Object.keys(after)).toHaveLength(columns.length);
    expect(String(Object.getOwnPropertyDescriptor(after, '__proto__')?.value)).toBe('77');
    const push = { sql: `SELECT * FROM \`${served.get('__proto__')!}\` EMIT CHANGES LIMIT 1;` };
    await waitFor('a push of the change', async () =>
      (await request(`${app.url}/query-stream`, { body: push })).text.includes('[1,3]'),
    );
  });

  it('of what a statement defines are as good', { timeout: 60_000 }, async () => {
    const ksql = (sql: string) => request(`${app.url}/ksql`, { body: { ksql: sql } });
    const derived = ['sqlite_derived', 'wt_derived', 't7_v7', 'valueOf', 'isPrototypeOf'];
    const from = names.get('sqlite')!.get('__proto__')!;
    for (const name of derived) {
      const { status, text } = await ksql(
        `CREATE TABLE \`${name}\` WITH (KAFKA_TOPIC='${name}') AS SELECT \`__proto__\`, \`constructor\` AS \`rowid\` FROM \`${from}\`;`,
      );
      expect([name, status, text.slice(0, 300)]).toEqual([name, 200, text.slice(0, 300)]);
    }
    const made = await ksql(
      "CREATE TABLE `hasOwnProperty_` (`__proto__` INT PRIMARY KEY, `oid` INT) WITH (KAFKA_TOPIC='__proto__', VALUE_FORMAT='JSON', PARTITIONS=1);",
    );
    expect(made).toMatchObject({ status: 200 });
    const inserted = await ksql('INSERT INTO `hasOwnProperty_` (`__proto__`, `oid`) VALUES (5, 6);');
    expect(inserted).toMatchObject({ status: 200 });
    expect(Object.entries((await rowsOf('hasOwnProperty_'))[0]!)).toEqual([
      ['__proto__', 5],
      ['oid', 6],
    ]);
    for (const name of derived) await waitFor(`the rows of ${name}`, async () => (await rowsOf(name)).length === 1);
    // A pseudo column is refused by its name, and the process goes on.
    for (const name of ['ROWTIME', 'rowpartition', 'WINDOWSTART']) {
      const { status, text } = await ksql(
        `CREATE TABLE refused (id INT PRIMARY KEY, ${name} INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);`,
      );
      expect([name, status, text]).toEqual([name, 400, expect.stringContaining('reserved') as string]);
    }
  });

  it('are there after the next start', { timeout: 60_000 }, async () => {
    const before = (await tablesNow()).map(({ name }) => name).toSorted();
    await app.kill();
    expect((await app.start()).state).toBe('ready');
    expect((await tablesNow()).map(({ name }) => name).toSorted()).toEqual(before);
    for (const product of products) expect(await rowsOf(names.get(product)!.get('odd')!)).toHaveLength(1);
    expect(app.log()).not.toMatch(/"code":"internal"/);
  });
});
