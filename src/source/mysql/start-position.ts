// Whether the server can go on behind a stored position: it must still hold what comes behind it, and must not have lost what
// lies before it.
import { AppError } from '../../core/errors.js';
import { quoteText, type Session } from './connection.js';
import { GtidSet } from './gtid-set.js';
import { MariadbPosition } from './mariadb-gtid.js';
import type { StreamPosition } from './position.js';
import type { Server } from './server.js';
import { positionLost } from './source-error.js';

export async function checkPosition(session: Session, server: Server, position: StreamPosition): Promise<void> {
  if (position.kind !== server.position) {
    throw positionLost(`it is of kind ${position.kind}, and the server has ${server.position}`);
  }
  switch (position.kind) {
    case 'mysql-gtid':
      return checkGtids(session, position.gtids);
    case 'mariadb-gtid':
      return checkMariadb(session, position.gtids);
    case 'file':
      return checkFile(session, position.at);
  }
}

async function checkGtids(session: Session, ours: GtidSet): Promise<void> {
  const { purged } = await session.one('SELECT @@GLOBAL.gtid_purged AS purged');
  const lost = GtidSet.parse(purged ?? '');
  if (!ours.contains(lost))
    throw positionLost(`transactions ${lost.toString()} are purged, and we have ${ours.toString()}`);
  if (ours.empty) return;
  // gtid_executed may be a moment behind what was sent to us, so a difference gets the time to go away.
  const { missing } = await session.one(
    `SELECT WAIT_FOR_EXECUTED_GTID_SET(${quoteText(ours.toString())}, 5) AS missing`,
  );
  if (missing === '0') return;
  const { executed } = await session.one('SELECT @@GLOBAL.gtid_executed AS executed');
  throw rewound(ours.toString(), (executed ?? '').replaceAll(/\s/g, ''));
}

/** Whether a transaction is purged the server tells when the dump is asked for. */
async function checkMariadb(session: Session, ours: MariadbPosition): Promise<void> {
  const { written } = await session.one('SELECT @@GLOBAL.gtid_binlog_pos AS written');
  const theirs = MariadbPosition.parse(written ?? '');
  if (!theirs.contains(ours)) throw rewound(ours.toString(), theirs.toString());
}

async function checkFile(session: Session, at: { readonly file: string; readonly offset: number }): Promise<void> {
  const logs = await session.queryLong('SHOW BINARY LOGS', 'listing its binlog files');
  const log = logs.find((row) => row['Log_name'] === at.file);
  if (!log) throw positionLost(`binlog file ${at.file} is gone`);
  const size = Number(log['File_size']);
  if (size < at.offset) throw rewound(`${at.file}:${at.offset}`, `${at.file}:${size}`);
}

function rewound(ours: string, theirs: string): AppError {
  return new AppError(
    'source-rewound',
    'the source is behind our position: it has lost transactions that we have seen',
    {
      detail: `ours: ${ours}\nthe source: ${theirs || '(none)'}`,
      hint: 'after a restore of the source, `writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
    },
  );
}
