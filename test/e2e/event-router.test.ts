// Debezium's EventRouter on both servers: rows of an outbox table become events of the topics that they name, each once, also over a restart;
// deletes and TRUNCATE, which keep an outbox small, tell nothing.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { connectionOf } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
interface Event {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('EventRouter on %s', (product) => {
  let database: TestDatabase;
  let app: App;

  beforeEach(async () => {
    database = await createDatabase(servers[product], 'events');
    await query(
      'CREATE TABLE outbox (id INT PRIMARY KEY AUTO_INCREMENT, aggregatetype VARCHAR(50), aggregateid VARCHAR(50), type VARCHAR(50), payload JSON)',
      'CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(9))',
      `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '7', 'placed', '{"n": 1}')`,
    );
    app = await openApp({ args: [] });
    await app.start();
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
  async function create(more: Record<string, string>): Promise<void> {
    const config = {
      'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
      ...connectionOf(database.url),
      'topic.prefix': 'shop',
      'database.include.list': database.name,
      transforms: 'outbox',
      'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
      ...more,
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'events', config } });
  }
  const events = async (topic: string): Promise<readonly Event[]> => {
    const { status, text } = await request(`${app.url}/v1/topics/${topic}/records?offset=0&limit=100`);
    return status === 200 ? (JSON.parse(text) as { records: Event[] }).records : [];
  };
  const told = async (topic: string) => (await events(topic)).map(({ key, value }) => [key, value]);
  const shows = (topic: string, count: number) =>
    waitFor(`${count} events in ${topic}`, async () => (await events(topic)).length >= count);

  it('beside tables, with a predicate and fields of the envelope', { timeout: 60_000 }, async () => {
    await create({
      'transforms.outbox.predicate': 'isOutbox',
      'transforms.outbox.route.topic.replacement': '${routedByValue}.events',
      'transforms.outbox.table.expand.json.payload': 'true',
      'transforms.outbox.table.fields.additional.placement':
        'type:envelope:eventType,id:envelope,type:header:eventType',
      predicates: 'isOutbox',
      'predicates.isOutbox.type': 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
      'predicates.isOutbox.pattern': String.raw`.*\.outbox`,
    });
    await shows('order.events', 1);
    // One transaction: state and events.
    await query(
      'BEGIN',
      "INSERT INTO orders VALUES (7, 'paid')",
      `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '7', 'paid', '{"n": 2}'), ('stock', '9', 'taken', '{"left": 1}')`,
      'COMMIT',
      "UPDATE outbox SET type = 'never' WHERE id = 1",
      'DELETE FROM outbox WHERE id = 1',
      'TRUNCATE outbox',
    );
    await shows('stock.events', 1);
    await app.stop();
    await app.start();
    await query(
      'TRUNCATE outbox',
      `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '8', 'placed', NULL)`,
      'DELETE FROM outbox',
      "INSERT INTO orders VALUES (8, 'placed')",
    );
    await shows('order.events', 3);
    const { rows } = await requestJson<{ rows: { id: number }[] }>(`${app.url}/v1/tables/orders/rows`);
    expect(rows.map(({ id }) => id)).toContain(7);
    expect(await told('order.events')).toEqual([
      ['"7"', '{"payload":{"n":1},"eventType":"placed","id":1}'.replace('{"n":1}', await normal('{"n": 1}'))],
      ['"7"', `{"payload":${await normal('{"n": 2}')},"eventType":"paid","id":2}`],
      ['"8"', '{"payload":null,"eventType":"placed","id":1}'],
    ]);
    const headers = (await events('order.events')).map(({ headers: { id, eventType } }) => [id, eventType]);
    expect(headers).toEqual([
      ['1', 'placed'],
      ['2', 'paid'],
      ['1', 'placed'],
    ]);
    expect(await told('stock.events')).toEqual([
      ['"9"', `{"payload":${await normal('{"left": 1}')},"eventType":"taken","id":3}`],
    ]);
    expect((await request(`${app.url}/v1/tables/outbox/rows`)).status).toBe(404);
    // Events are many of one key, and a stream reads them.
    await requestJson(`${app.url}/ksql`, {
      body: {
        ksql: "CREATE STREAM orders_told (id VARCHAR KEY, payload STRUCT<n INT>, eventType VARCHAR) WITH (kafka_topic='order.events', value_format='JSON', key_format='JSON');",
      },
    });
  });

  /** MySQL's JSON is told in one form, MariaDB's is the text as it was written. */
  const normal = (json: string) =>
    Promise.resolve(
      product === 'mysql' ? JSON.stringify(JSON.parse(json)).replaceAll(':', ': ').replaceAll(',', ', ') : json,
    );

  it.skipIf(product === 'mariadb')('the payload as it is, and what cannot be routed', { timeout: 60_000 }, async () => {
    await create({
      'table.include.list': `${database.name}.outbox`,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    });
    await shows('outbox.event.order', 1);
    await query(`INSERT INTO outbox (aggregatetype, aggregateid, payload) VALUES ('order', NULL, '[1, 2]')`);
    await shows('outbox.event.order', 2);
    expect(await told('outbox.event.order')).toEqual([
      ['7', await normal('{"n": 1}')],
      [null, await normal('[1, 2]')],
    ]);
    await query(`INSERT INTO outbox (aggregatetype, aggregateid, payload) VALUES ('two words', 'x', '[]')`);
    await waitFor('the table stands still', async () =>
      (await request(`${app.url}/connectors/events/status`)).text.includes('is no name of a topic'),
    );
  });
});
