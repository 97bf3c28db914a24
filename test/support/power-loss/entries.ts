// Reads the journal that journal.c writes. An entry cut off at the end belongs to an operation whose program was killed
// before it was told of the result, and is left out.
import { closeSync, openSync, readSync } from 'node:fs';

export type Entry =
  | {
      readonly kind: 'open';
      readonly file: bigint;
      readonly path: string;
      readonly created: boolean;
      readonly emptied: boolean;
    }
  | { readonly kind: 'write'; readonly file: bigint; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly file: bigint; readonly size: number }
  | {
      readonly kind: 'sync-begin';
      readonly number: bigint;
      readonly of: { readonly file: bigint } | { readonly folder: string };
    }
  | { readonly kind: 'sync-end'; readonly number: bigint }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

const MAGIC = 0x4a505457;
const HEAD_BYTES = 32;
const CREATED = 1;
const EMPTIED = 2;

export function* readEntries(journal: string): Generator<Entry> {
  const fd = openSync(journal, 'r');
  try {
    for (let at = 0; ;) {
      const head = readAt(fd, at, HEAD_BYTES);
      if (head === undefined) return;
      if (head.readUInt32LE(0) !== MAGIC) throw new Error(`the journal ${journal} is broken at byte ${at}`);
      const [pathLength, dataLength] = [head.readUInt32LE(24), head.readUInt32LE(28)];
      const rest = readAt(fd, at + HEAD_BYTES, pathLength + dataLength);
      if (rest === undefined) return;
      yield parse(head, rest.toString('utf8', 0, pathLength), rest.subarray(pathLength));
      at += HEAD_BYTES + pathLength + dataLength;
    }
  } finally {
    closeSync(fd);
  }
}

function parse(head: Buffer, path: string, data: Buffer): Entry {
  const file = head.readBigUInt64LE(8);
  const a = head.readBigUInt64LE(16);
  const kind = head.readUInt32LE(4);
  switch (kind) {
    case 1:
      return { kind: 'open', file, path, created: (Number(a) & CREATED) !== 0, emptied: (Number(a) & EMPTIED) !== 0 };
    case 2:
      return { kind: 'write', file, offset: Number(a), data };
    case 3:
      return { kind: 'truncate', file, size: Number(a) };
    case 4:
      return { kind: 'sync-begin', number: a, of: path === '' ? { file } : { folder: path === '.' ? '' : path } };
    case 5:
      return { kind: 'sync-end', number: a };
    case 6:
      return { kind: 'unlink', path };
    case 7: {
      const [from = '', to = ''] = path.split('\0');
      return { kind: 'rename', from, to };
    }
    case 8:
      return { kind: 'mkdir', path };
    case 9:
      return { kind: 'rmdir', path };
    default:
      throw new Error(`the journal holds an entry of unknown kind ${kind}`);
  }
}

function readAt(fd: number, at: number, length: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buffer, filled, length - filled, at + filled);
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer;
}
