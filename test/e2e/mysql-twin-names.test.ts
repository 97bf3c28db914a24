// Tables whose names could be taken for each other are two tables: each is served with its own rows, from snapshot and stream, and found by
// the name that it has at the source.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import { connectionOf } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');
type Rows = readonly Record<string, unknown>[];

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('tables of %s', (product) => {
  const server = servers[product];
  const one = `twins_${process.pid}_${product}`;
  let app: App;

  const query = (...statements: readonly string[]) =>
    withConnection(server, async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
  const drop = () => query(`DROP DATABASE IF EXISTS \`${one}\``, `DROP DATABASE IF EXISTS \`${one}.y\``);

  beforeEach(async () => {
    await drop();
    await query(`CREATE DATABASE \`${one}\``, `CREATE DATABASE \`${one}.y\``);
    app = await openApp();
  });
  afterEach(async () => {
    await app.close();
    await drop();
  });

  async function capture(databases: string, connectors: readonly string[] = ['twins']): Promise<void> {
    await app.start();
    const config = {
      'connector.class': 'MySqlCdcSource',
      ...connectionOf(server.url),
      'database.include.list': databases,
    };
    for (const name of connectors)
      await requestJson(`${app.url}/connectors`, { body: { name, config: { ...config, 'topic.prefix': name } } });
  }

  async function shown(table: string): Promise<string> {
    const { status, text } = await request(`${app.url}/v1/tables/${encodeURIComponent(table)}/rows`);
    return status === 200 ? JSON.stringify((JSON.parse(text) as { rows: Rows }).rows) : text;
  }
  const shows = (table: string, rows: Rows) =>
    waitFor(`the rows of ${table}`, async () => (await shown(table)) === JSON.stringify(rows));

  it('whose databases and names join to one text are two', async () => {
    const [joined, other] = [`\`${one}\`.\`y.z\``, `\`${one}.y\`.\`z\``];
    await query(
      `CREATE TABLE ${joined} (id INT PRIMARY KEY, v VARCHAR(20))`,
      `CREATE TABLE ${other} (id INT PRIMARY KEY, v VARCHAR(20))`,
      `INSERT INTO ${joined} VALUES (1, 'first'), (2, 'first')`,
      `INSERT INTO ${other} VALUES (1, 'second'), (3, 'second')`,
    );
    await capture(`${one},${one}\\.y`);
    await shows('y.z', [
      { id: 1, v: 'first' },
      { id: 2, v: 'first' },
    ]);
    await query(`UPDATE ${other} SET v = 'changed' WHERE id = 1`, `DELETE FROM ${joined} WHERE id = 1`);
    await query(`ALTER TABLE ${joined} ADD COLUMN n INT DEFAULT 7`);
    await shows('y.z', [{ id: 2, v: 'first', n: 7 }]);
    await shows('z', [
      { id: 1, v: 'changed' },
      { id: 3, v: 'second' },
    ]);
    // Each is found by its name when its rows are asked for again, compared, and written by two phases.
    await query(`SET SESSION sql_log_bin = 0; DELETE FROM ${joined}; INSERT INTO ${joined} VALUES (8, 'unlogged', 7)`);
    const named = `${one}.\`y.z\``;
    const snapshot = { tables: [named], where: 'id >= 0' };
    await requestJson(`${app.url}/connectors/twins/snapshot`, { body: snapshot });
    await shows('y.z', [{ id: 8, v: 'unlogged', n: 7 }]);
    await query(
      `XA START 'twins'; UPDATE ${joined} SET v = 'two phases'; XA END 'twins'; XA PREPARE 'twins'; XA COMMIT 'twins'`,
    );
    await shows('y.z', [{ id: 8, v: 'two phases', n: 7 }]);
    await requestJson(`${app.url}/connectors/twins/verify`, { body: {} });
    const verified = await waitFor('the comparison', async () => {
      const status = await requestJson<{ state: string; tables: { table: string; state: string }[] }>(
        `${app.url}/connectors/twins/verify`,
      );
      return status.state !== 'running' && status;
    });
    expect(verified.tables.map(({ table, state }) => [table, state])).toEqual([
      [`\`${one}.y\`.z`, 'equal'],
      [named, 'equal'],
    ]);
    await query(`DROP DATABASE \`${one}\``);
    await shows('y.z', []);
    await query(`INSERT INTO ${other} VALUES (4, 'goes on')`);
    await shows('z', [
      { id: 1, v: 'changed' },
      { id: 3, v: 'second' },
      { id: 4, v: 'goes on' },
    ]);
  });

  it('that differ by letter case are found as the source writes them, also after a restart', async () => {
    await query(
      `CREATE TABLE \`${one}\`.\`Users\` (id INT PRIMARY KEY)`,
      `CREATE TABLE \`${one}\`.\`users\` (id INT PRIMARY KEY)`,
      `INSERT INTO \`${one}\`.\`Users\` VALUES (1)`,
      `INSERT INTO \`${one}\`.\`users\` VALUES (2)`,
    );
    await capture(one);
    await shows('Users', [{ id: 1 }]);
    await shows('users', [{ id: 2 }]);
    await app.kill();
    await app.start();
    await query(`INSERT INTO \`${one}\`.\`users\` VALUES (3)`);
    await shows('users', [{ id: 2 }, { id: 3 }]);
    const names = ['Users', 'users'].map(async (name) => {
      const { name: served } = await requestJson<{ name: string }>(`${app.url}/v1/tables/${name}`);
      return served;
    });
    const [upper, lower] = await Promise.all(names);
    expect(upper).not.toBe(lower);
    await shows('Users', [{ id: 1 }]);
  });

  it('of a database that a source URL names are its own, also beside one in other letters', async () => {
    const upper = `\`${one.toUpperCase()}\``;
    const named = await openApp({ args: ['--source', `${server.url.replace(/^mysql:/, `${product}:`)}/${one}`] });
    try {
      await query(`DROP DATABASE IF EXISTS ${upper}`, `CREATE DATABASE ${upper}`);
      for (const database of [`\`${one}\``, upper]) await query(`CREATE TABLE ${database}.first (id INT PRIMARY KEY)`);
      await named.start();
      for (const database of [upper, `\`${one}\``]) await query(`CREATE TABLE ${database}.later (id INT PRIMARY KEY)`);
      const served = async () => {
        const { tables } = await requestJson<{ tables: { name: string }[] }>(`${named.url}/v1/tables`);
        return tables.map(({ name }) => name).toSorted();
      };
      await waitFor('the later table', async () => (await served()).includes('later'));
      expect(await served()).toEqual(['first', 'later']);
    } finally {
      await named.close();
      await query(`DROP DATABASE IF EXISTS ${upper}`);
    }
  });

  it('that several connectors capture have a name for each', async () => {
    await query(
      `CREATE TABLE \`${one}\`.\`items\` (id INT PRIMARY KEY)`,
      `INSERT INTO \`${one}\`.\`items\` VALUES (1)`,
    );
    await capture(one, ['a', 'b', 'c', 'd']);
    const served = () => requestJson<{ tables: { name: string; visible: boolean }[] }>(`${app.url}/v1/tables`);
    const four = await waitFor('four tables', async () => {
      const { tables } = await served();
      return tables.length === 4 && tables.every(({ visible }) => visible) && tables;
    });
    for (const { name } of four) await shows(name, [{ id: 1 }]);
  });
});
