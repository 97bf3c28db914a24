// Which epoch of the log is open. The log's id is random; a process that ran under durability `normal` and did not close in order
// may have lost commits whose versions others have seen, so the next start opens a new epoch, and those versions are recognised.
// Under `full` and `extra` nothing that was committed is ever lost, and an unclean end changes nothing. A data file that was restored
// (folder-mark.ts) has lost such commits whatever the durability.
import { randomBytes } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import type { Durability, SqliteDatabase } from '../../sqlite/database.js';

/** Format 1 has no checksums; it is taken over as it is, and what is written from then on has them. */
const logFormat = 2;

export interface LogEpoch {
  readonly logId: string;
  /** Its seqs are above this one. */
  readonly afterSeq: number;
}

export interface EpochStart {
  readonly durability: Durability;
  /** The newest seq of the log. */
  readonly headSeq: number;
  /** The file is not the one that was written last. */
  readonly restored: boolean;
}

/** Takes the log into use: at the start of the writing process. */
export function openEpoch(database: SqliteDatabase, { durability, headSeq, restored }: EpochStart): string {
  return durably(database, durability, () => {
    const row = database.statement('SELECT log_id, format, clean, weak FROM wt_log').get();
    if (row !== undefined && !(Number(row[1]) >= 1 && Number(row[1]) <= logFormat)) {
      throw new AppError(
        'log-foreign',
        `${database.path} holds a log of format ${String(row[1])}, this version reads ${logFormat}`,
      );
    }
    const unclean = row !== undefined && row[2] === 0 && row[3] === 1;
    let logId: string;
    if (row === undefined || unclean || restored) {
      logId = randomBytes(9).toString('base64url');
      database.statement('INSERT INTO wt_log_epoch (log_id, after_seq) VALUES (?, ?)').run(logId, headSeq);
    } else logId = String(row[0]);
    database
      .statement('INSERT OR REPLACE INTO wt_log (only, log_id, format, clean, weak) VALUES (1, ?, ?, 0, ?)')
      .run(logId, logFormat, durability === 'normal' ? 1 : 0);
    return logId;
  });
}

/** The process ends in order: everything is on disk, so the epoch goes on at the next start. */
export function closeEpoch(database: SqliteDatabase, durability: Durability): void {
  durably(database, durability, () => database.statement('UPDATE wt_log SET clean = 1').run());
}

export function epochsOf(database: SqliteDatabase): readonly LogEpoch[] {
  const rows = database.statement('SELECT log_id, after_seq FROM wt_log_epoch ORDER BY id').all();
  return rows.map(([logId, afterSeq]) => ({ logId: String(logId), afterSeq: Number(afterSeq) }));
}

/** The mark must not be lost itself, whatever the setting for everything else is: a lost "open" would look like a clean end. */
function durably<T>(database: SqliteDatabase, durability: Durability, body: () => T): T {
  if (durability === 'normal') database.raw.pragma('synchronous = FULL');
  try {
    return database.transaction(body);
  } finally {
    if (durability === 'normal') database.raw.pragma('synchronous = NORMAL');
  }
}
