// What a server can do to the source: wrong settings, restarts, lost and rewound binlogs, no GTIDs, a commit that hangs between
// binlog and engine. Each on a server of the test's own.
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { delay } from '../../src/core/backoff.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { startWriter } from '../support/source/mysql-writer.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

// Asked for only to learn whether the servers can be had here.
const servers = await sharedServers('mysql', 'mariadb');

const start = { mysql: startMysql, mariadb: startMariadb } as const;
const database = 'states';
const completed = (appends: readonly TestAppend[]) => appends.some((append) => append.control !== undefined);
const recordCount = (appends: readonly TestAppend[]) => appends.reduce((sum, append) => sum + append.records.length, 0);

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('a %s server', (product) => {
  let server: SqlServer;
  const runs: SourceRun[] = [];

  beforeAll(async () => {
    server = await start[product]();
    await withConnection(server, (connection) => connection.query(`CREATE DATABASE ${database}`));
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await server?.close();
  });

  async function query(...statements: string[]): Promise<void> {
    await use(async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
  }
  function use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return withConnection(server, async (connection) => {
      await connection.query(`USE ${database}`);
      return work(connection);
    });
  }
  const connector = (more: Record<string, string> = {}) =>
    createMysqlSource(mysqlConfig(server, database, more), silentLogger);
  function run(table: string, position: string | null = null, more: Record<string, string> = {}): SourceRun {
    const started = runSource(connector({ 'table.include.list': `${database}.${table}`, ...more }), position);
    runs.push(started);
    return started;
  }

  /** Purges all but the newest binlog file. A server keeps a file back while a reader or a checkpoint still needs it. */
  async function purge(): Promise<void> {
    await use(async (connection) => {
      for (let tries = 0; ; tries++) {
        const [logs] = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS');
        if (logs.length === 1) return;
        if (tries === 200) throw new Error(`the server keeps ${logs.length} binlog files`);
        await connection.query(`PURGE BINARY LOGS TO '${logs.at(-1)!['Log_name'] as string}'`);
        await delay(50);
      }
    });
  }

  function binlogOffset(): Promise<number> {
    return use(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        product === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS',
      );
      return Number(rows[0]!['Position']);
    });
  }

  it('with wrong settings is told so, and each statement that repairs one does', async () => {
    await query('CREATE TABLE settings (id INT PRIMARY KEY)');
    const wrong: Record<string, string> = {
      binlog_format: "'MIXED'",
      binlog_row_image: "'MINIMAL'",
      binlog_row_metadata: "'MINIMAL'",
      ...(product === 'mysql'
        ? { binlog_row_value_options: "'PARTIAL_JSON'", binlog_transaction_compression: 'ON' }
        : { log_bin_compress: 'ON' }),
    };
    await query(...Object.entries(wrong).map(([name, value]) => `SET GLOBAL ${name} = ${value}`));
    const source = connector({ 'table.include.list': `${database}.settings` });
    const findings = (await source.validate()).filter((finding) => finding.severity === 'error');
    expect(findings.map(({ code, message }) => [code, message.split(' ')[0]])).toEqual(
      Object.keys(wrong).map((name) => ['source-misconfigured', name]),
    );
    expect(await run('settings').failure()).toMatchObject({ code: 'source-misconfigured', hint: findings[0]!.hint });
    await query(...findings.map((finding) => finding.hint!.split(';')[0]!));
    expect((await source.validate()).filter((finding) => finding.severity === 'error')).toEqual([]);
  });

  const handedOut: readonly (readonly [setting: string, value: string, usual: string, product?: string])[] = [
    ['autocommit', '0', '1'],
    ['sql_select_limit', '3', 'DEFAULT'],
    ['completion_type', "'RELEASE'", "'NO_CHAIN'"],
    ['max_join_size', '2', 'DEFAULT'],
    ['wait_timeout', '1', 'DEFAULT'],
    ['sql_mode', "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'", 'DEFAULT'],
    ['time_zone', "'-05:00'", "'SYSTEM'"],
    ['max_execution_time', '1', '0', 'mysql'],
    ['max_statement_time', '0.002', '0', 'mariadb'],
    ['idle_transaction_timeout', '1', '0', 'mariadb'],
  ];
  it.each(handedOut.filter(([, , , only]) => only === undefined || only === product))(
    'that hands out %s = %s to sessions is read all the same, and nothing of ours stays open',
    async (setting, value, usual) => {
      const rows = Array.from({ length: 12 }, (_, i) => `(${i}, 'it''s \\\\ ${i}', '2024-06-01 10:00:00')`);
      await query(
        'DROP TABLE IF EXISTS handed_out',
        'CREATE TABLE handed_out (id INT PRIMARY KEY, v CHAR(20), at TIMESTAMP NULL)',
        `INSERT INTO handed_out VALUES ${rows.join(', ')}`,
      );
      const shown = (appends: readonly TestAppend[]) => foldAppends(appends).get('handed_out');
      const usually = run('handed_out');
      await usually.until(completed);
      await usually.stop();
      await use(async (connection) => {
        await connection.query(`SET GLOBAL ${setting} = ${value}`);
        try {
          const source = run('handed_out', null, { 'snapshot.fetch.size': '5' });
          await source.until(completed);
          expect(shown(source.appends)).toEqual(shown(usually.appends));
          if (setting === 'wait_timeout') await delay(2500);
          await connection.query("UPDATE handed_out SET v = 'new' WHERE id = 7");
          await source.until((appends) => shown(appends)?.get('{"id":7}')?.includes('new') === true);
          await connection.query('SET SESSION lock_wait_timeout = 3');
          await connection.query('ALTER TABLE handed_out ADD INDEX (v)');
          await source.stop();
        } finally {
          await connection.query(`SET GLOBAL ${setting} = ${usual}`);
        }
      });
    },
  );

  it('that lets sessions read what is not committed is read as it is committed', async () => {
    await query(
      'CREATE TABLE uncommitted (id INT PRIMARY KEY, v INT)',
      'INSERT INTO uncommitted VALUES (1, 100), (2, 200), (3, 300)',
      'SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED',
    );
    try {
      await use(async (connection) => {
        await connection.query('START TRANSACTION');
        await connection.query('UPDATE uncommitted SET v = 0 WHERE id = 1');
        await connection.query('INSERT INTO uncommitted VALUES (9, 9)');
        await connection.query('DELETE FROM uncommitted WHERE id = 3');
        const source = run('uncommitted');
        await source.until(completed);
        await connection.query('ROLLBACK');
        await query('INSERT INTO uncommitted VALUES (4, 400)');
        await source.until((appends) => recordCount(appends) >= 4);
        expect([...foldAppends(source.appends).get('uncommitted')!.values()]).toEqual([
          '{"id":1,"v":100}',
          '{"id":2,"v":200}',
          '{"id":3,"v":300}',
          '{"id":4,"v":400}',
        ]);
        await source.stop();
      });
    } finally {
      await query('SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    }
  });

  it('that restarts is waited for, and nothing is lost or doubled', async () => {
    await query('CREATE TABLE restarts (id INT PRIMARY KEY)', 'INSERT INTO restarts VALUES (1)');
    const source = run('restarts');
    await source.until(completed);
    await query('INSERT INTO restarts VALUES (2)', 'FLUSH LOGS', 'INSERT INTO restarts VALUES (3)');
    await source.until((appends) => recordCount(appends) === 3);
    await server.restart();
    await query('INSERT INTO restarts VALUES (4)');
    await source.until((appends) => recordCount(appends) === 4);
    await server.kill();
    await server.start();
    await query('INSERT INTO restarts VALUES (5)');
    await source.until((appends) => recordCount(appends) === 5);
    expect(source.appends.flatMap((append) => append.records.map((record) => record.key))).toEqual(
      [1, 2, 3, 4, 5].map((id) => `{"id":${id}}`),
    );
    expect(source.states.some((state) => state.phase === 'waiting' && state.reason !== undefined)).toBe(true);
    await source.stop();
  });

  it('that writes no checksums is read all the same', async () => {
    await query("SET GLOBAL binlog_checksum = 'NONE'", 'CREATE TABLE unchecked (id INT PRIMARY KEY)');
    const source = run('unchecked');
    await source.until(completed);
    await query(
      'INSERT INTO unchecked VALUES (1)',
      "SET GLOBAL binlog_checksum = 'CRC32'",
      'INSERT INTO unchecked VALUES (2)',
    );
    await source.until((appends) => recordCount(appends) === 2);
    await source.stop();
  });

  it('whose session compresses stops the task aloud', async () => {
    await query('CREATE TABLE squeezed (id INT PRIMARY KEY, text TEXT)');
    const source = run('squeezed');
    await source.until(completed);
    if (product === 'mysql') {
      await query(
        "SET SESSION binlog_transaction_compression = ON; INSERT INTO squeezed VALUES (1, REPEAT('x', 2000))",
      );
    } else {
      await query(
        'SET GLOBAL log_bin_compress = ON',
        "INSERT INTO squeezed VALUES (1, REPEAT('x', 2000))",
        'SET GLOBAL log_bin_compress = OFF',
      );
    }
    expect(await source.failure()).toMatchObject({
      code: 'unsupported-change',
      message: expect.stringMatching(/compressed/) as string,
    });
  });

  it.runIf(product === 'mysql')('whose session writes JSON in part stops the task aloud', async () => {
    await query(
      'CREATE TABLE part (id INT PRIMARY KEY, j JSON)',
      `INSERT INTO part VALUES (1, '{"a": "${'x'.repeat(200)}", "b": 1}')`,
    );
    const source = run('part');
    await source.until(completed);
    await query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE part SET j = JSON_SET(j, '$.b', 2)");
    expect(await source.failure()).toMatchObject({
      code: 'statement-format-change',
      message: expect.stringMatching(/JSON/) as string,
    });
  });

  // Semi-synchronous replication holds a commit behind the binlog and before the engine until a replica has answered. None
  // does, so the row is in the stream while no reader sees it: a snapshot must not bring the old row back.
  it('whose commit hangs between binlog and engine gives no stale row', async () => {
    const names = product === 'mysql' ? ['source', 'replica'] : ['master', 'slave'];
    if (product === 'mysql') {
      const loaded = await query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'").then(
        () => true,
        () => false,
      );
      if (!loaded) return;
    }
    await query(
      'CREATE TABLE hanging (id INT PRIMARY KEY, v INT)',
      'INSERT INTO hanging VALUES (1, 0), (2, 0), (3, 0)',
    );
    await query(
      `SET GLOBAL rpl_semi_sync_${names[0]}_wait_point = 'AFTER_SYNC'`,
      `SET GLOBAL rpl_semi_sync_${names[0]}_wait_no_${names[1]} = ON`,
      `SET GLOBAL rpl_semi_sync_${names[0]}_timeout = 3000`,
    );
    await query(`SET GLOBAL rpl_semi_sync_${names[0]}_enabled = ON`);
    const before = await binlogOffset();
    const commit = query('UPDATE hanging SET v = 1');
    while ((await binlogOffset()) === before) await delay(5);
    // The change is in the binlog now, and in no reader's view.
    const source = run('hanging', null, { 'snapshot.fetch.size': '1' });
    await source.until(completed);
    await commit;
    await query(`SET GLOBAL rpl_semi_sync_${names[0]}_enabled = OFF`, 'INSERT INTO hanging VALUES (9, 9)');
    await source.until((appends) =>
      appends.some((append) => append.records.some((record) => record.key === '{"id":9}')),
    );
    await source.stop();
    const rows = foldAppends(source.appends).get('hanging')!;
    expect([...rows.values()].toSorted()).toEqual([
      '{"id":1,"v":1}',
      '{"id":2,"v":1}',
      '{"id":3,"v":1}',
      '{"id":9,"v":9}',
    ]);
  });

  it('that has purged what we need says so, and is read anew when that is asked for', async () => {
    await query('CREATE TABLE purged (id INT PRIMARY KEY)', 'INSERT INTO purged VALUES (1)');
    const source = run('purged');
    await source.until(completed);
    await source.stop();
    const position = source.appends.at(-1)!.position;
    await query(
      'INSERT INTO purged VALUES (2)',
      'FLUSH BINARY LOGS',
      'INSERT INTO purged VALUES (3)',
      'FLUSH BINARY LOGS',
    );
    await purge();
    expect(await run('purged', position).failure()).toMatchObject({
      code: 'source-position-lost',
      hint: expect.stringMatching(/when_needed/) as string,
    });
    const anew = run('purged', position, { 'snapshot.mode': 'when_needed' });
    await anew.until(completed);
    expect(foldAppends(anew.appends).get('purged')!.size).toBe(3);
    await anew.stop();
  });

  it('that has lost transactions which we have seen is not followed', async () => {
    await query('CREATE TABLE rewound (id INT PRIMARY KEY)', 'INSERT INTO rewound VALUES (1)');
    const source = run('rewound');
    await source.until(completed);
    await query('INSERT INTO rewound VALUES (2)');
    await source.until((appends) => recordCount(appends) === 2);
    await source.stop();
    await query(product === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER', 'INSERT INTO rewound VALUES (3)');
    expect(await run('rewound', source.appends.at(-1)!.position).failure()).toMatchObject({ code: 'source-rewound' });
  });

  it.runIf(product === 'mysql')(
    'without GTIDs is followed by file and offset, beside a writer and through a restart',
    async () => {
      await server.restart({ serverArgs: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] });
      await query(
        'CREATE TABLE files (id INT PRIMARY KEY, v INT)',
        `INSERT INTO files VALUES ${Array.from({ length: 600 }, (_, i) => `(${i}, 0)`).join(', ')}`,
      );
      expect(await connector({ 'table.include.list': `${database}.files` }).validate()).toMatchObject([
        { severity: 'warning', code: 'gtid-off' },
      ]);
      const writer = await startWriter(server, database, 'files', ['id'], String);
      const first = run('files', null, { 'snapshot.fetch.size': '20' });
      await first.until((appends) => recordCount(appends) > 100);
      await first.stop();
      const position = first.appends.at(-1)!.position;
      expect(JSON.parse(position!)).toMatchObject({
        kind: 'file',
        file: expect.stringMatching(/binlog\.\d+/) as string,
      });
      const second = run('files', position, { 'snapshot.fetch.size': '20' });
      await second.until(completed);
      await query('FLUSH BINARY LOGS');
      await writer.stop();
      await query('INSERT INTO files VALUES (5000, -1)');
      const mark = (appends: readonly TestAppend[]) =>
        appends.some((append) => append.records.some((record) => record.key === '{"id":5000}'));
      await second.until(mark);
      await second.stop();
      const fresh = run('files');
      await fresh.until(completed);
      await fresh.stop();
      expect(foldAppends([...first.appends, ...second.appends]).get('files')).toEqual(
        foldAppends(fresh.appends).get('files'),
      );
      await query('FLUSH BINARY LOGS');
      await purge();
      expect(await run('files', position).failure()).toMatchObject({ code: 'source-position-lost' });
    },
  );

  it.runIf(product === 'mysql')(
    'that names 150 servers in its GTIDs is followed with few whole positions, and from each of them',
    async () => {
      await server.restart({ serverArgs: [] });
      const others = Array.from(
        { length: 150 },
        (_, i) => `3e11fa47-71ca-11e1-9e33-${String(i).padStart(12, '0')}:1-9`,
      );
      await query('RESET BINARY LOGS AND GTIDS', `SET GLOBAL gtid_purged = '${others.join()}'`);
      await query('CREATE TABLE many (id INT PRIMARY KEY, v INT)', 'INSERT INTO many VALUES (1, 0)');
      const first = run('many');
      await first.until(completed);
      await first.stop();
      const from = first.appends.at(-1)!.position;
      expect(from!.length).toBeGreaterThan(6000);
      for (let i = 1; i <= 600; i++) await query(`UPDATE many SET v = ${i}`);
      const followed = async (position: string | null) => {
        const next = run('many', position);
        await next.until((appends) =>
          appends.some((append) => append.records.some(({ value }) => value?.includes('"v":600}'))),
        );
        await next.stop();
        return next.appends;
      };
      const all = await followed(from);
      const placed = all.flatMap(({ position }, i) => (position === null ? [] : [i]));
      expect(all.length).toBeGreaterThanOrEqual(600);
      expect(placed.length).toBeLessThan(100);
      expect(placed.at(-1)).toBe(all.length - 1);
      for (let i = 1; i < placed.length; i++) expect(placed[i]! - placed[i - 1]!).toBeLessThanOrEqual(256);
      const middle = placed[placed.length >> 1]!;
      const behind = (appends: readonly TestAppend[]) => appends.flatMap(({ records }) => records);
      if (middle < all.length - 1)
        expect(behind(await followed(all[middle]!.position))).toEqual(behind(all.slice(middle + 1)));
    },
  );

  it('whose binlog leaves the changes out is refused', async () => {
    await query('CREATE TABLE left_out (id INT PRIMARY KEY)');
    const told = async () =>
      (await connector({ 'table.include.list': `${database}.left_out` }).validate())
        .filter(({ severity }) => severity === 'error')
        .map(({ code, message }) => `${code}: ${message}`);
    const gtids = product === 'mysql' ? ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'] : [];
    for (const option of [`--binlog-ignore-db=${database}`, '--binlog-do-db=another']) {
      await server.restart({ serverArgs: [...gtids, option] });
      expect(await told()).toEqual([
        expect.stringContaining(`source-misconfigured: the binlog of the server leaves database`),
      ]);
    }
    await server.restart({
      serverArgs: [...gtids, product === 'mysql' ? '--log-replica-updates=OFF' : '--log-slave-updates=OFF'],
    });
    expect(await told()).toEqual([]);
    await query(
      product === 'mysql'
        ? "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1"
        : "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1",
    );
    expect(await told()).toEqual([expect.stringContaining('the server is a replica')]);
    await query(product === 'mysql' ? 'RESET REPLICA ALL' : 'RESET SLAVE ALL');
    expect(await told()).toEqual([]);
  });

  it('without a binlog is refused', async () => {
    await server.restart({
      serverArgs:
        product === 'mysql'
          ? ['--skip-log-bin', '--gtid-mode=OFF', '--enforce-gtid-consistency=OFF']
          : ['--skip-log-bin'],
    });
    await query('CREATE TABLE silent (id INT PRIMARY KEY)');
    const findings = await connector({ 'table.include.list': `${database}.silent` }).validate();
    expect(findings.find((finding) => finding.severity === 'error')).toMatchObject({
      code: 'source-misconfigured',
      message: expect.stringMatching(/log_bin/) as string,
    });
  });
});
