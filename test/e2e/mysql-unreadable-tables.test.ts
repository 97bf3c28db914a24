// A table that the server itself refuses to read stands still alone: found so at the start, while the stream runs, and over a kill. The
// others go on, and it comes back once there is something to read.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyStatus } from '../../src/connect/connect-facade.js';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { completed, foldAppends, runSource } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Status {
  readonly tasks: readonly { readonly state: string }[];
  readonly stopped?: readonly { readonly table: string; readonly code: string; readonly message: string }[];
}

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('what %s cannot read itself', (product) => {
  let database: TestDatabase;
  let app: App;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'unreadable');
    await query(
      'CREATE TABLE good (id INT PRIMARY KEY)',
      'INSERT INTO good VALUES (1)',
      'CREATE TABLE lost (id INT PRIMARY KEY)',
      'INSERT INTO lost VALUES (1)',
      'ALTER TABLE lost DISCARD TABLESPACE',
      'CREATE TABLE part (id INT PRIMARY KEY) ENGINE = MyISAM',
      'CREATE TABLE parts (id INT PRIMARY KEY) ENGINE = MERGE UNION = (part)',
      'DROP TABLE part',
      'CREATE TABLE later (id INT PRIMARY KEY)',
      'INSERT INTO later VALUES (1)',
    );
    app = await openApp({});
    await app.start();
    await requestJson(`${app.url}/connectors/c/config`, {
      method: 'PUT',
      body: { 'connector.class': 'MySqlCdcSource', ...mysqlConfig(servers[product], database.name), name: 'c' },
    });
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
  const status = () => requestJson<Status>(`${app.url}/connectors/c/status`);
  const shows = (table: string, ...ids: readonly number[]) =>
    waitFor(
      `rows ${ids.join()} of ${table}`,
      async () => {
        const answer = await request(`${app.url}/v1/tables/${table}/rows`);
        if (answer.status !== 200) return false;
        return (JSON.parse(answer.text) as { rows: { id: number }[] }).rows.map(({ id }) => id).join() === ids.join();
      },
      { timeoutMs: 10_000 },
    );
  const standsStill = (table: string) =>
    waitFor(
      `${table} to stand still`,
      async () => {
        const { stopped = [], tasks } = await status();
        expect(tasks).toMatchObject([{ state: 'RUNNING' }]);
        const found = stopped.find((each) => each.table === table);
        return found?.code === 'unreadable-table' && /the source itself cannot read .*ablespace/.test(found.message);
      },
      { timeoutMs: 10_000 },
    );

  it('at the start leaves the others whole', async () => {
    await shows('good', 1);
    await shows('later', 1);
    await standsStill('lost');
  });

  it('while the stream runs is one table less, also over a kill', async () => {
    await query('ALTER TABLE later DISCARD TABLESPACE', 'INSERT INTO good VALUES (2)');
    await shows('good', 1, 2);
    await standsStill('later');
    await app.kill();
    await app.start({ waitReady: false });
    await query('INSERT INTO good VALUES (3)');
    await shows('good', 1, 2, 3);
    await standsStill('later');
    await standsStill('lost');
  });

  it('is told by name when it comes while the stream runs', async () => {
    await query(
      'CREATE TABLE one (id INT PRIMARY KEY) ENGINE = MyISAM',
      'CREATE TABLE several (id INT PRIMARY KEY) ENGINE = MERGE UNION = (one)',
      'DROP TABLE one',
      'ALTER TABLE good ADD COLUMN n INT DEFAULT 1',
      'INSERT INTO good VALUES (4, 4)',
    );
    await shows('good', 1, 2, 3, 4);
    await waitFor('the table to be read again', async () => {
      const { text } = await request(`${app.url}/v1/tables/good/rows`);
      return text.includes('"n":1');
    });
    await waitFor('a warning', () => /cannot read table [\w.]*several|several[^\n]*cannot/.test(app.log()));
  });

  it('is told by verify, which goes on with the others', async () => {
    await query(
      'CREATE TABLE checked (id INT PRIMARY KEY)',
      'INSERT INTO checked VALUES (1)',
      'INSERT INTO good VALUES (6, 6)',
    );
    await shows('checked', 1);
    // No statement of the stream tells of it.
    await query('SET sql_log_bin = 0', 'ALTER TABLE checked DISCARD TABLESPACE');
    const path = `${app.url}/connectors/c/verify`;
    const tables = ['checked', 'good'].map((table) => `${database.name}.${table}`);
    await requestJson(path, { method: 'POST', body: { tables } });
    const { tables: found } = await waitFor('the end of the verification', async () => {
      const verified = await requestJson<VerifyStatus>(path);
      return verified.state !== 'running' && verified;
    });
    expect(found).toMatchObject([
      { state: 'skipped', reason: expect.stringContaining('the source itself cannot read') as string },
      { state: 'equal' },
    ]);
    await query('DROP TABLE checked', 'DELETE FROM good WHERE id = 6');
  });

  it('comes back with what can be read', async () => {
    await query('DROP TABLE later', 'CREATE TABLE later (id INT PRIMARY KEY)', 'INSERT INTO later VALUES (7)');
    await shows('later', 7);
    await query('DROP TABLE lost, parts, several', 'INSERT INTO good VALUES (5, 5)');
    await shows('good', 1, 2, 3, 4, 5);
    await waitFor('nothing to stand still', async () => ((await status()).stopped ?? []).length === 0);
  });
});

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('while tables of %s are read again', (product) => {
  it('is the table alone whose rows that are gone are looked for', async () => {
    const database = await createDatabase(servers[product], 'unreadable_gone');
    const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);
    await query(
      'CREATE TABLE good (id INT PRIMARY KEY)',
      'CREATE TABLE lost (id INT PRIMARY KEY)',
      'INSERT INTO lost VALUES (1)',
    );
    let discards = false;
    const run = runSource(createMysqlSource(mysqlConfig(servers[product], database.name), silentLogger), null, {
      onHeldRead: async (table) => {
        if (!discards || table !== 'lost') return;
        discards = false;
        await query('SET sql_log_bin = 0', 'ALTER TABLE lost DISCARD TABLESPACE');
      },
    });
    try {
      await run.until((appends) => foldAppends(appends).has('lost'), 'the first rows');
      await completed(run);
      discards = true;
      await query('ALTER TABLE lost ADD COLUMN n INT DEFAULT 1');
      expect(await run.tableFailure()).toMatchObject({ code: 'unreadable-table' });
      await query('INSERT INTO good VALUES (1)');
      await run.until((appends) => foldAppends(appends).has('good'), 'the other table');
    } finally {
      await run.stop();
      await database.drop();
    }
  });
});

