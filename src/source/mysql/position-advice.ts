// Whether a connector that has read can go on, and for how long it could rest; and whether it pushes another reader off, or is pushed off.
import { AppError, toAppError } from '../../core/errors.js';
import type { ReadSoFar, SourceFinding } from '../source-connector.js';
import type { MysqlConfig } from './config.js';
import type { Row, Session } from './connection.js';
import { misconfigured } from './misconfigured.js';
import { parsePosition } from './position.js';
import { isAtLeast, type Server } from './server.js';
import { checkPosition } from './start-position.js';

/** Of the time for which the binlog is kept. */
const nearShare = 0.5;

export async function adviseOnPosition(
  session: Session,
  server: Server,
  config: MysqlConfig,
  read: ReadSoFar | undefined,
): Promise<SourceFinding[]> {
  const findings: SourceFinding[] = [...(await adviseOnServerId(session, server, config))];
  if (read === undefined) return findings;
  const { stream } = parsePosition(read.position);
  const lost = stream && (await problemOf(() => checkPosition(session, server, stream)));
  if (lost) {
    const readsAnew = config.snapshotMode === 'when_needed';
    findings.push({
      severity: readsAnew ? 'warning' : 'error',
      code: lost.code,
      property: 'snapshot.mode',
      object: 'position',
      message: readsAnew ? `${lost.message}; its tables are read anew (snapshot.mode=when_needed)` : lost.message,
      hint: lost.hint,
    });
  } else findings.push(...(await adviseOnRetention(session, read)));
  return findings;
}

async function problemOf(check: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const known = toAppError(error);
    if (known.code !== 'source-position-lost' && known.code !== 'source-rewound') throw error;
    return known;
  }
}

async function adviseOnRetention(session: Session, { lagMs }: ReadSoFar): Promise<SourceFinding[]> {
  if (lagMs === undefined) return [];
  const { Value: text } = await session.one("SHOW GLOBAL VARIABLES LIKE 'binlog_expire_logs_seconds'");
  const kept = Number(text ?? 0);
  if (kept === 0 || lagMs / 1000 < kept * nearShare) return [];
  return [
    {
      severity: 'warning',
      code: 'retention-near',
      object: 'binlog_expire_logs_seconds',
      message: `what was read is ${Math.round(lagMs / 1000)} s old, and the server keeps its binlog for ${kept} s: behind that the position is lost`,
      hint: `SET GLOBAL binlog_expire_logs_seconds = ${Math.max(604_800, kept * 4)}, and let the connector run`,
    },
  ];
}

async function adviseOnServerId(session: Session, server: Server, { serverId }: MysqlConfig): Promise<SourceFinding[]> {
  const { id } = await session.one('SELECT @@GLOBAL.server_id AS id');
  if (Number(id) === 0) {
    return [
      misconfigured('server_id', 'server_id is 0: the server refuses to send its binlog', 'SET GLOBAL server_id = 1'),
    ];
  }
  if (serverId === undefined) return [];
  const leaveOut = 'leave database.server.id out, so that each connection takes a random one';
  const clash = (message: string): SourceFinding => ({
    ...misconfigured('server_id', message, leaveOut),
    property: 'database.server.id',
  });
  if (Number(id) === serverId) return [clash(`database.server.id ${serverId} is that of the server itself`)];
  // Only what has registered is listed, as replicas do; readers of binlogs such as this one do not.
  const replica = (await replicas(session, server)).find(
    (row) => Number(row['Server_id'] ?? row['Server_Id']) === serverId,
  );
  if (replica === undefined) return [];
  const { Host: host, Port: port } = replica;
  return [
    clash(
      `database.server.id ${serverId} is that of a replica${host ? ` (${host}:${port ?? ''})` : ''}: they would push each other off`,
    ),
  ];
}

async function replicas(session: Session, server: Server): Promise<readonly Row[]> {
  try {
    return await session.query(server.mariadb || !isAtLeast(server, 8, 1) ? 'SHOW SLAVE HOSTS' : 'SHOW REPLICAS');
  } catch (error) {
    // MariaDB asks for a right of an administrator.
    if (error instanceof AppError && error.code === 'source-missing-grant') return [];
    throw error;
  }
}
