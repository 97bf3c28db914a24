// Where a connector goes on is somebody's to say: its offset is given up or set while its tables and what is derived from them are there,
// and whatever is left out or told twice for that, no row is wrong at the end. The law after every step: what is served is what the source
// has.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { connectorCalls } from '../support/harness/connector-calls.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import { purgeBinlogs } from '../support/servers/purge-binlogs.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import {
  createDatabase,
  withConnection,
  runStatements,
  type SqlAddress,
  type TestDatabase,
} from '../support/servers/sql-client.js';
import type { SqlServer } from '../support/servers/sql-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb', 'mysql without GTIDs'] as const)('on %s', (kind) => {
  let server: SqlAddress;
  let own: SqlServer | undefined;
  let database: TestDatabase;
  let app: App;
  // Of its own where its binlog is purged.
  beforeAll(async () => {
    if (kind === 'mysql') server = servers.mysql;
    else if (kind === 'mariadb') server = own = await startMariadb();
    else server = own = await startMysql({ serverArgs: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] });
  });
  afterAll(() => own?.close());
  beforeEach(async () => {
    database = await createDatabase(server, 'off');
    app = await openApp({});
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const settings = () => ({
    ...mysqlConfig(server, database.name),
    'topic.prefix': 'p',
    'output.data.format': 'JSON',
  });

  it(
    'an offset is given up, set, set back and sent back unchanged, and no row is wrong for it',
    { timeout: 90_000 },
    async () => {
      const query = (...statements: string[]) => runStatements(server, database.name, statements);
      await query('CREATE TABLE a (id INT PRIMARY KEY, v CHAR(1))', "INSERT INTO a VALUES (1,'a'), (2,'a'), (3,'a')");
      await app.start();
      const { call, offsets, put, set, serves, settled } = connectorCalls(app);
      await put({ 'connector.class': 'MySqlCdcSource', ...settings(), name: 'c' });
      await serves('a', ['1a', '2a', '3a']);
      await requestJson(`${app.url}/ksql`, { body: { ksql: 'CREATE TABLE b AS SELECT * FROM a WHERE id > 1;' } });
      await serves('b', ['2a', '3a']);
      await settled();
      const [early] = await offsets();
      expect(early!.partition).toEqual({ server: 'p' });

      // Of one that runs nothing is changed.
      for (const [method, body] of [['PATCH', { offsets: [early] }], ['DELETE']] as const) {
        const { status: code, body: said } = await call(method, '/offsets', body);
        expect([code, said.message]).toEqual([400, expect.stringContaining('is not stopped')]);
      }

      await query("UPDATE a SET v = 'b' WHERE id = 2", 'DELETE FROM a WHERE id = 3', "INSERT INTO a VALUES (4,'b')");
      await serves('b', ['2b', '4b']);
      await settled();
      const stop = () => call('PUT', '/stop');
      const resume = () => call('PUT', '/resume');

      // Given up: what has changed and gone meanwhile is found.
      await stop();
      await query("UPDATE a SET v = 'c' WHERE id = 1", 'DELETE FROM a WHERE id = 2');
      if (kind === 'mysql') {
        expect((await call('DELETE', '/offsets')).status).toBe(200);
        expect(await offsets()).toEqual([]);
        await resume();
        await serves('a', ['1c', '4b']);
        await serves('b', ['4b']);
        await settled();
        await stop();
      }

      // Back: changes are told again, and the end is the source's.
      expect(await set(early!.offset)).toMatchObject({ status: 200 });
      if (kind === 'mysql') {
        await app.kill();
        await app.start();
      }
      await resume();
      await settled();
      await serves('a', ['1c', '4b']);
      await serves('b', ['4b']);

      // Sent back as it is: nothing is read again.
      await stop();
      const [now] = await offsets();
      expect(await set(now!.offset)).toMatchObject({ status: 200 });
      expect(await offsets()).toEqual([now]);

      // Forward, as Debezium would say it: what lies between is not told, and is made good.
      await query("UPDATE a SET v = 'd' WHERE id = 1", 'DELETE FROM a WHERE id = 4', "INSERT INTO a VALUES (5,'d')");
      const end = await debeziumOffset(server);
      expect(await set({ ...end, ts_sec: 1, row: 0, server_id: 1, event: 0 })).toMatchObject({ status: 200 });
      await resume();
      await serves('a', ['1d', '5d']);
      await serves('b', ['5d']);
      await settled();
      await query("INSERT INTO a VALUES (6,'e')");
      await serves('b', ['5d', '6e']);

      // What cannot be is refused, each with its reason, and changes nothing.
      await stop();
      const before = await offsets();
      for (const [offset, code, reason] of await wrongOffsets(server, end)) {
        const { status: got, body } = await set(offset);
        expect([offset, got, body.message]).toEqual([offset, code, expect.stringMatching(reason)]);
      }
      if (own) {
        const [offset, code, reason] = await purgedOffset(server, end);
        const { status: got, body } = await set(offset);
        expect([got, body.message]).toEqual([code, expect.stringMatching(reason)]);
      }
      expect((await set(end, { server: 'q' })).body.message).toMatch(/no partition/);
      expect((await call('PATCH', '/offsets', { offsets: [] })).status).toBe(400);
      expect(await offsets()).toEqual(before);
      expect(await set(null)).toMatchObject({ status: 200 });
      expect(await offsets()).toEqual([]);
    },
  );

  it.skipIf(kind !== 'mysql')('a connector is made with an offset, and has all rows', { timeout: 60_000 }, async () => {
    const query = (...statements: string[]) => runStatements(server, database.name, statements);
    await query('CREATE TABLE a (id INT PRIMARY KEY, v CHAR(1))', "INSERT INTO a VALUES (1,'a'), (2,'a')");
    const begin = await debeziumOffset(server);
    // Which leaves nothing to be read: only the stream tells of it.
    await query("INSERT INTO a VALUES (9,'a')", 'DELETE FROM a WHERE id = 9');
    await app.start();
    const { serves, settled } = connectorCalls(app);
    const config = { 'connector.class': 'MySqlCdcSource', ...settings(), name: 'c' };
    await requestJson(`${app.url}/connectors`, {
      body: { name: 'c', config, initial_offsets: [{ partition: { server: 'p' }, offset: begin }] },
    });
    await serves('a', ['1a', '2a']);
    await settled();
    const { text: metrics } = await request(`${app.url}/metrics`);
    const events = /^writethrough_events_total\{[^}]*\} (\d+)$/m.exec(metrics)?.[1];
    // Two rows that were read, an insert, and a delete with its tombstone.
    expect(Number(events)).toBe(5);
  });
});

