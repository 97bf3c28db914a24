// The way out that the error of a zero date and of a long TIME offers works: the property in the connector's configuration has the table
// read again that stood still.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('a value without a type, on %s', (product) => {
  let database: TestDatabase;
  let app: App;
  beforeEach(async () => {
    database = await createDatabase(servers[product], 'way');
    app = await openApp({});
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) =>
    runStatements(servers[product], database.name, ["SET sql_mode = ''", ...statements]);

  it('becomes NULL when the configuration says so', async () => {
    await query(
      'CREATE TABLE shifts (id INT PRIMARY KEY, day DATE, t TIME)',
      "INSERT INTO shifts VALUES (1, '2000-01-01', '07:30:00')",
    );
    await app.start();
    const config = {
      'connector.class': 'MySqlCdcSourceV2',
      ...mysqlConfig(servers[product], database.name),
      name: 'c',
      'topic.prefix': 'p',
      'output.data.format': 'JSON',
      'output.key.format': 'JSON',
      'after.state.only': 'true',
    };
    const put = (more: object) =>
      requestJson(`${app.url}/connectors/c/config`, { method: 'PUT', body: { ...config, ...more } });
    const rows = async () => {
      const { status, text } = await request(`${app.url}/v1/tables/shifts/rows`);
      return status === 200 ? (JSON.parse(text) as { rows: { id: number; day: unknown; t: unknown }[] }).rows : [];
    };
    await put({ 'time.range.handling.mode': 'stop' });
    await waitFor('the snapshot', async () => (await rows()).length === 1);
    await query(
      "INSERT INTO shifts VALUES (2, '0000-00-00', '08:00:00')",
      "INSERT INTO shifts VALUES (3, '2000-01-03', '36:15:00')",
    );
    const reason = async () => {
      const { stopped } = await requestJson<{ stopped?: { message: string }[] }>(`${app.url}/connectors/c/status`);
      return stopped?.[0]?.message ?? '';
    };
    await waitFor('the stop', async () => (await reason()).includes('shifts.day'));
    expect(await reason()).toMatch(/with id 2 in the event/);
    await put({ 'zero.date.handling.mode': 'null', 'time.range.handling.mode': 'stop' });
    await waitFor('the next stop', async () => (await reason()).includes('shifts.t '));
    await put({ 'zero.date.handling.mode': 'null', 'time.range.handling.mode': 'null' });
    await waitFor('all rows', async () => (await rows()).length === 3);
    expect((await rows()).map(({ id, day, t }) => [id, day === null, t === null])).toEqual([
      [1, false, false],
      [2, true, false],
      [3, false, true],
    ]);
    // Another type of the columns: the table is read again.
    await put({ 'zero.date.handling.mode': 'text' });
    await waitFor('the texts', async () => (await rows())[1]?.['day'] === '0000-00-00');
    expect((await rows()).map(({ day }) => day)).toEqual(['2000-01-01', '0000-00-00', '2000-01-03']);
    // As it is, the default.
    expect((await rows())[2]?.['t']).toBe('36:15:00.000');
  });
});
