// Zstandard, of which MySQL's compressed transactions are made, in pieces: a transaction may be far larger than what fits into the memory.
// A small one is inflated at once, by Node where it can (from 22.15 on).
import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { AppError } from '../../core/errors.js';

interface Fzstd {
  decompress(data: Uint8Array, to?: Uint8Array): Uint8Array;
  readonly Decompress: new (onData: (data: Uint8Array) => void) => { push(data: Uint8Array, last?: boolean): void };
}
const native = (
  zlib as unknown as { zstdDecompressSync?: (data: Uint8Array, options: { maxOutputLength: number }) => Buffer }
).zstdDecompressSync;

let loaded: Fzstd | undefined;
/** Loaded at the first compressed transaction: most sources have none. */
function fzstd(): Fzstd {
  loaded ??= createRequire(import.meta.url)('fzstd') as Fzstd;
  return loaded;
}

/** Inflated at once. */
const wholeBytesMax = 1 << 20;

/** Pieces of what was compressed, in order; `size` is what they come to. */
export function* inflateZstd(data: Buffer, size: number): Generator<Buffer, void, undefined> {
  try {
    if (size <= wholeBytesMax) {
      yield whole(data, size);
      return;
    }
    const pieces: Uint8Array[] = [];
    const stream = new (fzstd().Decompress)((piece) => pieces.push(piece));
    let left = size;
    // Block by block: one gives 128 KiB at most, whatever its length.
    let at = 0;
    for (const end of blockEnds(data)) {
      stream.push(data.subarray(at, end), end === data.length);
      at = end;
      for (const piece of pieces.splice(0)) {
        left -= piece.length;
        if (left < 0) throw new Error('it is longer than it says');
        if (piece.length > 0) yield Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      }
    }
    if (left > 0) throw new Error('it is shorter than it says');
  } catch (cause) {
    throw new AppError('corrupt-binlog', `a compressed transaction cannot be inflated: ${String(cause)}`, { cause });
  }
}

function whole(data: Buffer, size: number): Buffer {
  const inflated = native ? native(data, { maxOutputLength: size }) : fzstd().decompress(data, new Uint8Array(size));
  if (inflated.length !== size) throw new Error('it has another length than it says');
  return Buffer.from(inflated.buffer, inflated.byteOffset, inflated.length);
}

const frameMagic = 0xfd2fb528;
const contentSizeBytes = [0, 2, 4, 8] as const;
const dictionaryBytes = [0, 1, 2, 4] as const;

/** Where the blocks end; the first of a frame includes its header, the last its checksum. */
function* blockEnds(data: Buffer): Generator<number, void, undefined> {
  for (let at = 0; at < data.length;) {
    if (data.readUInt32LE(at) !== frameMagic) throw new Error('it does not begin with a frame');
    const flags = data[at + 4]!;
    const isSingle = (flags & 0x20) !== 0;
    const contentSize = contentSizeBytes[flags >> 6]!;
    at += 5 + (isSingle ? 0 : 1) + dictionaryBytes[flags & 3]! + (isSingle && contentSize === 0 ? 1 : contentSize);
    for (let isLast = false; !isLast;) {
      const block = data.readUIntLE(at, 3);
      isLast = (block & 1) !== 0;
      // A block of one repeated byte has that byte only.
      at += 3 + ((block & 6) === 2 ? 1 : block >>> 3);
      if (isLast && (flags & 4) !== 0) at += 4;
      if (at > data.length) throw new Error('it ends within a block');
      yield at;
    }
  }
}