type Row = Readonly<Record<string, string | null>>;

const ask = (server: SqlAddress, sql: string): Promise<readonly Row[]> =>
  withConnection(server, async (connection) => (await connection.query(sql))[0] as readonly Row[]);

interface DebeziumOffset {
  readonly file: string;
  readonly pos: number;
  readonly gtids?: string;
}

/** Where a server stands, as Debezium keeps it. */
async function debeziumOffset(server: SqlAddress): Promise<DebeziumOffset> {
  const [row] = await ask(server, server.product === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  const at = { file: String(row!['File']), pos: Number(row!['Position']) };
  const [mariadb] = server.product === 'mariadb' ? await ask(server, 'SELECT @@gtid_binlog_pos AS gtids') : [];
  const gtids = (mariadb?.['gtids'] ?? row!['Executed_Gtid_Set'] ?? '').replaceAll('\n', '');
  return gtids === '' ? at : { ...at, gtids };
}

type Refused = readonly [offset: object, status: number, reason: RegExp];

const unwritten = /has not written what lies before/;

async function wrongOffsets(server: SqlAddress, { file, pos, gtids }: DebeziumOffset): Promise<readonly Refused[]> {
  const odd: Refused = [{ colour: 1 }, 400, /"colour" is no part of a position/];
  if (server.product === 'mysql' && gtids !== undefined) {
    return [
      odd,
      [{ file, pos }, 400, /names no GTIDs/],
      [{ gtids: 'x:1' }, 400, /no position of this source/],
      [{ gtids: 7 }, 400, /has to be text/],
      [{ gtids: '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3' }, 409, unwritten],
    ];
  }
  const ofGtids: readonly Refused[] =
    gtids === undefined
      ? [[{ gtids: 'x:1' }, 400, /names no file and place/]]
      : [
          [{ gtids: 'x' }, 400, /no position of this source/],
          [{ gtids: '0-1-99999999' }, 409, unwritten],
        ];
  const events = await ask(server, `SHOW BINLOG EVENTS IN '${file}'`);
  const within = Number(events.find((row) => row['Event_type'] === 'Table_map')!['Pos']);
  return [
    odd,
    ...ofGtids,
    [{ file, pos: within }, 400, /lies within a transaction/],
    [{ file, pos: within + 1 }, 400, /no event begins at/],
    [{ file, pos: 3 }, 400, /name a place in the binlog together/],
    [{ file, pos: pos + 1_000_000 }, 409, unwritten],
    [{ file: file.replace(/\d+$/, '000099'), pos: 4 }, 409, /no longer holds .*\.000099 is gone/],
  ];
}

/** The files of the binlog before this moment go. */
async function purgedOffset(server: SqlAddress, { file, pos, gtids }: DebeziumOffset): Promise<Refused> {
  await ask(server, 'FLUSH BINARY LOGS');
  await purgeBinlogs(server);
  if (gtids === undefined) return [{ file, pos }, 409, /no longer holds .* is gone/];
  return [{ gtids: gtids.replace(/\d+$/, '1') }, 409, /no longer holds .* are purged/];
}
