// What servers compress in their binlogs comes as if they had not: MySQL's transactions and MariaDB's events, of all kinds and lengths.
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

// Asked for only to learn whether the servers can be had here.
const servers = await sharedServers('mysql', 'mariadb');
const products = [
  ['mysql', startMysql, ['--binlog-transaction-compression=ON']],
  [
    'mysql without GTIDs',
    startMysql,
    ['--binlog-transaction-compression=ON', '--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'],
  ],
  ['mariadb', startMariadb, ['--log-bin-compress=ON', '--log-bin-compress-min-len=10']],
] as const;

describe.skipIf(servers.missing).each(products)('compressed by %s', (_product, start, serverArgs) => {
  let server: SqlServer;
  const runs: SourceRun[] = [];

  beforeAll(async () => {
    server = await start({ serverArgs });
    await use(async (connection) => {
      await connection.query('CREATE DATABASE packed');
      await connection.query('CREATE TABLE packed.t (id INT PRIMARY KEY, text LONGTEXT)');
    });
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await server?.close();
  });

  const use = <T>(work: (connection: Connection) => Promise<T>) => withConnection(server, work);
  async function query(...statements: readonly string[]): Promise<void> {
    await use(async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
  }
  function run(position: string | null, after?: SourceRun): SourceRun {
    const source = createMysqlSource(mysqlConfig(server, 'packed'), silentLogger);
    const started = runSource(source, position, after && { after });
    runs.push(started);
    return started;
  }
  const has = (appends: readonly TestAppend[], text: string) =>
    appends.some(({ records }) => records.some(({ value }) => value?.includes(`"${text}"`)));
  const positionOf = ({ appends }: SourceRun) => appends.findLast(({ position }) => position !== null)!.position!;

  it('rows, statements and prepared transactions are read, and a restart goes on behind them', async () => {
    const source = createMysqlSource(mysqlConfig(server, 'packed'), silentLogger);
    expect((await source.validate()).filter(({ severity }) => severity === 'error')).toEqual([]);
    await source.close();
    const first = run(null);
    await first.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'));
    await query(
      "INSERT INTO packed.t VALUES (1, 'one'), (2, 'two'), (3, 'three')",
      "UPDATE packed.t SET text = REPEAT('long ', 1000) WHERE id = 1",
      'DELETE FROM packed.t WHERE id = 2',
      `CREATE TABLE packed.other (id INT PRIMARY KEY, text TEXT COMMENT '${'a long comment '.repeat(30)}')`,
      "INSERT INTO packed.other VALUES (1, 'other')",
      "XA START 'packed'",
      "INSERT INTO packed.t VALUES (4, 'prepared')",
      "XA END 'packed'",
      "XA PREPARE 'packed'",
    );
    await first.until((appends) => has(appends, 'other'));
    await first.stop();
    const second = run(positionOf(first), first);
    await query("XA COMMIT 'packed'", "INSERT INTO packed.t VALUES (5, 'last')");
    await second.until((appends) => has(appends, 'last'));
    const rows = [
      ...foldAppends([...first.appends, ...second.appends])
        .get('t')!
        .values(),
    ];
    expect(rows.map((row) => (JSON.parse(row) as { text: string }).text)).toEqual([
      'long '.repeat(1000),
      'three',
      'prepared',
      'last',
    ]);
    expect(second.appends.flatMap(({ records }) => records)).toHaveLength(2);
    await second.stop();
  });

  it('a transaction that is far longer than what is inflated at once comes whole', async () => {
    const first = run(null);
    await first.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'));
    await use(async (connection) => {
      await connection.beginTransaction();
      for (let i = 0; i < 40; i++)
        await connection.query('INSERT INTO packed.t VALUES (?, CONCAT(?, REPEAT(?, 20000), ?))', [
          100 + i,
          `${i}`,
          'abcdefghij',
          Array.from({ length: 3000 }, (_, j) => ((i + 7) * (j + 3) * 7919) % 1_000_003).join(' '),
        ]);
      await connection.commit();
    });
    await query("INSERT INTO packed.t VALUES (99, 'behind')");
    await first.until((appends) => has(appends, 'behind'));
    const texts = [...foldAppends(first.appends).get('t')!].filter(([key]) => Number(/\d+/.exec(key)![0]) >= 100);
    const served = texts.map(([, row]) => (JSON.parse(row) as { text: string }).text);
    const expected = await use(async (connection) => {
      const [rows] = await connection.query('SELECT text FROM packed.t WHERE id >= 100 ORDER BY id');
      return (rows as { text: string }[]).map(({ text }) => text);
    });
    expect(served.length).toBe(40);
    expect(served.every((text, i) => text === expected[i])).toBe(true);
    await first.stop();
  });
});
