// Checksums of what lies in the data file, each over its bytes and over what it is (which topic, which seq, which table), so that a flipped
// bit, and a right blob in a wrong place, are found when they are read. A sealed blob has the upper half of its first byte full, its
// checksum (CRC-32) in the four bytes behind, and then its content; one without, of an earlier version, has that half empty. No flip
// of one bit makes the one of the other.
import { crc32 as crc32OfSome } from 'node:zlib';
import { crc32OfShort } from './crc.js';
import { AppError } from './errors.js';

/** Of the first byte of a blob, beside its format. */
const sealed = 0xf0;
/** The checksum's place in a sealed blob, behind the first byte. */
export const sealBytes = 4;

const identityBytes = new Float64Array(16);
const identityView = new Uint8Array(identityBytes.buffer);

/** What a blob is, as numbers in an order that its kind of blob has. */
export type Identity = readonly (number | null)[];

/** The first byte of a blob that will be sealed; `sealBytes` of room come behind it. */
export function sealedFormat(format: number): number {
  return sealed | format;
}

/** Writes the checksum into its place. `more`: other bytes that belong to it. */
export function seal(blob: Buffer, identity: Identity, more?: Uint8Array): void {
  blob.writeUInt32LE(checksum(blob, identity, more), 1);
}

export interface Opened {
  readonly format: number;
  /** Where the content begins. */
  readonly at: number;
  /** It had a checksum, which fits. */
  readonly sealed: boolean;
}

/** What a stored blob is; undefined: not what was written. */
export function openSealed(blob: Buffer, identity: Identity, more?: Uint8Array): Opened | undefined {
  const first = blob[0];
  if (first === undefined) return undefined;
  if ((first & sealed) === 0) return { format: first, at: 1, sealed: false };
  if ((first & sealed) !== sealed || blob.length < 1 + sealBytes) return undefined;
  if (blob.readUInt32LE(1) !== checksum(blob, identity, more)) return undefined;
  return { format: first & ~sealed, at: 1 + sealBytes, sealed: true };
}

function checksum(blob: Buffer, identity: Identity, more: Uint8Array | undefined): number {
  // Null is no number that any identity has.
  for (let i = 0; i < identity.length; i++) identityBytes[i] = identity[i] ?? -1;
  let crc = crc32OfShort(identityView, 0, identity.length * 8, blob[0]);
  crc = crc32Behind(crc, blob, 1 + sealBytes);
  return more === undefined ? crc : crc32Behind(crc, more, 0);
}

/** A call into the runtime, and the view for it, cost as much as some hundred bytes here: the blobs of small commits are shorter. */
const shortBytes = 400;

function crc32Behind(before: number, bytes: Uint8Array, from: number): number {
  if (bytes.length - from <= shortBytes) return crc32OfShort(bytes, from, bytes.length, before);
  return crc32OfSome(from === 0 ? bytes : bytes.subarray(from), before);
}

/** Of nothing, zlib forgets what came before where the runtime has no address for it. */
function crc32(bytes: Uint8Array | string, before: number | undefined): number {
  return bytes.length === 0 ? (before ?? 0) : crc32OfSome(bytes, before);
}

/** Values of a row of a small table. */
export function checksumOfValues(values: readonly unknown[]): number {
  let crc = 0;
  for (const value of values) {
    // The kind and the length stand before the bytes, so that neighbours do not run into each other.
    if (value === null || value === undefined) crc = crc32('n', crc);
    else if (typeof value === 'string') crc = crc32(`t${value.length} ${value}`, crc);
    else if (value instanceof Uint8Array) crc = crc32(value, crc32(`b${value.length} `, crc));
    else crc = crc32(`i${String(value as number | bigint)} `, crc);
  }
  return crc;
}

export interface Damage {
  /** The place as a sentence's subject: `table "orders", key 7`. */
  readonly what: string;
  readonly repair: string;
  /** The table that it is about. */
  readonly table?: string | undefined;
}

export function corruptData({ what, repair, table }: Damage): AppError {
  return new AppError('corrupt-data', `damaged in the data file: ${what}`, {
    detail: 'what is stored there does not fit its checksum, so it is not what was written',
    hint: repair,
    subject: table,
  });
}

/** What is no longer in the log cannot be made from anything here. */
export const restoreHint =
  'put a backup of the data folder in its place, or begin with an empty folder and read the sources anew; `writethrough check` lists everything that is damaged';

export function rebuildHint(table: string): string {
  return `make the rows from the log again: writethrough rebuild ${JSON.stringify(table)}; where the log no longer has them, read the source anew (writethrough snapshot)`;
}
