// A migration of an SQLite file while it is served: the tables, what is derived from them and what subscribers are told follow, also
// when the process is killed in the middle; a table that cannot be captured stands still alone.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApp } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { Database } from '../support/sqlite-driver.js';

type Rows = readonly Readonly<Record<string, unknown>>[];

it('a migrated file is followed, with what is derived, behind a kill too', { timeout: 60_000 }, async () => {
  const app = await openApp();
  const source = new Database(join(app.dir, 'shop.db'));
  const rows = async (table: string): Promise<Rows> =>
    (await requestJson<{ rows: Rows }>(`${app.url}/v1/tables/${table}/rows`)).rows;
  const served = (table: string, expected: Rows) =>
    waitFor(`${table} to be ${JSON.stringify(expected)}`, async () => {
      const { status, text } = await request(`${app.url}/v1/tables/${table}/rows`);
      return status === 200 && JSON.stringify((JSON.parse(text) as { rows: Rows }).rows) === JSON.stringify(expected);
    });
  const ksql = (sql: string) => requestJson(`${app.url}/ksql`, { body: { ksql: sql } });
  try {
    source.pragma('journal_mode = WAL');
    source.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, price INT, old TEXT)');
    source.exec("INSERT INTO item VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')");
    source.exec('CREATE TABLE other (id INTEGER PRIMARY KEY, n INT)');
    await app.start();
    const config = {
      'connector.class': 'SqliteCdcSource',
      'database.file': join(app.dir, 'shop.db'),
      'topic.prefix': 'p',
      'output.data.format': 'AVRO',
    };
    await requestJson(`${app.url}/connectors/c/config`, { method: 'PUT', body: config });
    await waitFor('the rows', async () => (await request(`${app.url}/v1/tables/item/rows`)).status === 200);
    await ksql('CREATE TABLE dear AS SELECT * FROM item WHERE price > 15;');
    await ksql('CREATE TABLE aged AS SELECT id, old FROM item;');

    source.exec("ALTER TABLE item ADD COLUMN tag TEXT DEFAULT 'new'; ALTER TABLE item DROP COLUMN old");
    source.exec("INSERT INTO item VALUES (4, 40, 'own'); DELETE FROM item WHERE id = 1");
    await served('item', [
      { id: '2', price: '20', tag: 'new' },
      { id: '3', price: '30', tag: 'new' },
      { id: '4', price: '40', tag: 'own' },
    ]);
    await served('dear', await rows('item'));
    const detached = await request(`${app.url}/v1/tables/aged/rows`);
    expect(detached.text).toContain('old');

    await app.kill();
    source.exec(`CREATE TABLE item_new (id INTEGER PRIMARY KEY, price TEXT, tag TEXT) STRICT;
      INSERT INTO item_new SELECT * FROM item WHERE id < 4; DROP TABLE item; ALTER TABLE item_new RENAME TO item;
      INSERT INTO other VALUES (1, 1), (2, 'two')`);
    await app.start();
    await served('item', [
      { id: '2', price: '20', tag: 'new' },
      { id: '3', price: '30', tag: 'new' },
    ]);
    await waitFor('the other table to stand still', () => app.log().includes('a part failed and stands still'));
    source.exec("UPDATE other SET n = 2 WHERE id = 2; UPDATE item SET price = '21' WHERE id = 2");
    await served('other', [
      { id: '1', n: '1' },
      { id: '2', n: '2' },
    ]);
    await served('item', [
      { id: '2', price: '21', tag: 'new' },
      { id: '3', price: '30', tag: 'new' },
    ]);

    source.exec('CREATE TABLE keyless AS SELECT * FROM other; DROP TABLE other; ALTER TABLE keyless RENAME TO other');
    await waitFor('it to stand still again', () => app.log().includes('table other has no primary key'));
    source.exec('DROP TABLE other');
    await served('other', []);
  } finally {
    source.close();
    await app.close();
  }
});

it('what is captured to topics only loses the rows that are gone, too', { timeout: 60_000 }, async () => {
  const app = await openApp();
  const source = new Database(join(app.dir, 'shop.db'));
  const holds = (table: string, ids: readonly number[]) =>
    waitFor(`the topic of ${table} to hold ${ids.join()}`, async () => {
      const { status, text } = await request(`${app.url}/v1/topics/p.shop.${table}/records?offset=0&limit=1000`);
      if (status !== 200) return false;
      const { records } = JSON.parse(text) as { records: { key: string; value: string | null }[] };
      const held = new Map(records.map(({ key, value }) => [Number(JSON.parse(key)), value]));
      return [...held].flatMap(([id, value]) => (value === null ? [] : [id])).join() === ids.join();
    });
  try {
    source.pragma('journal_mode = WAL');
    source.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO item VALUES (1, 'a'), (2, 'b')");
    source.exec('CREATE TABLE other (id INTEGER PRIMARY KEY, n INT); INSERT INTO other VALUES (1, 1), (2, 2), (3, 3)');
    await app.start();
    const config = {
      'connector.class': 'SqliteCdcSource',
      'database.file': join(app.dir, 'shop.db'),
      'topic.prefix': 'p',
      'output.data.format': 'JSON',
      'table.create': 'false',
    };
    await requestJson(`${app.url}/connectors/c/config`, { method: 'PUT', body: config });
    await holds('item', [1, 2]);
    await holds('other', [1, 2, 3]);
    await app.kill();
    source.exec('DROP TABLE item; ALTER TABLE other ADD COLUMN m INT DEFAULT 5');
    source.pragma('foreign_keys = OFF');
    source.exec(`CREATE TABLE other_new (id INTEGER PRIMARY KEY, n TEXT);
      INSERT INTO other_new SELECT id, n FROM other WHERE id <> 2; DROP TABLE other; ALTER TABLE other_new RENAME TO other`);
    await app.start();
    await holds('item', []);
    await holds('other', [1, 3]);
    source.exec('DROP TABLE other');
    await holds('other', []);
  } finally {
    source.close();
    await app.close();
  }
});
