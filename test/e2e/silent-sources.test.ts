// A real server that goes silent in the middle, at each kind of thing that is asked of it: the task notices within the deadline of that
// question, waits, tries again, and stops without waiting for anything.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import { startSilencedServer } from '../support/silent-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { runSource } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
const database = `silent_${randomBytes(4).toString('hex')}`;

type Question = readonly [what: string, words: string];
const both: readonly Question[] = [
  ['its settings', 'SET SESSION sql_mode'],
  ['its version', 'VERSION()'],
  ['its clock', 'SYSDATE'],
  ['its variables', 'SHOW GLOBAL VARIABLES WHERE'],
  ['its tables', 'information_schema.TABLES'],
  ['their columns', 'information_schema.COLUMNS'],
  ['collations', 'information_schema.COLLATIONS'],
  ['the settings of the stream', 'binlog_checksum'],
  ['the settings of a snapshot', 'character_set_results'],
  ['rows', 'FORCE INDEX'],
];
const questions: Readonly<Record<'mysql' | 'mariadb', readonly Question[]>> = {
  mysql: [
    ...both,
    ['whether it may read the binlog', 'SHOW BINLOG EVENTS'],
    ['where it stands', 'gtid_executed'],
    ['to wait for a set', 'WAIT_FOR_EXECUTED_GTID_SET'],
    ['the end of its binlog', 'SHOW BINARY LOG STATUS'],
  ],
  mariadb: [
    ...both,
    ['grants', 'SHOW GRANTS'],
    ['where it stands', 'gtid_binlog_pos'],
    ['a view', 'START TRANSACTION WITH CONSISTENT'],
    ['the place of a view', 'SHOW STATUS LIKE'],
  ],
};

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('a %s server', (product) => {
  beforeAll(() =>
    withConnection(servers[product], async (connection) => {
      await connection.query(`CREATE DATABASE ${database}`);
      await connection.query(`CREATE TABLE ${database}.t (id INT PRIMARY KEY, v INT)`);
      await connection.query(`INSERT INTO ${database}.t VALUES (1, 1), (2, 2)`);
    }),
  );
  afterAll(() => withConnection(servers[product], (connection) => connection.query(`DROP DATABASE ${database}`)));

  it.each(questions[product])(
    'that goes silent when it is asked for %s (%s)',
    { timeout: 60_000 },
    async (_, words) => {
      const proxy = await startSilencedServer(servers[product], words);
      const { user, password } = servers[product];
      const config = mysqlConfig({ ...proxy, user, password }, database, {
        'database.ssl.mode': 'disabled',
        'connect.timeout.ms': '500',
        'database.query.timeout.ms': '700',
      });
      const run = runSource(createMysqlSource(config, silentLogger), null);
      try {
        await expect.poll(() => proxy.silent, { timeout: 30_000 }).toBe(true);
        const silentMs = performance.now();
        await expect
          .poll(() => run.states.some(({ phase }) => phase === 'waiting'), { timeout: 30_000, interval: 20 })
          .toBe(true);
        // The deadline of the question, or that of the stream, whichever is asked at that moment.
        expect(performance.now() - silentMs).toBeLessThan(5_000);
        expect(run.states.find(({ phase }) => phase === 'waiting')!.reason).toMatch(
          /has not answered for 0\.[57] s while /,
        );
      } finally {
        const startMs = performance.now();
        await run.stop();
        expect(performance.now() - startMs).toBeLessThan(2_500);
        await proxy.close();
      }
    },
  );
});
