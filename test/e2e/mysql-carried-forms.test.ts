// Tables whose columns change behind a configuration that makes others of them: nothing is read where rows are carried over, and the table and
// its topic are what they are when the table is read again. On both servers, beside a twin that is read at every statement.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf, debeziumClasses } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

const unwrap = { transforms: 'unwrap', 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };
const json = 'org.apache.kafka.connect.json.JsonConverter';
const cases: readonly { readonly title: string; readonly config: Record<string, string> }[] = [
  { title: 'numbers and bytes as text', config: { 'decimal.handling.mode': 'string', 'binary.handling.mode': 'hex' } },
  {
    title: 'doubles, unsigned numbers and times',
    config: {
      ...unwrap,
      'decimal.handling.mode': 'double',
      'bigint.unsigned.handling.mode': 'long',
      'binary.handling.mode': 'base64',
      'time.precision.mode': 'connect',
    },
  },
  {
    title: 'schemas in the records',
    config: {
      'decimal.handling.mode': 'precise',
      'bigint.unsigned.handling.mode': 'precise',
      'time.precision.mode': 'microseconds',
      'value.converter': json,
      'value.converter.schemas.enable': 'true',
    },
  },
  {
    title: 'other names, hashes and what is told of the change',
    config: {
      'column.mask.hash.v2.SHA-256.with.salt.s': '.*\\.b',
      transforms: 'unwrap,names',
      'transforms.unwrap.type': unwrap['transforms.unwrap.type'],
      'transforms.unwrap.add.fields': 'table',
      'transforms.names.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
      'transforms.names.renames': 'a:z,b:a',
      'transforms.names.exclude': 'u',
    },
  },
];

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('columns that change on %s, behind', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'carried');
    for (const place of cases.keys()) {
      for (const twin of ['carried', 'read']) {
        await query(
          `CREATE TABLE ${twin}_${place} (id INT PRIMARY KEY, a DECIMAL(9,2), b VARCHAR(9), s TIMESTAMP(3) NULL)`,
          `INSERT INTO ${twin}_${place} VALUES (1, 1.5, 'one', '2024-05-06 07:08:09.123'), (2, -2, 'two', NULL), (3, NULL, NULL, NULL)`,
        );
      }
    }
    app = await openApp({ args: [] });
    await app.start();
    for (const [place, { config }] of cases.entries()) {
      const all = {
        ...capturing(`case_${place}`, `(carried|read)_${place}`),
        'output.data.format': 'JSON',
        ...config,
      };
      await requestJson(`${app.url}/connectors`, { body: { name: `case_${place}`, config: all } });
    }
  }, 60_000);
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const capturing = (prefix: string, tables: string) => ({
    'connector.class': debeziumClasses[product],
    ...connectionOf(database.url),
    'topic.prefix': prefix,
    'database.include.list': database.name,
    'table.include.list': `${database.name}\\.${tables}`,
    'output.key.format': 'JSON',
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  async function rows(table: string): Promise<readonly Record<string, unknown>[]> {
    const { status, text } = await request(`${app.url}/v1/tables/${table}/rows?limit=100`);
    return status === 200 ? (JSON.parse(text) as { rows: Record<string, unknown>[] }).rows : [];
  }

  /** The newest row of each key, and how many records there were; a column that a record does not have is NULL. */
  async function folded(topic: string): Promise<{ count: number; rows: Map<string, Record<string, unknown>> }> {
    const { text } = await request(`${app.url}/v1/topics/${topic}/records?offset=0&limit=1000`);
    const { records } = JSON.parse(text) as { records: { key: string; value: string | null }[] };
    const newest = new Map<string, Record<string, unknown>>();
    for (const { key, value } of records) {
      if (value === null) newest.delete(key);
      else newest.set(key, rowOf(JSON.parse(value) as Record<string, unknown>));
    }
    return { count: records.length, rows: newest };
  }

  /** Without the column that goes, which stands in older records, and what tells of the table. */
  const rowOf = (value: Record<string, unknown>): Record<string, unknown> => {
    const payload = (value['payload'] ?? value) as Record<string, unknown>;
    const row = (payload['after'] ?? payload) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(row).filter(([name, each]) => each !== null && !['s', '__table', '__deleted'].includes(name)),
    );
  };
  const withoutTable = (all: readonly Record<string, unknown>[]) =>
    all.map((row) => Object.entries(row).filter(([name]) => name !== '__table'));
  /** What of the table stands in the log. */
  const told = (what: string, table: string): number =>
    app
      .log()
      .split('\n')
      .filter((line) => line.includes(what) && line.includes(`.${table}"`)).length;

  it.each(cases.map((each, place) => ({ ...each, place })))('$title', { timeout: 60_000 }, async ({ place }) => {
    const [carried, read] = [`carried_${place}`, `read_${place}`];
    const both = (...statements: string[]) =>
      query(...statements.flatMap((sql) => [sql.replace('TWIN', carried), sql.replace('TWIN', read)]));
    for (const table of [carried, read])
      await waitFor(table, async () => (await rows(table)).length === 3, { timeoutMs: 30_000 });
    let changes = 3;
    const steps: [string, string][] = [
      ['ADD c VARBINARY(4)', `UPDATE TWIN SET c = x'01fe' WHERE id = 1`],
      ['ADD u BIGINT UNSIGNED FIRST, ADD d DECIMAL(12,3)', 'UPDATE TWIN SET u = 7, d = 1.125 WHERE id = 2'],
      ['ADD t TIME(3), DROP s', "UPDATE TWIN SET t = '01:02:03.004' WHERE id = 3"],
      ['MODIFY a DECIMAL(12,2), MODIFY b VARCHAR(40)', "INSERT INTO TWIN (id, a, b) VALUES (4, 4.25, 'four')"],
      ['ADD w DATETIME', ''],
    ];
    for (const [i, [clause, change]] of steps.entries()) {
      // An order of rows is what no proof is tried of.
      await query(`ALTER TABLE ${carried} ${clause}`, `ALTER TABLE ${read} ${clause}, ORDER BY id`);
      // A column that was modified is held against what stands in front of it, so no row may come before it is looked at.
      await waitFor(`step ${i}`, () => told('rows are carried over', carried) > i, { timeoutMs: 20_000 });
      if (change === '') continue;
      await both(change);
      changes++;
      await waitFor(`the row of step ${i}`, async () => (await folded(topicOf(carried))).count === changes);
    }
    await waitFor('the twins', async () => {
      const [a, b] = [withoutTable(await rows(carried)), withoutTable(await rows(read))];
      return a.length === 4 && JSON.stringify(a) === JSON.stringify(b);
    });
    const [ours, theirs] = [await folded(topicOf(carried)), await folded(topicOf(read))];
    expect(ours.rows).toEqual(theirs.rows);
    expect(ours.count).toBe(changes);
    expect(theirs.count).toBeGreaterThan(changes);
    expect(told('a table is read again', carried)).toBe(0);
    expect(told('a table is read again', read)).toBeGreaterThan(0);
  });

  it('schemas say what the columns are from the statement on', { timeout: 60_000 }, async () => {
    await query(
      "CREATE TABLE told (id INT PRIMARY KEY, n SMALLINT, f FLOAT, y YEAR, b BIT(9), e ENUM('a','b,c'), s SET('x','y'))",
      "INSERT INTO told VALUES (1, 1, 1.5, 2024, b'1', 'a', 'x')",
    );
    const config = {
      ...capturing('told', 'told'),
      ...unwrap,
      'value.converter': json,
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'told', config } });
    const topic = `told.${database.name}.told`;
    /** What the schema of the newest record of a key says, but for what is optional. */
    const said = async (id: number): Promise<Record<string, unknown> | undefined> => {
      const { status, text } = await request(`${app.url}/v1/topics/${topic}/records?offset=0&limit=1000`);
      if (status !== 200) return undefined;
      const { records } = JSON.parse(text) as { records: { key: string; value: string }[] };
      const found = records.findLast(({ key }) => key === `{"id":${id}}`);
      if (found === undefined) return undefined;
      const { schema } = JSON.parse(found.value) as { schema: { fields: Record<string, unknown>[] } };
      const entries = schema.fields.map(({ field, type, name, parameters }) => [
        field,
        [type, ...(name === undefined ? [] : [name]), ...(parameters === undefined ? [] : [parameters])],
      ]);
      return Object.fromEntries(entries) as Record<string, unknown>;
    };
    const first = {
      id: ['int32'],
      n: ['int16'],
      f: ['float'],
      y: ['int32', 'io.debezium.time.Year'],
      b: ['bytes', 'io.debezium.data.Bits', { length: '9' }],
      e: ['string', 'io.debezium.data.Enum', { allowed: 'a,b\\,c' }],
      s: ['string', 'io.debezium.data.EnumSet', { allowed: 'x,y' }],
    };
    const read = await waitFor('the snapshot', async () => (await said(1)) ?? false);
    expect(read).toEqual(first);
    await query("INSERT INTO told (id, e) VALUES (2, 'b,c')");
    expect(await waitFor('a row of the stream', async () => (await said(2)) ?? false)).toEqual(first);
    await query('ALTER TABLE told MODIFY n INT, MODIFY b BIT(12)', 'INSERT INTO told (id, n) VALUES (3, 70000)');
    const wider = { ...first, n: ['int32'], b: ['bytes', 'io.debezium.data.Bits', { length: '12' }] };
    expect(await waitFor('a larger number', async () => (await said(3)) ?? false)).toEqual(wider);
    await query("ALTER TABLE told MODIFY e ENUM('a','b,c','d')");
    await waitFor('the reading', async () => JSON.stringify(await said(1)).includes(',d"'), { timeoutMs: 20_000 });
    await query("INSERT INTO told (id, e) VALUES (4, 'd')");
    expect(await waitFor('a new label', async () => (await said(4)) ?? false)).toEqual({
      ...wider,
      e: ['string', 'io.debezium.data.Enum', { allowed: 'a,b\\,c,d' }],
    });
    await waitFor('the rows', async () => (await rows('told')).length === 4);
    expect((await rows('told')).map(({ n, e }) => [n, e])).toEqual([
      [1, 'a'],
      [null, 'b,c'],
      [70000, null],
      [null, 'd'],
    ]);
  });

  const topicOf = (table: string) => `case_${table.split('_')[1]}.${database.name}.${table}`;
});
