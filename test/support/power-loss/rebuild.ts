// Puts on a folder what a power loss would have left: everything that was synced, and of the rest a random part. Of a
// write that part is all, nothing, or some of its 512-byte sectors; of the changes of names a prefix. The same seed on
// the same journal gives the same files.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Disk, filesBelow, writeFiles, type FileChange } from './disk.js';
import { readEntries } from './entries.js';

export interface PowerLoss {
  journal: string;
  /** Empty or absent; the files are put here. */
  into: string;
  seed: number;
  /** A copy of the folder from the moment when the journal began; absent when it was empty. */
  from?: string;
  /** How many entries of the journal had happened; absent for all. `countEntries` tells how many there are. */
  at?: number;
}

export interface PowerLossReport {
  readonly seed: number;
  readonly entries: number;
  readonly kept: number;
  readonly dropped: number;
  readonly torn: number;
  /** Path to size in bytes. */
  readonly files: Readonly<Record<string, number>>;
}

const SECTOR_BYTES = 512;

export function rebuildAfterPowerLoss(options: PowerLoss): PowerLossReport {
  const disk = new Disk(options.from);
  let entries = 0;
  for (const entry of readEntries(options.journal)) {
    if (entries === options.at) break;
    disk.apply(entry);
    entries++;
  }
  const dice = createDice(options.seed);
  const count = { kept: 0, dropped: 0, torn: 0 };
  const files = disk.after(
    (unsynced) => Math.floor(dice() * (unsynced + 1)),
    (_path, changes) => {
      const luck = fileLuck(dice, changes.length);
      return changes.flatMap((change, index) => {
        const left = survivors(change, luck(index), dice);
        count[left.length === 1 && left[0] === change ? 'kept' : left.length === 0 ? 'dropped' : 'torn']++;
        return left;
      });
    },
  );
  writeFiles(options.into, files);
  const sizes = [...files].map(([path, bytes]) => [path, bytes.length] as const);
  return { seed: options.seed, entries, ...count, files: Object.fromEntries(sizes) };
}

export function countEntries(journal: string): number {
  let count = 0;
  for (const _ of readEntries(journal)) count++;
  return count;
}

/** Files whose content the journal does not explain, for a program that has ended in good order: empty, or a gap. */
export function unexplained(options: { journal: string; folder: string; from?: string }): string[] {
  const disk = new Disk(options.from);
  for (const entry of readEntries(options.journal)) disk.apply(entry);
  const seen = disk.seen();
  const real = filesBelow(options.folder);
  const differs = (path: string): boolean => {
    return (
      seen
        .get(path)
        ?.bytes()
        .equals(readFileSync(join(options.folder, path))) !== true
    );
  };
  return [...real.filter(differs), ...[...seen.keys()].filter((path) => !real.includes(path))].toSorted();
}

/** What becomes of each change of one file; chosen per file, since mere coin flips hardly ever keep or lose a whole run. */
function fileLuck(dice: () => number, changes: number): (index: number) => number {
  const kind = dice();
  if (kind < 0.15) return () => 0;
  if (kind < 0.3) return () => 1;
  if (kind < 0.65) {
    // The cache was written back in order up to a point, and the write at that point is torn.
    const upTo = Math.floor(dice() * (changes + 1));
    return (index) => (index < upTo ? 1 : index === upTo ? 0.5 : 0);
  }
  const share = dice();
  return () => (dice() < 0.2 ? 0.5 : dice() < share ? 1 : 0);
}

/** `luck`: 1 keeps the change, 0 drops it, anything between tears it. */
function survivors(change: FileChange, luck: number, dice: () => number): FileChange[] {
  if (luck === 1) return [change];
  if (change.kind !== 'write') return luck === 0 ? [] : dice() < 0.5 ? [change] : [];
  const end = change.offset + change.data.length;
  if (luck === 0) {
    // The new length may have reached the disk without the data.
    return dice() < 0.2 ? [{ kind: 'grow', size: end }] : [];
  }
  return sectors(change.offset, end).flatMap(([from, to]) => {
    if (dice() < 0.5) return [];
    return [{ kind: 'write', offset: from, data: change.data.subarray(from - change.offset, to - change.offset) }];
  });
}

function sectors(from: number, to: number): [number, number][] {
  const result: [number, number][] = [];
  for (let at = from; at < to;) {
    const next = Math.min(to, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    result.push([at, next]);
    at = next;
  }
  return result;
}

/** mulberry32: small, seeded, good enough for choosing what a disk forgets. */
function createDice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
