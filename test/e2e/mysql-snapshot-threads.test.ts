// Several tables are read at once in the first snapshot of real servers: whatever is written, altered and emptied meanwhile, and wherever
// the source is killed, what was handed over is the source's rows, each table that rests was read once, in the order of its keys, and the
// connections are as many as were asked for.
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, describe, expect, it } from 'vitest';
import { silentLogger, type Logger } from '../../src/core/logger.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDice } from '../support/harness/dice.js';
import { waitFor } from '../support/harness/wait-for.js';
import { openApp } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { createDatabase, createUser, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { startWriter } from '../support/source/mysql-writer.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
const seeds = [1, 2, 3];
const last = 'zz_last';

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('several tables at once on %s', (product) => {
  const server = () => servers[product];
  const databases: TestDatabase[] = [];
  const runs: SourceRun[] = [];

  async function openDatabase(): Promise<TestDatabase> {
    const database = await createDatabase(server(), 'threads');
    databases.push(database);
    return database;
  }
  const query = <T extends RowDataPacket[]>(database: string, ...statements: string[]): Promise<T> =>
    withConnection(server(), async (connection) => {
      await connection.query(`USE ${database}`);
      let rows: unknown;
      for (const statement of statements) [rows] = await connection.query(statement);
      return rows as T;
    });
  const run = (database: string, more: Record<string, string>, position: string | null = null, after?: Kept) => {
    const source = createMysqlSource(mysqlConfig(server(), database, more), silentLogger);
    const started = runSource(source, position, { ...(after && { after }) });
    runs.push(started);
    return started;
  };
  afterAll(async () => {
    await Promise.all(runs.map((each) => each.stop()));
    for (const database of databases) await database.drop();
  });

  interface Kept {
    readonly appends: TestAppend[];
    readonly tables: Map<string, SourceTable>;
  }

  async function rowsAtSource(database: string, table: string): Promise<Map<string, string>> {
    const rows = await query(database, `SELECT * FROM ${table}`);
    return new Map(rows.map((row) => [JSON.stringify({ id: row['id'] as unknown }), JSON.stringify(row)]));
  }

  it.each([1, 2, 4].flatMap((threads) => seeds.map((seed) => [threads, seed])))(
    'end with the rows of the source, with %s threads and seed %s',
    async (threads, seed) => {
      const dice = createDice(threads * 1000 + seed);
      const { name } = await openDatabase();
      const count = dice.between(4, 8);
      const tables = Array.from({ length: count }, (_, i) => `t${i}`);
      const kinds = tables.map(() => dice.pick(['hot', 'resting', 'resting', 'struck'] as const));
      // One of each at least.
      kinds.splice(0, 3, 'hot', 'resting', 'struck');
      await query(name, ...[...tables, last].map((table) => `CREATE TABLE ${table} (id INT PRIMARY KEY, v INT)`));
      for (const table of tables) {
        const rows = dice.chance(0.2) ? 0 : dice.between(1, 400);
        if (rows === 0) continue;
        const values = Array.from({ length: rows }, (_, i) => `(${i * 2}, ${dice.between(0, 99)})`);
        await query(name, `INSERT INTO ${table} VALUES ${values.join(', ')}`);
      }
      const of = (kind: (typeof kinds)[number]) => tables.filter((_, i) => kinds[i] === kind);
      const writers = await Promise.all(of('hot').map((table) => startWriter(server(), name, table, ['id'], String)));
      const config = { 'snapshot.max.threads': String(threads), 'snapshot.fetch.size': String(dice.between(7, 46)) };
      const kept: Kept = { appends: [], tables: new Map() };
      let position: string | null = null;
      try {
        for (let part = 0; part < 5; part++) {
          const source = run(name, config, position, kept);
          const enough = dice.between(1, 12);
          const isRead = ({ records }: TestAppend) => records.some(({ op }) => op === 'r');
          await source.until((seen) => seen.filter(isRead).length >= enough || isDone(seen));
          if (part > 0)
            for (const table of of('struck'))
              if (dice.chance(0.4)) {
                const column = `ADD COLUMN e${part} INT DEFAULT ${part}`;
                await query(name, dice.chance(0.5) ? `TRUNCATE ${table}` : `ALTER TABLE ${table} ${column}`);
              }
          await source.stop();
          // What a kill leaves is a beginning of what was handed over.
          const cuts = source.appends.flatMap(({ position: at }, i) => (at === null ? [] : [i]));
          const cut = cuts[dice.between(0, cuts.length - 1)];
          if (cut === undefined) continue;
          kept.appends.push(...source.appends.slice(0, cut + 1));
          for (const [table, one] of source.tables) kept.tables.set(table, one);
          position = source.appends[cut]!.position;
        }
      } finally {
        for (const writer of writers) await writer.stop();
      }
      const rest = run(name, config, position, kept);
      await query(name, `INSERT INTO ${last} VALUES (1, 1)`);
      await rest.until(
        (seen) => seen.some(({ records }) => records.some(({ table }) => table === last)) && isDone(seen),
        'all to be read',
      );
      await rest.stop();
      const appends = [...kept.appends, ...rest.appends];
      const folded = foldAppends(appends);
      for (const table of tables) {
        const handed = folded.get(table) ?? new Map<string, string>();
        expect(Object.fromEntries(handed), table).toEqual(Object.fromEntries(await rowsAtSource(name, table)));
      }
      for (const table of of('resting')) {
        const read = appends.flatMap(({ records }) => records).filter((record) => record.table === table);
        const keys = read.map(({ key }) => (JSON.parse(key) as { id: number }).id);
        expect(keys, table).toEqual(Array.from({ length: keys.length }, (_, i) => i * 2));
      }
      for (const { position: at } of appends)
        expect(Object.keys(besideOf(at)).length).toBeLessThanOrEqual(threads === 1 ? 0 : 2 * threads + 1);
      const completed = appends.flatMap(({ control }) => (control?.kind === 'snapshot-completed' ? [control] : []));
      // Of all that nothing has called for meanwhile, as one.
      expect(completed[0]?.topics).toEqual(expect.arrayContaining([...of('hot'), ...of('resting'), last]));
      expect(completed.slice(1).every(({ topics }) => of('struck').includes(topics.join()))).toBe(true);
    },
    60_000,
  );

  it('have as many connections as were asked for, or as there are, and leave none', async () => {
    const { name } = await openDatabase();
    const user = await createUser(server(), {
      grants: ['SELECT, REPLICATION SLAVE, REPLICATION CLIENT, RELOAD ON *.*'],
    });
    try {
      const tables = Array.from({ length: 8 }, (_, i) => `t${i}`);
      const values = Array.from({ length: 600 }, (_, i) => `(${i})`).join(', ');
      for (const table of tables)
        await query(name, `CREATE TABLE ${table} (id INT PRIMARY KEY)`, `INSERT INTO ${table} VALUES ${values}`);
      const connections = async () =>
        Number(
          (
            await query(
              'information_schema',
              `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = '${user.user}'`,
            )
          )[0]!['n'],
        );
      const read = async (threads: number, logger: Logger): Promise<{ most: number; rest: number }> => {
        const config = mysqlConfig({ ...server(), user: user.user, password: user.password }, name, {
          'snapshot.max.threads': String(threads),
          'snapshot.fetch.size': '20',
        });
        const source = runSource(createMysqlSource(config, logger), null);
        runs.push(source);
        let most = 0;
        let isOver = false;
        const watching = (async () => {
          while (!isOver) most = Math.max(most, await connections());
        })();
        await source.until((seen) => isDone(seen));
        isOver = true;
        await watching;
        let rest = 0;
        // Two questions that get the same answer, since those that close take a moment.
        const isSettled = async () => rest === (rest = await connections()) && rest > 0;
        await waitFor('the readers to have gone', isSettled, { intervalMs: 300 });
        await source.stop();
        await waitFor('all to have gone', async () => (await connections()) === 0);
        expect([...foldAppends(source.appends).values()].map((rows) => rows.size)).toEqual(tables.map(() => 600));
        return { most, rest };
      };
      const warnings: string[] = [];
      const warn: Logger['warn'] = (message, fields) => warnings.push(`${message} ${JSON.stringify(fields ?? {})}`);
      const logger: Logger = { ...silentLogger, warn, child: () => logger };
      // One that is refused, or has been closed, is there for another moment.
      const passing = 1;
      const one = await read(1, logger);
      expect(one.most, warnings.join()).toBeLessThanOrEqual(one.rest + 1 + passing);
      const four = await read(4, logger);
      expect(four.most, warnings.join()).toBeGreaterThan(one.rest + 1 + passing);
      expect(four.most, warnings.join()).toBeLessThanOrEqual(four.rest + 4 + passing);
      await query(name, `ALTER USER ${user.user} WITH MAX_USER_CONNECTIONS 4`);
      expect((await read(4, logger)).most).toBeLessThanOrEqual(4);
      expect(warnings.join('\n')).toContain('the source has no connection left: fewer tables');
    } finally {
      await query('mysql', `DROP USER ${user.user}`);
    }
  });

  it('go on in a process that is killed again and again', async () => {
    const { name } = await openDatabase();
    const tables = Array.from({ length: 6 }, (_, i) => `t${i}`);
    const values = Array.from({ length: 1500 }, (_, i) => `(${i}, 0)`).join(', ');
    for (const table of tables)
      await query(name, `CREATE TABLE ${table} (id INT PRIMARY KEY, v INT)`, `INSERT INTO ${table} VALUES ${values}`);
    const writers = await Promise.all(['t0', 't4'].map((table) => startWriter(server(), name, table, ['id'], String)));
    const app = await openApp();
    try {
      await app.start();
      await requestJson(`${app.url}/connectors/c/config`, {
        method: 'PUT',
        body: {
          'connector.class': 'MySqlCdcSource',
          ...mysqlConfig(server(), name, { 'snapshot.max.threads': '3', 'snapshot.fetch.size': '20', name: 'c' }),
        },
      });
      const isReady = async () => {
        const { tables: all } = await requestJson<{ tables: { visible: boolean }[] }>(`${app.url}/v1/tables`);
        return all.length === tables.length && all.every(({ visible }) => visible);
      };
      for (let kill = 0; kill < 4 && !(await isReady()); kill++) {
        await new Promise((resolve) => setTimeout(resolve, 150 + 100 * kill));
        await app.kill();
        await app.start({ waitReady: false });
        await waitFor('it to answer', () =>
          request(`${app.url}/v1/tables`).then(
            ({ status }) => status === 200,
            () => false,
          ),
        );
      }
      await waitFor('the snapshot', isReady, { timeoutMs: 60_000 });
      for (const writer of writers) await writer.stop();
      for (const table of tables) {
        const atSource = [...(await rowsAtSource(name, table)).values()].map((row) => JSON.parse(row) as unknown);
        await waitFor(`${table} to be the source's`, async () => {
          const answer = await requestJson<{ rows: unknown[] }>(`${app.url}/v1/tables/${table}/rows?limit=5000`);
          return JSON.stringify(answer.rows) === JSON.stringify(atSource);
        });
      }
    } finally {
      await app.close();
      for (const writer of writers) await writer.stop().catch(() => {});
    }
  }, 120_000);
});

/** Nothing is left to be read. */
function isDone(appends: readonly TestAppend[]): boolean {
  return appends.findLast(({ position }) => position !== null)?.position?.includes('"snapshot"') === false;
}

function besideOf(position: string | null): object {
  const { snapshot } = JSON.parse(position ?? '{}') as { snapshot?: { beside?: object } };
  return snapshot?.beside ?? {};
}
