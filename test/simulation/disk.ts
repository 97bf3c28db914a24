// The data folder of a simulated process, and what a death leaves in it. A kill keeps what was written until that very moment: files are
// remembered there, the dead process's connections are closed (which would write), and the files are put back into their places, since a
// folder that is copied would be taken for a restored one. A power loss keeps what was synced and a random part of the rest, as the
// journal of all writes tells (test/support/power-loss; the simulation then runs in a process of its own, under that library).
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rebuildAfterPowerLoss } from '../support/power-loss/rebuild.js';
import { Database } from '../support/sqlite-driver.js';

/** A folder whose writes are journalled; the journal lies outside of it. */
export interface JournalledFolder {
  readonly folder: string;
  readonly journal: string;
}

export type Image = ReadonlyMap<string, Buffer>;

/** SQLite makes it again by itself, and it survives nothing. */
const sharedMemory = /-shm$/;

/** Memory-backed where the system has such a folder. */
export function fastFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'wt-simulation-'));
}

export class SimulatedDisk {
  readonly folder: string;
  readonly #journal: string | undefined;
  readonly #connections = new Set<Database>();
  // oxlint-disable-next-line typescript/unbound-method -- called with its connection
  readonly #pragma: unknown = Database.prototype.pragma;

  constructor(journalled?: JournalledFolder) {
    this.folder = journalled?.folder ?? fastFolder();
    this.#journal = journalled?.journal;
    const { folder } = this;
    const connections = this.#connections;
    const original = this.#pragma as (this: Database, ...args: unknown[]) => unknown;
    // Every connection is set up by pragmas, so this sees them all.
    Database.prototype.pragma = function (this: Database, ...args: unknown[]) {
      if (this.name.startsWith(folder)) connections.add(this);
      return original.apply(this, args);
    } as never;
  }

  get path(): string {
    return join(this.folder, 'writethrough.db');
  }

  /** What a kill leaves at this moment; with a seed, what a power loss leaves. */
  image(lossSeed?: number): Image {
    if (lossSeed === undefined || this.#journal === undefined) return filesOf(this.folder);
    const into = fastFolder();
    try {
      rebuildAfterPowerLoss({ journal: this.#journal, into, seed: lossSeed });
      return filesOf(into);
    } finally {
      rmSync(into, { recursive: true, force: true });
    }
  }

  /** The process is dead: its connections go, and the files are as the image says. */
  restore(image: Image): void {
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch (error) {
        // A read that the dead process had in its hands; nobody will go on with it.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    this.#connections.clear();
    for (const name of readdirSync(this.folder)) if (!image.has(name)) rmSync(join(this.folder, name), { force: true });
    for (const [name, bytes] of image) put(join(this.folder, name), bytes);
    sync(this.folder);
  }

  remove(): void {
    this.restore(new Map());
    Database.prototype.pragma = this.#pragma as never;
    if (this.#journal === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

function filesOf(folder: string): Image {
  const names = readdirSync(folder).filter((name) => !sharedMemory.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** In its place: the file stays the same one, and one that is right already stays as old as it is. What lies there now is safe. */
function put(path: string, bytes: Buffer): void {
  const fd = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600);
  try {
    if (!readFileSync(path).equals(bytes)) {
      ftruncateSync(fd, bytes.length);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sync(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
