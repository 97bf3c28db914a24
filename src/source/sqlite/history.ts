// Whether a file still has the history that a position belongs to. Numbers alone do not tell: a file that was restored from an
// older copy and written since counts as far as before, with other changes under the same numbers. So a position also holds
// the identity of the last change that was read. Pruning leaves that change in the file until a later one is confirmed.
import { AppError } from '../../core/errors.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';
import { lastSequence, readInstallation, type Installation } from './install.js';
import { quoteName } from './names.js';
import type { SqlitePosition } from './position.js';

/**
 * What tells a change from another one that has its number in another history: when it was made, to the millisecond, then its
 * table and what it was. Not its values: to read a long one again at every look would cost more than the look.
 */
export function changeIdentity([time, table, op]: readonly SqlValue[]): string {
  return `${String(time)} ${String(table)} ${String(op)}`;
}

/** Identity of the change with this number; null when it is not there. */
export function identityAt(database: SqliteDatabase, prefix: string, sequence: number): string | null {
  const changes = quoteName(`${prefix}changes`);
  const row = database.statement(`SELECT time, tbl, op FROM ${changes} WHERE seq = ?`).get(sequence);
  return row === undefined ? null : changeIdentity(row);
}

/** Throws when the installation is not the one of the position, or has lost changes. */
export function checkPosition(
  database: SqliteDatabase,
  config: SqliteSourceConfig,
  position: SqlitePosition,
): Installation {
  const installed = readInstallation(database, config);
  const lost = (why: string) =>
    new AppError('source-position-lost', `${config.file}: ${why}`, {
      hint: '`writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
    });
  if (!installed) throw lost('what capture had installed is gone (the file was replaced or restored)');
  if (installed.capture !== position.capture)
    throw lost('its capture was set up anew, by another process or for another data folder');
  if (position.sequence < installed.prunedSequence) {
    throw lost(`changes up to ${installed.prunedSequence} are pruned, and the position is ${position.sequence}`);
  }
  checkHistory(database, config, position);
  return installed;
}

/** The cheap part, for every look into the file: throws when its changes up to the position are not those that were read. */
export function checkHistory(database: SqliteDatabase, config: SqliteSourceConfig, position: SqlitePosition): number {
  const { file, prefix } = config;
  const { sequence, change } = position;
  const last = lastSequence(database, prefix);
  const rewound = (message: string) =>
    new AppError('source-rewound', message, {
      hint: 'it was restored from an older copy; `writethrough connect delete NAME --topics` and create it again',
    });
  if (sequence > last) throw rewound(`${file} is at change ${last}, and our position is ${sequence}`);
  if (change !== null && identityAt(database, prefix, sequence) !== change)
    throw rewound(`${file} has another change ${sequence} than the one that was read`);
  return last;
}
