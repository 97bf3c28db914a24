// XA transactions in two phases: their rows stand in the binlog at XA PREPARE and come with XA COMMIT, once, whatever restarts lie
// between, or never. On both servers, and on one without GTIDs, whose position is a place in a file.
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, createUser, type SqlAddress, type TestDatabase } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
/** Servers of their own: what is prepared here would make the connectors of other tests, which begin meanwhile, read their tables again. */
const start = {
  mysql: () => startMysql(),
  mariadb: () => startMariadb(),
  'mysql without GTIDs': () => startMysql({ serverArgs: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] }),
};

describe.skipIf(servers.missing).each(['mysql', 'mariadb', 'mysql without GTIDs'] as const)(
  'XA transactions of %s',
  (product) => {
    let server: SqlAddress;
    let end: () => Promise<void> = async () => {};
    let restart: () => Promise<void> = async () => {};
    let database: TestDatabase;
    let connection: Connection;
    const runs: SourceRun[] = [];
    let number = 0;
    const open = () => {
      const { host, port, user, password } = server;
      return mysql.createConnection({ host, port, user, password });
    };

    beforeAll(async () => {
      const own = await start[product]();
      server = own;
      end = () => own.close();
      restart = () => own.restart();
      database = await createDatabase(server, 'xa');
      connection = await open();
      await connection.query(`USE ${database.name}`);
    });
    beforeEach(async () => {
      number++;
      await query(
        `CREATE TABLE t${number} (id INT PRIMARY KEY, text VARCHAR(200))`,
        `INSERT INTO t${number} VALUES (1, 'one')`,
      );
    });
    afterAll(async () => {
      await Promise.all(runs.map((run) => run.stop()));
      connection?.destroy();
      await rollBackAll();
      await database?.drop();
      await end();
    });

    const isMysql = product !== 'mariadb';

    async function query(...statements: readonly string[]): Promise<void> {
      for (const statement of statements) await connection.query(statement.replaceAll('$', `t${number}`));
    }
    /** Of some tables, as some user. */
    function run(
      position: string | null,
      after?: SourceRun,
      {
        tables = `t${number}`,
        as = server,
      }: { readonly tables?: string; readonly as?: Pick<SqlAddress, 'user' | 'password'> | undefined } = {},
    ): SourceRun {
      const list = { 'table.include.list': `${database.name}.(${tables})` };
      const config = mysqlConfig({ ...server, ...as }, database.name, list);
      const started = runSource(createMysqlSource(config, silentLogger), position, { ...(after && { after }) });
      runs.push(started);
      return started;
    }
    /** The connections that a binlog is sent to. */
    async function dumps(): Promise<number[]> {
      const [all] = await connection.query<RowDataPacket[]>('SHOW PROCESSLIST');
      return all.filter((row) => String(row['Command']).startsWith('Binlog Dump')).map((row) => Number(row['Id']));
    }
    /** What a test that failed has left would keep its tables from being dropped. */
    async function rollBackAll(): Promise<void> {
      const other = await open();
      for (const xid of ['late', 'long', 'x']) await other.query(`XA ROLLBACK '${xid}'`).catch(() => {});
      await other.end();
    }
    const completed = (appends: readonly TestAppend[]) =>
      appends.filter(({ control }) => control?.kind === 'snapshot-completed').length;
    const rows = (...of: readonly SourceRun[]) =>
      [
        ...(foldAppends(of.flatMap(({ appends }) => appends))
          .get(`t${number}`)
          ?.values() ?? []),
      ]
        .map((row) => (JSON.parse(row) as { text: string }).text)
        .toSorted();
    const positionOf = ({ appends }: SourceRun) => appends.findLast(({ position }) => position !== null)!.position!;
    const until = (on: SourceRun, text: string) =>
      on.until(
        (appends) => appends.some(({ records }) => records.some(({ value }) => value?.includes(`"${text}"`))),
        `the row ${text}`,
      );
    const records = (of: SourceRun, text: string) =>
      of.appends.flatMap((append) => append.records).filter(({ value }) => value?.includes(`"${text}"`)).length;

    it('come with their commit as one append, whole, and those that are rolled back never', async () => {
      const first = run(null);
      await first.until((appends) => completed(appends) === 1, 'the snapshot');
      await query(
        "XA START 'back'",
        "INSERT INTO $ VALUES (2, 'never')",
        "XA END 'back'",
        "XA PREPARE 'back'",
        "XA ROLLBACK 'back'",
        "XA START 'one', 'phase', 7",
        "INSERT INTO $ VALUES (3, 'at once')",
        "XA END 'one', 'phase', 7",
        "XA COMMIT 'one', 'phase', 7 ONE PHASE",
        "XA START 'two'",
        "INSERT INTO $ VALUES (4, 'kept')",
        'SAVEPOINT s',
        "INSERT INTO $ VALUES (5, 'taken back')",
        'ROLLBACK TO SAVEPOINT s',
        "UPDATE $ SET text = 'changed' WHERE id = 1",
        "XA END 'two'",
        "XA PREPARE 'two'",
        "XA COMMIT 'two'",
        "INSERT INTO $ VALUES (9, 'last')",
      );
      await until(first, 'last');
      expect(rows(first)).toEqual(['at once', 'changed', 'kept', 'last']);
      const [both] = first.appends.filter((append) => append.records.some(({ value }) => value?.includes('kept')));
      expect(both!.records).toHaveLength(2);
      expect(positionOf(first)).not.toContain('prepared');
      await first.stop();
    });

    it('stay prepared over restarts, beside what is committed meanwhile, and nothing comes twice', async () => {
      const first = run(null);
      await first.until((appends) => completed(appends) === 1, 'the snapshot');
      const other = await open();
      await other.query(`USE ${database.name}`);
      await query("XA START 'late'", "INSERT INTO $ VALUES (2, 'late')", "XA END 'late'", "XA PREPARE 'late'");
      await other.query(`INSERT INTO t${number} VALUES (3, 'between')`);
      await until(first, 'between');
      await first.stop();
      expect(rows(first)).toEqual(['between', 'one']);

      const second = run(positionOf(first), first);
      await other.query(`INSERT INTO t${number} VALUES (4, 'second')`);
      await until(second, 'second');
      expect(second.appends.flatMap((append) => append.records)).toHaveLength(1);
      await second.stop();

      const third = run(positionOf(second), second);
      await query("XA COMMIT 'late'");
      await other.query(`INSERT INTO t${number} VALUES (5, 'third')`);
      await until(third, 'third');
      expect(third.appends.flatMap((append) => append.records)).toHaveLength(2);
      expect(rows(first, second, third)).toEqual(['between', 'late', 'one', 'second', 'third']);
      await third.stop();

      const fourth = run(positionOf(third), third);
      await other.query(`INSERT INTO t${number} VALUES (6, 'fourth')`);
      await until(fourth, 'fourth');
      expect(fourth.appends.flatMap((append) => append.records)).toHaveLength(1);
      await fourth.stop();
      await other.end();
    });

    it('of any length wait outside of the memory, and come once when they are committed, also on a new connection', async () => {
      const first = run(null);
      await first.until((appends) => completed(appends) === 1, 'the snapshot');
      const values = (from: number) =>
        Array.from({ length: 2000 }, (_, i) => `(${from + i}, '${'x'.repeat(150)}')`).join(', ');
      await query(
        "XA START 'long'",
        `INSERT INTO $ VALUES ${values(10)}`,
        `INSERT INTO $ VALUES ${values(3000)}`,
        "XA END 'long'",
        "XA PREPARE 'long'",
      );
      const other = await open();
      await other.query(`INSERT INTO ${database.name}.t${number} VALUES (2, 'after')`);
      await other.end();
      await until(first, 'after');
      await first.stop();
      const before = await dumps();
      const second = run(positionOf(first), first);
      await expect.poll(() => second.states.some(({ caughtUp }) => caughtUp === true), { timeout: 10_000 }).toBe(true);
      for (const id of (await dumps()).filter((each) => !before.includes(each))) await query(`KILL ${id}`);
      await query("XA COMMIT 'long'", "INSERT INTO $ VALUES (3, 'last')");
      await until(second, 'last');
      expect(
        second.appends.filter((append) => append.records.length > 0).map((append) => append.records.length),
      ).toEqual([4000, 1]);
      expect(rows(first, second)).toHaveLength(4003);
      await second.stop();
    });

    describe('that were prepared before the first snapshot', () => {
      const prepare = ["XA START 'x'", "INSERT INTO $ VALUES (2, 'hidden')", "XA END 'x'", "XA PREPARE 'x'"];
      const both = (position: string | null, after?: SourceRun, as?: Pick<SqlAddress, 'user' | 'password'>) =>
        run(position, after, { tables: `t${number}|other${number}`, as });
      const readAgain = (of: SourceRun) =>
        new Set(of.appends.flatMap((append) => append.records).flatMap(({ op, table }) => (op === 'r' ? [table] : [])));
      const elsewhere = async (sql: string) => {
        const other = await open();
        await other.query(sql);
        await other.end();
      };

      async function begin(as?: Pick<SqlAddress, 'user' | 'password'>): Promise<SourceRun> {
        await elsewhere(`CREATE TABLE ${database.name}.other${number} (id INT PRIMARY KEY)`);
        await elsewhere(`INSERT INTO ${database.name}.other${number} VALUES (1)`);
        const first = both(null, undefined, as);
        await first.until((appends) => completed(appends) === 1, 'the snapshot');
        await elsewhere(`INSERT INTO ${database.name}.other${number} VALUES (2)`);
        await first.until((appends) => (foldAppends(appends).get(`other${number}`)?.size ?? 0) === 2, 'the stream');
        await first.stop();
        return first;
      }
      async function committed(on: SourceRun): Promise<Set<string>> {
        await query("XA COMMIT 'x'");
        await until(on, 'hidden');
        const tables = isMysql ? 1 : 2;
        await on.until((appends) => completed(appends) >= tables, 'the end of the reading');
        await on.stop();
        return readAgain(on);
      }

      it('cost those tables another reading that the server shows to be locked, after a restart, too', async () => {
        await query(...prepare);
        const first = await begin();
        expect(positionOf(first).includes('"xid":""')).toBe(isMysql);
        const names = isMysql ? [`t${number}`] : [`other${number}`, `t${number}`];
        expect([...(await committed(both(positionOf(first), first)))].toSorted()).toEqual(names);
      });

      it.skipIf(!isMysql)('are not among what a position names that is set', async () => {
        await query(...prepare);
        const first = await begin();
        const offset = JSON.parse(positionOf(first)) as Record<string, unknown>;
        const source = createMysqlSource(mysqlConfig(server, database.name), silentLogger);
        const moved = await source.place({ offset: { ...offset, prepared: [] }, current: positionOf(first) });
        await source.close();
        await query("XA ROLLBACK 'x'");
        expect(moved).toContain('"moved":true');
        expect(moved).not.toContain('"xid":""');
      });

      it.skipIf(!isMysql)('are known by their locks also after a restart of the server', async () => {
        await query(...prepare);
        connection.destroy();
        await restart();
        connection = await open();
        await connection.query(`USE ${database.name}`);
        // Since it runs, somebody has prepared one.
        await query("XA START 'n'", "INSERT INTO $ VALUES (9, 'n')", "XA END 'n'", "XA PREPARE 'n'", "XA ROLLBACK 'n'");
        const first = await begin();
        expect([...(await committed(both(positionOf(first), first)))]).toEqual([`t${number}`]);
      });

      it('cost all tables another reading where the user may not look', async () => {
        const user = await createUser(server, {
          grants: ['REPLICATION SLAVE, REPLICATION CLIENT, RELOAD ON *.*', `SELECT ON ${database.name}.*`],
        });
        await query(...prepare);
        const first = await begin(user);
        expect(positionOf(first)).not.toContain('"xid":""');
        const second = both(positionOf(first), first, user);
        await query("XA COMMIT 'x'");
        await second.until((appends) => completed(appends) === 2, 'both tables');
        await second.stop();
        expect(readAgain(second).size).toBe(2);
      });

      it.skipIf(!isMysql)('are known to a user who may not ask which are prepared', async () => {
        const user = await createUser(server, {
          grants: ['REPLICATION SLAVE, REPLICATION CLIENT, RELOAD, SELECT ON *.*'],
        });
        await query(...prepare);
        const first = await begin(user);
        expect([...(await committed(both(positionOf(first), first, user)))]).toEqual([`t${number}`]);
      });

      it('leave nothing in positions where none was there', async () => {
        const other = await open();
        await other.query(`USE ${database.name}`);
        await other.query('BEGIN');
        await other.query(`INSERT INTO t${number} VALUES (2, 'open')`);
        const first = await begin();
        await other.end();
        expect(positionOf(first)).not.toContain('prepared');
      });
    });

    it('of tables that are captured only since they were prepared lose no rows', async () => {
      await query(`CREATE TABLE first${number} (id INT PRIMARY KEY)`, `INSERT INTO first${number} VALUES (1)`);
      const first = run(null, undefined, { tables: `first${number}` });
      await first.until((appends) => completed(appends) === 1, 'the snapshot');
      await query("XA START 'x'", "INSERT INTO $ VALUES (2, 'hidden')", "XA END 'x'", "XA PREPARE 'x'");
      const other = await open();
      await other.query(`INSERT INTO ${database.name}.first${number} VALUES (2)`);
      await first.until((appends) => foldAppends(appends).get(`first${number}`)?.size === 2, 'what came behind it');
      await first.stop();
      const second = run(positionOf(first), first, { tables: `first${number}|t${number}` });
      await until(second, 'one');
      await second.until((appends) => completed(appends) === 1, 'the new table');
      await query("XA COMMIT 'x'");
      await other.query(`INSERT INTO ${database.name}.t${number} VALUES (3, 'last')`);
      await other.end();
      await until(second, 'last');
      await until(second, 'hidden');
      expect(rows(second)).toEqual(['hidden', 'last', 'one']);
      await second.stop();
    });

    it.each([
      ['prepared before the first snapshot', true],
      ['whose rows cannot come again', false],
    ])('%s: its tables are read again when it is committed', async (_, isUnknown) => {
      const prepare = ["XA START 'x'", "INSERT INTO $ VALUES (2, 'hidden')", "XA END 'x'", "XA PREPARE 'x'"];
      if (isUnknown) await query(...prepare);
      const first = run(null);
      await first.until((appends) => completed(appends) === 1, 'the snapshot');
      if (!isUnknown) await query(...prepare);
      const other = await open();
      await other.query(`INSERT INTO ${database.name}.t${number} VALUES (3, 'after')`);
      await other.end();
      await until(first, 'after');
      await first.stop();
      expect(rows(first)).toEqual(['after', 'one']);
      // As it is told again once the binlog that holds the rows is purged.
      const position = positionOf(first).replace(/"from":"[^"]*"/, '"from":null');
      if (!isUnknown) expect(position).not.toBe(positionOf(first));
      const second = run(position, first);
      await query("XA COMMIT 'x'");
      await until(second, 'hidden');
      await second.until((appends) => completed(appends) === 1, 'the end of the reading');
      expect(rows(first, second)).toEqual(['after', 'hidden', 'one']);
      expect(records(second, 'hidden')).toBe(1);
      await second.stop();
    });
  },
);
