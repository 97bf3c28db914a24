// Which server it is, whatever its address. MySQL has an id of its own, and a replica that was promoted has executed everything that we
// have read. MariaDB has none: `server_uid` is made of the machine and the port where it exists, so it tells one server of a machine from
// another, and is another after a move. What was read is contained in a server's binlog state only where the same server ids wrote it; a
// replica has another server id than the server whose history it holds, while two servers that were set up alike have the same one.
import type { KnownSource, Recognition } from '../source-connector.js';
import { executedGtids, serverUuid, type Server } from './server.js';
import type { Session } from './connection.js';
import type { MariadbPosition } from './mariadb-gtid.js';
import { parsePosition } from './position.js';

export async function recognise(session: Session, server: Server, known: KnownSource): Promise<Recognition> {
  return server.mariadb ? recogniseMariadb(session, known) : recogniseMysql(session, known);
}

async function recogniseMysql(session: Session, known: KnownSource): Promise<Recognition> {
  const identity = `mysql ${await serverUuid(session)}`;
  if (identity === known.identity) return { identity, same: true };
  if (known.position === null) return { identity, same: false };
  const { stream } = parsePosition(known.position);
  const continues = stream.kind === 'mysql-gtid' && !stream.gtids.empty;
  return { identity, same: continues && (await executedGtids(session)).contains(stream.gtids) };
}

interface MariadbIdentity {
  readonly serverId: number;
  readonly place: string;
}

async function recogniseMariadb(session: Session, { identity: known, position }: KnownSource): Promise<Recognition> {
  const now = await mariadbIdentity(session);
  const identity = printMariadb(now);
  const earlier = known === undefined ? undefined : parseMariadb(known);
  if (earlier === undefined || position === null) return { identity, same: false };
  if (identity === known) return { identity, same: true };
  const { stream } = parsePosition(position);
  if (now.serverId === earlier.serverId || stream.kind !== 'mariadb-gtid') return { identity, same: false };
  const { state } = await session.one('SELECT @@GLOBAL.gtid_binlog_state AS state');
  return { identity, same: holds(state ?? '', stream.gtids) };
}

async function mariadbIdentity(session: Session): Promise<MariadbIdentity> {
  const rows = await session.query(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uid', 'hostname', 'port', 'datadir')",
  );
  const values = new Map(rows.map((row) => [row['Variable_name'], row['Value'] ?? '']));
  const place = values.get('server_uid') ?? ['hostname', 'port', 'datadir'].map((name) => values.get(name)).join(' ');
  return { serverId: Number(values.get('server_id')), place };
}

const form = /^mariadb (\d+) (.*)$/s;

function printMariadb({ serverId, place }: MariadbIdentity): string {
  return `mariadb ${serverId} ${place}`;
}

function parseMariadb(text: string): MariadbIdentity | undefined {
  const match = form.exec(text);
  return match === null ? undefined : { serverId: Number(match[1]), place: match[2]! };
}

/** The state has the newest transaction of each domain *and server*; the position's must be among those that this server has. */
export function holds(state: string, position: MariadbPosition): boolean {
  if (position.empty) return false;
  const newest = new Map<string, bigint>();
  for (const [domain, server, sequence] of parts(state)) newest.set(`${domain}-${server}`, sequence);
  return parts(position.toString()).every(([domain, server, sequence]) => {
    const here = newest.get(`${domain}-${server}`);
    return here !== undefined && here >= sequence;
  });
}

function parts(text: string): readonly (readonly [domain: string, server: string, sequence: bigint])[] {
  return text
    .split(',')
    .map((each) => each.trim().split('-'))
    .filter((each) => each.length === 3)
    .map(([domain, server, sequence]) => [domain!, server!, BigInt(sequence!)] as const);
}
