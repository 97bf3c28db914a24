// What a server can do to the source: wrong settings, restarts, lost and rewound binlogs, no GTIDs, a commit that hangs between
// binlog and engine. Each on a server of the test's own.
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { delay } from '../../src/core/backoff.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { waitFor } from '../support/harness/wait-for.js';
import { openSwitchedLink } from '../support/harness/switched-link.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { purgeBinlogs } from '../support/servers/purge-binlogs.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createUser, withConnection, type TestUser } from '../support/servers/sql-client.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { startWriter } from '../support/source/mysql-writer.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

// Asked for only to learn whether the servers can be had here.
const servers = await sharedServers('mysql', 'mariadb');

const start = { mysql: startMysql, mariadb: startMariadb } as const;
const database = 'states';
const completed = (appends: readonly TestAppend[]) =>
  appends.some(({ control }) => control?.kind === 'snapshot-completed');
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

  it('with settings and tables that are a risk is told so, and each statement that repairs one does', async () => {
    const risks: Record<string, string> = {
      sync_binlog: '7',
      innodb_flush_log_at_trx_commit: '2',
      binlog_checksum: 'NONE',
      init_connect: "'SET @a = 1'",
      completion_type: "'CHAIN'",
      [product === 'mysql' ? 'max_execution_time' : 'max_statement_time']: '100000',
    };
    await query(
      'CREATE TABLE risk_engine (id INT PRIMARY KEY, v INT) ENGINE = MyISAM',
      'CREATE TABLE risk_float (id FLOAT PRIMARY KEY)',
      'CREATE TABLE risk_text (id VARCHAR(20) PRIMARY KEY)',
      'CREATE TABLE risk_dates (id INT PRIMARY KEY, at DATE, `of` TIME)',
      'CREATE TABLE risk_keyless (id INT)',
      "SET GLOBAL sql_mode = ''",
      ...Object.entries(risks).map(([name, value]) => `SET GLOBAL ${name} = ${value}`),
    );
    const { id } = await use(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>('SELECT @@server_id AS id');
      return rows[0] as unknown as { readonly id: number };
    });
    const source = connector({
      'table.include.list': `${database}\\.risk_.*`,
      'zero.date.handling.mode': 'stop',
      'time.range.handling.mode': 'stop',
      'database.server.id': String(id),
    });
    const about = async () => (await source.validate()).map(({ severity, code, object }) => [severity, code, object]);
    const table = (name: string) => `${database}.${name}`;
    const found = await about();
    const ofTables = [
      ['warning', 'non-transactional-engine', table('risk_engine')],
      ['warning', 'inexact-key', table('risk_float')],
      ['note', 'text-key', table('risk_text')],
      ['warning', 'time-range', table('risk_dates')],
      ['warning', 'keyless-table', table('risk_keyless')],
      ['error', 'source-misconfigured', 'server_id'],
    ];
    for (const each of ofTables) expect(found).toContainEqual(each);
    const repaired = [...Object.keys(risks).map((name) => name), table('risk_dates')];
    const stands = (findings: readonly (readonly unknown[])[]) =>
      findings
        .filter(([, code, object]) => code !== 'time-range' && repaired.includes(String(object)))
        .map(([, , object]) => String(object))
        .toSorted();
    expect(stands(found)).toEqual(repaired.toSorted());
    const repairs = (await source.validate()).filter(
      ({ object, code }) => code !== 'time-range' && repaired.includes(object ?? ''),
    );
    await query(...repairs.map(({ hint }) => hint!.split('; or ').at(-1)!));
    expect(stands(await about())).toEqual([]);
    await query('SET GLOBAL sql_mode = DEFAULT', 'DROP TABLE risk_engine');
  });

  it('that starts again has lost the rows of its MEMORY tables, and so have we', async () => {
    await query('CREATE TABLE mem (id INT PRIMARY KEY) ENGINE = MEMORY', 'INSERT INTO mem VALUES (1), (2)');
    const started = run('mem');
    await started.until(completed);
    await server.restart();
    // The server logs what it has lost when the table is asked for.
    await query('SELECT * FROM mem', 'INSERT INTO mem VALUES (3)');
    await started.until((appends) => foldAppends(appends).get('mem')?.has('{"id":3}') === true, 'the row behind it');
    expect([...foldAppends(started.appends).get('mem')!.keys()]).toEqual(['{"id":3}']);
    await started.stop();
  });

  it.runIf(product === 'mariadb')(
    'with several domains, other server ids and numbers that run backwards is followed, also through restarts',
    async () => {
      await query('CREATE TABLE domains (id INT PRIMARY KEY)');
      const has = (id: number) => (appends: readonly TestAppend[]) =>
        foldAppends(appends).get('domains')?.has(`{"id":${id}}`) === true;
      const first = run('domains');
      await first.until(completed);
      await query(
        'SET SESSION gtid_domain_id = 7',
        'INSERT INTO domains VALUES (70)',
        'SET SESSION server_id = 99',
        'INSERT INTO domains VALUES (71)',
        'SET SESSION gtid_domain_id = 0',
        'INSERT INTO domains VALUES (72)',
        'SET SESSION gtid_seq_no = 1000',
        'INSERT INTO domains VALUES (73)',
      );
      await first.until(has(73));
      await first.stop();
      const second = run('domains', first.appends.at(-1)!.position);
      await query('SET SESSION gtid_seq_no = 500', 'INSERT INTO domains VALUES (74)');
      await second.until(has(74));
      await second.stop();
      const third = run('domains', second.appends.at(-1)!.position);
      await query('INSERT INTO domains VALUES (75)');
      await third.until(has(75));
      await third.stop();
      const all = [first, second, third].flatMap(({ appends }) => appends.flatMap(({ records }) => records));
      expect(all.map(({ key }) => key)).toEqual([70, 71, 72, 73, 74, 75].map((id) => `{"id":${id}}`));
    },
  );

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

  it('whose session compresses is read all the same', async () => {
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
    await source.until((appends) => recordCount(appends) === 1);
    await source.stop();
  });

  it.runIf(product === 'mysql')('whose session writes JSON in part is read all the same', async () => {
    await query(
      'CREATE TABLE part (id INT PRIMARY KEY, j JSON)',
      `INSERT INTO part VALUES (1, '{"a": "${'x'.repeat(200)}", "b": 1}')`,
    );
    const source = run('part');
    await source.until(completed);
    await query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE part SET j = JSON_SET(j, '$.b', 2)");
    await source.until((appends) => recordCount(appends) === 2);
    expect(foldAppends(source.appends).get('part')!.get('{"id":1}')).toContain('\\"b\\": 2');
    await source.stop();
  });

  // Semi-synchronous replication holds a commit behind the binlog and before the engine until a replica has answered. None does.
  const [holder, answerer] = product === 'mysql' ? ['source', 'replica'] : ['master', 'slave'];
  async function canHoldCommits(): Promise<boolean> {
    const [known] = await use((connection) =>
      connection.query<RowDataPacket[]>(`SHOW VARIABLES LIKE 'rpl_semi_sync_${holder}_enabled'`),
    );
    if (known.length > 0) return true;
    return query(`INSTALL PLUGIN rpl_semi_sync_${holder} SONAME 'semisync_${holder}.so'`).then(
      () => true,
      () => false,
    );
  }
  const holdCommits = (timeoutMs: number) =>
    query(
      `SET GLOBAL rpl_semi_sync_${holder}_wait_point = 'AFTER_SYNC'`,
      `SET GLOBAL rpl_semi_sync_${holder}_wait_no_${answerer} = ON`,
      `SET GLOBAL rpl_semi_sync_${holder}_timeout = ${timeoutMs}`,
      `SET GLOBAL rpl_semi_sync_${holder}_enabled = ON`,
    );
  const holdNoMore = `SET GLOBAL rpl_semi_sync_${holder}_enabled = OFF`;

  // The row is in the stream while no reader sees it: a snapshot must not bring the old row back.
  it('whose commit hangs between binlog and engine gives no stale row', async ({ skip }) => {
    skip(!(await canHoldCommits()), 'the server cannot hold commits back');
    await query(
      'CREATE TABLE hanging (id INT PRIMARY KEY, v INT)',
      'INSERT INTO hanging VALUES (1, 0), (2, 0), (3, 0)',
    );
    await holdCommits(3000);
    const before = await binlogOffset();
    const commit = query('UPDATE hanging SET v = 1');
    while ((await binlogOffset()) === before) await delay(5);
    // The change is in the binlog now, and in no reader's view.
    const source = run('hanging', null, { 'snapshot.fetch.size': '1' });
    await source.until(completed);
    await commit;
    await query(holdNoMore, 'INSERT INTO hanging VALUES (9, 9)');
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

  // A statement is in the binlog before the server's own tables tell of it, so the columns could be taken for those from before.
  it('whose ALTER hangs between binlog and its own tables is not asked for the columns too early', async ({ skip }) => {
    skip(!(await canHoldCommits()), 'the server cannot hold commits back');
    for (const table of ['widened', 'grown'])
      await query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v INT)`, `INSERT INTO ${table} VALUES (1, 0), (2, 0)`);
    const source = run('(widened|grown)');
    await source.until(completed);
    // What a column that is modified was before is known of a row.
    await query('UPDATE widened SET v = 2 WHERE id = 2');
    await source.until((appends) => appends.some(({ records }) => records.some(({ op }) => op === 'u')));
    await holdCommits(2000);
    const before = source.appends.length;
    await Promise.all([query('ALTER TABLE widened MODIFY v BIGINT'), query('ALTER TABLE grown ADD c INT')]);
    await query(holdNoMore);
    await waitFor('the columns', () => {
      const [widened, grown] = ['widened', 'grown'].map((table) => source.tables.get(table)!.columns);
      return widened![1]!.type.kind === 'BIGINT' && grown!.length === 3;
    });
    await query('INSERT INTO widened VALUES (3, 3)', 'INSERT INTO grown VALUES (3, 3, 3)');
    await source.until(() => recordCount(source.appends.slice(before)) >= 2);
    await delay(200);
    await source.stop();
    // Nothing was read again, neither at the statements nor when the rows came.
    expect(recordCount(source.appends.slice(before))).toBe(2);
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
    await purgeBinlogs(server);
    const lostTo = async (more: Record<string, string>) => {
      const examined = connector({ 'table.include.list': `${database}.purged`, ...more });
      const findings = await examined.validate({ position: position!, lagMs: undefined });
      return findings.find(({ object }) => object === 'position');
    };
    // MariaDB tells only when it is asked for what it does not have any more.
    if (product === 'mysql') {
      expect(await lostTo({})).toMatchObject({ severity: 'error', code: 'source-position-lost' });
      expect(await lostTo({ 'snapshot.mode': 'when_needed' })).toMatchObject({ severity: 'warning' });
    }
    expect(await run('purged', position).failure()).toMatchObject({
      code: 'source-position-lost',
      hint: expect.stringMatching(/when_needed/) as string,
    });
    const anew = run('purged', position, { 'snapshot.mode': 'when_needed' });
    await anew.until(completed);
    expect(foldAppends(anew.appends).get('purged')!.size).toBe(3);
    await anew.stop();
  });

  it('that has lost transactions which we have seen is not followed, and read anew where that is asked for', async () => {
    await query('CREATE TABLE rewound (id INT PRIMARY KEY)', 'INSERT INTO rewound VALUES (1)');
    const source = run('rewound');
    await source.until(completed);
    await query('INSERT INTO rewound VALUES (2)');
    await source.until((appends) => recordCount(appends) === 2);
    await source.stop();
    await query(product === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER', 'INSERT INTO rewound VALUES (3)');
    const position = source.appends.at(-1)!.position;
    // Its deadline is shorter than the time that a server which is still applying gets.
    const hasty = { 'connect.timeout.ms': '2000', 'database.query.timeout.ms': '2000' };
    expect(await run('rewound', position, hasty).failure()).toMatchObject({
      code: 'source-rewound',
      hint: expect.stringMatching(/when_needed/) as string,
    });
    const anew = run('rewound', position, { 'snapshot.mode': 'when_needed' });
    await anew.until(completed);
    expect([...foldAppends(anew.appends).get('rewound')!.keys()]).toEqual([1, 2, 3].map((id) => `{"id":${id}}`));
    await anew.stop();
  });

  it.runIf(product === 'mariadb')(
    'that has later transactions than ours and not ours is not followed, also where prepared ones come again',
    async () => {
      await query('CREATE TABLE gaps (id INT PRIMARY KEY)');
      const has = (id: number) => (appends: readonly TestAppend[]) =>
        foldAppends(appends).get('gaps')?.has(`{"id":${id}}`) === true;
      const first = run('gaps');
      await first.until(completed);
      await query('INSERT INTO gaps VALUES (1)');
      await first.until(has(1));
      await query("XA START 'gap'", 'INSERT INTO gaps VALUES (2)', "XA END 'gap'", "XA PREPARE 'gap'");
      const plain = first.appends.at(-1)!.position!;
      await query('INSERT INTO gaps VALUES (3)');
      await first.until(has(3));
      await first.stop();
      const prepared = first.appends.at(-1)!.position!;
      expect(prepared).toContain('"prepared"');
      // As if the server had taken over without some of what we have read, and had gone on writing under the same id.
      const ahead = (position: string, by: bigint) =>
        position.replace(/"(0-1-)(\d+)/, (_, domain: string, number: string) => `"${domain}${BigInt(number) + by}`);
      const { gtids } = JSON.parse(ahead(prepared, 100n)) as { gtids: string };
      await query(`SET SESSION gtid_seq_no = ${/0-1-(\d+)/.exec(gtids)![1]!}`, 'INSERT INTO gaps VALUES (4)');
      try {
        for (const position of [plain, prepared]) {
          expect(await run('gaps', ahead(position, 50n)).failure()).toMatchObject({ code: 'source-rewound' });
        }
      } finally {
        await query("XA ROLLBACK 'gap'");
      }
    },
  );

  it('that loses a transaction of which a half was handed over is read anew by the next task', async () => {
    await query('CREATE TABLE halves (id INT PRIMARY KEY, v VARCHAR(200))');
    const link = await openSwitchedLink(server);
    try {
      const half = run('halves', null, { 'database.port': String(link.port), 'snapshot.mode': 'when_needed' });
      await half.until(completed);
      const stalled = link.stall(400_000);
      const values = Array.from({ length: 5000 }, (_, i) => `(${i}, '${'x'.repeat(150)}')`).join(', ');
      await query(`INSERT INTO halves VALUES ${values}`);
      await expect.poll(() => stalled.held).toBeGreaterThan(0);
      await query(product === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
      stalled.cut();
      expect(await half.failure()).toMatchObject({ code: 'source-rewound', retriable: true });
    } finally {
      await link.close();
    }
  });

  it.runIf(product === 'mysql')(
    'without GTIDs is followed by file and offset, beside a writer and through a restart',
    async () => {
      await server.restart({ serverArgs: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] });
      await query(
        'CREATE TABLE files (id INT PRIMARY KEY, v INT)',
        `INSERT INTO files VALUES ${Array.from({ length: 600 }, (_, i) => `(${i}, 0)`).join(', ')}`,
      );
      expect(await connector({ 'table.include.list': `${database}.files` }).validate()).toContainEqual(
        expect.objectContaining({ severity: 'warning', code: 'gtid-off' }),
      );
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
      // A file of that name is on every server.
      const here = fresh.appends.at(-1)!.position!;
      const elsewhere = here.replace(/"server":"[^"]+"/, '"server":"00000000-0000-0000-0000-000000000000"');
      expect(elsewhere).not.toBe(here);
      expect(await run('files', elsewhere).failure()).toMatchObject({
        code: 'source-position-lost',
        message: expect.stringContaining('binlog of server') as string,
      });
      await query('FLUSH BINARY LOGS');
      await purgeBinlogs(server);
      expect(await run('files', position).failure()).toMatchObject({ code: 'source-position-lost' });
    },
  );

  it.runIf(product === 'mysql')(
    'without GTIDs names the privilege that its lock needs, and the lock holds no writer up behind a long statement',
    async () => {
      await server.restart({ serverArgs: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] });
      await query(
        'CREATE TABLE slow (id INT PRIMARY KEY)',
        'CREATE TABLE busy (id INT PRIMARY KEY, v INT)',
        'INSERT INTO slow VALUES (1)',
        'INSERT INTO busy VALUES (1, 0)',
      );
      const grants = ['SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.*'];
      const [plain, byRole] = [await createUser(server, { grants }), await createUser(server, { grants })];
      const findings = async (user: TestUser) => {
        const source = createMysqlSource(mysqlConfig({ ...server, ...user }, database), silentLogger);
        return (await source.validate()).filter(({ severity }) => severity === 'error');
      };
      const [missing, ...others] = await findings(plain);
      expect(others).toEqual([]);
      expect(missing).toMatchObject({
        code: 'source-missing-grant',
        message: expect.stringContaining('RELOAD') as string,
      });
      await query(missing!.hint!);
      expect(await findings(plain)).toEqual([]);
      expect(await findings(byRole)).toHaveLength(1);
      await query(
        'CREATE ROLE locking',
        'GRANT RELOAD ON *.* TO locking',
        `GRANT locking TO ${byRole.user}`,
        `SET DEFAULT ROLE locking TO ${byRole.user}`,
      );
      expect(await findings(byRole)).toEqual([]);

      const long = query('SELECT SLEEP(3.5) FROM slow');
      const started = run('(slow|busy)');
      let waitedMs = 0;
      let ended = false;
      const asked = long.then(() => (ended = true));
      await use(async (connection) => {
        while (!ended) {
          const startMs = performance.now();
          await connection.query('UPDATE busy SET v = v + 1');
          waitedMs = Math.max(waitedMs, performance.now() - startMs);
          await delay(10);
        }
      });
      await asked;
      expect(waitedMs).toBeLessThan(2300);
      await started.until(completed);
      await started.stop();
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