// MySQL logs what follows by foreign keys.
describe.skipIf(servers.missing)('of tables of MariaDB that foreign keys link', () => {
  it.each(['child', 'parent'])('is the %s, and what follows its rows', async (lost) => {
    const database = await createDatabase(servers.mariadb, 'unreadable_linked');
    const query = (...statements: string[]) => runStatements(servers.mariadb, database.name, statements);
    await query(
      'CREATE TABLE parent (id INT PRIMARY KEY)',
      'CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)',
      'CREATE TABLE other (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)',
      'INSERT INTO parent VALUES (1), (2)',
      'INSERT INTO child VALUES (1, 1)',
      'INSERT INTO other VALUES (1, 1), (2, 2)',
      'SET foreign_key_checks = 0',
      `ALTER TABLE ${lost} DISCARD TABLESPACE`,
    );
    const run = runSource(createMysqlSource(mysqlConfig(servers.mariadb, database.name), silentLogger), null);
    try {
      await completed(run);
      const failed = run.appends.flatMap(({ control }) => (control?.kind === 'table-failed' ? [control] : []));
      const tables = failed.map(({ table, error }) => [table.replace(/^.*\./, ''), error.code]);
      if (lost === 'child') {
        expect(tables).toEqual([['child', 'unreadable-table']]);
        expect(foldAppends(run.appends).get('other')?.size).toBe(2);
        expect(foldAppends(run.appends).get('parent')?.size).toBe(2);
      } else {
        expect(tables.toSorted(([a], [b]) => (a! < b! ? -1 : 1))).toEqual([
          ['child', 'detached'],
          ['other', 'detached'],
          ['parent', 'unreadable-table'],
        ]);
      }
    } finally {
      await run.stop();
      await database.drop();
    }
  });
});
