// Which errors of SQLite are those of the file's place: of a disk that is full or broken, of rights, of a file that is damaged.
import { AppError } from '../core/errors.js';
import { corruptData, restoreHint } from '../core/seal.js';

const makeRoom = 'make room and start again: nothing that was confirmed is lost';
const giveRights = 'give the user of this process the right to write the file and its folder';

/**
 * Result codes of SQLite that tell of the file's place and not of a bug (sqlite.org/rescode.html), and those of the system for the files
 * beside it; each with what to do.
 */
const troubles: readonly (readonly [code: string, what: string, hint: string])[] = [
  ['SQLITE_FULL', 'the disk is full', makeRoom],
  ['ENOSPC', 'the disk is full', makeRoom],
  ['EDQUOT', 'the quota of the disk is used up', makeRoom],
  ['SQLITE_IOERR', 'the disk reports an error', 'look into the log of the system; then start again'],
  ['SQLITE_READONLY', 'it may not be written', giveRights],
  ['SQLITE_CANTOPEN', 'it, or a file beside it, cannot be opened', giveRights],
  ['SQLITE_PERM', 'it may not be written', giveRights],
  ['EROFS', 'it lies on a disk that can only be read', giveRights],
  ['EACCES', 'it may not be written', giveRights],
  ['EPERM', 'it may not be written', giveRights],
  [
    'SQLITE_NOTADB',
    'it is no database file',
    'put a backup of the data folder in its place, or begin with an empty one',
  ],
  ['SQLITE_CORRUPT', 'it is damaged', 'put a backup of the data folder in its place, or begin with an empty one'],
];

/** The system has the same words for connections. */
const ofConnections: ReadonlySet<unknown> = new Set(['connect', 'listen', 'bind', 'getaddrinfo']);

function isOfFile(error: object): boolean {
  return !('syscall' in error) || !ofConnections.has(error.syscall);
}

function troubleOf(error: unknown): (typeof troubles)[number] | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at ? String(at.code) : '';
    const trouble = isOfFile(at) ? troubles.find(([start]) => code.startsWith(start)) : undefined;
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

/** The place of our own file is to blame for this error, or for what caused it: no part of the work can be. */
export function isStorageTrouble(error: unknown): boolean {
  return troubleOf(error) !== undefined;
}

/** What can be done about it; undefined: the place of the file is not to blame. */
export function storageHint(error: unknown): string | undefined {
  return troubleOf(error)?.[2];
}

/** What a statement on our own file threw, as data-folder-unusable where the place of the file is to blame. */
export function storageError(error: unknown, path: string): unknown {
  if (error instanceof AppError && error.code === 'data-folder-unusable') return error;
  const trouble = troubleOf(error);
  if (trouble === undefined) return error;
  const [, what, hint] = trouble;
  return new AppError('data-folder-unusable', `cannot use ${path}: ${what}`, {
    detail: error instanceof Error ? error.message : String(error),
    hint,
    cause: error,
  });
}

/** What a read of a table threw: where SQLite itself finds its pages damaged that is corrupt-data, as a checksum that does not fit is. */
export function readError(error: unknown, table: string): unknown {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CORRUPT'))) return error;
  const { code, message, hint, subject } = corruptData({
    what: `table "${table}", whose pages cannot be read`,
    repair: restoreHint,
    table,
  });
  return new AppError(code, message, { detail: error.message, hint, subject, cause: error });
}
