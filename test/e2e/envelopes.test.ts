// Files of Debezium without any transform, on both servers: the records are Debezium's envelopes for the snapshot, for every kind of change
// and for TRUNCATE, and the tables that are read from them equal the source, also behind a kill.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf, debeziumClasses } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
const json = 'org.apache.kafka.connect.json.JsonConverter';

interface Envelope {
  readonly before: unknown;
  readonly after: unknown;
  readonly source: Record<string, unknown>;
  readonly op: string;
  readonly transaction: unknown;
  readonly ts_ms: number;
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('envelopes of %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'envelopes');
    await query(
      'CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), pay DECIMAL(8,2))',
      "INSERT INTO people VALUES (1, 'Ann', 10.50), (2, 'Bob', NULL)",
    );
  });
  afterEach(async () => {
    await request(`${app.url}/connectors/files?topics=true`, { method: 'DELETE' });
    await database.drop();
  });
  beforeAll(async () => {
    app = await openApp({ args: [] });
    await app.start();
  });
  afterAll(async () => {
    await app.close();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  async function create(more: Record<string, string>): Promise<void> {
    const config = {
      'connector.class': debeziumClasses[product],
      'tasks.max': '1',
      ...connectionOf(database.url),
      'database.server.id': '184055',
      'topic.prefix': 'shop',
      'database.include.list': database.name,
      'schema.history.internal.kafka.bootstrap.servers': 'kafka:9092',
      'schema.history.internal.kafka.topic': 'schemahistory.shop',
      ...more,
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'files', config } });
  }

  async function rows(): Promise<readonly unknown[]> {
    const { status, text } = await request(`${app.url}/v1/tables/people/rows`);
    if (status !== 200) return [];
    return (JSON.parse(text) as { rows: { id: number; name: string }[] }).rows.map(({ id, name }) => [id, name]);
  }
  const shows = (what: string, wanted: readonly unknown[]) =>
    waitFor(what, async () => JSON.stringify(await rows()) === JSON.stringify(wanted));

  const topic = () => `shop.${database.name}.people`;
  async function records(name = topic()): Promise<{ key: unknown; value: Envelope | null }[]> {
    const url = `${app.url}/v1/topics/${name}/records?offset=0&limit=100`;
    const answer = await requestJson<{ records: { key: string; value: string | null }[] }>(url);
    return answer.records.map(({ key, value }) => ({
      key: JSON.parse(key) as unknown,
      value: value === null ? null : (JSON.parse(value) as Envelope),
    }));
  }
  const brief = ({ key, value }: { key: unknown; value: Envelope | null }) =>
    value === null ? [key, null] : [key, value.op, value.before, value.after];

  it('are those of Debezium, and the table is that of the source', { timeout: 60_000 }, async () => {
    await create({
      'key.converter': json,
      'key.converter.schemas.enable': 'false',
      'value.converter': json,
      'value.converter.schemas.enable': 'false',
      'provide.transaction.metadata': 'true',
      'include.query': 'true',
      'heartbeat.interval.ms': '300',
    });
    await shows('the snapshot', [
      [1, 'Ann'],
      [2, 'Bob'],
    ]);
    const [ann, bob] = [
      { id: 1, name: 'Ann', pay: 10.5 },
      { id: 2, name: 'Bob', pay: null },
    ];
    await query(
      ...(product === 'mysql' ? ['SET SESSION binlog_rows_query_log_events = ON'] : []),
      "INSERT INTO people VALUES (3, 'Cid', 1)",
      "UPDATE people SET name = 'Rob' WHERE id = 2",
      'UPDATE people SET id = 4 WHERE id = 2',
      'DELETE FROM people WHERE id = 1',
      "INSERT INTO people VALUES (5, 'Dan', 2), (6, 'Eve', 3)",
    );
    await shows('the changes', [
      [3, 'Cid'],
      [4, 'Rob'],
      [5, 'Dan'],
      [6, 'Eve'],
    ]);
    const [cid, rob, dan, eve] = [
      { id: 3, name: 'Cid', pay: 1 },
      { ...bob, name: 'Rob' },
      { id: 5, name: 'Dan', pay: 2 },
      { id: 6, name: 'Eve', pay: 3 },
    ];
    const all = await records();
    expect(all.map(brief)).toEqual([
      [{ id: 1 }, 'r', null, ann],
      [{ id: 2 }, 'r', null, bob],
      [{ id: 3 }, 'c', null, cid],
      [{ id: 2 }, 'u', bob, rob],
      [{ id: 2 }, 'd', rob, null],
      [{ id: 2 }, null],
      [{ id: 4 }, 'c', null, { ...rob, id: 4 }],
      [{ id: 1 }, 'd', ann, null],
      [{ id: 1 }, null],
      [{ id: 5 }, 'c', null, dan],
      [{ id: 6 }, 'c', null, eve],
    ]);
    const [snapshot, inserted] = [all[0]!.value!, all[2]!.value!];
    const order = 'before,after,source,transaction,op,ts_ms,ts_us,ts_ns';
    expect(Object.keys(snapshot).join()).toBe(order);
    const always = { connector: product, name: 'shop', db: database.name, table: 'people', sequence: null };
    expect(snapshot.source).toMatchObject({ ...always, snapshot: 'true', server_id: 0, row: 0 });
    expect(all[1]!.value!.source).toMatchObject({ snapshot: 'true', row: 0 });
    expect(inserted.source).toMatchObject({ ...always, snapshot: 'false', row: 0 });
    expect(inserted.source['query']).toBe("INSERT INTO people VALUES (3, 'Cid', 1)");
    expect(inserted.source['gtid']).toMatch(product === 'mysql' ? /^[0-9a-f-]{36}:\d+$/ : /^\d+-\d+-\d+$/);
    expect(Math.abs(inserted.ts_ms - Number(inserted.source['ts_ms']))).toBeLessThan(60_000);
    // The event that the source names is in the binlog, there and of this kind.
    const { file, pos } = inserted.source;
    const event = await withConnection(servers[product], async (connection) => {
      const [found] = await connection.query(`SHOW BINLOG EVENTS IN '${String(file)}' FROM ${String(pos)} LIMIT 1`);
      return (found as unknown[])[0];
    });
    expect(event).toMatchObject({
      Pos: pos,
      Event_type: expect.stringMatching(/^Write_rows/) as string,
      Server_id: inserted.source['server_id'],
    });
    expect(all.slice(-2).map(({ value }) => value!.source['row'])).toEqual([0, 1]);
    const id = inserted.source['gtid'];
    expect(snapshot.transaction).toBeNull();
    expect(inserted.transaction).toEqual({ id, total_order: 1, data_collection_order: 1 });
    expect(all.at(-1)!.value!.transaction).toMatchObject({ total_order: 2, data_collection_order: 2 });
    const told = await records('shop.transaction');
    expect(told.slice(0, 2)).toMatchObject([
      { key: { id }, value: { status: 'BEGIN', id, event_count: null, data_collections: null } },
      { key: { id }, value: { status: 'END', id, event_count: 1 } },
    ]);
    // A changed key is two events.
    const counts = [1, 1, 2, 1, 2].map((count) => ({
      event_count: count,
      data_collections: [{ data_collection: `${database.name}.people`, event_count: count }],
    }));
    expect(told.filter((_, i) => i % 2 === 1).map(({ value }) => value)).toMatchObject(counts);
    await waitFor('heartbeats', async () => (await records('__debezium-heartbeat.shop')).length > 1);
    expect((await records('__debezium-heartbeat.shop')).at(-1)!.key).toEqual({ serverName: 'shop' });

    await app.kill();
    await app.start();
    await query('TRUNCATE people', "INSERT INTO people VALUES (7, 'Fay', 1)");
    await shows('what is behind TRUNCATE', [[7, 'Fay']]);
    expect((await records()).slice(all.length).map(brief)).toEqual([
      [{ id: 3 }, 'd', cid, null],
      [{ id: 3 }, null],
      [{ id: 4 }, 'd', { ...rob, id: 4 }, null],
      [{ id: 4 }, null],
      [{ id: 5 }, 'd', dan, null],
      [{ id: 5 }, null],
      [{ id: 6 }, 'd', eve, null],
      [{ id: 6 }, null],
      [{ id: 7 }, 'c', null, { id: 7, name: 'Fay', pay: 1 }],
    ]);
    await query('ALTER TABLE people ADD COLUMN age INT DEFAULT 30', "UPDATE people SET name = 'Flo'");
    await shows('what is behind ALTER', [[7, 'Flo']]);
    expect((await records()).at(-1)!.value!.after).toMatchObject({ id: 7, name: 'Flo', age: 30 });
    // Derived anew from its topic, whose records have columns of two generations.
    const rebuild = await request(`${app.url}/v1/tables/people/rebuild`, { method: 'POST' });
    expect([200, 202]).toContain(rebuild.status);
    await waitFor('the rebuild', async () => {
      const { rebuilds } = await requestJson<{ rebuilds: { state: string }[] }>(`${app.url}/v1/rebuilds`);
      return rebuilds.some(({ state }) => state === 'done');
    });
    await shows('the same rows', [[7, 'Flo']]);
  });

  it.skipIf(product === 'mariadb')('carry their schema in each record', { timeout: 60_000 }, async () => {
    // As the converters have it when nothing is said of schemas.
    await create({ 'key.converter': json, 'value.converter': json, 'tombstones.on.delete': 'false' });
    await shows('the snapshot', [
      [1, 'Ann'],
      [2, 'Bob'],
    ]);
    await query('UPDATE people SET id = 3 WHERE id = 2', 'DELETE FROM people WHERE id = 1');
    await shows('the changes', [[3, 'Bob']]);
    const wrapped = (await records()) as unknown as {
      key: { payload: unknown };
      value: { schema: object; payload: Envelope };
    }[];
    expect(wrapped.map(({ key, value }) => [key.payload, value.payload.op])).toEqual([
      [{ id: 1 }, 'r'],
      [{ id: 2 }, 'r'],
      [{ id: 2 }, 'd'],
      [{ id: 3 }, 'c'],
      [{ id: 1 }, 'd'],
    ]);
    expect(wrapped[0]!.value.schema).toMatchObject({ name: `${topic()}.Envelope` });
  });

  it('have their schema in the registry', { timeout: 60_000 }, async () => {
    const converter =
      product === 'mysql' ? 'io.confluent.connect.avro.AvroConverter' : 'io.confluent.connect.json.JsonSchemaConverter';
    await create({ 'key.converter': converter, 'value.converter': converter });
    await shows('a snapshot', [
      [1, 'Ann'],
      [2, 'Bob'],
    ]);
    await query(
      "UPDATE people SET name = 'Rob' WHERE id = 2",
      'ALTER TABLE people ADD COLUMN age INT',
      "INSERT INTO people VALUES (4, 'Cid', 1, 30)",
      'DELETE FROM people WHERE id = 1',
    );
    await shows('the changes', [
      [2, 'Rob'],
      [4, 'Cid'],
    ]);
    const { schema, version } = await requestJson<{ schema: string; version: number }>(
      `${app.url}/subjects/${topic()}-value/versions/latest`,
    );
    expect(version).toBe(2);
    expect(JSON.parse(schema)).toMatchObject(
      product === 'mysql'
        ? { 'connect.name': `${topic()}.Envelope`, name: 'Envelope' }
        : { title: `${topic()}.Envelope`, properties: { op: { type: 'string' } } },
    );
    expect((await request(`${app.url}/connectors/files?topics=true`, { method: 'DELETE' })).status).toBe(204);
    await waitFor('the table is gone', async () => (await request(`${app.url}/v1/tables/people/rows`)).status === 404);
    expect((await request(`${app.url}/subjects/${topic()}-value/versions`)).status).toBe(404);
  });
});
