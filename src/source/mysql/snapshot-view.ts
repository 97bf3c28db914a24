// The consistent points of a snapshot, one way per kind of server. A view promises: every transaction that the stream had read
// when the view was asked for is visible in it, and everything visible in it lies before `high` in the binlog. So rows that are
// read in it and handed over when the stream has passed `high`, less the keys that the stream changed meanwhile, are the state
// of the tables at exactly that place of the stream.
import type { Logger } from '../../core/logger.js';
import { createBackoff, delay } from '../../core/backoff.js';
import { AppError, assert } from '../../core/errors.js';
import { quoteText, type Session } from './connection.js';
import { compareOffsets, type FileOffset, type StreamPosition } from './position.js';
import { binlogEnd, type Server } from './server.js';
import { isLockTimeout } from './source-error.js';

export interface SnapshotView {
  /** The place that bounds what was read so far in this view; asked after reading. */
  high(): Promise<FileOffset>;
  close(): Promise<void>;
  /** True when the view stays good for more chunks of the table. */
  readonly lasting: boolean;
}

export interface ViewOptions {
  readonly session: Session;
  readonly server: Server;
  /** What the stream had read when recording began. */
  readonly read: StreamPosition;
  /** The same as a place in the binlog; set for MariaDB. */
  readonly place: FileOffset | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

export function openView(options: ViewOptions): Promise<SnapshotView> {
  switch (options.server.position) {
    case 'mysql-gtid':
      return openGtidView(options);
    case 'mariadb-gtid':
      return openMariadbView(options);
    case 'file':
      return openLockedView(options);
  }
}

/**
 * MySQL sends a transaction to its replicas before the engine has committed it, so the stream may know more than a reader sees.
 * gtid_executed follows the engine: once it holds what the stream has read, each later SELECT sees it.
 */
async function openGtidView({ session, server, read, signal }: ViewOptions): Promise<SnapshotView> {
  const set = read.kind === 'mysql-gtid' ? read.gtids.toString() : '';
  for (;;) {
    signal.throwIfAborted();
    const { missing } = await session.one(`SELECT WAIT_FOR_EXECUTED_GTID_SET(${quoteText(set)}, 1) AS missing`);
    if (missing === '0') break;
  }
  return {
    lasting: false,
    high: () => requireEnd(session, server),
    close: () => Promise.resolve(),
  };
}

/**
 * MariaDB tells the exact place of a consistent snapshot. It is compared as file and offset, because BINLOG_GTID_POS would read
 * through the whole file.
 */
async function openMariadbView({ session, place, signal }: ViewOptions): Promise<SnapshotView> {
  assert(place, 'the stream knows its place on MariaDB');
  for (;;) {
    signal.throwIfAborted();
    await session.queryLong('START TRANSACTION WITH CONSISTENT SNAPSHOT', 'beginning a snapshot');
    const rows = await session.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'");
    const status = new Map(rows.map((row) => [row['Variable_name']!.toLowerCase(), row['Value'] ?? '']));
    const at = {
      file: status.get('binlog_snapshot_file') ?? '',
      offset: Number(status.get('binlog_snapshot_position')),
    };
    if ((compareOffsets(at, place) ?? -1) >= 0) {
      return {
        lasting: false,
        high: () => Promise.resolve(at),
        close: async () => {
          await session.query('COMMIT');
        },
      };
    }
    await session.query('COMMIT');
    await delay(5, signal);
  }
}

/**
 * Without GTIDs nothing tells what a reader sees. A global read lock makes binlog and tables agree for the moment in which the
 * view begins; it is taken once per table.
 */
async function openLockedView({ session, server, signal, logger }: ViewOptions): Promise<SnapshotView> {
  logger.warn('GTIDs are off: taking a global read lock for a moment (FLUSH TABLES WITH READ LOCK)');
  let at: FileOffset;
  try {
    await lockAll(session, signal, logger);
    at = await requireEnd(session, server);
    await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await session.queryLong('START TRANSACTION WITH CONSISTENT SNAPSHOT', 'beginning a snapshot');
  } finally {
    await session.query('UNLOCK TABLES');
  }
  return {
    lasting: true,
    high: () => Promise.resolve(at),
    close: async () => {
      await session.query('COMMIT');
    },
  };
}

/** The lock waits behind each statement that runs, and every writer behind it: so it gives up soon, and lets them pass. */
const lockSeconds = 1;

async function lockAll(session: Session, signal: AbortSignal, logger: Logger): Promise<void> {
  const backoff = createBackoff({ initialMs: 1000, maxMs: 30_000 });
  await session.query(`SET SESSION lock_wait_timeout = ${lockSeconds}`);
  for (;;) {
    try {
      await session.queryLong('FLUSH TABLES WITH READ LOCK', 'taking a global read lock for a moment');
      break;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      // MySQL keeps what it has of the lock when the statement fails: new writers would wait for our next try.
      await session.query('UNLOCK TABLES');
      if (backoff.attempt === 0) {
        logger.warn('a long statement keeps the snapshot from its global read lock: it is tried again and again', {
          seconds: lockSeconds,
        });
      }
      await backoff.wait(signal);
    }
  }
  // What is read later waits for an ALTER as long as any session.
  await session.query('SET SESSION lock_wait_timeout = DEFAULT');
}

async function requireEnd(session: Session, server: Server): Promise<FileOffset> {
  const at = await binlogEnd(session, server);
  if (!at)
    throw new AppError('source-misconfigured', 'the source has no binary log', { hint: 'start it with --log-bin' });
  return at;
}
