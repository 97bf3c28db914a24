// Where a run begins, and whether the server can go on behind a stored position: it must still hold what comes behind it, and must not have
// lost what lies before it.
import { delay } from '../../core/backoff.js';
import { systemClock } from '../../core/clock.js';
import type { AppError } from '../../core/errors.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import { GtidSet } from './gtid-set.js';
import { holds } from './identity.js';
import type { MariadbPosition } from './mariadb-gtid.js';
import type { SnapshotCursor, StreamPosition } from './position.js';
import type { Resume } from './resume.js';
import { currentPosition, executedGtids, serverUuid, type Server } from './server.js';
import { positionLost, rewound } from './source-error.js';
import { beginOf } from './stream-begin.js';

const catchUpMs = 5_000;
const pollMs = 100;

export interface StartPosition {
  readonly stream: StreamPosition;
  readonly cursor: SnapshotCursor | undefined;
  /** It is the end of the binlog: nothing was stored, or what was has to begin anew. */
  readonly fresh: boolean;
  /** The view of linked tables that an earlier run began came to no end. */
  readonly anew: boolean;
}

/** Throws where the server cannot go on behind the position that is stored. */
export async function startPosition(
  session: Session,
  server: Server,
  { snapshotMode }: Pick<MysqlConfig, 'snapshotMode'>,
  from: Resume,
): Promise<StartPosition> {
  const anew = from.cursor?.linked === 'begun';
  if (from.stream && !anew) {
    await checkPosition(session, server, from.stream, beginOf(from.stream, from.prepared));
    // Of a position from before places told their server: it is this one's from here on.
    const stream = from.stream.kind === 'file' ? { ...from.stream, server: await serverUuid(session) } : from.stream;
    return { stream, cursor: from.cursor, fresh: false, anew };
  }
  const cursor = snapshotMode === 'none' ? undefined : { table: null, key: null };
  return { stream: await currentPosition(session, server), cursor, fresh: true, anew };
}

/** `begin`: where the stream has to begin for it, which may be before it (stream-begin.ts). */
export async function checkPosition(
  session: Session,
  server: Server,
  position: StreamPosition,
  begin: StreamPosition = position,
): Promise<void> {
  if (position.kind !== server.position) {
    throw positionLost(`it is of kind ${position.kind}, and the server has ${server.position}`);
  }
  switch (position.kind) {
    case 'mysql-gtid':
      return checkGtids(session, position.gtids, begin.kind === 'mysql-gtid' ? begin.gtids : position.gtids);
    case 'mariadb-gtid':
      return checkMariadb(session, position.gtids);
    case 'file':
      if (position.server !== undefined) await checkServer(session, position.server);
      await checkFile(session, position.at);
      if (begin.kind === 'file') await checkFile(session, begin.at);
      return;
  }
}

async function checkGtids(session: Session, ours: GtidSet, begin: GtidSet): Promise<void> {
  const { purged } = await session.one('SELECT @@GLOBAL.gtid_purged AS purged');
  const lost = GtidSet.parse(purged ?? '');
  if (!begin.contains(lost))
    throw positionLost(`transactions ${lost.toString()} are purged, and we have ${begin.toString()}`);
  if (ours.empty) return;
  await eventually(async () => {
    const executed = await executedGtids(session);
    return executed.contains(ours) ? undefined : behind(ours.toString(), executed.toString());
  });
}

/**
 * Whether a transaction is purged the server tells when the dump is asked for. What it has written it knows by domain and server: without
 * gtid_strict_mode the numbers of a domain may run backwards.
 */
async function checkMariadb(session: Session, ours: MariadbPosition): Promise<void> {
  if (ours.empty) return;
  await eventually(async () => {
    const { written, state } = await session.one(
      'SELECT @@GLOBAL.gtid_binlog_pos AS written, @@GLOBAL.gtid_binlog_state AS state',
    );
    return holds(state ?? '', ours) ? undefined : behind(ours.toString(), written ?? '');
  });
}

/**
 * What was sent to us may be a moment ahead of what the server says that it has executed, and a replica that takes over may have some of it
 * still to apply: a difference gets some seconds to go away. Asked again and again, since a statement that waits would have to be shorter
 * than the deadlines of the connector.
 */
async function eventually(problem: () => Promise<AppError | undefined>): Promise<void> {
  const end = systemClock.monotonicMs() + catchUpMs;
  for (;;) {
    const found = await problem();
    if (found === undefined) return;
    if (systemClock.monotonicMs() > end) throw found;
    await delay(pollMs);
  }
}

async function checkServer(session: Session, ours: string): Promise<void> {
  const uuid = await serverUuid(session);
  if (uuid !== ours) throw positionLost(`it is a place in the binlog of server ${ours}, and this is ${uuid}`);
}

async function checkFile(session: Session, at: { readonly file: string; readonly offset: number }): Promise<void> {
  const logs = await session.queryLong('SHOW BINARY LOGS', 'listing its binlog files');
  const log = logs.find((row) => row['Log_name'] === at.file);
  if (!log) throw positionLost(`binlog file ${at.file} is gone`);
  const size = Number(log['File_size']);
  if (size < at.offset) throw behind(`${at.file}:${at.offset}`, `${at.file}:${size}`);
}

function behind(ours: string, theirs: string): AppError {
  return rewound('it has lost transactions that we have seen', {
    detail: `ours: ${ours}\nthe source: ${theirs || '(none)'}`,
  });
}
