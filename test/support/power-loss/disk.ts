// A model of a disk with a cache: what the program sees, what has been synced, and what still hangs between.
//
// - A write, or a change of size, is durable once a sync of its file that began after it has ended.
// - Creations, removals and renamings form one sequence, as in a journalling file system: a sync of a folder makes
//   durable everything up to the last of them in that folder, a sync of a file everything up to its creation.
// - Before that they may or may not have reached the disk: the sequence a prefix of it, each write of its own.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from './entries.js';

export type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'size'; readonly size: number }
  /** A longer file whose new bytes never came. */
  | { readonly kind: 'grow'; readonly size: number };

export class DiskFile {
  /** What is safe. */
  readonly durable = new Bytes();
  /** What is not yet, in order, with the place in the journal. */
  pending: { readonly at: number; readonly change: FileChange }[] = [];
  /** How many names must be durable for this file to be found at all. */
  createdBy = 0;
}

type NameChange = {
  readonly path: string;
  readonly change: (names: Map<string, DiskFile>) => void;
  readonly touches: readonly string[];
};

export class Disk {
  readonly #byInode = new Map<bigint, DiskFile>();
  readonly #seen: Map<string, DiskFile>;
  readonly #base: Map<string, DiskFile>;
  readonly #names: NameChange[] = [];
  readonly #syncs = new Map<bigint, { at: number; names: number; of: { file: bigint } | { folder: string } }>();
  #durableNames = 0;
  #at = 0;

  /** `base`: a copy of the folder from the moment when the journal began; undefined for an empty one. */
  constructor(base: string | undefined) {
    this.#base = new Map(base === undefined ? [] : filesBelow(base).map((path) => [path, fileOf(join(base, path))]));
    this.#seen = new Map(this.#base);
  }

  apply(entry: Entry): void {
    this.#at++;
    switch (entry.kind) {
      case 'open':
        this.#open(entry);
        break;
      case 'write':
        this.#change(entry.file, { kind: 'write', offset: entry.offset, data: entry.data });
        break;
      case 'truncate':
        this.#change(entry.file, { kind: 'size', size: entry.size });
        break;
      case 'sync-begin':
        this.#syncs.set(entry.number, { at: this.#at, names: this.#names.length, of: entry.of });
        break;
      case 'sync-end':
        this.#synced(entry.number);
        break;
      case 'unlink':
        this.#name({ path: entry.path, change: (names) => names.delete(entry.path), touches: [entry.path] });
        break;
      case 'rename':
        this.#name({
          path: entry.to,
          change: (names) => move(names, entry.from, entry.to),
          touches: [entry.from, entry.to],
        });
        break;
      case 'mkdir':
      case 'rmdir':
        break; // folders without files are of no interest, and those with files are made for them
      default:
        entry satisfies never;
    }
  }

  /** Files as the running program saw them last. */
  seen(): Map<string, Bytes> {
    return this.#materialise(this.#seen, (file) => file.pending.map(({ change }) => change));
  }

  /** Files after a power loss: `keepNames` of the unsynced names, and of each file's unsynced changes what `keep` leaves. */
  after(
    keepNames: (unsynced: number) => number,
    keep: (path: string, changes: readonly FileChange[]) => readonly FileChange[],
  ): Map<string, Bytes> {
    const names = new Map(this.#base);
    const count = this.#durableNames + keepNames(this.#names.length - this.#durableNames);
    for (const { change } of this.#names.slice(0, count)) change(names);
    return this.#materialise(names, (file, path) =>
      keep(
        path,
        file.pending.map(({ change }) => change),
      ),
    );
  }

  #materialise(
    names: ReadonlyMap<string, DiskFile>,
    changes: (file: DiskFile, path: string) => readonly FileChange[],
  ): Map<string, Bytes> {
    const result = new Map<string, Bytes>();
    for (const [path, file] of names) {
      const bytes = file.durable.copy();
      for (const change of changes(file, path)) bytes.apply(change);
      result.set(path, bytes);
    }
    return result;
  }

  #open(entry: Extract<Entry, { kind: 'open' }>): void {
    const known = this.#seen.get(entry.path);
    const file = entry.created || known === undefined ? new DiskFile() : known;
    this.#byInode.set(entry.file, file);
    if (file !== known) {
      this.#name({ path: entry.path, change: (names) => names.set(entry.path, file), touches: [entry.path] });
      file.createdBy = this.#names.length;
    }
    if (entry.emptied && file === known) this.#change(entry.file, { kind: 'size', size: 0 });
  }

  #change(inode: bigint, change: FileChange): void {
    const file = this.#byInode.get(inode);
    if (file === undefined) throw new Error(`the journal changes a file that it never opened (inode ${inode})`);
    file.pending.push({ at: this.#at, change });
  }

  #name(change: NameChange): void {
    this.#names.push(change);
    change.change(this.#seen);
  }

  #synced(number: bigint): void {
    const sync = this.#syncs.get(number);
    if (sync === undefined) throw new Error('the journal ends a sync that it never began');
    this.#syncs.delete(number);
    if ('folder' in sync.of) {
      const { folder } = sync.of;
      const upTo = this.#names
        .slice(0, sync.names)
        .findLastIndex(({ touches }) => touches.some((path) => folderOf(path) === folder));
      this.#durableNames = Math.max(this.#durableNames, upTo + 1);
      return;
    }
    const file = this.#byInode.get(sync.of.file);
    if (file === undefined) throw new Error('the journal syncs a file that it never opened');
    for (const { at, change } of file.pending) if (at < sync.at) file.durable.apply(change);
    file.pending = file.pending.filter(({ at }) => at >= sync.at);
    this.#durableNames = Math.max(this.#durableNames, file.createdBy);
  }
}

/** A growing piece of bytes; what was never written reads as zero. */
export class Bytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  apply(change: FileChange): void {
    if (change.kind === 'grow') {
      this.#grow(change.size);
      this.#length = Math.max(this.#length, change.size);
      return;
    }
    if (change.kind === 'size') {
      this.#grow(change.size);
      if (change.size < this.#length) this.#buffer.fill(0, change.size, this.#length);
      this.#length = change.size;
      return;
    }
    const end = change.offset + change.data.length;
    this.#grow(end);
    change.data.copy(this.#buffer, change.offset);
    this.#length = Math.max(this.#length, end);
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  copy(): Bytes {
    const copy = new Bytes();
    copy.apply({ kind: 'write', offset: 0, data: this.bytes() });
    return copy;
  }

  #grow(length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(length, this.#buffer.length * 2, 4096));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Paths below a folder, without SQLite's shared memory, which is made anew after a crash. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('-shm'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Bytes>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes.bytes());
  }
}

function fileOf(path: string): DiskFile {
  const file = new DiskFile();
  file.durable.apply({ kind: 'write', offset: 0, data: readFileSync(path) });
  return file;
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '.' ? '' : folder;
}

/** A file, or a folder with all that is in it. */
function move(names: Map<string, DiskFile>, from: string, to: string): void {
  for (const [path, file] of names) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    names.delete(path);
    names.set(to + path.slice(from.length), file);
  }
}
