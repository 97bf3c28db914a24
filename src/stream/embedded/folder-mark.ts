// Whether the data file is still the one that was written last. A file from a back-up would give seqs out again with other contents, to
// readers who have seen the first ones; so what was promised is also kept beside the file, where a copy of the file does not reach:
//   writethrough.instance   a random token, new at every start; the data file holds it too, with inode, birth and mtime of this file
//   writethrough.head       the newest seq that any reader may have seen, eight bytes, written behind each commit and not synced: it
//                           survives a kill, and after a power failure it is older, never newer, than what the data file has
// Noticed are: a data file put back alone (its token is older, or it ends before `head`), and a whole folder that was copied or put back
// (the token's file is another file, or was written anew). Not to be noticed is what restores the very files with their times: a snapshot
// of the volume or of the machine, and a copy of both files into their own places that keeps mtime (`cp -p`, `rsync -t --inplace`). There,
// deleting `writethrough.instance` says it.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { guardTables } from '../../sqlite/guarded-tables.js';
import { guardedFolder } from './guarded-log.js';

const markTable = `
-- One row: which file of the folder belongs to this one.
CREATE TABLE IF NOT EXISTS wt_log_folder (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  token TEXT NOT NULL,             -- what writethrough.instance holds
  next TEXT,                       -- what it is about to hold: the process is opening, or died while it did
  inode TEXT NOT NULL,             -- of writethrough.instance, as is what follows; text, because they are 64 bits
  birth TEXT NOT NULL,             -- ns; 0 where the file system knows none
  mtime TEXT NOT NULL,             -- ns
  crc INTEGER
);
`;

interface FileIdentity {
  readonly inode: string;
  readonly birth: string;
  readonly mtime: string;
}

const headBytes = 8;

export class FolderMark {
  readonly #database: SqliteDatabase;
  readonly #folder: string;
  readonly #instance: string;
  readonly #head: number;
  readonly #buffer = Buffer.alloc(headBytes);
  #headSeq: number;
  /** What speaks against it, as a sentence's end; undefined when the file is the one that was written last. */
  readonly doubt: string | undefined;

  /** `headSeq`: of the data file. Changes nothing yet but the making of what is not there. */
  constructor(database: SqliteDatabase, folder: string, headSeq: number) {
    this.#database = database;
    this.#folder = folder;
    this.#instance = join(folder, 'writethrough.instance');
    this.#head = this.#attempt(() => openHead(join(folder, 'writethrough.head')));
    this.#headSeq = this.#attempt(() => this.#readHead());
    database.transaction(() => {
      database.exec(markTable);
      guardTables(database, [guardedFolder]);
    });
    this.doubt = this.#attempt(() => this.#findDoubt(headSeq));
  }

  /**
   * The folder is this process's from here on: a new token. A crash between any two steps leaves `next`, which is believed once more.
   */
  take(headSeq: number): void {
    const token = randomBytes(12).toString('base64url');
    const put =
      'INSERT OR REPLACE INTO wt_log_folder (only, token, next, inode, birth, mtime) VALUES (1, ?, ?, ?, ?, ?)';
    this.#database.transaction(() => this.#database.statement(put).run(token, token, '', '', ''));
    this.#attempt(() => this.#writeToken(token));
    const { inode, birth, mtime } = this.#attempt(() => identityOf(this.#instance)!);
    this.#database.transaction(() => this.#database.statement(put).run(token, null, inode, birth, mtime));
    this.#writeHead(headSeq);
  }

  /** A commit is durable, and readers are about to hear of it. */
  committed(headSeq: number): void {
    if (headSeq !== this.#headSeq) this.#writeHead(headSeq);
  }

  close(): void {
    this.#attempt(() => {
      fdatasyncSync(this.#head);
      closeSync(this.#head);
    });
  }

  #findDoubt(headSeq: number): string | undefined {
    const row = this.#database.statement('SELECT token, next, inode, birth, mtime FROM wt_log_folder').get();
    const now = identityOf(this.#instance);
    // From before there were marks; or the folder has one, and then the file is from before.
    if (row === undefined) return now === undefined ? undefined : 'the data file is older than its folder';
    const [token, next, inode, birth, mtime] = row.map((value) => (value === null ? null : String(value)));
    if (next === null) {
      if (now === undefined) return `${this.#instance} is not there`;
      if (readFileSync(this.#instance, 'latin1') !== token) return 'the data file is from another time than its folder';
      const same = now.inode === inode || (birth !== '0' && now.birth === birth);
      if (!same || now.mtime !== mtime) return 'the data folder is a copy';
    }
    if (this.#headSeq > headSeq)
      return `the data file ends at seq ${headSeq}, and readers have seen seq ${this.#headSeq}`;
    return undefined;
  }

  #writeToken(token: string): void {
    const draft = `${this.#instance}.new`;
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeSync(fd, token);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, this.#instance);
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** 0 for a file that was never written, or whose content a power failure took. */
  #readHead(): number {
    return readSync(this.#head, this.#buffer, 0, headBytes, 0) === headBytes ? this.#buffer.readDoubleLE() : 0;
  }

  #writeHead(seq: number): void {
    this.#buffer.writeDoubleLE(seq);
    this.#attempt(() => writeSync(this.#head, this.#buffer, 0, headBytes, 0));
    this.#headSeq = seq;
  }

  #attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (cause) {
      throw new AppError('data-folder-unusable', `cannot use the marks in ${this.#folder}`, {
        detail: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
}

/** Neither truncated nor positioned by its mode, whether it is there or not. */
function openHead(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return openSync(path, 'wx+', 0o600);
  }
}

function identityOf(path: string): FileIdentity | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return { inode: String(found.ino), birth: String(found.birthtimeNs), mtime: String(found.mtimeNs) };
}
