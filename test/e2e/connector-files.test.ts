// Connector files as Debezium's and Confluent's users have them, on both servers: the topics have the names and records that the file asks
// for, and the tables are read from them, also across changed keys, deletes, TRUNCATE and a restart.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf, debeziumClasses } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Topic {
  readonly records: readonly { readonly key: string; readonly value: string | null }[];
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('connector files on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'files');
    await query(
      'CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), card VARCHAR(20), pay DECIMAL(8,2), big BIGINT UNSIGNED, seen DATETIME(6))',
      "INSERT INTO people VALUES (1, 'Ann', '4711', 10.50, 18446744073709551615, '2024-01-02 03:04:05.678901')",
    );
    app = await openApp({ args: [] });
    await app.start();
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  /** As a file for Debezium has it. */
  function file(more: Record<string, string>): Record<string, string> {
    return {
      'connector.class': debeziumClasses[product],
      'tasks.max': '1',
      ...connectionOf(database.url),
      'database.server.id': '184054',
      'topic.prefix': 'shop',
      'database.include.list': database.name,
      'schema.history.internal.kafka.bootstrap.servers': 'kafka:9092',
      'schema.history.internal.kafka.topic': 'schemahistory.shop',
      'include.schema.changes': 'false',
      'heartbeat.interval.ms': '10000',
      ...more,
    };
  }

  async function create(more: Record<string, string>): Promise<void> {
    await requestJson(`${app.url}/connectors`, { body: { name: 'files', config: file(more) } });
  }

  async function rows(): Promise<readonly Record<string, unknown>[]> {
    const { status, text } = await request(`${app.url}/v1/tables/people/rows`);
    return status === 200 ? (JSON.parse(text) as { rows: Record<string, unknown>[] }).rows : [];
  }
  const shows = (what: string, wanted: readonly Record<string, unknown>[]) =>
    waitFor(
      what,
      async () =>
        JSON.stringify((await rows()).map(({ name, id }) => [id, name])) ===
        JSON.stringify(wanted.map(({ name, id }) => [id, name])),
    );

  const topic = async (name: string) =>
    (await requestJson<Topic>(`${app.url}/v1/topics/${name}/records?offset=0&limit=100`)).records;
  const parsed = async (name: string) =>
    (await topic(name)).map(({ key, value }) => ({
      key: JSON.parse(key) as unknown,
      value: value === null ? null : (JSON.parse(value) as unknown),
    }));

  it('unwrapped, renamed, masked and routed', { timeout: 60_000 }, async () => {
    const kafka = 'org.apache.kafka.connect.transforms.';
    await create({
      transforms: 'unwrap,route,mask,pick',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
      'transforms.unwrap.add.fields': 'op',
      'transforms.route.type': `${kafka}RegexRouter`,
      'transforms.route.regex': String.raw`([^.]+)\.([^.]+)\.([^.]+)`,
      'transforms.route.replacement': '$3',
      'transforms.mask.type': `${kafka}MaskField$Value`,
      'transforms.mask.fields': 'card',
      'transforms.mask.replacement': '****',
      'transforms.pick.type': `${kafka}ReplaceField$Value`,
      'transforms.pick.exclude': 'pay',
      'transforms.pick.renames': 'big:huge',
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'key.converter.schemas.enable': 'false',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'time.precision.mode': 'connect',
      'bigint.unsigned.handling.mode': 'long',
    });
    await shows('the snapshot', [{ id: 1, name: 'Ann' }]);
    expect(await rows()).toEqual([
      { id: 1, name: 'Ann', card: '****', huge: '-1', seen: '2024-01-02T03:04:05.678', __op: 'r' },
    ]);
    await query(
      "INSERT INTO people VALUES (2, 'Bob', NULL, 1, 2, NULL)",
      "UPDATE people SET name = 'Rob' WHERE id = 2",
      'UPDATE people SET id = 3 WHERE id = 2',
      'DELETE FROM people WHERE id = 1',
    );
    await shows('the changes', [{ id: 3, name: 'Rob' }]);
    const live = { card: null, huge: 2, seen: null };
    expect((await parsed('people')).map(({ key, value }) => [key, value])).toEqual([
      [{ id: 1 }, { id: 1, name: 'Ann', card: '****', huge: -1, seen: 1704164645678, __op: 'r', __deleted: 'false' }],
      [{ id: 2 }, { id: 2, name: 'Bob', ...live, __op: 'c', __deleted: 'false' }],
      [{ id: 2 }, { id: 2, name: 'Rob', ...live, __op: 'u', __deleted: 'false' }],
      [{ id: 2 }, { id: 2, name: 'Rob', ...live, __op: 'd', __deleted: 'true' }],
      [{ id: 3 }, { id: 3, name: 'Rob', ...live, __op: 'c', __deleted: 'false' }],
      [{ id: 1 }, { id: 1, name: 'Ann', card: '****', huge: -1, seen: 1704164645678, __op: 'd', __deleted: 'true' }],
    ]);
    await app.stop();
    await app.start();
    await query('TRUNCATE people', "INSERT INTO people VALUES (4, 'Cid', 'x', 1, 1, NULL)");
    await shows('what is behind TRUNCATE', [{ id: 4, name: 'Cid' }]);
    expect((await parsed('people')).slice(6).map(({ value }) => value)).toEqual([
      { id: 3, name: 'Rob', ...live, __op: 'c', __deleted: 'true' },
      { id: 4, name: 'Cid', card: '****', huge: 1, seen: null, __op: 'c', __deleted: 'false' },
    ]);
    const change = await request(`${app.url}/connectors/files/config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(file({ 'after.state.only': 'true' })),
    });
    expect([change.status, change.text]).toEqual([
      400,
      expect.stringContaining('cannot be changed once connector files has read'),
    ]);
    await query('DROP TABLE people');
    await shows('nothing is left', []);
  });

  it('with schemas in each record', { timeout: 60_000 }, async () => {
    await query(
      "SET time_zone = '+00:00'",
      'CREATE TABLE moments (id INT PRIMARY KEY, clock TIME(3), seen TIMESTAMP(2) NULL)',
      "INSERT INTO moments VALUES (1, '01:02:03.456', '2024-01-01 00:00:00.5')",
    );
    await create({
      transforms: 'unwrap,key',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
      'transforms.key.field': 'id',
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'decimal.handling.mode': 'string',
    });
    await shows('the snapshot', [{ id: 1, name: 'Ann' }]);
    await query(
      "SET time_zone = '+00:00'",
      "INSERT INTO moments VALUES (2, NULL, '2024-01-01 00:00:01')",
      "INSERT INTO people VALUES (2, 'Bob', NULL, 1, 2, NULL)",
      'DELETE FROM people WHERE id = 1',
    );
    await shows('the changes', [{ id: 2, name: 'Bob' }]);
    expect(await rows()).toMatchObject([{ pay: '1.00', big: '2' }]);
    expect(await parsed(`shop.${database.name}.moments`)).toMatchObject([
      { value: { payload: { id: 1, clock: 3_723_456_000, seen: '2024-01-01T00:00:00.50Z' } } },
      { value: { payload: { id: 2, clock: null, seen: '2024-01-01T00:00:01.00Z' } } },
    ]);
    const moments = await requestJson<{ rows: unknown }>(`${app.url}/v1/tables/moments/rows`);
    expect(moments.rows).toEqual([
      { id: 1, clock: '01:02:03.456', seen: '2024-01-01T00:00:00.500' },
      { id: 2, clock: null, seen: '2024-01-01T00:00:01.000' },
    ]);
    const records = await parsed(`shop.${database.name}.people`);
    expect(records).toMatchObject([
      {
        key: { schema: { type: 'int32', optional: false }, payload: 1 },
        value: { schema: { type: 'struct' }, payload: { id: 1, name: 'Ann', pay: '10.50' } },
      },
      { key: { payload: 2 }, value: { payload: { id: 2, name: 'Bob' } } },
      { key: { payload: 1 }, value: null },
    ]);
    const call = (method: string, path: string) => request(`${app.url}/connectors/files${path}`, { method });
    expect((await call('DELETE', '/offsets?topics=true')).status).toBe(400);
    expect((await call('PUT', '/stop')).status).toBe(204);
    await query("INSERT INTO people VALUES (3, 'Cid', NULL, 1, 2, NULL)", 'DELETE FROM people WHERE id = 2');
    expect((await call('DELETE', '/offsets?topics=true')).status).toBe(200);
    expect(await rows()).toEqual([]);
    expect((await call('PUT', '/resume')).status).toBe(202);
    await shows('a snapshot of what is there now', [{ id: 3, name: 'Cid' }]);
    expect(await topic(`shop.${database.name}.people`)).toHaveLength(1);
  });

  it('in AVRO with keys as text', { timeout: 60_000 }, async () => {
    await create({
      transforms: 'unwrap,key',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.drop.tombstones': 'false',
      'transforms.unwrap.delete.handling.mode': 'rewrite',
      'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
      'transforms.key.field': 'id',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': 'http://schema-registry:8081',
    });
    await shows('the snapshot', [{ id: 1, name: 'Ann' }]);
    await query('UPDATE people SET id = 5', "INSERT INTO people VALUES (2, 'Bob', NULL, 1, 2, NULL)");
    await shows('the changes', [
      { id: 2, name: 'Bob' },
      { id: 5, name: 'Ann' },
    ]);
    const records = await topic(`shop.${database.name}.people`);
    expect(records.map(({ key }) => key)).toEqual(['1', '1', '1', '5', '2']);
  });
});
