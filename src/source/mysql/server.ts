// What kind of server the source is and where it stands: flavour, version, GTIDs, binlog position, collations.
import { systemClock } from '../../core/clock.js';
import type { SourceClock } from '../source-connector.js';
import type { Row, Session } from './connection.js';
import { GtidSet } from './gtid-set.js';
import { MariadbPosition } from './mariadb-gtid.js';
import type { FileOffset, StreamPosition } from './position.js';
import type { Collation, Collations } from './table-map.js';

export interface Server {
  readonly mariadb: boolean;
  readonly version: string;
  /** `[8, 4]` */
  readonly release: readonly [number, number];
  readonly position: StreamPosition['kind'];
}

export async function askServer(session: Session): Promise<Server> {
  const { version } = await session.one('SELECT VERSION() AS version');
  const text = version ?? '';
  const mariadb = /mariadb/i.test(text);
  const numbers = /^(\d+)\.(\d+)/.exec(text);
  const release = [Number(numbers?.[1] ?? 0), Number(numbers?.[2] ?? 0)] as const;
  if (mariadb) return { mariadb, version: text, release, position: 'mariadb-gtid' };
  const { mode } = await session.one('SELECT @@GLOBAL.gtid_mode AS mode');
  return { mariadb, version: text, release, position: mode === 'ON' ? 'mysql-gtid' : 'file' };
}

/** What the server's clock shows; commit times are of that clock, which may be another than ours by days. */
export async function askClock(session: Session): Promise<SourceClock> {
  const atMs = systemClock.monotonicMs();
  const { seconds } = await session.one('SELECT UNIX_TIMESTAMP(SYSDATE(6)) AS seconds');
  return { sourceUs: Math.round(Number(seconds) * 1e6), atMs };
}

export function isAtLeast({ release }: Server, major: number, minor: number): boolean {
  return release[0] > major || (release[0] === major && release[1] >= minor);
}

/** The row of SHOW BINARY LOG STATUS; empty when binary logging is off. */
export function binlogStatus(session: Session, server: Server): Promise<Row> {
  const newName = !server.mariadb && isAtLeast(server, 8, 2);
  return session.one(newName ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
}

/** The end of the binlog: ahead of what a reader of the tables can see, never behind it. Undefined: binary logging is off. */
export async function binlogEnd(session: Session, server: Server): Promise<FileOffset | undefined> {
  const row = await binlogStatus(session, server);
  return row['File'] ? { file: row['File'], offset: Number(row['Position']) } : undefined;
}

/** Where a stream that begins now has to begin; every row that is committed later comes behind it. */
export async function currentPosition(session: Session, server: Server): Promise<StreamPosition> {
  switch (server.position) {
    case 'mysql-gtid':
      return { kind: 'mysql-gtid', gtids: await executedGtids(session) };
    case 'mariadb-gtid': {
      const { gtids } = await session.one('SELECT @@GLOBAL.gtid_binlog_pos AS gtids');
      return { kind: 'mariadb-gtid', gtids: MariadbPosition.parse(gtids ?? '') };
    }
    case 'file': {
      const at = await binlogEnd(session, server);
      return { kind: 'file', at: at ?? { file: '', offset: 4 }, server: await serverUuid(session) };
    }
  }
}

/** MySQL's; MariaDB has none. */
export async function serverUuid(session: Session): Promise<string> {
  const { uuid } = await session.one('SELECT @@GLOBAL.server_uuid AS uuid');
  return uuid ?? '';
}

export async function executedGtids(session: Session): Promise<GtidSet> {
  const { gtids } = await session.one('SELECT @@GLOBAL.gtid_executed AS gtids');
  return GtidSet.parse(gtids ?? '');
}

/** Collation numbers as table maps use them. MariaDB's newer collations have numbers in the applicability table only. */
export async function askCollations(session: Session, server: Server): Promise<Collations> {
  const maxBytes = new Map<string, number>();
  for (const row of await session.query(
    'SELECT CHARACTER_SET_NAME AS name, MAXLEN AS bytes FROM information_schema.CHARACTER_SETS',
  )) {
    maxBytes.set(row['name']!, Number(row['bytes']));
  }
  const collations = new Map<number, Collation>();
  const add = (rows: readonly Readonly<Record<string, string | null>>[]) => {
    for (const { id, charset } of rows) {
      if (id && charset) collations.set(Number(id), { charset, maxBytes: maxBytes.get(charset) ?? 1 });
    }
  };
  add(await session.query('SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS'));
  if (server.mariadb && isAtLeast(server, 10, 10)) {
    add(
      await session.query(
        'SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY',
      ),
    );
  }
  return { byId: collations, ofGeometries: server.mariadb };
}
