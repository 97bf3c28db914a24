// A real server up to the moment at which it is asked for its binlog, and then something else: the task ends that connection in time, tells
// what came, and holds little of it. And a real server without TLS, whose key is not asked for.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toAppError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { err, packet } from '../support/fake-mysql.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { withConnection } from '../support/servers/sql-client.js';
import { startSilencedServer } from '../support/silent-server.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { runSource } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');
const database = `hostile_${randomBytes(4).toString('hex')}`;
/** COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID, the first packet of their exchange. */
const dump = (data: Buffer) => data[3] === 0 && (data[4] === 0x12 || data[4] === 0x1e);

const pump = (next: () => Buffer) => (socket: Socket) => {
  const fill = () => {
    while (!socket.destroyed && socket.write(next()));
    if (!socket.destroyed) socket.once('drain', fill);
  };
  fill();
};
/** What every stream begins by: the name of the file that follows. */
function rotate(): Buffer {
  const name = Buffer.from('binlog.000001');
  const event = Buffer.alloc(19 + 8 + name.length);
  event[4] = 4;
  event.writeUInt32LE(event.length, 9);
  event.writeUInt16LE(0x20, 17);
  event[19] = 4;
  name.copy(event, 27);
  return packet(1, Buffer.concat([Buffer.from([0]), event]));
}
let part = 1;
const drip = Buffer.concat([Buffer.from([0, 0, 1, 1]), Buffer.alloc(65_536)]);

type Instead = readonly [what: string, instead: (socket: Socket) => void, told: RegExp];
const streams: readonly Instead[] = [
  [
    'an event without end',
    (socket) => {
      socket.write(rotate());
      pump(() => Buffer.concat([Buffer.from([0xff, 0xff, 0xff, ++part & 0xff]), Buffer.alloc(0xffffff)]))(socket);
    },
    /^source-answer-too-large: the source sends a packet of more than 16777216 bytes/,
  ],
  [
    'noise',
    (socket) => void socket.write(packet(1, Buffer.concat([Buffer.from([0]), randomBytes(200)]))),
    /^corrupt-binlog|has been silent for 10 s/,
  ],
  ['a piece of an event', (socket) => void socket.write(packet(1, Buffer.from([0, 1, 2]))), /^corrupt-binlog/],
  ['an error of its own', (socket) => void socket.write(packet(1, err(65_000, 'no'))), /^source-failed/],
  ['an end', (socket) => void socket.write(packet(1, Buffer.from([0xfe, 0, 0, 2, 0]))), /ended its binlog stream/],
  [
    'a byte now and then',
    (socket) => {
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else socket.write(drip.subarray(at, ++at));
      }, 300);
    },
    /has been silent for 10 s/,
  ],
];

describe.skipIf(servers.missing)('a server that sends in place of its binlog', () => {
  beforeAll(() =>
    withConnection(servers.mariadb, async (connection) => {
      await connection.query(`CREATE DATABASE ${database}`);
      await connection.query(`CREATE TABLE ${database}.t (id INT PRIMARY KEY)`);
    }),
  );
  afterAll(() => withConnection(servers.mariadb, (connection) => connection.query(`DROP DATABASE ${database}`)));

  it('anything else is told of', { timeout: 60_000 }, async () => {
    const told = await Promise.all(
      streams.map(async ([what, instead]) => {
        const proxy = await startSilencedServer(servers.mariadb, dump, instead);
        const { user, password } = servers.mariadb;
        const config = mysqlConfig({ ...proxy, user, password }, database, {
          'database.ssl.mode': 'disabled',
          'database.packet.bytes.max': String(16 << 20),
        });
        const run = runSource(createMysqlSource(config, silentLogger), null);
        let failed: string | undefined;
        run.failure().then(
          (error) => {
            const { code, message } = toAppError(error);
            failed = `${code}: ${message}`;
          },
          () => {}, // it was stopped before it failed
        );
        const heard = () => failed ?? run.states.find(({ phase }) => phase === 'waiting')?.reason;
        await expect.poll(heard, { timeout: 40_000 }).toBeDefined();
        const reason = heard();
        await run.stop();
        await proxy.close();
        return [what, reason] as const;
      }),
    );
    expect(told).toEqual(streams.map(([what, , reason]) => [what, expect.stringMatching(reason)]));
    expect(process.memoryUsage().external).toBeLessThan(256 << 20);
  });
});

describe.skipIf(servers.missing)('a connection without TLS', () => {
  it('gives no password that is new to the server to whoever could choose the key', { timeout: 60_000 }, async () => {
    const user = `keyed_${randomBytes(4).toString('hex')}`;
    const password = 'new to it';
    const validate = async (more: Record<string, string>): Promise<unknown> => {
      const config = mysqlConfig({ ...servers.mysql, user, password }, database, {
        'database.ssl.mode': 'disabled',
        ...more,
      });
      const source = createMysqlSource(config, silentLogger);
      try {
        return (await source.validate()).map(({ code }) => code);
      } catch (error) {
        const { code, place } = toAppError(error);
        return [code, place?.path];
      } finally {
        await source.close();
      }
    };
    const property = 'database.allowPublicKeyRetrieval';
    await withConnection(servers.mysql, async (connection) => {
      await connection.query(`CREATE USER ${user}@'%' IDENTIFIED WITH caching_sha2_password BY '${password}'`);
    });
    try {
      expect(await validate({ [property]: 'false' })).toEqual(['source-access-denied', property]);
      // It gets in, and lacks what else a source needs.
      const inside = expect.arrayContaining(['source-missing-grant']);
      expect(await validate({ [property]: 'true' })).toEqual(inside);
      // From here on the server remembers the password, and proves it without a key.
      expect(await validate({ [property]: 'false' })).toEqual(inside);
    } finally {
      await withConnection(servers.mysql, (connection) => connection.query(`DROP USER ${user}@'%'`));
    }
  });
});
